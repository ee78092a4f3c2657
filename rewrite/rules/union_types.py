"""What may enter the branches of a union: what does not notice that the union converts columns.

A union gives each column one type. Over ``SELECT 1 AS x UNION ALL SELECT 2.5`` a cast to text, a
division or a comparison with ``'05'`` sees other values than over the branches. Plans know no
types, but they know when all branches take a column from the same place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

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
    parts,
    width,
)
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.shapes import NULL, integer

_COMPARISONS = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "in", "between"})
_TESTS = _COMPARISONS | {"and", "or", "not", "is", "like", "ilike"}
_CHOICES = frozenset({"case", "if", "coalesce"})
_DEEPEST = 60


def tests_may_enter(tests: Iterable[Expr], branches: Sequence[Rel]) -> bool:
    """Is each condition as true over the branches as over the union?"""
    return all(_is_same(test, branches) for test in tests)


def values_may_enter(values: Iterable[Expr], branches: Sequence[Rel]) -> bool:
    """Does converting each value after it is made give what converting before does?"""
    return all(_passes(value, branches) for value in values)


def is_one_type(index: int, branches: Sequence[Rel]) -> bool:
    """Do all branches make the column in the same way, so that it has one type?"""
    return _is_uniform(index, branches, nulls=False)


def _passes(expr: Expr, branches: Sequence[Rel]) -> bool:
    """A value that is only handed on is converted later instead of earlier."""
    match expr:
        case Col() | Lit() | Param() | Outer():
            return True
        case Call(op=op, args=args) if op in _CHOICES:
            return all(_passes(a, branches) for a in args)
        case _:
            return _is_same(expr, branches)


def _is_same(expr: Expr, branches: Sequence[Rel]) -> bool:
    match expr:
        case Call(op="and" | "or" | "not", args=args):
            return all(_is_same(a, branches) for a in args)
        case Call(op="is", args=(Col(), other)) if other == NULL:
            return True
        case Call(op=op, args=args) if op in _COMPARISONS and _are_integers(args):
            return True  # numbers of any type compare alike
        case _:
            plain = all(isinstance(p, Col | Lit) or _is_test(p) for p in parts(expr))
            return all(_is_uniform(i, branches, nulls=plain) for i in columns_of(expr))


def _are_integers(args: Sequence[Expr]) -> bool:
    """One column and integers otherwise."""
    others = [a for a in args if not isinstance(a, Col)]
    return len(others) == len(args) - 1 and all(integer(a) is not None for a in others)


def _is_test(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.op in _TESTS


def _is_uniform(index: int, branches: Sequence[Rel], nulls: bool) -> bool:
    """Do all branches make the column in the same way, so that it has one type? ``nulls``: the
    column may also be a mere NULL, which is NULL in every type."""
    kinds = {_kind_of_column(branch, index, _DEEPEST) for branch in branches}
    if nulls:
        kinds.discard(_kind(NULL, branches[0], _DEEPEST))
    return len(kinds) <= 1 and None not in kinds


def _kind_of_column(rel: Rel, index: int, depth: int) -> Hashable:
    """Something that is equal only for columns of one type; None when nothing is known."""
    if depth == 0:
        return None
    match rel:
        case Scan(table=table, columns=names):
            return ("scan", table, names[index])
        case Filter(input=inner) | Distinct(input=inner) | Sort(input=inner):
            return _kind_of_column(inner, index, depth - 1)
        case Project(input=inner, exprs=exprs):
            return _kind(exprs[index], inner, depth - 1)
        case Aggregate(input=inner, keys=keys, aggs=aggs):
            return _kind((*keys, *aggs)[index], inner, depth - 1)
        case Window(input=inner, functions=functions):
            size = width(inner)
            if index < size:
                return _kind_of_column(inner, index, depth - 1)
            return _kind(functions[index - size], inner, depth - 1)
        case Unnest(input=inner) if index < width(inner):
            return _kind_of_column(inner, index, depth - 1)
        case Join(inputs=many):
            for item in many:
                if index < width(item):
                    return _kind_of_column(item, index, depth - 1)
                index -= width(item)
            return None
        case SetOp(inputs=many):
            return _one({_kind_of_column(i, index, depth - 1) for i in many})
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
            return _kind_of_column(rel, index, depth - 1)
        case Lit(kind="string"):
            return "string"
        case Lit(kind="number") if (number := integer(expr)) is not None and abs(number) < 2**31:
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
