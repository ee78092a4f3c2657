"""Which columns tell rows apart, by the shape of a plan alone.

    told(rel, {0, 3}) -> Told(columns, rows)

Functional dependencies through groups, windows and joins: what groups are made by tells the group,
``ROW_NUMBER() OVER (PARTITION BY k ...) = 1`` leaves one row for each k, the columns of a join tell
a row of it when they tell one of each side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Over,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Values,
    Window,
    parts,
    width,
)
from unwet.rewrite.prove.whole_numbers import NO_INTEGERS, Integers
from unwet.rewrite.rules.refs import is_movable, map_refs
from unwet.rewrite.rules.shapes import BINARY, NULL, integer

_LARGEST: Final = 100  # parts of an expression that is followed to its tables


@dataclass(frozen=True, slots=True)
class Told:
    """`columns`: all that have one value for each choice of values of the given ones. `rows`: no
    two rows have the same values of them."""

    columns: frozenset[int]
    rows: bool


def at_most_one(rel: Rel) -> bool:
    """Whether there is never more than one row."""
    return told(rel, ()).rows


def told(rel: Rel, given: Iterable[int], integers: Integers = NO_INTEGERS) -> Told:
    """What the columns ``given`` of a relation tell. `integers`: columns that are, of which any two
    that are equal have one value."""
    return _told(rel, frozenset(given), integers)


@lru_cache(maxsize=1 << 14)
def _told(rel: Rel, known: frozenset[int], integers: Integers) -> Told:
    match rel:
        case Aggregate(keys=keys):
            return (
                _whole(rel, known) if frozenset(range(len(keys))) <= known else Told(known, False)
            )
        case Values(rows=rows) if len(rows) <= 1:
            return _whole(rel, known)
        case Filter(input=inner, conjuncts=conjuncts):
            return _filtered(rel, inner, conjuncts, known, integers)
        case Sort(input=inner):
            return told(inner, known, integers)
        case Window(input=inner):
            size = width(inner)
            below = told(inner, (i for i in known if i < size), integers)
            return _whole(rel, known) if below.rows else Told(known | below.columns, False)
        case Project(input=inner, exprs=exprs):
            return _projected(rel, inner, exprs, known, integers)
        case Join(kind="semi" | "anti", inputs=(left, _)):
            return told(left, known, integers)
        case SetOp(kind="intersect" | "except") | Distinct():
            return (
                _whole(rel, known) if frozenset(range(width(rel))) <= known else Told(known, False)
            )
        case Join(kind="inner" | "left"):
            return _joined(rel, known, integers)
        case _:
            return Told(known, False)


def _whole(rel: Rel, known: frozenset[int]) -> Told:
    return Told(known | frozenset(range(width(rel))), True)


def _filtered(
    rel: Rel,
    inner: Rel,
    conjuncts: Sequence[Expr],
    known: frozenset[int],
    integers: Integers,
) -> Told:
    found = told(inner, known | _nulls(conjuncts), integers)
    if not found.rows and any(_is_first(c, inner, found.columns) for c in conjuncts):
        return _whole(rel, known)
    return found


def _nulls(conjuncts: Iterable[Expr]) -> frozenset[int]:
    """Columns that are NULL in all rows, which is one value for groups and partitions."""
    found = set[int]()
    for test in conjuncts:
        match test:
            case Call(op="is", args=(Col(index=at), value), shape=shape) if shape == BINARY:
                found |= {at} if value == NULL else set()
            case _:
                pass
    return frozenset(found)


def _is_first(test: Expr, rel: Rel, known: frozenset[int]) -> bool:
    """ROW_NUMBER() = 1 in a partition that is told."""
    if not isinstance(rel, Window) or not isinstance(test, Call):
        return False
    if test.op != "eq" or test.shape != BINARY:
        return False
    for one, other in (test.args, test.args[::-1]):
        if isinstance(one, Col) and integer(other) is not None:
            at = one.index - width(rel.input)
            if at >= 0 and _counts_rows(rel.functions[at], known):
                return True
    return False


def _counts_rows(over: Over, known: frozenset[int]) -> bool:
    if over.call.op != "rownumber":
        return False
    return all(isinstance(e, Col) and e.index in known for e in over.partition)


def _projected(
    rel: Rel, inner: Rel, exprs: Sequence[Expr], known: frozenset[int], integers: Integers
) -> Told:
    below = {e.index for at, e in enumerate(exprs) if at in known and isinstance(e, Col)}
    found = told(inner, below, integers)
    if found.rows and all(is_movable(e) for e in exprs):
        return _whole(rel, known)
    # not what is computed: 'a' and 'A' may be equal, and their codes are not
    more = {
        at for at, e in enumerate(exprs) if isinstance(e, Col) and e.index in found.columns
    }  # fmt: skip
    return Told(known | more, found.rows)


def _joined(rel: Join, known: frozenset[int], integers: Integers) -> Told:
    """The right side of a left join tells its row only beside a row of the left one: NULLs may be
    those of a row without a partner."""
    starts = [sum(width(i) for i in rel.inputs[:at]) for at in range(len(rel.inputs) + 1)]
    columns, rows = known, [False] * len(rel.inputs)
    for _ in range(len(rel.inputs) + 1):
        before = columns, tuple(rows)
        for at, side in enumerate(rel.inputs):
            if rel.kind == "left" and at and not rows[0]:
                columns |= _partner(rel, columns, integers)
                continue
            start, end = starts[at], starts[at + 1]
            found = told(side, (i - start for i in columns if start <= i < end), integers)
            columns |= frozenset(i + start for i in found.columns)
            rows[at] = rows[at] or found.rows
        if rel.kind == "inner" or rows[0]:
            columns |= _equal(rel, columns, integers)
        if before == (columns, tuple(rows)):
            break
    return Told(columns, all(rows))


def _partner(rel: Join, known: frozenset[int], integers: Integers) -> frozenset[int]:
    """l LEFT JOIN r ON r.k = l.k, where k tells a row of r: all columns of r, for a known l.k finds
    that row, or none."""
    left, right = rel.inputs
    split, met = width(left), set[int]()
    for test in rel.on:
        match test:
            case Call(op="eq", args=(Col(index=one), Col(index=other)), shape=shape) if (
                shape == BINARY and _is_one_kind(rel, one, other, integers)
            ):
                near, far = sorted((one, other))
                if near not in known or not near < split <= far:
                    return frozenset()
                met.add(far - split)
            case _:
                return frozenset()
    one_row = told(right, met, integers).rows
    return frozenset(range(split, width(rel))) if one_row else frozenset()


def _equal(rel: Join, known: frozenset[int], integers: Integers) -> frozenset[int]:
    """Columns that are equal to known ones and hold values of the same column of a table, or both
    integers: of two types, '1' and '01' would both be equal to 1."""
    found = set[int]()
    for test in rel.on:
        match test:
            case Call(op="eq", args=(Col(index=one), Col(index=other)), shape=shape) if (
                shape == BINARY and (one in known or other in known)
            ):
                if _is_one_kind(rel, one, other, integers):
                    found |= {one, other}
            case _:
                pass
    return frozenset(found)


def _is_one_kind(rel: Rel, one: int, other: int, integers: Integers) -> bool:
    """Are two columns made in one way from the same columns of tables, or both integers, so that
    what is equal is one value?"""
    made = origin(Col(one), rel)
    same = made is not None and made == origin(Col(other), rel)
    return same or all(integers.holds(Col(at), rel) for at in (one, other))


def origin(expr: Expr, rel: Rel) -> Expr | None:
    """What a value is as an expression over columns of tables; None where it is not known."""
    known: list[bool] = []

    def ref(level: int, index: int) -> Expr:
        found = _origin_of(rel, index) if level == 0 else None
        known.append(found is not None)
        return found or Col(index)

    if not is_movable(expr):
        return None
    made = map_refs(expr, ref)
    is_small = sum(1 for _ in islice(parts(made), _LARGEST)) < _LARGEST
    return made if all(known) and is_small else None


@lru_cache(maxsize=1 << 14)
def _origin_of(rel: Rel, at: int) -> Expr | None:
    match rel:
        case Scan(table=table, columns=columns):
            return Call("column_of", (), (table, columns[at]))
        case Filter(input=inner) | Sort(input=inner):
            return _origin_of(inner, at)
        case Window(input=inner) if at < width(inner):
            return _origin_of(inner, at)
        case Aggregate(input=inner, keys=keys) if at < len(keys):
            return origin(keys[at], inner)
        case Project(input=inner, exprs=exprs):
            return origin(exprs[at], inner)
        case Join(inputs=sides):
            for side in sides:
                if at < width(side):
                    return _origin_of(side, at)
                at -= width(side)
            return None
        case SetOp(inputs=many):
            found = {_origin_of(each, at) for each in many}
            return found.pop() if len(found) == 1 else None
        case _:
            return None
