"""What the text of a query asks of rows, where there is no plan of it, or only of parts.

    way_of(trees, relations, facts, symbols) -> Way

One row of each relation; columns are found by their names. Conditions that name no column of
these, or more than their values, are left out, and none has to hold: branches of a union may
contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.trees import conjuncts
from unwet.rewrite.algebra import Agg, Expr, Over, parts
from unwet.rewrite.prove.adapt import name_parts
from unwet.rewrite.prove.synthetic.classes import equal_pair
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.symbols import Symbols, binary
from unwet.rewrite.prove.synthetic.types import SqlType
from unwet.rewrite.rules.refs import rebuild
from unwet.rewrite.scalars import Unsupported, encode

_CLAUSES = (exp.Where, exp.Having, exp.Qualify)
_CHOICES = (exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Predicate)
Types = Mapping[str, Mapping[str, SqlType]]


def way_of(
    trees: Iterable[exp.Expr], relations: Sequence[str], types: Types, symbols: Symbols
) -> Way:
    """`wants` are equal columns of joins, `hopes` all other conditions, `looks` what is chosen."""
    reader = _Reader(relations, types, symbols)
    wants: dict[Expr, None] = {}
    hopes: dict[Expr, None] = {}
    looks: dict[Expr, None] = {}
    for tree in trees:
        reader.enter(tree)
        for condition in _conditions(tree):
            for each in reader.read(condition):
                (hopes if equal_pair(each) is None else wants)[each] = None
        wants |= dict.fromkeys(reader.used_by(tree))
        for node in tree.find_all(*_CHOICES):
            looks |= dict.fromkeys(reader.read(node))
    cells = tuple(reader.seen)
    scans = frozenset(reader.scans.values())
    return Way(scans, tuple(wants), cells, looks=tuple(looks), hopes=tuple(hopes))


def _conditions(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The conjuncts of all clauses, of whatever block."""
    for clause in tree.find_all(*_CLAUSES):
        yield from conjuncts(clause.this)
    for join in tree.find_all(exp.Join):
        if join.args.get("on") is not None:
            yield from conjuncts(join.args["on"])


class _Reader:
    """Reads expressions over one row of each relation."""

    def __init__(self, relations: Sequence[str], types: Types, symbols: Symbols) -> None:
        self._types, self._symbols = types, symbols
        self.scans = {relation: symbols.scan(relation) for relation in relations}
        self._called: dict[str, str] = {}
        self.seen: dict[Expr, None] = {}

    def enter(self, tree: exp.Expr) -> None:
        """What the relations are called in a statement."""
        for table in tree.find_all(exp.Table):
            relation = self._relation(name_parts(table))
            if relation:
                self._called[table.alias_or_name.lower()] = relation
        for column in tree.find_all(exp.Column):
            cell = self._cell(column)
            if cell is not None:
                self.seen[cell] = None

    def read(self, node: exp.Expr) -> Iterator[Expr]:
        """The expression, if it is one of the relations' columns alone; else those of its parts
        that are."""
        try:
            found = rebuild(encode(node, self._leaf), self._symbols.with_fields)
        except Unsupported:
            if isinstance(node, exp.Or | exp.And | exp.Not | exp.Paren):
                for each in node.iter_expressions():
                    yield from self.read(each)
            return
        if not any(isinstance(part, Agg | Over) for part in parts(found)):
            yield found

    def used_by(self, tree: exp.Expr) -> Iterator[Expr]:
        """The columns that JOIN ... USING makes equal."""
        for join in tree.find_all(exp.Join):
            for name in join.args.get("using") or ():
                cells = [
                    self._symbols.cell(scan, name.name.lower())
                    for relation, scan in self.scans.items()
                    if name.name.lower() in self._types.get(relation, {})
                ]
                for other in cells[1:]:
                    yield binary("eq", cells[0], other)

    def _relation(self, name: Sequence[str]) -> str:
        dotted = ".".join(name).lower()
        for relation in self.scans:
            one = relation.lower()
            if one == dotted or one.endswith("." + dotted) or dotted.endswith("." + one):
                return relation
        return ""

    def _leaf(self, node: exp.Expr) -> Expr | None:
        if isinstance(node, exp.Column):
            cell = self._cell(node)
            if cell is None:
                raise Unsupported(f"column {node.sql()}")
            return cell
        return None

    def _cell(self, column: exp.Column) -> Expr | None:
        name, owner = column.name.lower(), self._called.get(column.table.lower(), "")
        if owner and name in self._types.get(owner, {}):
            return self._symbols.cell(self.scans[owner], name)
        for relation, scan in self.scans.items():
            if name in self._types.get(relation, {}):
                return self._symbols.cell(scan, name)
        return None
