"""Where NULLs stand in an order, where a dialect without NULLS FIRST says it by a key of its own.

    ORDER BY CASE WHEN x IS NULL THEN 1 ELSE 0 END DESC, x DESC  =  ORDER BY x DESC NULLS FIRST
    ORDER BY CASE WHEN x IS NULL THEN 1 ELSE 0 END, x DESC       =  ORDER BY x DESC NULLS LAST

The first key tells NULLs from all others, and among these the second one decides alone: two rows
are peers by both keys where they are by x, which has one value in a row (no RAND()).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, SortKey

# what has one value for the values that it is of
_COMPUTED = frozenset({"cast", "trycast", "upper", "lower", "add", "sub", "mul", "neg", "abs",
                       "coalesce", "year", "month", "day", "substring", "trim"})  # fmt: skip
_ONE, _ZERO = Lit("number", "1"), Lit("number", "0")


def with_nulls_said(keys: Sequence[SortKey]) -> tuple[SortKey, ...]:
    """The keys of an order with one in place of such a pair."""
    found: list[SortKey] = []
    first: SortKey | None = None
    for key in keys:
        if first is not None and _tested(first.expr) == key.expr:
            found[-1] = replace(key, nulls_first=first.descending)
            first = None
        else:
            found.append(key)
            first = key
    return tuple(found)


def _tested(expr: Expr) -> Expr | None:
    """x of CASE WHEN x IS NULL THEN 1 ELSE 0 END, where it is a column, what is computed of columns
    and has one value in a row, or an aggregate."""
    match expr:
        case Call(
            op="case", args=(Call(op="if", args=(test, one)), zero), shape=("ifs*1", "default")
        ) if one == _ONE and zero == _ZERO:
            tested = test
        case _:
            return None
    match tested:
        case Call(op="is", args=(of, Lit(kind="null")), shape=("this", "expression")):
            return of if _has_one_value(of) or _of_columns(of) else None
        case _:
            return None


def _has_one_value(expr: Expr) -> bool:
    match expr:
        case Col() | Lit():
            return True
        case Call(op=op, args=args) if op in _COMPUTED:
            return all(map(_has_one_value, args))
        case _:
            return False


def _of_columns(expr: Expr) -> bool:
    return isinstance(expr, Agg) and all(map(_has_one_value, expr.args))
