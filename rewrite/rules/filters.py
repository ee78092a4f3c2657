"""Filters go down: every conjunct ends up at the deepest place that has all its columns.

Down rather than up because a conjunct over two inputs of a join below an outer join could never
come up, so pulling up would have no single answer. A conjunct that is volatile, or one over
columns that are, stays: it would run on other rows, or another number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    SetOp,
    width,
)
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.bounds import fits_union
from unwet.rewrite.rules.discerning import discerning
from unwet.rewrite.rules.logic import unequal_together
from unwet.rewrite.rules.order import in_order
from unwet.rewrite.rules.refs import all_movable, is_movable, is_volatile, shift, tree_size
from unwet.rewrite.rules.refs import substitute as over
from unwet.rewrite.rules.shapes import FALSE, NULL, TRUE, Case
from unwet.rewrite.rules.union_types import tests_may_enter

LARGEST = 20_000
"""Parts that an expression may have after columns were written out in it."""


def tidy_conjuncts(rel: Rel) -> Rel | None:
    """Filter(r, {p AND q, TRUE, p}) -> Filter(r, {p, q}); the same for the ON of joins.

    A row passes only where a conjunct is true, so NULL is as good as FALSE, and one FALSE makes
    the others pointless. Sorted, as all of them must hold; volatile ones are not merged."""
    match rel:
        case Filter(conjuncts=conjuncts) | Join(on=conjuncts):
            flat = tidy(conjuncts)
            if flat == conjuncts:
                return None
            return Filter(rel.input, flat) if isinstance(rel, Filter) else replace(rel, on=flat)
        case _:
            return None


def tidy(conjuncts: Sequence[Expr]) -> tuple[Expr, ...]:
    """The conjuncts flat, sorted, without TRUE and without duplicates."""
    flat: list[Expr] = []
    stack = list(reversed(conjuncts))
    while stack:
        item = stack.pop()
        if isinstance(item, Call) and item.op == "and":
            stack.extend(reversed(item.args))
        elif item != TRUE:
            flat.append(item)
    if FALSE in flat or NULL in flat:
        return (FALSE,)
    flat = list(unequal_together(flat) or flat)
    once = dict.fromkeys(e for e in flat if not is_volatile(e))
    return in_order([*once, *(e for e in flat if is_volatile(e))])


def drop_empty_filter(rel: Rel) -> Rel | None:
    """Filter(r, {}) -> r."""
    match rel:
        case Filter(input=inner, conjuncts=()):
            return inner
        case _:
            return None


def merge_filters(rel: Rel) -> Rel | None:
    """Filter(Filter(r, p), q) -> Filter(r, p and q)."""
    match rel:
        case Filter(input=Filter(input=inner, conjuncts=below), conjuncts=above):
            return Filter(inner, (*below, *above))
        case _:
            return None


def filter_below_project(rel: Rel) -> Rel | None:
    """Filter(Project(r, es), p) -> Project(Filter(r, p[es]), es), all plain functions of a row."""
    match rel:
        case Filter(input=Project(input=inner, exprs=exprs), conjuncts=conjuncts) if all_movable(
            exprs
        ) and all_movable(conjuncts):
            written = tuple(over(c, exprs) for c in conjuncts)
            if sum(map(tree_size, written)) > LARGEST:
                return None
            return Project(Filter(inner, written), exprs)
        case _:
            return None


def filter_into_inner_join(rel: Rel) -> Rel | None:
    """Filter(Join(rs, on), p) -> Join(rs, on and p)."""
    match rel:
        case Filter(input=Join(kind="inner", inputs=inputs, on=on), conjuncts=conjuncts):
            return Join("inner", inputs, (*on, *conjuncts))
        case _:
            return None


def filter_below_left_join(rel: Rel) -> Rel | None:
    """Filter(l LEFT JOIN r, p over l) -> Filter(l, p) LEFT JOIN r.

    Each row of l comes out with its own values, matched or not. Never for a conjunct that reads
    a column of r: it sees the NULLs that the join makes."""
    match rel:
        case Filter(input=Join(kind="left", inputs=(left, right), on=on), conjuncts=conjuncts):
            down, stay = split_by_columns(conjuncts, 0, width(left), empty=True)
            if not down:
                return None
            return _filtered(Join("left", (Filter(left, down), right), on), stay)
        case _:
            return None


def filter_below_semi_join(rel: Rel) -> Rel | None:
    """Filter(l SEMI JOIN r, p) -> Filter(l, p) SEMI JOIN r; the same for anti joins."""
    match rel:
        case Filter(input=Join(kind="semi" | "anti" as kind, inputs=inputs, on=on)):
            down = tuple(c for c in rel.conjuncts if is_movable(c))
            stay = tuple(c for c in rel.conjuncts if not is_movable(c))
            if not down:
                return None
            return _filtered(Join(kind, (Filter(inputs[0], down), inputs[1]), on), stay)
        case _:
            return None


def filter_below_aggregate(rel: Rel) -> Rel | None:
    """Filter(Aggregate(r, keys, aggs), p over keys) -> Aggregate(Filter(r, p[keys]), keys, aggs).

    The rows of a group have equal keys, so whole groups go or stay, unless p tells apart what is
    equal. Not without keys: then there is one row even over nothing."""
    match rel:
        case Filter(input=Aggregate(input=inner, keys=keys, aggs=aggs), conjuncts=conjuncts) if (
            keys and all_movable(keys)
        ):
            down, stay = split_by_columns(conjuncts, 0, len(keys), empty=True)
            stay = (*stay, *(each for each in down if discerning((each,))))
            down = tuple(each for each in down if each not in stay)
            if not down:
                return None
            written = tuple(over(c, keys) for c in down)
            return _filtered(Aggregate(Filter(inner, written), keys, aggs), stay)
        case _:
            return None


def filter_below_union(rel: Rel) -> Rel | None:
    """Filter(a UNION ALL b, p) -> Filter(a, p) UNION ALL Filter(b, p), for p that does not notice
    that the union converts the columns of its branches to one type."""
    match rel:
        case Filter(input=SetOp(kind="union_all", inputs=inputs), conjuncts=conjuncts) if (
            all_movable(conjuncts) and fits_union(rel) and tests_may_enter(conjuncts, inputs)
        ):
            return SetOp("union_all", tuple(Filter(i, conjuncts) for i in inputs))
        case _:
            return None


def conditions_into_inner_inputs(rel: Rel) -> Rel | None:
    """A conjunct of an inner join over the columns of one input filters that input."""
    match rel:
        case Join(kind="inner", inputs=inputs, on=on):
            kept, start, made = on, 0, list[Rel]()
            for item in inputs:
                size = width(item)
                down, kept = split_by_columns(kept, start, start + size)
                made.append(_filtered(item, tuple(shift(e, -start) for e in down)))
                start += size
            return Join("inner", tuple(made), kept) if len(kept) < len(on) else None
        case _:
            return None


def condition_into_right_input(rel: Rel) -> Rel | None:
    """l LEFT JOIN r ON p over r and q -> l LEFT JOIN Filter(r, p) ON q; also semi and anti.

    A row of r that fails p matches nothing in either form."""
    match rel:
        case Join(kind="left" | "semi" | "anti" as kind, inputs=(left, right), on=on):
            split = width(left)
            down, stay = split_by_columns(on, split, split + width(right))
            if not down:
                return None
            below = Filter(right, tuple(shift(e, -split) for e in down))
            return Join(kind, (left, below), stay)
        case _:
            return None


def condition_into_left_of_semi(rel: Rel) -> Rel | None:
    """l SEMI JOIN r ON p over l and q -> Filter(l, p) SEMI JOIN r ON q. Not for anti joins, where
    a row that fails p is kept, and not for left joins."""
    match rel:
        case Join(kind="semi", inputs=(left, right), on=on):
            down, stay = split_by_columns(on, 0, width(left))
            return Join("semi", (Filter(left, down), right), stay) if down else None
        case _:
            return None


def split_by_columns(
    conjuncts: Sequence[Expr], start: int, end: int, empty: bool = False
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """The movable conjuncts that read only the columns start..end, and the rest. A conjunct that
    reads no column at all belongs to the first only with ``empty``."""

    def belongs(expr: Expr) -> bool:
        columns = columns_of(expr)
        inside = all(start <= i < end for i in columns)
        return inside and (empty or bool(columns)) and is_movable(expr)

    return tuple(e for e in conjuncts if belongs(e)), tuple(e for e in conjuncts if not belongs(e))


def _filtered(rel: Rel, conjuncts: tuple[Expr, ...]) -> Rel:
    return Filter(rel, conjuncts) if conjuncts else rel


CASES = (
    Case("select a from (select a, b + 1 as c from t) q where c > 2",
         "select a from t where b + 1 > 2"),
    Case("select a, n from (select a, count(*) as n from t group by a) q where a = 1 and n > 1",
         "select a, count(*) as n from t where a = 1 group by a having count(*) > 1"),
    Case("select a from (select a from t union all select b from t) q where a = 1",
         "select a from t where a = 1 union all select b from t where b = 1"),
    Case("select t.a, v.b from t left join u as v on t.a = v.b where t.c = 1",
         "select q.a, v.b from (select a from t where c = 1) q left join u as v on q.a = v.b"),
)  # fmt: skip
