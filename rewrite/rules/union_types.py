"""What may enter the branches of a union: what does not notice that the union converts columns.

A union gives each column one type. Over ``SELECT 1 AS x UNION ALL SELECT 2.5`` a cast to text, a
division or a comparison with ``'05'`` sees other values than over the branches. Plans know no
types, but they know when all branches take a column from the same place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unwet.rewrite.algebra import (
    Call,
    Col,
    Expr,
    Lit,
    Outer,
    Param,
    Rel,
    parts,
)
from unwet.rewrite.one_type import KIND_OF_NULL, kind_of_column
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.shapes import NULL, integer

_COMPARISONS = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "in", "between"})
_TESTS = _COMPARISONS | {"and", "or", "not", "is", "like", "ilike"}
_CHOICES = frozenset({"case", "if", "coalesce"})


def tests_may_enter(tests: Iterable[Expr], branches: Sequence[Rel]) -> bool:
    """Is each condition as true over the branches as over the union?"""
    return all(_is_same(test, branches) for test in tests)


def values_may_enter(values: Iterable[Expr], branches: Sequence[Rel]) -> bool:
    """Does converting each value after it is made give what converting before does?"""
    return all(_passes(value, branches) for value in values)


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
    kinds = {kind_of_column(branch, index) for branch in branches}
    if nulls:
        kinds.discard(KIND_OF_NULL)
    return len(kinds) <= 1 and None not in kinds
