"""Which columns of rows have one value wherever some others have one, by the shape of the plan.

    a JOIN (SELECT k, SUM(v) AS total FROM b GROUP BY k) AS s ON s.k = a.k    a.k says total

Nothing that is declared of tables is asked. What is missed is a column more that may have several.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Over,
    Param,
    Project,
    Rel,
    Sort,
    Unnest,
    Window,
    width,
)
from unwet.rewrite.references import columns_of, free_refs
from unwet.rewrite.volatile import is_random


def agreeing(rel: Rel, values: Iterable[Expr]) -> frozenset[int]:
    """The columns that have one value among all rows that have the same ``values``."""
    same = frozenset(each for each in values if not is_random(each))
    return determined(rel, frozenset(e.index for e in same if isinstance(e, Col)), same)


def determined(
    rel: Rel, known: frozenset[int], values: frozenset[Expr] = frozenset()
) -> frozenset[int]:
    """The columns that have one value among all rows that agree in the ``known`` ones, and in these
    ``values`` of their columns."""
    match rel:
        case Filter(input=inner, conjuncts=conjuncts):
            return _closed(inner, _meeting(known, conjuncts), conjuncts, values)
        case Project(input=inner, exprs=exprs):
            found = agreeing(inner, [e for i, e in enumerate(exprs) if i in known])
            return known | {i for i, expr in enumerate(exprs) if says(found, expr)}
        case Join(kind="inner", inputs=inputs, on=on):
            return _joined(inputs, on, known)
        case Join(kind="left", inputs=(left, right), on=on):
            return _left_joined(left, right, on, known)
        case Join(kind="semi" | "anti", inputs=(left, _)):
            return determined(left, known)
        case Aggregate(keys=keys):
            whole = frozenset(range(len(keys))) <= known
            return frozenset(range(width(rel))) if whole else known
        case Window(input=inner, functions=functions):
            own = width(inner)
            found = determined(inner, frozenset(i for i in known if i < own), values)
            return known | found | {own + i for i, each in enumerate(functions)
                                    if _is_of_partition(each, found, values)}  # fmt: skip
        case Unnest(input=inner):
            return known | determined(inner, frozenset(i for i in known if i < width(inner)))
        case Sort(input=inner) | Distinct(input=inner):
            return determined(inner, known)
        case _:
            return known


def says(known: frozenset[int], expr: Expr) -> bool:
    """Whether an expression has one value where these columns have one."""
    of_row = all(level == 0 for level, _ in free_refs(expr))
    return of_row and columns_of(expr) <= known and not is_random(expr)


def _is_of_partition(function: Over, known: frozenset[int], values: frozenset[Expr]) -> bool:
    """Whether it is the same for all rows of a partition that the ``known`` columns, or values of
    these, are in."""
    same = not function.order and not function.frame
    return same and all(says(known, expr) or expr in values for expr in function.partition)


def _closed(
    rel: Rel, known: frozenset[int], conjuncts: Sequence[Expr], values: frozenset[Expr]
) -> frozenset[int]:
    while True:
        found = _meeting(determined(rel, known, values) | known, conjuncts)
        if found == known:
            return found
        known = found


def _meeting(known: frozenset[int], conjuncts: Iterable[Expr]) -> frozenset[int]:
    """With the columns that are equal to one of them, or to a constant."""
    found, before = known, None
    equations = [each.args for each in conjuncts if isinstance(each, Call) and each.op == "eq"]
    while found != before:
        before = found
        for one, other in (*equations, *(pair[::-1] for pair in equations)):
            if isinstance(one, Col) and (isinstance(other, Lit | Param) or says(found, other)):
                found |= {one.index}
    return found


def _joined(inputs: Sequence[Rel], on: Sequence[Expr], known: frozenset[int]) -> frozenset[int]:
    """Every row has all inputs: what one says of its own columns holds for the rows."""
    while True:
        found, start = _meeting(known, on), 0
        for item in inputs:
            own = frozenset(i - start for i in found if start <= i < start + width(item))
            found |= {start + i for i in determined(item, own)}
            start += width(item)
        if found == known:
            return found
        known = found


def _left_joined(
    left: Rel, right: Rel, on: Sequence[Expr], known: frozenset[int]
) -> frozenset[int]:
    """What is right is one row, or none, where all that the join asks of what is left is known and
    says it. ``known`` right columns of one row may be NULL, and say nothing here."""
    own = width(left)
    found = determined(left, frozenset(i for i in known if i < own))
    asked = frozenset(i for each in on for i in columns_of(each) if i < own)
    if not asked <= found:
        return known | found
    met = frozenset(i - own for i in _meeting(found, on) if i >= own)
    right_known = determined(right, met)
    whole = len(right_known) == width(right)
    return known | found | (frozenset(own + i for i in right_known) if whole else frozenset())
