"""What type a column has is not known to a plan; but often it is certain that two have the same.

Columns of one *kind* are made in the same way, from the same base columns, by the same functions:
they have one type, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

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
    Outer,
    Over,
    Param,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Subquery,
    Unnest,
    Values,
    Window,
    operands,
    width,
)

KIND_OF_NULL: Hashable = ("same", Lit("null", ""))
_DEEPEST = 60
_LARGEST = 2**31


def _nobody_knows(table: str, column: str) -> bool:
    return False


def is_one_type(
    index: int, branches: Sequence[Rel], is_whole: Callable[[str, str], bool] = _nobody_knows
) -> bool:
    """Do all branches make the column in the same way, so that it has one type? ``is_whole``: is a
    column of a base table declared as an integer of four or eight bytes? It has the type that it
    has in COALESCE(it, 0)."""
    kinds = {_filled(kind_of_column(branch, index), is_whole) for branch in branches}
    return len(kinds) <= 1 and None not in kinds


def _filled(kind: Hashable, is_whole: Callable[[str, str], bool]) -> Hashable:
    """The kind without the COALESCE of integers that no literal makes wider."""
    match kind:
        case ("coalesce", _, (("scan", str(table), str(name)) as column, *others)) if all(
            other == "integer" for other in others
        ) and is_whole(table, name):
            return column
        case ("union", frozenset() as kinds):
            return _one({_filled(each, is_whole) for each in kinds})
        case tuple():
            return tuple(_filled(part, is_whole) for part in kind)
        case _:
            return kind


def kind_of_column(rel: Rel, index: int) -> Hashable:
    """Something that is equal only for columns of one type; None when nothing is known."""
    return _of_column(rel, index, _DEEPEST)


def _of_column(rel: Rel, index: int, depth: int) -> Hashable:
    if depth == 0:
        return None
    match rel:
        case Scan(table=table, columns=names):
            return ("scan", table, names[index])
        case Filter(input=inner) | Distinct(input=inner) | Sort(input=inner):
            return _of_column(inner, index, depth - 1)
        case Project(input=inner, exprs=exprs):
            return _kind(exprs[index], inner, depth - 1)
        case Aggregate(input=inner, keys=keys, aggs=aggs):
            return _kind((*keys, *aggs)[index], inner, depth - 1)
        case Window(input=inner, functions=functions):
            size = width(inner)
            if index < size:
                return _of_column(inner, index, depth - 1)
            return _kind(functions[index - size], inner, depth - 1)
        case Unnest(input=inner) if index < width(inner):
            return _of_column(inner, index, depth - 1)
        case Join(inputs=many):
            for item in many:
                if index < width(item):
                    return _of_column(item, index, depth - 1)
                index -= width(item)
            return None
        case SetOp(inputs=many):
            return _one({_of_column(i, index, depth - 1) for i in many})
        case Values(rows=rows):
            return _one({_kind(row[index], rel, depth - 1) for row in rows})
        case _:
            return None


def _one(kinds: set[Hashable]) -> Hashable:
    """The one type that a union gives to columns of these."""
    if None in kinds:
        return None
    return next(iter(kinds)) if len(kinds) == 1 else ("union", frozenset(kinds))


def _kind(expr: Expr, rel: Rel, depth: int) -> Hashable:
    """The same for an expression over ``rel``: equal functions of equal types have one type."""
    if depth == 0:
        return None
    match expr:
        case Col(index=index):
            return _of_column(rel, index, depth - 1)
        case Lit(kind="string"):
            return "string"
        case Lit(kind="number", text=text) if text.isdecimal() and int(text) < _LARGEST:
            return "integer"
        case Call(op="cast" | "trycast", shape=shape):
            return ("cast", shape)
        case Agg(op="count"):
            return "count"
        case Call(op=op, shape=shape) | Agg(op=op, shape=shape):
            return _made(op, shape, expr, rel, depth)
        case Over(call=call):
            return _kind(call, rel, depth - 1)
        case Lit() | Outer() | Param() | Subquery():
            return ("same", expr)


def _made(op: str, shape: tuple[str, ...], expr: Expr, rel: Rel, depth: int) -> Hashable:
    below = tuple(_kind(o, rel, depth - 1) for o in operands(expr))
    return None if None in below else (op, shape, below)
