"""Columns that nobody reads: dropped where they are made.

``narrow`` walks down from the reader until it meets what may not lose a column: DISTINCT,
INTERSECT and EXCEPT (a column less makes other rows equal), and texts we cannot read. Grouping keys
stay for the same reason. Volatile expressions stay because they may be more than a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Aggregate,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Unnest,
    Values,
    Window,
    width,
)
from unwet.rewrite.references import used
from unwet.rewrite.rules.bounds import fits_block
from unwet.rewrite.rules.refs import all_movable, is_volatile, remap
from unwet.rewrite.rules.shapes import Case

Narrowed = tuple[Rel, tuple[int, ...]]
"""A relation with fewer columns, and which of the old columns they are, in order."""

_DEEPEST = 100  # joins in joins; what lies deeper keeps its columns, which is merely incomplete,
# and so does what would be too wide as one flat block: its parts may be shared


def narrow_below_project(rel: Rel) -> Rel | None:
    """Project(r, es) -> Project(r', es) where r' has only the columns that es reads."""
    match rel:
        case Project(input=inner, exprs=exprs):
            slim = narrow(inner, used(exprs))
            if slim is None:
                return None
            place = _places(slim[1])
            return Project(slim[0], tuple(remap(e, place.__getitem__) for e in exprs))
        case _:
            return None


def narrow_below_aggregate(rel: Rel) -> Rel | None:
    """Aggregate(r, keys, aggs) -> the same over only the columns that keys and aggs read."""
    match rel:
        case Aggregate(input=inner, keys=keys, aggs=aggs):
            slim = narrow(inner, used((*keys, *aggs)))
            if slim is None:
                return None
            place = _places(slim[1]).__getitem__
            new_aggs = tuple(remap(a, place) for a in aggs)
            return Aggregate(slim[0], tuple(remap(k, place) for k in keys), new_aggs)  # type: ignore[arg-type]
        case _:
            return None


def narrow_right_of_semi(rel: Rel) -> Rel | None:
    """The right input of a semi or anti join needs only the columns of the condition."""
    match rel:
        case Join(kind="semi" | "anti", inputs=(left, right), on=on):
            split = width(left)
            need = frozenset(i - split for i in used(on) if i >= split)
            slim = narrow(right, need)
            if slim is None:
                return None
            place = _places(slim[1])
            moved = (remap(e, lambda i: i if i < split else split + place[i - split]) for e in on)
            return Join(rel.kind, (left, slim[0]), tuple(moved))
        case _:
            return None


def scan_in_name_order(rel: Rel) -> Rel | None:
    """Scan(t, (b, a)) -> Project(Scan(t, (a, b)), (Col(1), Col(0))); each column once."""
    match rel:
        case Scan(table=table, columns=columns):
            names = tuple(sorted(set(columns)))
            if names == columns:
                return None
            return Project(Scan(table, names), tuple(Col(names.index(c)) for c in columns))
        case _:
            return None


def narrow(rel: Rel, need: frozenset[int], depth: int = 0) -> Narrowed | None:
    """``rel`` with at least the columns ``need`` and as few others as can be; None: as it is."""
    if depth > _DEEPEST or not fits_block(rel):
        return None
    match rel:
        case Scan(table=table, columns=columns):
            if len(need) >= len(columns):  # here and below: a plan that nobody gets is not made
                return None
            kept = tuple(sorted(need))
            return Scan(table, tuple(columns[i] for i in kept)), kept
        case Filter(input=inner, conjuncts=conjuncts):
            return _over(narrow(inner, need | used(conjuncts), depth + 1), rel)
        case Sort(input=inner, keys=keys):
            return _over(narrow(inner, need | used(k.expr for k in keys), depth + 1), rel)
        case Project(input=inner, exprs=exprs):
            kept = _kept(exprs, need)
            if len(kept) == len(exprs):
                return None
            return Project(inner, tuple(exprs[i] for i in kept)), kept
        case Aggregate(input=inner, keys=keys, aggs=aggs):
            kept = _kept((*keys, *aggs), need | frozenset(range(len(keys))))
            if len(kept) == len(keys) + len(aggs):
                return None
            some = tuple(aggs[i - len(keys)] for i in kept[len(keys) :])
            return Aggregate(inner, keys, some), kept
        case Window():
            return _narrow_window(rel, need, depth)
        case Unnest():
            return _narrow_unnest(rel, need, depth)
        case Join(kind="semi" | "anti"):
            return _narrow_left_of_semi(rel, need, depth)
        case Join():
            return _narrow_join(rel, need, depth)
        case SetOp(kind="union_all", inputs=inputs):
            if len(need) >= width(rel):
                return None
            kept = tuple(sorted(need))
            branches = tuple(Project(i, tuple(map(Col, kept))) for i in inputs)
            return SetOp("union_all", branches), kept
        case Values(rows=rows, width=size):
            if len(need) >= size or not all(all_movable(row) for row in rows):
                return None
            kept = tuple(sorted(need))
            return Values(_columns(rows, kept), len(kept)), kept
        case Distinct() | SetOp() | Opaque():
            return None


def _kept(exprs: Sequence[Expr], need: frozenset[int]) -> tuple[int, ...]:
    return tuple(i for i, e in enumerate(exprs) if i in need or is_volatile(e))


def _columns(
    rows: Iterable[tuple[Expr, ...]], kept: tuple[int, ...]
) -> tuple[tuple[Expr, ...], ...]:
    return tuple(tuple(row[i] for i in kept) for row in rows)


def _places(kept: Sequence[int]) -> dict[int, int]:
    return {old: new for new, old in enumerate(kept)}


def _over(slim: Narrowed | None, rel: Filter | Sort) -> Narrowed | None:
    """The same filter or sort over the narrowed input."""
    if slim is None:
        return None
    place = _places(slim[1]).__getitem__
    if isinstance(rel, Filter):
        return Filter(slim[0], tuple(remap(e, place) for e in rel.conjuncts)), slim[1]
    keys = tuple(SortKey(remap(k.expr, place), k.descending, k.nulls_first) for k in rel.keys)
    return replace(rel, input=slim[0], keys=keys), slim[1]


def _narrow_window(rel: Window, need: frozenset[int], depth: int) -> Narrowed | None:
    size = width(rel.input)
    functions = rel.functions
    kept_at = _kept(functions, frozenset(i - size for i in need))
    kept = tuple(functions[i] for i in kept_at)
    below = frozenset(i for i in need if i < size) | used(kept)
    slim = narrow(rel.input, below, depth + 1)
    if slim is None and len(kept) == len(functions):
        return None
    inner, columns = slim if slim is not None else (rel.input, tuple(range(size)))
    place = _places(columns).__getitem__
    moved = tuple(remap(f, place) for f in kept)
    return Window(inner, moved), (*columns, *(size + i for i in kept_at))  # type: ignore[arg-type]


def _narrow_unnest(rel: Unnest, need: frozenset[int], depth: int) -> Narrowed | None:
    """The element stays: it says how many rows there are."""
    size = width(rel.input)
    ordinal = rel.ordinal and size + 1 in need
    below = frozenset(i for i in need if i < size) | used((rel.array,))
    slim = narrow(rel.input, below, depth + 1)
    if slim is None and ordinal == rel.ordinal:
        return None
    inner, columns = slim if slim is not None else (rel.input, tuple(range(size)))
    array = remap(rel.array, _places(columns).__getitem__)
    kept = (*columns, size, *((size + 1,) if ordinal else ()))
    return Unnest(inner, array, rel.outer, ordinal), kept


def _narrow_left_of_semi(rel: Join, need: frozenset[int], depth: int) -> Narrowed | None:
    left, right = rel.inputs
    split = width(left)
    slim = narrow(left, need | frozenset(i for i in used(rel.on) if i < split), depth + 1)
    if slim is None:
        return None
    place, new_split = _places(slim[1]), len(slim[1])
    on = (remap(e, lambda i: place[i] if i < split else i - split + new_split) for e in rel.on)
    return Join(rel.kind, (slim[0], right), tuple(on)), slim[1]


def _narrow_join(rel: Join, need: frozenset[int], depth: int) -> Narrowed | None:
    wanted = need | used(rel.on)
    inputs: list[Rel] = []
    kept: list[int] = []
    start, changed = 0, False
    for item in rel.inputs:
        size = width(item)
        own = frozenset(i - start for i in wanted if start <= i < start + size)
        slim = narrow(item, own, depth + 1)
        changed = changed or slim is not None
        inner, columns = slim if slim is not None else (item, tuple(range(size)))
        inputs.append(inner)
        kept.extend(start + i for i in columns)
        start += size
    if not changed:
        return None
    place = _places(kept).__getitem__
    return Join(rel.kind, tuple(inputs), tuple(remap(e, place) for e in rel.on)), tuple(kept)


CASES = (
    Case("select x from (select a as x, b, sum(c) as s from t group by a, b) q",
         "select x from (select a as x, b from t group by b, a) q"),
    Case("select a from (select a, b, c from t) q where b = 1",
         "select a from (select b, a from t) q where b = 1"),
)  # fmt: skip
