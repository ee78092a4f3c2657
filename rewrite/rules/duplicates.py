"""Duplicates that nobody sees: below DISTINCT, below MIN and MAX, on the right of a semi join.

What such a place reads is a set. So a DISTINCT below it says nothing, and neither does a left join
whose columns nobody reads: it can only repeat rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    SetOp,
    inputs,
    width,
)
from unwet.rewrite.references import used
from unwet.rewrite.rules.discerning import discerning
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import all_movable, is_volatile, is_volatile_plan, with_inputs
from unwet.rewrite.rules.shapes import NULL, Case

_DEEPEST = 50
_BLIND = frozenset(
    {"min", "max", "logicaland", "logicalor", "bitwiseandagg", "bitwiseoragg"}
)  # fmt: skip
_DISTINCT = frozenset({"count", "sum", "avg"})


def drop_duplicates_below_aggregate(rel: Rel) -> Rel | None:
    """Aggregate(DISTINCT r, keys, MAX) -> Aggregate(r, keys, MAX), through the joins between them;
    Aggregate(l LEFT JOIN r, keys over l) -> Aggregate(l, keys). All aggregates must be blind for
    duplicates: none at all, MIN, MAX, COUNT(DISTINCT x) ..."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs) if (
            (keys or aggs)
            and all(map(is_blind, aggs))
            and not any(map(is_volatile, (*keys, *aggs)))
            and not discerning((*keys, *aggs))
        ):
            loose = _loosened(inner, used((*keys, *aggs)))
            return Aggregate(loose, keys, aggs) if loose is not None else None
        case _:
            return None


def drop_duplicates_right_of_semi(rel: Rel) -> Rel | None:
    """l SEMI JOIN (DISTINCT r) ON p -> l SEMI JOIN r ON p; the same for anti joins."""
    match rel:
        case Join(kind="semi" | "anti", inputs=(left, right), on=on) if _may_pass(on):
            split = width(left)
            loose = _loosened(right, frozenset(i - split for i in used(on) if i >= split))
            return Join(rel.kind, (left, loose), on) if loose is not None else None
        case _:
            return None


def is_blind(agg: Agg) -> bool:
    """Does the aggregate not notice a row that comes twice? MAX(x, 2) does: the two largest."""
    is_extreme = agg.op in _BLIND and agg.shape == ("this",)
    return (is_extreme or (agg.distinct and agg.op in _DISTINCT)) and not agg.order


def _may_pass(conjuncts: Sequence[Expr]) -> bool:
    """Whether a row that is there as another one, equal to it, passes if that one does."""
    return all_movable(conjuncts) and not discerning(conjuncts)


def _loosened(rel: Rel, need: frozenset[int], depth: int = 0) -> Rel | None:
    """A relation as wide as ``rel`` whose columns ``need`` hold the same set of rows; None: nothing
    to gain."""
    if depth > _DEEPEST:
        return None
    match rel:
        case Filter(input=inner, conjuncts=conjuncts) if _may_pass(conjuncts):
            return _over(rel, [_loosened(inner, need | used(conjuncts), depth + 1)])
        case Project(input=inner, exprs=exprs) if all_movable(exprs):
            read = [exprs[i] for i in need]
            if discerning(read):
                return None
            below = used(read)
            return _over(rel, [_loosened(inner, below, depth + 1)])
        case Aggregate(input=inner, keys=keys, aggs=()) if keys and all_movable(keys):
            return Project(inner, keys)
        case SetOp(kind="union_all", inputs=many):
            return _over(rel, [_loosened(i, need, depth + 1) for i in many])
        case Join(on=on) if _may_pass(on):
            return _loosened_join(rel, need, depth)
        case _:
            return None


def _loosened_join(rel: Join, need: frozenset[int], depth: int) -> Rel | None:
    split = width(rel.inputs[0])
    if rel.kind == "left" and all(i < split for i in need) and not is_volatile_plan(rel.inputs[1]):
        size = width(rel.inputs[1])
        return Project(rel.inputs[0], (*columns(0, split), *[NULL] * size))
    wanted = need | used(rel.on)
    start, below = 0, list[Rel | None]()
    for at, item in enumerate(rel.inputs):
        size = width(item)
        own = frozenset(i - start for i in wanted if start <= i < start + size)
        # the right side of a semi join has a rule of its own
        is_seen = rel.kind not in ("semi", "anti") or at == 0
        below.append(_loosened(item, own, depth + 1) if is_seen else None)
        start += size
    return _over(rel, below)


def _over(rel: Rel, loose: Sequence[Rel | None]) -> Rel | None:
    if not any(item is not None for item in loose):
        return None
    return with_inputs(rel, [new or old for new, old in zip(loose, inputs(rel), strict=True)])


CASES = (
    Case("select distinct t.a from t join (select distinct a, b from u) q on q.a = t.a",
         "select distinct t.a from t join u on u.a = t.a"),
    Case("select distinct t.a from t left join u on u.b = t.b", "select distinct a from t"),
    Case("select max(a) as m from (select distinct a, b from t) q", "select max(a) as m from t"),
    Case("select a from t union select a from (select a from u union select b from u) q",
         "select a from t union select a from u union select b from u"),
    Case("select a from t where a in (select q.a from (select distinct a, b from u) q "
         "left join v on v.b = q.b)", "select a from t where a in (select a from u)"),
)  # fmt: skip
