"""The tables a pile needs, with the types of their columns, from its queries alone."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlglot import exp

from unwet.lineage.names import deep_stack, relation_name
from unwet.lineage.pile import Pile, assemble
from unwet.lineage.resolve import Query, Resolved
from unwet.lineage.tables import Column, Table
from unwet.lineage.uses import alone, file_output
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.definitions import Definition
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.synthetic.cells import DECLARED, Cell, decide, unify
from unwet.rewrite.prove.synthetic.expressions import Scalars
from unwet.rewrite.prove.synthetic.hints import named_kind
from unwet.rewrite.prove.synthetic.notes import Constant, Notes, Place
from unwet.rewrite.prove.synthetic.owners import Owners
from unwet.rewrite.prove.synthetic.parameters import bound, given, guesses
from unwet.rewrite.prove.synthetic.relations import Relations
from unwet.rewrite.prove.synthetic.trees import Trees
from unwet.rewrite.prove.synthetic.types import SqlType, of_node, read_type
from unwet.rewrite.prove.synthetic.values import WHOLE_ROW, Row

_MAKING = frozenset({"ctas", "view", "select_into", "insert", "create_table"})
__all__ = ["Constant", "Inferred", "infer"]


@dataclass(frozen=True, slots=True)
class Inferred:
    """What the queries of a pile tell of its relations.

    `tables`: relation (as plans call it) -> column -> type, for base tables and for what the pile
    makes; columns that are only known to be somewhere behind a star are missing. `meaning`: the
    pile read again with the base tables declared so, and with `values` (SQL text by name) for its
    placeholders: more of its queries have a plan now. It is for finding out what queries ask of
    their data, and for running them, never for a proof. `functions`: results of functions nobody
    knows, by (dotted) name; `parameters`: types of placeholders, by token.
    """

    tables: Mapping[str, Mapping[str, SqlType]]
    functions: Mapping[str, SqlType]
    parameters: Mapping[str, SqlType]
    values: Mapping[str, str]
    meaning: Meaning = field(repr=False)
    _constants: Mapping[Place, tuple[Constant, ...]] = field(repr=False)
    _chiefs: Mapping[Place, Place] = field(repr=False)
    _classes: Mapping[Place, int] = field(repr=False)

    def literals(self, relation: str, column: str, *path: str) -> tuple[Constant, ...]:
        """The pile's constants that the column is compared with, or one it is compared with;
        `path`: the field of a struct. In the order they were met."""
        return self._constants.get(self._chief(relation, column, path), ())

    def alike(self, relation: str, column: str, *path: str) -> int | None:
        """The same number for columns that are compared for equality, directly or through
        others; None for a column that no other is compared with."""
        return self._classes.get(self._chief(relation, column, path))

    def _chief(self, relation: str, column: str, path: tuple[str, ...]) -> Place:
        place = (relation, (column, *path))
        return self._chiefs.get(place, place)


def infer(meaning: Meaning) -> Inferred:
    """Types of all columns that the pile reads or makes, by what its queries do with them."""
    columns = _studied(meaning, planned=False)
    values = {**guesses(meaning.pile), **given(meaning.pile, columns.parameters)}
    filled = bound(meaning, values).pile
    again = _studied(Meaning(_described(filled, columns)), planned=True)
    return replace(again, values=values)


def _studied(meaning: Meaning, planned: bool) -> Inferred:
    """`planned`: read plans where there are any; before the columns of base tables are known,
    plans take a bare name for a column of the nearest table, which the trees leave open."""
    notes = Notes()
    relations, owners = Relations(notes), Owners(notes, _hints(meaning.pile))
    trees = Trees(relations.scalars, owners, _makers(meaning))
    with deep_stack():
        _declare(notes, meaning)
        _declare_functions(relations.scalars, meaning)
        definitions = tuple(_definitions(meaning)) if planned else ()
        for each in definitions:
            _read(relations, each)
        for resolved in _without_plan(meaning, definitions):
            _read_tree(trees, notes, resolved)
        owners.settle()
        relations.scalars.settle()
    return _inferred(relations.scalars, meaning)


def _described(pile: Pile, found: Inferred) -> Pile:
    """The pile as if its base tables were declared: now names have one meaning, stars columns,
    and most of its queries a plan."""
    made = {resolved.target for resolved in pile.writes if resolved.kind in _MAKING}
    tables = tuple(_tables(pile, found, made))
    return assemble(pile.scripts, tables, pile.catalog.default_schema)


def _tables(pile: Pile, found: Inferred, made: Container[str | None]) -> Iterator[Table]:
    for name, columns in found.tables.items():
        known = pile.catalog.tables.get(name)
        if known is not None and known.origin == "schema":
            yield known
        elif name not in made and columns and (known is None or not known.closed):
            yield Table(name, tuple(map(Column, columns)), True, "schema")


def _hints(pile: Pile) -> dict[str, frozenset[str]]:
    """What a relation `x.age` may have: the columns of a file `age.sql` that is one query."""
    paths = alone(pile.scripts)
    found = (file_output(each) for each in pile.resolved if each.statement.path in paths)
    return {Path(o.path).stem.lower(): frozenset(o.columns) for o in found if o is not None}


def _makers(meaning: Meaning) -> dict[str, list[Query]]:
    """The queries that fill the relations of the pile."""
    found: dict[str, list[Query]] = {}
    for each in meaning.pile.writes:
        if each.target and each.query is not None and each.kind in _MAKING:
            found.setdefault(each.target, []).append(each.query)
    return found


def _definitions(meaning: Meaning) -> Iterator[Definition]:
    """Everything the pile makes, temporary tables and earlier states included, each once."""
    seen: set[int] = set()
    waiting = [report.definition for report in meaning.state.reports]
    while waiting:
        definition = waiting.pop(0)
        if id(definition) not in seen:
            seen.add(id(definition))
            yield definition
            waiting += definition.reads


def _without_plan(meaning: Meaning, definitions: Iterable[Definition]) -> Iterator[Resolved]:
    """The statements that no plan tells everything of."""
    told = {
        id(part)
        for definition in definitions
        if definition.plan is not None and not _is_opaque(definition.plan)
        for part in definition.parts
    }
    return (each for each in meaning.pile.writes if id(each) not in told)


def _is_opaque(plan: Plan) -> bool:
    return any(isinstance(rel, Opaque) for rel in walk(plan.rel))


def _read_tree(trees: Trees, notes: Notes, resolved: Resolved) -> None:
    if resolved.query is None:
        return
    outputs = trees.query(resolved.query)
    if resolved.target and resolved.kind in _MAKING:
        names = resolved.target_columns or tuple(name for name, _ in outputs)
        for name, (_, value) in zip(names, outputs, strict=False):
            unify(notes.cell(resolved.target, name), value.cell)
            notes.read([(resolved.target, (name,))])


def _declare(notes: Notes, meaning: Meaning) -> None:
    """Types that the pile's own DDL or a given schema says."""
    dialect = next((s.dialect for script in meaning.pile.scripts for s in script.statements), "")
    for name, table in sorted(meaning.pile.catalog.tables.items()):
        for column in table.columns:
            kind = read_type(column.type, dialect) if column.type else None
            if kind is not None:
                notes.declare(name, column.name, kind)
            if table.closed and table.origin in ("ddl", "schema"):
                notes.read([(name, (column.name,))])


