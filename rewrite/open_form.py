"""The open form of a plan: a normal form whose columns say what they are, not where they stand.

In a plan a column is a position, so one more column somewhere moves all others. Here a column is
what it is computed from: ``SUM(orders.amount)``, wherever it is computed. Columns of base tables
are those of a register, ``Col(i)`` is number ``i`` there. So two plans that are much alike can be
laid side by side part by part. The form is for comparing and naming only: it proves nothing.

==========  ====================================================================================
Scan        without its columns; each use names its own
Filter      around every block, maybe without conjuncts: all that inner joins and filters ask
Join        inner: the inputs of a whole block, no ``on``; else as in the plan
Aggregate   the keys; what is computed stands where it is read
Project     the outputs, only below set operations and DISTINCT
Opened      the whole: a block, its grain, and the topmost outputs with their names
==========  ====================================================================================

A value that is computed on the optional side of an outer join is wrapped in a call ``optional``:
it is NULL where nothing matches, whatever it is computed from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Node,
    Opaque,
    Outer,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Subquery,
    Unnest,
    Values,
    Window,
    expressions,
    inputs,
    parts,
    width,
)
from unwet.rewrite.rules.refs import rebuild, tree_size, with_expressions

MANY: Final = 4000  # relations of a plan, shared ones counted each time
LARGE: Final = 600  # parts of an expression: a larger one is a column of its own
OPTIONAL: Final = "optional"
ROWS: Final = "*"  # the column that stands for a relation's rows: what COUNT(*) counts


@dataclass(frozen=True, slots=True, order=True)
class BaseColumn:
    """A column of a base table; ``which``: of which of a table's occurrences in one plan, 0 for
    the first."""

    table: str
    which: int
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Output(Node):
    """What a query puts out; its name says nothing about what it is, but helps to pair it."""

    expr: Expr
    name: str = field(metadata={"note": True})


@dataclass(frozen=True, slots=True, eq=False)
class Opened(Node):
    """A whole plan in open form: a block, what its rows are grouped by, what is asked of the
    groups, and the outputs in the order of the plan's. A query that groups nothing has the grain
    ``EACH_ROW``; one group of all rows is ``ALL_ROWS``; DISTINCT groups by the outputs."""

    input: Rel
    keys: tuple[Expr, ...]
    having: tuple[Expr, ...]
    outputs: tuple[Output, ...]


EACH_ROW: Final = Lit("grain", "each row")
ALL_ROWS: Final = Lit("grain", "all rows")


class Register:
    """The base columns of all plans that are compared with each other."""

    def __init__(self) -> None:
        self.columns: list[BaseColumn] = []
        self._places: dict[BaseColumn, Col] = {}

    def column(self, table: str, which: int, name: str) -> Col:
        """The column's ``Col``, the same one each time."""
        wanted = BaseColumn(table, which, name)
        known = self._places.get(wanted)
        if known is None:
            known = self._places[wanted] = Col(len(self.columns))
            self.columns.append(wanted)
        return known


def opened(rel: Rel, names: Sequence[str], register: Register) -> Opened | None:
    """The open form of a normal form whose outputs have these names.

    None for a plan that is too large to be compared part by part."""
    try:
        made = _Opener(register).relation(rel, ())
    except _TooLarge:
        return None
    outputs = (Output(e, name) for e, name in zip(made.columns, names, strict=True))
    match made.rel:
        case Aggregate(input=block, keys=keys):
            grain, having = keys or (ALL_ROWS,), made.asked
        case Distinct(input=Project(input=block, exprs=keys)) if not made.asked:
            grain, having = keys, ()
        case _:
            block, grain, having = _block(made), (EACH_ROW,), ()
    return Opened(block, grain, having, tuple(outputs))


