"""Whether a relation has a row for each row of another one, with the same values.

    covered(rel, by) -> Cover(places, exact), or None where that is not known

Both are parts of one plan, so they mostly differ in the columns that are kept, in groups that are
made of the rows, or in conditions that the covered one has besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
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
    Window,
    width,
)
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.refs import rebuild, remap

_MOST: Final = 3  # inputs of joins that are compared in all orders
_SYMMETRIC: Final = frozenset({"eq", "and", "or", "add", "mul"})
_WHOLE: Final = "*"  # the column that stands for those that nobody knows


@dataclass(frozen=True, slots=True)
class Cover:
    """`places`: column of the covered relation -> column of the other one with the same value.
    `exact`: both have the same rows, each as often, but for their columns."""

    places: Mapping[int, int]
    exact: bool = False


@lru_cache(maxsize=1 << 12)
def covered(rel: Rel, by: Rel) -> Cover | None:
    """Both have to be the same each time that they are asked."""
    if rel == by:
        return Cover({i: i for i in range(width(rel))}, exact=True)
    return _of_one_kind(rel, by) or _within(rel, by)


def _within(rel: Rel, by: Rel) -> Cover | None:
    """The rows of `by` are made of those that cover, or those of `rel` of what is covered."""
    match by:
        case Project(input=inner, exprs=exprs):
            return _made(rel, inner, exprs, exact=True)
        case Aggregate(input=inner, keys=keys) if keys:
            return _made(rel, inner, keys, exact=False)
        case Distinct(input=inner):
            return _loose(covered(rel, inner))
        case Window(input=inner):
            return covered(rel, inner)
        case _:
            pass
    match rel:
        case Filter(input=inner) | Distinct(input=inner):
            return _loose(covered(inner, by))
        case Project(input=inner, exprs=exprs):
            found = covered(inner, by)
            return Cover(_seen(exprs, found.places), found.exact) if found is not None else None
        case Window(input=inner):
            return covered(inner, by)
        case _:
            return None


def _loose(found: Cover | None) -> Cover | None:
    return Cover(found.places) if found is not None else None


def _made(rel: Rel, inner: Rel, exprs: Sequence[Expr], exact: bool) -> Cover | None:
    """Covered by what is made of the columns of another relation."""
    found = covered(rel, inner)
    if found is None:
        return None
    at = {e.index: n for n, e in reversed(list(enumerate(exprs))) if isinstance(e, Col)}
    places = {one: at[other] for one, other in found.places.items() if other in at}
    return Cover(places, exact and found.exact)


def _seen(exprs: Sequence[Expr], places: Mapping[int, int]) -> dict[int, int]:
    """Where the columns of a projection are found."""
    return {
        n: places[e.index]
        for n, e in enumerate(exprs)
        if isinstance(e, Col) and e.index in places
    }  # fmt: skip


def _of_one_kind(rel: Rel, by: Rel) -> Cover | None:
    match rel, by:
        case Scan(table=one, columns=mine), Scan(table=other, columns=theirs) if one == other:
            known = set(mine) & set(theirs) - {_WHOLE}
            return Cover({mine.index(name): theirs.index(name) for name in known}, exact=True)
        case Filter(), Filter():
            return _filtered(rel, by)
        case Aggregate(), Aggregate():
            return _grouped(rel, by)
        case Window(), Window():
            return _windowed(rel, by)
        case Join(kind="inner"), Join(kind="inner") if len(rel.inputs) <= _MOST:
            return _joined(rel, by)
        case _:
            return None


def _placed(exprs: Iterable[Expr], places: Mapping[int, int]) -> frozenset[Expr]:
    """Those of the expressions that can be said over the other relation."""
    found = (_over(each, places) for each in exprs)
    return frozenset(each for each in found if each is not None)


def _filtered(rel: Filter, by: Filter) -> Cover | None:
    """Every condition of the other one is a condition of this one."""
    found = covered(rel.input, by.input)
    if found is None:
        return None
    mine = _placed(rel.conjuncts, found.places)
    theirs = set(map(_plain, by.conjuncts))
    is_all = theirs == mine and len(mine) == len(set(rel.conjuncts))
    return Cover(found.places, found.exact and is_all) if theirs <= mine else None


def _grouped(rel: Aggregate, by: Aggregate) -> Cover | None:
    """By the same keys; aggregates are the same where the rows of the groups are."""
    found = covered(rel.input, by.input)
    if found is None or not rel.keys or not by.keys:
        return None
    keys, theirs = _at(by.keys), [_over(key, found.places) for key in rel.keys]
    places = {n: keys[key] for n, key in enumerate(theirs) if key in keys}
    exact = found.exact and set(theirs) == set(keys)
    if exact:
        places |= _same(rel.aggs, by.aggs, found.places, len(rel.keys), len(by.keys))
    return Cover(places, exact)


def _at(exprs: Sequence[Expr]) -> dict[Expr | None, int]:
    return {_plain(each): n for n, each in enumerate(exprs)}


def _same(
    mine: Sequence[Expr], theirs: Sequence[Expr], places: Mapping[int, int], start: int, other: int
) -> dict[int, int]:
    """Where expressions over the same rows are found again."""
    at = _at(theirs)
    said = [_over(each, places) for each in mine]
    return {start + n: other + at[each] for n, each in enumerate(said) if each in at}


def _over(expr: Expr, places: Mapping[int, int]) -> Expr | None:
    known = columns_of(expr) <= set(places)
    return _plain(remap(expr, places.__getitem__)) if known else None


def _plain(expr: Expr) -> Expr:
    """With operands whose order says nothing in one order: normal forms sort them by the columns
    of their own relation."""
    return rebuild(expr, _sorted)


def _sorted(part: Expr) -> Expr:
    match part:
        case Call(op=op, args=args) if op in _SYMMETRIC:
            return replace(part, args=tuple(sorted(args, key=lambda each: each.digest)))
        case _:
            return part


def _windowed(rel: Window, by: Window) -> Cover | None:
    """Its functions are the same over the same rows only."""
    found = covered(rel.input, by.input)
    if found is None:
        return None
    places, start, other = dict(found.places), width(rel.input), width(by.input)
    if found.exact:
        places |= _same(rel.functions, by.functions, found.places, start, other)
    return Cover(places, found.exact)


def _joined(rel: Join, by: Join) -> Cover | None:
    """The same inputs in some order, under the same conditions."""
    if len(rel.inputs) != len(by.inputs):
        return None
    starts = [sum(map(width, rel.inputs[:at])) for at in range(len(rel.inputs))]
    for order in permutations(range(len(by.inputs))):
        places, exact = dict[int, int](), True
        for mine, start, at in zip(rel.inputs, starts, order, strict=True):
            found = covered(mine, by.inputs[at])
            if found is None:
                break
            shift = sum(map(width, by.inputs[:at]))
            places |= {start + one: shift + other for one, other in found.places.items()}
            exact = exact and found.exact
        else:
            own, theirs = _placed(rel.on, places), set(map(_plain, by.on))
            if theirs <= own:
                is_all = theirs == own and len(own) == len(set(rel.on))
                return Cover(places, exact and is_all)
    return None
