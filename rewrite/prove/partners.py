"""LEFT JOINs in which each row that counts has a partner: they are JOINs.

    always_partnered(rel, promises) -> the relation with JOIN in their place, or None

A row finds a partner where the right side has, for each row that the left one is made of, one with
the same values: the same query once more (`s LEFT JOIN s AS p ON p.k = s.k AND p.n <= s.n`), or its
groups (`s LEFT JOIN (SELECT k, COUNT(*) ... GROUP BY k) ON ...`). Only a NULL has none. So it must
never be there, or such rows must be dropped further up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    Scan,
    Sort,
    Window,
    walk,
    width,
)
from unwet.rewrite.prove.covers import covered
from unwet.rewrite.prove.identity import told
from unwet.rewrite.rules.nulls import rejected_by
from unwet.rewrite.rules.promises import Promises
from unwet.rewrite.rules.refs import all_movable, is_volatile_plan
from unwet.rewrite.rules.shapes import BINARY

_REFLEXIVE: Final = frozenset({"eq", "lte", "gte"})
_ORDER_FREE: Final = frozenset({"count", "countif", "sum", "avg", "min", "max"})
_EXACT: Final = frozenset({"count", "countif", "rownumber", "rank", "denserank"})
_WHERE_NAN_EQUALS_NAN: Final = frozenset({
    "tsql", "postgres", "duckdb", "redshift", "snowflake", "spark", "databricks", "hive", "mysql",
})  # fmt: skip
"""Or where there is none: not in BigQuery and Trino (their manuals, "NaN")."""

Places = Mapping[int, int]
"""Column of one relation -> column of another one with the same value."""


def always_partnered(rel: Rel, promises: Promises) -> Rel | None:
    """a LEFT JOIN b -> a JOIN b, where each row of a that is not dropped further up has a partner:
    asked at joins and filters, which drop rows with NULLs."""
    match rel:
        case Join(kind="left" | "inner") | Filter():
            made = _Demand(promises).over(rel, frozenset())
            return made if made != rel else None
        case _:
            return None


class _Demand:
    """Goes down a plan with the columns whose NULLs are dropped above."""

    def __init__(self, promises: Promises) -> None:
        self._promises = promises

    def over(self, rel: Rel, full: frozenset[int]) -> Rel:
        """`full`: rows with a NULL in one of these are of no effect."""
        match rel:
            case Join(kind="left", inputs=(left, right), on=on):
                own = frozenset(i for i in full if i < width(left))
                found = self.over(left, own)
                if self._is_partnered(left, right, on, own):
                    return Join("inner", (found, right), on)
                return replace(rel, inputs=(found, right))
            case Join(kind="inner", inputs=many, on=on):
                full |= {i for i in range(width(rel)) if rejected_by(on, Col(i))}
                return replace(rel, inputs=tuple(self._each(many, full)))
            case Filter(input=inner, conjuncts=conjuncts) if all_movable(conjuncts):
                full |= {i for i in range(width(rel)) if rejected_by(conjuncts, Col(i))}
                return Filter(self.over(inner, full), conjuncts)
            case Project(input=inner, exprs=exprs):
                return Project(self.over(inner, _below(exprs, full)), exprs)
            case Aggregate(input=inner, keys=keys) if keys:
                return replace(rel, input=self.over(inner, _below(keys, full)))
            case Window(input=inner, functions=functions):
                shared = set(full)
                for each in functions:  # a partition without NULLs is the same without the others
                    shared &= {e.index for e in each.partition if isinstance(e, Col)}
                return replace(rel, input=self.over(inner, frozenset(shared)))
            case Distinct(input=inner):
                return Distinct(self.over(inner, full))
            case _:
                return rel

    def _each(self, many: Sequence[Rel], full: Collection[int]) -> Iterator[Rel]:
        start = 0
        for each in many:
            end = start + width(each)
            yield self.over(each, frozenset(i - start for i in full if start <= i < end))
            start = end

    def _is_partnered(
        self, left: Rel, right: Rel, on: Sequence[Expr], full: Collection[int]
    ) -> bool:
        pairs = [_pair(each, width(left)) for each in on]
        known = [pair for pair in pairs if pair is not None]
        if not known or len(known) < len(pairs) or not is_sure(left) or not is_sure(right):
            return False
        for mine, _ in known:
            never = mine in full or self._promises.never_null(left, mine) is not None
            if not never or not self._equals_itself(left, mine):
                return False
        return any(_is_found(here, places, right, known) for here, places in _origins(left))

    def _equals_itself(self, rel: Rel, at: int) -> bool:
        dialects = self._promises.dialects
        is_plain = bool(dialects) and dialects <= _WHERE_NAN_EQUALS_NAN
        return is_plain or bool(self._promises.kind(rel, Col(at)))


def _below(exprs: Sequence[Expr], full: Collection[int]) -> frozenset[int]:
    found = (exprs[i] for i in full if i < len(exprs))
    return frozenset(each.index for each in found if isinstance(each, Col))


def _pair(test: Expr, split: int) -> tuple[int, int] | None:
    """A column of the left side and one of the right side that may have the same value."""
    match test:
        case Call(op=op, args=(Col(index=one), Col(index=other)), shape=shape) if (
            op in _REFLEXIVE and shape == BINARY
        ):
            low, high = sorted((one, other))
            return (low, high - split) if low < split <= high else None
        case _:
            return None


def _origins(rel: Rel) -> Iterator[tuple[Rel, Places]]:
    """What each row is made of a row of, and which of its columns have the values of that row."""
    waiting: list[tuple[Rel, Places]] = [(rel, {i: i for i in range(width(rel))})]
    while waiting:
        at, places = waiting.pop()
        yield at, places
        match at:
            case Filter(input=inner) | Sort(input=inner) | Distinct(input=inner):
                waiting.append((inner, places))
            case Window(input=inner):
                waiting.append((inner, {k: i for k, i in places.items() if i < width(inner)}))
            case Project(input=inner, exprs=exprs):
                waiting.append((inner, _through(places, exprs)))
            case Aggregate(input=inner, keys=keys) if keys:
                waiting.append((inner, _through(places, keys)))
            case Join(kind="inner" | "left", inputs=many):
                start = 0
                for each in many if at.kind == "inner" else many[:1]:
                    end = start + width(each)
                    own = {k: i - start for k, i in places.items() if start <= i < end}
                    waiting.append((each, own))
                    start = end
            case Join(kind="semi" | "anti", inputs=(left, _)):
                waiting.append((left, places))
            case _:
                pass


def _is_found(rel: Rel, places: Places, right: Rel, pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether the right side has a row for each one that a row of the left side is made of."""
    if not all(a in places and _is_exact(rel, places[a]) for a, _ in pairs):
        return False
    found = covered(rel, right)
    return found is not None and all(found.places.get(places[a]) == b for a, b in pairs)


