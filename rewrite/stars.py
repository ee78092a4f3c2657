"""Stars over relations whose columns are not all known.

Such a relation has one more column, ``*``: its whole row as one value. ``SELECT *`` hands that on,
and ``SELECT * EXCEPT (a)`` a function of it. This says no less than the columns would: whatever
they are, the row decides them all, and equal expressions over equal rows give equal columns. So
two plans with one normal form return the same rows for every list of columns the relation may
have. What nobody can say without the list raises Unsupported: the column at a position, the
width of a branch, a renamed column.

Names that the rest of the statement uses of such a star are columns beside it (``members``); they
stand behind the block's own outputs, are cut off where nobody reads them, and never are outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from sqlglot import exp

from unwet.lineage.lookup import is_semi
from unwet.lineage.names import folded
from unwet.lineage.resolve import Input, Query
from unwet.lineage.scopes import Open, Output
from unwet.lineage.stars import USING_IN_PLACE, star_of
from unwet.lineage.tables import Column, Table
from unwet.lineage.trees import is_inside
from unwet.rewrite.algebra import Call, Expr
from unwet.rewrite.scalars import Unsupported

REST: Final = "*"  # the column that is the whole row
UNKNOWN: Final = "a star over columns that are not known"

Named = tuple[str, Expr]


_STAR: Final = frozenset(["except_", "replace", "rename"])


def check_stars(query: Query) -> None:
    """Raises Unsupported where a star chooses columns in a way that nobody follows here: ILIKE
    (Snowflake), EXCEPT by a pattern (ClickHouse)."""
    for item in query.node.expressions:
        star = star_of(item) if isinstance(item, exp.Expression) else None
        if isinstance(star, exp.Star):
            if any(value and name not in _STAR for name, value in star.args.items()):
                raise Unsupported("a star with columns by a pattern")
            if any(isinstance(each, exp.Literal) for each in star.args.get("except_") or ()):
                raise Unsupported("a star except columns by a pattern")


class Columns(Protocol):
    """What a star needs from its FROM clause: the columns of an item, and each one's place."""

    def shown(self, item: Input) -> Sequence[Named]: ...
    def column(self, item: Input, column: str) -> Expr: ...


def is_open(names: Iterable[str]) -> bool:
    """Whether one of the columns is a whole row."""
    return REST in names


def aligned(branches: Sequence[Sequence[str]]) -> bool:
    """Whether the branches of a set operation, given by the names of their columns, agree on
    which column is which: none has whole rows, or each has one at the same place."""
    places = {tuple(i for i, name in enumerate(names) if name == REST) for names in branches}
    return len(places) == 1 and len(next(iter(places))) <= 1


def made_table(name: str, columns: Sequence[str], types: Sequence[str] = ()) -> Table:
    """The table that a query with these columns makes; open where one of them is a whole row.
    `types`: those that are certain, if each column has an entry."""
    kinds = types if len(types) == len(columns) else [""] * len(columns)
    pairs = zip(columns, kinds, strict=True)
    known = tuple(Column(column, kind) for column, kind in pairs if column != REST)
    return Table(name, known, not is_open(columns), "statement")


