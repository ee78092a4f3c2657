"""DISTINCT, GROUP BY and window functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Aggregate,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Over,
    Project,
    Rel,
    SetOp,
    Sort,
    Values,
    Window,
    width,
)
from unwet.rewrite.references import columns_of, used
from unwet.rewrite.rules.discerning import discerning
from unwet.rewrite.rules.order import order_key, unique_in_order
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import all_movable, is_volatile
from unwet.rewrite.rules.shapes import Case


def distinct_to_aggregate(rel: Rel) -> Rel | None:
    """DISTINCT r -> GROUP BY all columns of r. Not without columns: that would be the GROUP BY of
    nothing, which has a row even over no rows."""
    match rel:
        case Distinct(input=inner) if width(inner):
            return Aggregate(inner, columns(0, width(inner)), ())
        case _:
            return None


def tidy_group_keys(rel: Rel) -> Rel | None:
    """The keys of GROUP BY are a set; a constant tells no rows apart. The old columns are made by
    a project above.

    One key stays in any case: without keys there is a row even over no rows."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs) if keys and all_movable(keys):
            telling = [k for k in keys if not isinstance(k, Lit)] or keys[:1]
            kept = unique_in_order(telling)
            if kept == keys:
                return None
            place = {k: Col(i) for i, k in enumerate(kept)}
            outputs = (*(place.get(k, k) for k in keys), *columns(len(kept), len(aggs)))
            return Project(Aggregate(inner, kept, aggs), outputs)
        case _:
            return None


def tidy_aggregates(rel: Rel) -> Rel | None:
    """The aggregates of a GROUP BY sorted, each once."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs) if not any(map(is_volatile, aggs)):
            kept = tuple(sorted(dict.fromkeys(aggs), key=order_key))
            if kept == aggs:
                return None
            place = {a: Col(len(keys) + i) for i, a in enumerate(kept)}
            outputs = (*columns(0, len(keys)), *(place[a] for a in aggs))
            return Project(Aggregate(inner, keys, kept), outputs)
        case _:
            return None


def drop_distinct_of_unique(rel: Rel) -> Rel | None:
    """DISTINCT over rows that differ already is the rows themselves."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=()) if keys and all_movable(keys):
            unique = unique_columns(inner)
            if unique is None:
                return None
            kept = {k.index for k in keys if isinstance(k, Col)}
            return Project(inner, keys) if unique <= kept else None
        case _:
            return None


def unique_columns(rel: Rel) -> frozenset[int] | None:
    """Columns that no two rows share, by the shape of the plan alone; empty: at most one row."""
    match rel:
        case Aggregate(keys=keys):
            return frozenset(range(len(keys)))
        case Filter(input=inner) | Sort(input=inner) | Window(input=inner):
            return unique_columns(inner)
        case Join(kind="semi" | "anti", inputs=(left, _)):
            return unique_columns(left)
        case Join(kind="inner" | "left", inputs=inputs):
            return _all_unique(inputs)
        case SetOp(kind="intersect" | "except"):
            return frozenset(range(width(rel)))
        case Values(rows=rows) if len(rows) <= 1:
            return frozenset()
        case _:
            return None


def _all_unique(inputs: Sequence[Rel]) -> frozenset[int] | None:
    found: set[int] = set()
    start = 0
    for item in inputs:
        own = unique_columns(item)
        if own is None:
            return None
        found.update(start + i for i in own)
        start += width(item)
    return frozenset(found)


def tidy_window_functions(rel: Rel) -> Rel | None:
    """The functions of a window node sorted, each once; no function -> no node."""
    match rel:
        case Window(input=inner, functions=()):
            return inner
        case Window(input=inner, functions=functions) if not any(map(is_volatile, functions)):
            kept = tuple(sorted(dict.fromkeys(functions), key=order_key))
            if kept == functions:
                return None
            size = width(inner)
            place = {f: Col(size + i) for i, f in enumerate(kept)}
            outputs: tuple[Expr, ...] = (*columns(0, size), *(place[f] for f in functions))
            return Project(Window(inner, kept), outputs)
        case _:
            return None


def merge_windows(rel: Rel) -> Rel | None:
    """Window(Window(r, fs), gs) -> Window(r, fs and gs) where gs read none of fs."""
    match rel:
        case Window(input=Window(input=inner, functions=below), functions=functions):
            size = width(inner)
            if any(i >= size for i in used(functions)):
                return None
            merged: tuple[Over, ...] = (*below, *functions)
            return Window(inner, merged)
        case _:
            return None


def filter_below_window(rel: Rel) -> Rel | None:
    """Filter(Window(r, fs), c and d) -> Filter(Window(Filter(r, c), fs), d) where c reads only
    columns by which all of fs are partitioned and does not tell apart what is equal: it keeps or
    drops partitions as wholes."""
    match rel:
        case Filter(input=Window(input=inner, functions=functions) as window, conjuncts=conjuncts):
            keys = [
                {p.index for p in f.partition if isinstance(p, Col)}
                for f in functions
                if isinstance(f, Over)
            ]
            shared = set[int]().union(*keys[:1]).intersection(*keys[1:])
            own = tuple(
                c
                for c in conjuncts
                if columns_of(c) <= shared and not is_volatile(c) and not discerning((c,))
            )
            if not own or any(map(is_volatile, functions)):
                return None
            below = replace(window, input=Filter(inner, own))
            rest = tuple(c for c in conjuncts if c not in own)
            return Filter(below, rest) if rest else below
        case _:
            return None


CASES = (
    Case("select distinct a, b from t", "select a, b from t group by b, a"),
    Case("select a, b, sum(c) as s, count(*) as n from t group by a, b",
         "select a, b, sum(c) as s, count(*) as n from t group by b, a, b"),
    Case("select distinct a, n from (select a, count(*) as n from t group by a) q",
         "select a, count(*) as n from t group by a"),
    Case("select a, n from (select a, b, sum(b) over (partition by c, a) as n from t) q "
         "where a > 1 and b = 1",
         "select a, n from "
         "(select a, b, sum(b) over (partition by a, c) as n from t where a > 1) q "
         "where b = 1"),
)  # fmt: skip
