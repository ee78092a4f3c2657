"""Rules that need to know keys and foreign keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    Scan,
    expressions,
    width,
)
from unwet.rewrite.references import columns_of, used
from unwet.rewrite.rules.duplicates import is_blind
from unwet.rewrite.rules.nulls import NOT_NULL_SHAPE
from unwet.rewrite.rules.promises import NOTHING, Grounds, Promises, Rested, origin
from unwet.rewrite.rules.refs import (
    all_movable,
    is_volatile,
    is_volatile_plan,
    remap,
)
from unwet.rewrite.rules.shapes import (
    BINARY,
    NULL,
    is_plain_comparison,
)


def unread_partner_of_key(promises: Promises, rel: Rel) -> Rested | None:
    """Project(l LEFT JOIN r ON l.x = r.k, e) -> Project(l, e) where k is a key of r and e reads
    l only: no row is repeated, none is lost."""
    match rel:
        case (
            Project(input=Join(kind="left", inputs=(left, right), on=on))
            | Aggregate(input=Join(kind="left", inputs=(left, right), on=on))
        ) if all_movable(on) and not is_volatile_plan(right):
            split = width(left)
            if any(i >= split for i in used(expressions(rel))):
                return None
            found = _at_most_one(promises, (left, right), 1, on)
            if found is None:
                return None
            return Rested(found, _with_input(rel, left))
        case _:
            return None


def unread_join_to_semi(promises: Promises, rel: Rel) -> Rested | None:
    """Project(l JOIN r ON l.x = r.k, e) -> Project(l SEMI JOIN r ON l.x = r.k, e) where k is a
    key of r and e reads l only. Below an aggregate that does not notice duplicates (DISTINCT,
    MIN ...) any r will do."""
    match rel:
        case (
            Project(input=Join(kind="inner", inputs=many, on=on))
            | Aggregate(input=Join(kind="inner", inputs=many, on=on))
        ) if len(many) > 1 and all_movable(on):
            read = used(expressions(rel))
            for at in range(len(many)):
                start = sum(width(i) for i in many[:at])
                own = range(start, start + width(many[at]))
                if any(i in read for i in own) or is_volatile_plan(many[at]):
                    continue
                found = NOTHING if _is_blind(rel) else _at_most_one(promises, many, at, on)
                if found is not None and any(columns_of(e) & set(own) for e in on):
                    return Rested(found, _semi_instead(rel, many, on, at))
            return None
        case _:
            return None


def _at_most_one(
    promises: Promises, many: Sequence[Rel], at: int, on: Sequence[Expr]
) -> Grounds | None:
    """Does each row of the other inputs have one partner in this one, at most?"""
    start = sum(width(i) for i in many[:at])
    own = range(start, start + width(many[at]))
    beside = Join("inner", tuple(many))
    equated = set[int]()
    for test in on:
        if not (isinstance(test, Call) and test.op == "eq" and is_plain_comparison(test)):
            continue
        for mine, other in (test.args, test.args[::-1]):
            if isinstance(mine, Col) and mine.index in own and not columns_of(other) & set(own):
                kind = promises.kind(beside, mine)
                if kind and kind == promises.kind(beside, other):
                    equated.add(mine.index - start)
    return promises.at_most_one(many[at], frozenset(equated))


def left_join_to_parent(promises: Promises, rel: Rel) -> Rested | None:
    """c LEFT JOIN p ON c.f = p.k -> c JOIN p ON c.f = p.k where f is a foreign key to k that is
    never NULL: each row has a partner."""
    match rel:
        case Join(kind="left", inputs=(left, right), on=on):
            found = _parent(promises, left, right, on)
            if found is None:
                return None
            grounds, children = found
            sure = [promises.never_null(left, at) for at in children]
            if any(each is None for each in sure):
                return None
            more = NOTHING.union(*(each or NOTHING for each in sure))
            return Rested(grounds | more, Join("inner", (left, right), on))
        case _:
            return None


def semi_join_to_parent(promises: Promises, rel: Rel) -> Rested | None:
    """c SEMI JOIN p ON c.f = p.k -> Filter(c, f IS NOT NULL) where f is a foreign key to k;
    the anti join: Filter(c, f IS NULL)."""
    match rel:
        case Join(kind="semi" | "anti" as kind, inputs=(left, right), on=on):
            found = _parent(promises, left, right, on)
            if found is None:
                return None
            grounds, children = found
            shape = NOT_NULL_SHAPE if kind == "semi" else BINARY
            tests: tuple[Expr, ...] = tuple(Call("is", (Col(i), NULL), shape) for i in children)
            if kind == "anti" and len(tests) > 1:
                tests = (Call("or", tests),)
            return Rested(grounds, Filter(left, tests))
        case _:
            return None


def _parent(
    promises: Promises, left: Rel, right: Rel, on: Sequence[Expr]
) -> tuple[Grounds, tuple[int, ...]] | None:
    """The columns of the left side that refer to all of a table on the right, if that is what
    the condition says, and nothing else."""
    split, pairs = width(left), dict[int, int]()
    for test in on:
        match test:
            case Call(op="eq", args=(Col(index=a), Col(index=b)), shape=shape) if (
                shape == BINARY and min(a, b) < split <= max(a, b)
            ):
                pairs[min(a, b)] = max(a, b) - split
            case _:
                return None
    table = _whole_table(right)
    children = tuple(sorted(pairs))
    if table is None or not children or len(pairs) != len(on):
        return None
    sources = [origin(left, at) for at in children]
    parents = [origin(right, pairs[at]) for at in children]
    if None in sources or None in parents:
        return None
    places = {(each.table, each.path) for each in sources if each is not None}
    if len(places) != 1:
        return None
    named = {
        (one.column, other.column)
        for one, other in zip(sources, parents, strict=True)
        if one is not None and other is not None
    }
    child = places.pop()[0]
    for key in promises.of(child).foreign:
        if key.table == table and named == set(zip(key.columns, key.to, strict=True)):
            said = f"{child}.{', '.join(key.columns)} refers to {table}.{', '.join(key.to)}"
            return frozenset({said}), children
    return None


def _with_input(rel: Rel, inner: Rel) -> Rel:
    match rel:
        case Project() | Aggregate():
            return replace(rel, input=inner)
        case _:
            raise TypeError(type(rel).__name__)


def _is_blind(rel: Rel) -> bool:
    """Is it the same over a set of rows as over a bag?"""
    return (
        isinstance(rel, Aggregate)
        and bool(rel.keys or rel.aggs)
        and all(map(is_blind, rel.aggs))
        and not any(map(is_volatile, (*rel.keys, *rel.aggs)))
    )


def _semi_instead(rel: Rel, many: Sequence[Rel], on: Sequence[Expr], at: int) -> Rel:
    """The relation over the other inputs, tested against that one."""
    start = sum(width(i) for i in many[:at])
    size, total = width(many[at]), sum(map(width, many))
    own = set(range(start, start + size))

    def place(i: int) -> int:
        if i < start:
            return i
        return total - size + i - start if i in own else i - size

    tests = tuple(remap(e, place) for e in on if columns_of(e) & own)
    rest = tuple(remap(e, place) for e in on if not columns_of(e) & own)
    others = Join("inner", (*many[:at], *many[at + 1 :]), rest)
    made = Join("semi", (others, many[at]), tests)
    return moved_over(rel, made, place)


def moved_over(rel: Rel, made: Rel, place: Callable[[int], int]) -> Rel:
    """A projection or an aggregate over another input, in which each column that it reads has its
    ``place``."""
    match rel:
        case Project(exprs=exprs):
            return Project(made, tuple(remap(e, place) for e in exprs))
        case Aggregate(keys=keys, aggs=aggs):
            moved = (remap(a, place) for a in aggs)
            return Aggregate(
                made,
                tuple(remap(k, place) for k in keys),
                tuple(a for a in moved if isinstance(a, Agg)),
            )
        case _:
            raise TypeError(type(rel).__name__)


def _whole_table(rel: Rel) -> str | None:
    """The table of which a relation has every row, each once."""
    while isinstance(rel, Project) and all_movable(rel.exprs):
        rel = rel.input
    return rel.table if isinstance(rel, Scan) else None