@dataclass(frozen=True, slots=True)
class Stars:
    """The outputs of a SELECT block with a star over unknown columns."""

    query: Query
    columns: Columns
    scalar: Callable[[exp.Expr], Expr]
    output: Callable[[Output], Expr]
    value: Callable[[exp.Column], Expr]

    def shown(self) -> tuple[Named, ...]:
        """The outputs in their order, ``*`` where whole rows stand. Raises Unsupported."""
        if self.query.cut:
            raise Unsupported(UNKNOWN)
        return tuple(pair for item in self.query.node.expressions for pair in self._item(item))

    def members(self, used: Iterable[str], shown: Iterable[str]) -> Iterator[Named]:
        """The columns behind the stars that go by names used elsewhere and by no output's."""
        taken, replaced = frozenset(shown), dict[str, exp.Expr]()
        for each in reversed(self.query.open):  # of several stars the first counts
            replaced |= self._replaced(star) if (star := star_of(each.node)) is not None else {}
        for name in used:
            if name not in taken and (found := self._member(name, replaced)) is not None:
                yield name, found

    def _member(self, name: str, replaced: Mapping[str, exp.Expr]) -> Expr | None:
        if name in replaced:
            return self.scalar(replaced[name])
        holders = [each for each in self.query.open if name not in each.hidden]
        if len(holders) != 1:
            return None  # none has it, or nobody knows which
        try:
            return self.columns.column(holders[0].input, name)
        except Unsupported:
            return None

    def _item(self, item: exp.Expr) -> Iterator[Named]:
        own = [each for each in self.query.outputs if is_inside(each.node, item)]
        opened = {id(each.input): each for each in self.query.open if each.node is item}
        star = star_of(item) if isinstance(item, exp.Expression) else None
        if star is not None and not opened and not own:
            yield REST, self._fields(item, star)
            return
        if not opened:
            yield from ((each.name, self.output(each)) for each in own)
            return
        if star is None:
            raise Unsupported("COLUMNS by a pattern")
        replaced = self._replaced(star)
        if replaced and len(self.query.inputs) > 1 and not _is_qualified(item):
            raise Unsupported("a star that replaces columns of several tables")
        merged = frozenset[str]() if _is_qualified(item) else frozenset(self.query.merged)
        if merged and self.query.dialect in (*USING_IN_PLACE, "clickhouse"):
            raise Unsupported("a star whose columns of USING stand nobody knows where")
        yield from ((o.name, self.output(o)) for o in own if o.name in merged)  # once and first
        for each in self.query.inputs:
            if each.join is not None and is_semi(each.join):
                continue
            if id(each) in opened:
                yield from self._behind(opened[id(each)], replaced)
            else:
                of_it = (o for o in own if o.star is not None and o.star[0] is each)
                yield from ((o.name, self.output(o)) for o in of_it if o.name not in merged)

    def _fields(self, item: exp.Expr, star: exp.Expr) -> Expr:
        """``s.*`` over a column that holds structs: their fields as columns."""
        if not isinstance(item, exp.Column) or not item.table or star.args.get("rename"):
            raise Unsupported(UNKNOWN)
        names = [item.args[part] for part in ("catalog", "db", "table") if item.args.get(part)]
        parts = ("this", "table", "db", "catalog")
        struct = exp.Column(**dict(zip(parts, (n.copy() for n in reversed(names)), strict=False)))
        replaced, dialect = self._replaced(star), self.query.dialect
        left_out = sorted(folded(each, dialect) for each in star.args.get("except_") or ())
        values = [self.scalar(replaced[name]) for name in sorted(replaced)]
        return _row("struct_fields", self.value(struct), left_out, sorted(replaced), values)

    def _replaced(self, star: exp.Expr) -> dict[str, exp.Expr]:
        return {
            folded(each.args.get("alias"), self.query.dialect): each.this
            for each in star.args.get("replace") or ()
        }

    def _behind(self, opened: Open, replaced: dict[str, exp.Expr]) -> Iterator[Named]:
        if opened.renamed:
            raise Unsupported("a star that renames columns that are not known")
        left_out = sorted(opened.hidden - replaced.keys())
        values = [self.scalar(replaced[name]) for name in sorted(replaced)]
        for name, expr in self.columns.shown(opened.input):
            if name in replaced:
                yield name, self.scalar(replaced[name])
            elif name == REST:
                plain = not left_out and not replaced
                row = ("whole_row", expr, left_out, sorted(replaced), values)
                yield REST, expr if plain else _row(*row)
            elif name not in opened.hidden:
                yield name, expr


def row_value(row: Expr, name: str) -> Expr:
    """A whole row as one value, by the name of its table: one column, where a star is many. The
    name stays, as a column that nobody has told of may be called so, and would be meant then."""
    return Call("row_value", (row,), (name,))


def of_one(rows: Sequence[Expr], name: str) -> Expr:
    """A column that one of several rows has, nobody knows which: all of them decide it."""
    return Call("of_one", tuple(rows), (name,))


def _row(op: str, row: Expr, left_out: list[str], replaced: list[str], values: list[Expr]) -> Expr:
    """A row or struct as columns, without some of them, and with others in the place of some."""
    shape = (*(f"except:{n}" for n in left_out), *(f"replace:{n}" for n in replaced))
    return Call(op, (row, *values), shape)


def _is_qualified(item: exp.Expr) -> bool:
    return isinstance(item, exp.Column) and bool(item.table)
