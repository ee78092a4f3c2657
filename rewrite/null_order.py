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
    """x of CASE WHEN x IS NULL THEN 1 ELSE 0 END, where it is a column or an aggregate of one."""
    match expr:
        case Call(
            op="case", args=(Call(op="if", args=(test, one)), zero), shape=("ifs*1", "default")
        ) if one == _ONE and zero == _ZERO:
            tested = test
        case _:
            return None
    match tested:
        case Call(op="is", args=(of, Lit(kind="null")), shape=("this", "expression")):
            return of if isinstance(of, Col) or _of_columns(of) else None
        case _:
            return None


def _of_columns(expr: Expr) -> bool:
    return isinstance(expr, Agg) and all(isinstance(each, Col) for each in expr.args)