def _declare_functions(scalars: Scalars, meaning: Meaning) -> None:
    """What the pile's own functions say they take and return."""
    for script in meaning.pile.scripts:
        for statement in script.statements:
            tree = statement.tree
            if isinstance(tree, exp.Create) and isinstance(tree.this, exp.UserDefinedFunction):
                returned = tree.find(exp.ReturnsProperty)
                kind = of_node(returned.this, "declared") if returned is not None else None
                name = relation_name(tree.this.this, statement.dialect)
                scalars.arguments[name] = [_declared_type(each) for each in tree.this.expressions]
                cell = scalars.functions.setdefault(name, Cell())
                if kind is not None:
                    cell.tell(kind, DECLARED)


def _declared_type(argument: exp.Expr) -> SqlType | None:
    kind = argument.args.get("kind") if isinstance(argument, exp.ColumnDef) else None
    return of_node(kind, "declared") if isinstance(kind, exp.DataType) else None


def _read(relations: Relations, definition: Definition) -> None:
    plan = definition.plan
    if plan is None:
        return
    row = relations.plan(plan)
    if definition.relation:
        _made(relations, definition.relation, definition.columns or plan.names, row)


def _made(relations: Relations, relation: str, names: tuple[str, ...], row: Row) -> None:
    """The columns of a relation that the pile makes are the outputs of its query."""
    for name, value in zip(names, row, strict=False):
        if name != WHOLE_ROW:
            unify(relations.notes.cell(relation, name), value.cell)
            relations.notes.read([(relation, (name,))])


def _inferred(scalars: Scalars, meaning: Meaning) -> Inferred:
    notes = scalars.notes
    tables: dict[str, dict[str, SqlType]] = {}
    for relation, column in notes.columns:
        columns = tables.setdefault(relation, {})
        if column != WHOLE_ROW:
            found = notes.declared.get((relation, column))
            columns[column] = found or decide(notes.cell(relation, column), named_kind(column))
    chiefs = notes.chiefs()
    numbers = {chief: n for n, chief in enumerate(sorted(set(chiefs.values())))}
    return Inferred(
        {relation: tables[relation] for relation in sorted(tables)},
        {name: decide(cell) for name, cell in sorted(scalars.functions.items())},
        {t: decide(cell, named_kind(t.strip("p_"))) for t, cell in sorted(scalars.params.items())},
        {},
        meaning,
        notes.constants(),
        chiefs,
        numbers,
    )