class _TooLarge(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Open:
    """A relation under way: what is asked of its rows is kept beside it, to go up."""

    rel: Rel
    columns: tuple[Expr, ...]
    asked: tuple[Expr, ...] = ()


_Scopes = tuple[tuple[Expr, ...], ...]  # the columns of the queries around, innermost first


class _Opener:
    """Opens one plan; numbers the occurrences of its tables."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._count: dict[str, int] = {}
        self._left = MANY

    def relation(self, rel: Rel, scopes: _Scopes) -> _Open:
        self._left -= 1
        if self._left < 0:
            raise _TooLarge
        match rel:
            case Scan(table=table, columns=columns):
                return _Open(Scan(table, ()), self._named(table, columns))
            case Join(kind="inner"):
                return self._inner(rel, scopes)
            case Join():
                return self._join(rel, scopes)
            case SetOp():
                return self._set(rel, scopes)
            case Values():
                return _Open(rel, self._anonymous("(values)", rel))
            case Opaque():
                below = tuple(_projected(self.relation(i, scopes)) for i in rel.inputs)
                return _Open(replace(rel, inputs=below), self._anonymous("(query)", rel))
            case _:
                return self._single(rel, self.relation(inputs(rel)[0], scopes), scopes)

    def _single(self, rel: Rel, below: _Open, scopes: _Scopes) -> _Open:
        columns = below.columns
        exprs = [self._expression(e, columns, scopes) for e in expressions(rel)]
        match rel:
            case Filter():
                return replace(below, asked=(*below.asked, *exprs))
            case Project():
                return replace(below, columns=tuple(self._bounded(e) for e in exprs))
            case Aggregate(keys=keys):
                group = Aggregate(_block(below), tuple(exprs[: len(keys)]), ())
                return _Open(group, tuple(self._bounded(self._counted(e, below)) for e in exprs))
            case Window():
                made = tuple(self._bounded(e) for e in exprs)
                return _Open(Window(_block(below), ()), (*columns, *made))
            case Unnest(ordinal=ordinal):
                made = tuple(
                    self._bounded(Call(word, tuple(exprs), ("this",)))
                    for word in ("element", *(("position",) if ordinal else ()))
                )
                rows = with_expressions(replace(rel, input=_block(below)), exprs)
                return _Open(rows, (*columns, *made))
            case Distinct():
                return _Open(Distinct(_projected(below)), columns)
            case Sort():
                sort = with_expressions(replace(rel, input=_block(below)), exprs)
                return _Open(sort, columns)
            case _:
                raise TypeError(f"no node over one relation: {type(rel).__name__}")

    def _inner(self, rel: Join, scopes: _Scopes) -> _Open:
        below = [self.relation(each, scopes) for each in rel.inputs]
        columns = tuple(c for each in below for c in each.columns)
        asked = [a for each in below for a in each.asked]
        asked += (self._expression(e, columns, scopes) for e in rel.on)
        flat: list[Rel] = []
        for each in below:
            nested = isinstance(each.rel, Join) and each.rel.kind == "inner"
            flat += each.rel.inputs if nested and isinstance(each.rel, Join) else (each.rel,)
        return _Open(Join("inner", tuple(flat)), columns, tuple(asked))

    def _join(self, rel: Join, scopes: _Scopes) -> _Open:
        """Of an outer, semi or anti join the first input's conjuncts go up if all rows stay."""
        first, second = (self.relation(each, scopes) for each in rel.inputs)
        seen = (*first.columns, *second.columns)
        on = tuple(self._expression(e, seen, scopes) for e in rel.on)
        right = _block(second)
        if rel.kind == "full":
            left = tuple(_optional(c) for c in first.columns)
            columns = (*left, *(_optional(c) for c in second.columns))
            return _Open(Join(rel.kind, (_block(first), right), on), columns)
        columns = first.columns
        if rel.kind == "left":
            columns = (*columns, *(_optional(c) for c in second.columns))
        return _Open(Join(rel.kind, (first.rel, right), on), columns, first.asked)

    def _set(self, rel: SetOp, scopes: _Scopes) -> _Open:
        below = [self.relation(each, scopes) for each in rel.inputs]
        names = [self._name(c, at) for at, c in enumerate(below[0].columns)]
        made = SetOp(rel.kind, tuple(_projected(each) for each in below))
        return _Open(made, self._named("(union)", names))

    # --- expressions

    def _expression(self, expr: Expr, columns: Sequence[Expr], scopes: _Scopes) -> Expr:
        around = (tuple(columns), *scopes)

        def visit(part: Expr) -> Expr:
            match part:
                case Col(index=at):
                    return columns[at]
                case Outer(level=level, index=at):
                    known = level <= len(scopes)
                    return scopes[level - 1][at] if known else part
                case Subquery(rel=rel):
                    return replace(part, rel=_projected(self.relation(rel, around)))
                case _:
                    return part

        return rebuild(expr, visit)

    def _bounded(self, expr: Expr) -> Expr:
        """A value that others are computed from; a large one is a column without a past."""
        if tree_size(expr) <= LARGE:
            return expr
        return self._register.column("(large)", 0, expr.digest.hex())

    def _counted(self, expr: Expr, below: _Open) -> Expr:
        """COUNT(*) and its like say of what: columns do not."""
        if not isinstance(expr, Agg) or any(isinstance(part, Col) for part in parts(expr)):
            return expr
        tables = sorted(_tables(below.rel))
        return replace(expr, args=(*expr.args, self._register.column(tables[0], 0, ROWS)))

    def _named(self, table: str, names: Sequence[str]) -> tuple[Expr, ...]:
        which = self._count.get(table, 0)
        self._count[table] = which + 1
        return tuple(self._register.column(table, which, name) for name in names)

    def _anonymous(self, table: str, rel: Rel) -> tuple[Expr, ...]:
        return self._named(table, [f"column_{at + 1}" for at in range(width(rel))])

    def _name(self, expr: Expr, at: int) -> str:
        """A name for a column of a set operation: of the one column that it is computed from."""
        found = {self._register.columns[p.index].name for p in parts(expr) if isinstance(p, Col)}
        return found.pop() if len(found) == 1 else f"column_{at + 1}"


def _optional(expr: Expr) -> Expr:
    plain = isinstance(expr, Col) or (isinstance(expr, Call) and expr.op == OPTIONAL)
    return expr if plain else Call(OPTIONAL, (expr,), ("this",))


def _block(made: _Open) -> Filter:
    """With its conjuncts, even if there are none: so that one more or less is only that."""
    return Filter(made.rel, made.asked)


def _projected(made: _Open) -> Project:
    return Project(_block(made), made.columns)


def _tables(rel: Rel) -> list[str]:
    """The tables below; a name for what has none."""
    found: list[str] = []
    stack: list[Rel] = [rel]
    while stack:
        node = stack.pop()
        if isinstance(node, Scan):
            found.append(node.table)
        stack.extend(inputs(node))
    return found or ["(values)"]
