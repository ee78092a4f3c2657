"""The canonical order of joins: inputs of inner joins, chains of left joins, of semi joins.

Where two things are equal in all that is looked at they keep their order: that can only miss an
equality of plans, never make a false one. Nothing looked at may depend on where columns stand, or
two orders would chase each other; hence ``reordered`` and ``tellable``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from heapq import heappop, heappush

from unwet.rewrite.algebra import Call, Col, Expr, Join, Project, Rel, Subquery, parts, width
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.filters import tidy
from unwet.rewrite.rules.joins import is_movable_semi
from unwet.rewrite.rules.order import in_order, masked_digest, order_key
from unwet.rewrite.rules.refs import all_movable, rebuild, remap
from unwet.rewrite.rules.shapes import BINARY, Case


def sort_inner_inputs(rel: Rel) -> Rel | None:
    """The inputs of an inner join in canonical order, a project above to restore the columns.

    By content first. Equal inputs (self joins) are told apart by the conditions they take part
    in, read with literals as holes and then as they are. What is still equal keeps its order:
    that can only miss an equality, never make a false one."""
    match rel:
        case Join(kind="inner", inputs=inputs, on=on) if len(inputs) > 1:
            ranks = _ranks(inputs, on)
            order = sorted(range(len(inputs)), key=ranks.__getitem__)
            if order == list(range(len(inputs))):
                return None
            starts = _starts(inputs)
            old = [c for at in order for c in range(starts[at], starts[at] + width(inputs[at]))]
            place = {c: new for new, c in enumerate(old)}
            moved = tidy([remap(e, place.__getitem__) for e in on])
            join = Join("inner", tuple(inputs[at] for at in order), moved)
            return Project(join, tuple(Col(place[c]) for c in range(len(old))))
        case _:
            return None


def _starts(inputs: Sequence[Rel]) -> list[int]:
    starts, start = [], 0
    for item in inputs:
        starts.append(start)
        start += width(item)
    return starts


_Rank = tuple[bytes, ...]


def _ranks(inputs: Sequence[Rel], on: Sequence[Expr]) -> list[_Rank]:
    """A sort key per input that does not depend on where the input stands."""
    masked: list[_Rank] = [(masked_digest(i),) for i in inputs]
    if len(set(masked)) == len(inputs):
        return masked
    by_role = [(*m, *r) for m, r in zip(masked, _roles(inputs, on, masked, True), strict=True)]
    exact: list[_Rank] = [(*r, i.digest) for r, i in zip(by_role, inputs, strict=True)]
    if len(set(exact)) == len(inputs):
        return exact
    for _ in range(2):  # neighbours, and their neighbours
        roles = _roles(inputs, on, exact, False)
        exact = [(*r, *role) for r, role in zip(exact, roles, strict=True)]
    return exact


def _roles(
    inputs: Sequence[Rel], on: Sequence[Expr], ranks: Sequence[_Rank], holes: bool
) -> list[_Rank]:
    """For each input one digest of the conditions that touch it: every column is written as the
    rank of its input and its place there, and as `mine` or not."""
    owner = [(at, i) for at, item in enumerate(inputs) for i in range(width(item))]
    group_of = {rank: at for at, rank in enumerate(sorted(set(ranks)))}
    tests: list[list[Expr]] = [[] for _ in inputs]
    for test in tellable(on):
        for at in sorted({owner[c][0] for c in columns_of(test)}):
            tests[at].append(test)
    found: list[_Rank] = []
    for at in range(len(inputs)):
        seen: list[bytes] = []
        for test in tests[at]:

            def label(c: int, at: int = at) -> int:
                item, place = owner[c]
                group = group_of[ranks[item]] * 2 + (item == at)
                return group * 100_000 + place

            seen.append(_test_digest(remap(test, label), holes))
        state = blake2b(b"".join(sorted(seen)), digest_size=16)
        found.append((state.digest(),))
    return found


def _test_digest(test: Expr, holes: bool) -> bytes:
    # the operands stand in the order of their old columns; the labels have another
    test = reordered(test)
    return masked_digest(test) if holes else test.digest


def sort_left_joins(rel: Rel) -> Rel | None:
    """(l LEFT JOIN a ON p) LEFT JOIN b ON q -> (l LEFT JOIN b ON q) LEFT JOIN a ON p where q reads
    no column of a. Each row of l meets the same rows of a and of b in either order."""
    chain = _left_chain(rel)
    if chain is None:
        return None
    base, links = chain
    starts = _starts([base, *(right for right, _ in links)])
    order = _chain_order(width(base), links, starts)
    if order == list(range(len(links))):
        return None
    place = {i: i for i in range(width(base))}
    out = base
    for at in order:
        right, on = links[at]
        for i in range(width(right)):
            place[starts[at + 1] + i] = len(place)
        out = Join("left", (out, right), tidy([remap(e, place.__getitem__) for e in on]))
    return Project(out, tuple(Col(place[i]) for i in range(len(place))))


_Link = tuple[Rel, tuple[Expr, ...]]


def _left_chain(rel: Rel) -> tuple[Rel, list[_Link]] | None:
    links: list[_Link] = []
    while isinstance(rel, Join) and rel.kind == "left" and all_movable(rel.on):
        links.append((rel.inputs[1], rel.on))
        rel = rel.inputs[0]
    return (rel, links[::-1]) if len(links) > 1 else None


_OWN = 1_000_000  # stands for the columns of the link itself while links are compared


def _chain_order(base: int, links: Sequence[_Link], starts: Sequence[int]) -> list[int]:
    """The smallest link first among those whose conditions read only what is already there."""
    needs = _needs(links, starts)
    ranked = Counter(right.digest for right, _ in links)
    place = {i: i for i in range(base)}
    ready: list[tuple[_Rank, int]] = []
    order: list[int] = []

    def offer(at: int) -> None:
        right, on = links[at]
        rank: _Rank = order_key(right)
        if ranked[right.digest] > 1:  # a table joined twice: its conditions tell
            rank = (*rank, *_condition_rank(on, starts[at + 1], width(right), place))
        heappush(ready, (rank, at))

    for at, need in enumerate(needs):
        if not need:
            offer(at)
    while ready:
        _, chosen = heappop(ready)
        order.append(chosen)
        for i in range(width(links[chosen][0])):
            place[starts[chosen + 1] + i] = len(place)
        for at in range(chosen + 1, len(links)):
            if chosen in needs[at]:
                needs[at].remove(chosen)
                if not needs[at]:
                    offer(at)
    return order


def _needs(links: Sequence[_Link], starts: Sequence[int]) -> list[set[int]]:
    """For each link the earlier ones whose columns its conditions read."""
    owner = {
        starts[at + 1] + i: at for at, (right, _) in enumerate(links) for i in range(width(right))
    }
    return [
        {owner[c] for e in on for c in columns_of(e) if c in owner} - {at}
        for at, (_, on) in enumerate(links)
    ]


def _condition_rank(on: Sequence[Expr], start: int, size: int, place: dict[int, int]) -> _Rank:
    own = range(start, start + size)
    tests = tellable(on)
    moved = [
        reordered(remap(e, lambda i: _OWN + i - start if i in own else place[i])) for e in tests
    ]
    return tuple(k for e in tidy(moved) for k in order_key(e))


_SYMMETRIC = frozenset({"eq", "neq", "nullsafeeq", "nullsafeneq", "mul"})


def tellable(on: Sequence[Expr]) -> list[Expr]:
    """The conditions that may tell equal inputs apart: those without subqueries, whose normal
    form depends on where the columns stand."""
    return [e for e in on if not any(isinstance(p, Subquery) for p in parts(e))]


def reordered(expr: Expr) -> Expr:
    """``expr`` with the operands of its symmetric operators in order, which moving columns undoes:
    so that a comparison of conditions does not depend on where their columns stand."""

    def visit(part: Expr) -> Expr:
        match part:
            case Call(op="and" | "or", args=args, shape=()):
                return Call(part.op, in_order(args))
            case Call(op=op, args=args, shape=shape) if op in _SYMMETRIC and shape == BINARY:
                return Call(op, in_order(args), shape)
            case Call(op="in", args=(tested, *values), shape=shape):
                return Call("in", (tested, *in_order(values)), shape)
            case _:
                return part

    return rebuild(expr, visit)


def sort_semi_joins(rel: Rel) -> Rel | None:
    """(l SEMI JOIN a) ANTI JOIN b -> (l ANTI JOIN b) SEMI JOIN a: filters commute, and the same
    one twice is one."""
    links: list[Join] = []
    base: Rel = rel
    while isinstance(base, Join) and is_movable_semi(base):
        links.append(base)
        base = base.inputs[0]
    if len(links) < 2:
        return None
    links.reverse()
    keyed = {(j.kind, j.inputs[1], j.on): _semi_key(j) for j in links}
    order = sorted(keyed, key=lambda k: keyed[k])
    if order == [(j.kind, j.inputs[1], j.on) for j in links]:
        return None
    for kind, right, on in order:
        base = Join(kind, (base, right), on)
    return base


def _semi_key(join: Join) -> tuple[object, ...]:
    return (join.kind, *order_key(join.inputs[1]), *(k for e in join.on for k in order_key(e)))


CASES = (
    Case("select t.a, u.b, v.c from t left join u on t.a = u.a left join v on t.b = v.b",
         "select t.a, u.b, v.c from t left join v on v.b = t.b left join u on u.a = t.a"),
)  # fmt: skip
