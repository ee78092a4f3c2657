"""The tables a pile needs, with the types of their columns, from its queries alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unwet.lineage.names import deep_stack
from unwet.rewrite.definitions import Definition
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.synthetic.cells import DECLARED, decide, unify
from unwet.rewrite.prove.synthetic.expressions import WHOLE_ROW, Row
from unwet.rewrite.prove.synthetic.hints import named_kind
from unwet.rewrite.prove.synthetic.notes import Constant, Notes, Place
from unwet.rewrite.prove.synthetic.relations import Relations
from unwet.rewrite.prove.synthetic.types import SqlType, read_type

__all__ = ["Constant", "Inferred", "infer"]


@dataclass(frozen=True, slots=True)
class Inferred:
    """What the queries of a pile tell of its relations.

    `tables`: relation (as plans call it) -> column -> type, for base tables and for what the pile
    makes; columns that are only known to be somewhere behind a star are missing.
    """

    tables: Mapping[str, Mapping[str, SqlType]]
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
    notes = Notes()
    relations = Relations(notes)
    with deep_stack():
        _declare(notes, meaning)
        for report in meaning.state.reports:
            _read(relations, report.definition)
        relations.scalars.settle()
    return _inferred(notes)


def _declare(notes: Notes, meaning: Meaning) -> None:
    """Types that the pile's own DDL or a given schema says."""
    dialect = next((s.dialect for script in meaning.pile.scripts for s in script.statements), "")
    for name, table in sorted(meaning.pile.catalog.tables.items()):
        for column in table.columns:
            kind = read_type(column.type, dialect) if column.type else None
            if kind is not None:
                notes.cell(name, column.name).tell(kind, DECLARED)
            if table.closed and table.origin in ("ddl", "schema"):
                notes.read([(name, (column.name,))])


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


def _inferred(notes: Notes) -> Inferred:
    tables: dict[str, dict[str, SqlType]] = {}
    for relation, column in notes.columns:
        columns = tables.setdefault(relation, {})
        if column != WHOLE_ROW:
            columns[column] = decide(notes.cell(relation, column), named_kind(column))
    chiefs = notes.chiefs()
    numbers = {chief: n for n, chief in enumerate(sorted(set(chiefs.values())))}
    ordered = {relation: tables[relation] for relation in sorted(tables)}
    return Inferred(ordered, notes.constants(), chiefs, numbers)
