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
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Values,
    Window,
    inputs,
    width,
)
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import with_inputs
from unwet.rewrite.rules.shapes import FALSE, NULL, Case, integer

_CACHE = 1 << 17
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
    return _facts(rel)[0]


def _holds_empty(rel: Rel) -> bool:
    """Is something in it without rows that is not written as VALUES already?"""
    return _facts(rel)[1]


# Content to content, so it can never be stale.
_known: dict[bytes, tuple[bool, bool]] = {}


def _facts(rel: Rel) -> tuple[bool, bool]:
    if len(_known) > _CACHE:
        _known.clear()
    stack = [rel]
    while stack:
        node = stack[-1]
        todo = [i for i in inputs(node) if i.digest not in _known]
        if todo:
            stack.extend(todo)
            continue
        stack.pop()
        below = [_known[i.digest] for i in inputs(node)]
        empty = _is_empty(node, [b[0] for b in below])
        holds = any(b[1] for b in below) or (empty and not isinstance(node, Values))
        nothing_below = not isinstance(node, SetOp) and any(b[0] for b in below)
        _known[node.digest] = (empty, holds or nothing_below)
    return _known[rel.digest]


def _is_empty(rel: Rel, below: list[bool]) -> bool:
    match rel:
        case Values(rows=rows):
            return not rows
        case Filter(conjuncts=conjuncts):
            return below[0] or FALSE in conjuncts or NULL in conjuncts
        case Join(kind="inner" | "semi", on=on):
            return any(below) or FALSE in on
        case Join(kind="left" | "anti"):
            return below[0]
        case Join() | SetOp(kind="union_all"):
            return all(below)
        case SetOp(kind="intersect" | "intersect_all"):
            return any(below)
        case SetOp():
            return below[0]
        case Aggregate(keys=keys):
            return bool(keys) and below[0]
        case Sort(limit=limit):
            return below[0] or (limit is not None and integer(limit) == 0)
        case Project() | Window() | Distinct():
            return below[0]
        case Scan() | Opaque():
            return False


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
