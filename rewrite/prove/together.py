"""Keys of an order that are NULL in all rows that are compared by them, or in none.

    nulls_together(rel, key, {0, 3}) -> bool

Whether those rows, which have the same values of the columns ``given``, agree on whether the column
is NULL; then it is of no effect at which end NULLs are. So it is of a LEFT JOIN whose partners are
told by these columns: either all of the rows have partners, or none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unwet.rewrite.algebra import (
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Param,
    Project,
    Rel,
    Sort,
    Window,
    width,
)
from unwet.rewrite.prove.identity import told
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.nulls import rejected_by
from unwet.rewrite.rules.refs import all_movable, is_volatile_plan
from unwet.rewrite.rules.shapes import BINARY

_COMPARED: Final = frozenset({"eq", "lt", "lte", "gt", "gte", "neq"})
_SHIFTED: Final = frozenset({
    "add", "sub", "interval", "dateadd", "datesub", "datetimeadd", "datetimesub", "timestampadd",
    "timestampsub", "tsordsadd",
})  # fmt: skip
"""What comes to equal values for equal values: not texts, whose letters may be another case."""


def nulls_together(rel: Rel, key: Expr, given: Iterable[int]) -> bool:
    """Is the value NULL in all rows with the same values of the columns, or in none of them?"""
    known = told(rel, given).columns
    match key:
        case Col(index=index):
            return index in known or _together(rel, index, known)
        case _:
            return False


def _together(rel: Rel, at: int, known: frozenset[int]) -> bool:
    match rel:
        case Filter(input=inner) | Sort(input=inner):
            return nulls_together(inner, Col(at), known)
        case Window(input=inner) if at < width(inner):
            return nulls_together(inner, Col(at), (i for i in known if i < width(inner)))
        case Project(input=inner, exprs=exprs):
            below = {e.index for i, e in enumerate(exprs) if i in known and isinstance(e, Col)}
            return nulls_together(inner, exprs[at], below)
        case Join(kind="inner" | "left", inputs=sides):
            start = 0
            for number, side in enumerate(sides):
                end = start + width(side)
                if start <= at < end and (rel.kind == "inner" or not number):
                    inside = (i - start for i in known if start <= i < end)
                    return nulls_together(side, Col(at - start), inside)
                start = end
            return _has_told_partners(rel, at, known)
        case _:
            return False


def _has_told_partners(rel: Join, at: int, known: frozenset[int]) -> bool:
    """Of a column of the right side: it is not NULL in a partner, and which rows are partners is
    decided by the known columns."""
    left, right = rel.inputs
    if is_volatile_plan(right) or not all_movable(rel.on) or not rejected_by(rel.on, Col(at)):
        return False
    return all(_is_decided(test, width(left), known) for test in rel.on)


def _is_decided(test: Expr, split: int, known: frozenset[int]) -> bool:
    """Equal values on the left, equal answers."""
    if not any(index < split for index in columns_of(test)):
        return True
    if not isinstance(test, Call) or test.op not in _COMPARED or test.shape != BINARY:
        return False
    return all(_is_told(each, split, known) for each in test.args)


def _is_told(value: Expr, split: int, known: frozenset[int]) -> bool:
    match value:
        case Col(index=index):
            return index >= split or index in known
        case Lit() | Param():
            return True
        case Call(op=op, args=args) if op in _SHIFTED:
            return all(_is_told(each, split, known) for each in args)
        case _:
            return not any(index < split for index in columns_of(value))