def _is_exact(rel: Rel, at: int) -> bool:
    """Is it always the same value? A sum of doubles is not."""
    match rel:
        case Filter(input=inner) | Sort(input=inner) | Distinct(input=inner):
            return _is_exact(inner, at)
        case Window(input=inner, functions=functions):
            size = width(inner)
            return _is_exact(inner, at) if at < size else functions[at - size].call.op in _EXACT
        case Project(input=inner, exprs=exprs):
            expr = exprs[at]
            return isinstance(expr, Col) and _is_exact(inner, expr.index)
        case Aggregate(input=inner, keys=keys, aggs=aggs) if at >= len(keys):
            return aggs[at - len(keys)].op in _EXACT
        case Aggregate(input=inner, keys=keys):
            key = keys[at]
            return isinstance(key, Col) and _is_exact(inner, key.index)
        case Join(inputs=many):
            for each in many:
                if at < width(each):
                    return _is_exact(each, at)
                at -= width(each)
            return False
        case _:
            return isinstance(rel, Scan)


def _through(places: Places, exprs: Sequence[Expr]) -> Places:
    found = {k: exprs[i] for k, i in places.items() if i < len(exprs)}
    return {k: each.index for k, each in found.items() if isinstance(each, Col)}


def is_sure(rel: Rel) -> bool:
    """Is it the same each time that it is asked, whatever order its rows come in?"""
    return not is_volatile_plan(rel) and all(map(_is_in_order, walk(rel)))


def _is_in_order(rel: Rel) -> bool:
    match rel:
        case Sort(limit=limit, offset=offset):
            return limit is None and offset is None
        case Aggregate(aggs=aggs):
            return all(agg.op in _ORDER_FREE for agg in aggs)
        case Window(input=inner, functions=functions):
            for each in functions:
                keys = (*each.partition, *(key.expr for key in each.order))
                if not told(inner, (k.index for k in keys if isinstance(k, Col))).rows:
                    return False
            return True
        case _:
            return True
