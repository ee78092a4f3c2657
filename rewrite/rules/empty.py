"""Relations without rows, whatever the data.

Applied to whole queries, from the top down, and never inside of a branch of UNION, INTERSECT or
EXCEPT: a relation without rows still has types, and a branch without rows may make numbers of the
others into text.
"""

from __future__ import annotations

from dataclasses import replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    SetOp,
    Values,
    inputs,
    width,
)
from unwet.rewrite.rules.contents import Contents, contents
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import with_inputs
from unwet.rewrite.rules.shapes import FALSE, NULL, Case

_NULL_OVER_NOTHING = frozenset({"sum", "min", "max", "avg"})


def cut_empty_relations(rel: Rel) -> Rel | None:
    """r -> VALUES without rows where r has none; l LEFT JOIN (no rows) -> l and NULLs; the
    aggregates over no rows are 0 and NULL."""
    if not _holds_empty(rel):
        return None
    made = _cut(rel)
    return made if made != rel else None


def _cut(rel: Rel) -> Rel:
    if not _holds_empty(rel):
        return rel
    if is_empty(rel):
        return Values((), width(rel))
    match rel:
        case Join(kind="left" | "full" | "anti" as kind, inputs=(left, right)) if is_empty(right):
            nulls = [NULL] * width(right)
            below = _cut(left)
            return below if kind == "anti" else Project(below, (*_own(left), *nulls))
        case Join(kind="full", inputs=(left, right)) if is_empty(left):
            return Project(_cut(right), (*[NULL] * width(left), *_own(right)))
        case Aggregate(input=inner, keys=(), aggs=aggs) if is_empty(inner):
            values = tuple(_over_nothing(a) for a in aggs)
            known = tuple(v for v in values if v is not None)
            return Project(Values(((),), 0), known) if len(known) == len(aggs) else rel
        case SetOp():
            return rel
        case _:
            return with_inputs(rel, [_cut(i) for i in inputs(rel)])


def _own(rel: Rel) -> tuple[Expr, ...]:
    return columns(0, width(rel))


def _over_nothing(agg: Agg) -> Expr | None:
    """The aggregate's value over no rows; None when it is not known."""
    if agg.op == "count":
        return Lit("number", "0")
    return NULL if agg.op in _NULL_OVER_NOTHING else None


def is_empty(rel: Rel) -> bool:
    """Has it no rows, whatever the data?"""
    return Contents.EMPTY in contents(rel)


def _holds_empty(rel: Rel) -> bool:
    return Contents.CUTTABLE in contents(rel)


def drop_false_left_join(rel: Rel) -> Rel | None:
    """l LEFT JOIN r ON FALSE -> l LEFT JOIN (r WHERE FALSE) ON TRUE, which is a relation without
    rows on the right; the same for anti joins."""
    match rel:
        case Join(kind="left" | "anti", inputs=(left, right), on=on) if FALSE in on:
            return replace(rel, inputs=(left, Filter(right, (FALSE,))), on=())
        case _:
            return None


CASES = (
    Case("select a, b from t where false", "select a, b from u where b = 1 and 1 = 2"),
    Case("select t.a, q.b from t left join (select a, b from u where 1 = 0) q on q.a = t.a",
         "select a, null as b from t"),
    Case("select count(*) as n, max(a) as m from t where false", "select 0 as n, null as m"),
    Case("select t.a, u.b from t left join u on 1 = 2", "select a, null as b from t"),
)  # fmt: skip
