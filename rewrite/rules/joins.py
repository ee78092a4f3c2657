"""Joins: inner joins flat and sorted, outer and semi joins in chains above them, sorted too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from heapq import heappop, heappush

from unwet.rewrite.algebra import (
    Call,
    Col,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    Subquery,
    Values,
    parts,
    width,
)
from unwet.rewrite.rules.filters import tidy
from unwet.rewrite.rules.order import in_order, masked_digest, order_key
from unwet.rewrite.rules.refs import (
    all_movable,
    columns_of,
    is_volatile_plan,
    rebuild,
    remap,
    shift,
)
from unwet.rewrite.rules.shapes import BINARY, Case, is_plain_comparison


def flatten_inner_joins(rel: Rel) -> Rel | None:
    """(a JOIN b ON p) JOIN c ON q -> JOIN(a, b, c) ON p and q; the columns stay where they are."""
    match rel:
        case Join(kind="inner", inputs=inputs) if any(_is_inner(i) for i in inputs):
            flat: list[Rel] = []
            on = list(rel.on)
            start = 0
            stack = list(reversed(inputs))
            while stack:
                item = stack.pop()
                if isinstance(item, Join) and item.kind == "inner":
                    on.extend(shift(e, start) for e in item.on)
                    stack.extend(reversed(item.inputs))
                else:
                    flat.append(item)
                    start += width(item)
            return Join("inner", tuple(flat), tuple(on))
        case _:
            return None


def _is_inner(rel: Rel) -> bool:
    return isinstance(rel, Join) and rel.kind == "inner"


def single_input_join(rel: Rel) -> Rel | None:
    """Join(r, on) -> Filter(r, on)."""
    match rel:
        case Join(kind="inner", inputs=(only,), on=on):
            return Filter(only, on) if on else only
        case _:
            return None


def drop_unit_input(rel: Rel) -> Rel | None:
    """r CROSS JOIN (one row without columns) -> r."""
    match rel:
        case Join(kind="inner", inputs=inputs, on=on) if len(inputs) > 1:
            kept = tuple(i for i in inputs if i != _UNIT) or (_UNIT,)
            return Join("inner", kept, on) if len(kept) < len(inputs) else None
        case _:
            return None


_UNIT = Values(((),), 0)


def left_join_above_inner(rel: Rel) -> Rel | None:
    """(a LEFT JOIN b ON p) JOIN c ON q -> Filter((a JOIN c ON q1) LEFT JOIN b ON p, q2).

    q1 are the conjuncts of q that read no column of b. For each pair of rows of a and c the left
    join finds the same rows of b, as p reads only a and b; q then picks from the same rows."""
    match rel:
        case Join(kind="inner", inputs=inputs, on=on) if all_movable(on):
            for at, item in enumerate(inputs):
                found = _left_join_in(item)
                if found is not None:
                    return _lift_left(inputs, on, at, *found)
            return None
        case _:
            return None


def _left_join_in(rel: Rel) -> tuple[Join, tuple[Expr, ...]] | None:
    """A left join that is an input of an inner join, and the filter on it."""
    match rel:
        case Join(kind="left", on=on) if all_movable(on):
            return rel, ()
        case Filter(input=Join(kind="left", on=on) as join, conjuncts=conjuncts) if all_movable(
            (*on, *conjuncts)
        ):
            return join, conjuncts
        case _:
            return None


def _lift_left(
    inputs: tuple[Rel, ...], on: tuple[Expr, ...], at: int, join: Join, tests: tuple[Expr, ...]
) -> Rel:
    left, right = join.inputs
    start = sum(width(i) for i in inputs[:at])
    a, b = width(left), width(right)
    rest = sum(width(i) for i in inputs) - b  # columns of the new inner join

    def place(i: int) -> int:
        if i < start + a:
            return i
        return i - a - start + rest if i < start + a + b else i - b

    moved = [remap(e, place) for e in (*on, *(shift(t, start) for t in tests))]
    below = tuple(e for e in moved if all(c < rest for c in columns_of(e)))
    above = tuple(e for e in moved if e not in below)
    inner = Join("inner", (*inputs[:at], left, *inputs[at + 1 :]), below)
    match_on = tuple(remap(e, lambda i: start + i if i < a else rest + i - a) for e in join.on)
    out: Rel = Join("left", (inner, right), match_on)
    out = Filter(out, above) if above else out
    return Project(out, tuple(Col(place(i)) for i in range(rest + b)))


def semi_join_above_inner(rel: Rel) -> Rel | None:
    """((a JOIN b) SEMI JOIN s) JOIN c -> (a JOIN b JOIN c) SEMI JOIN s: a semi join is a filter.

    Only where the semi join stands on a join: elsewhere it is pushed down (``semi_join_down``)."""
    match rel:
        case Join(kind="inner", inputs=inputs, on=on) if all_movable(on):
            for at, item in enumerate(inputs):
                if isinstance(item, Join) and _is_movable_semi(item) and is_block(item.inputs[0]):
                    return _lift_semi(inputs, on, at, item)
            return None
        case _:
            return None


def _lift_semi(inputs: tuple[Rel, ...], on: tuple[Expr, ...], at: int, semi: Join) -> Rel:
    left, right = semi.inputs
    start, own = sum(width(i) for i in inputs[:at]), width(left)
    total = sum(width(i) for i in inputs)
    inner = Join("inner", (*inputs[:at], left, *inputs[at + 1 :]), on)
    test = tuple(remap(e, lambda i: start + i if i < own else total + i - own) for e in semi.on)
    return Join(semi.kind, (inner, right), test)


def semi_join_down(rel: Rel) -> Rel | None:
    """(a JOIN b) SEMI JOIN s ON p over a and s -> (a SEMI JOIN s ON p) JOIN b; also into the left
    side of a left join, past the filter on it. The same for anti joins."""
    match rel:
        case Join(inputs=(left, _)) if _is_movable_semi(rel):
            match left:
                case Join(kind="inner"):
                    return _semi_into(rel, left, [not is_block(i) for i in left.inputs])
                case Join(kind="left"):
                    return _semi_into(rel, left, [True, False])
                case Filter(input=Join(kind="left") as join, conjuncts=conjuncts):
                    made = _semi_into(rel, join, [True, False])
                    return Filter(made, conjuncts) if made is not None else None
                case _:
                    return None
        case _:
            return None


def _semi_into(semi: Join, join: Join, allowed: Sequence[bool]) -> Rel | None:
    """The semi join on the one allowed input whose columns alone it reads."""
    right, split = semi.inputs[1], width(join)
    read = frozenset(i for e in semi.on for i in columns_of(e) if i < split)
    start = 0
    for at, item in enumerate(join.inputs):
        end = start + width(item)
        if allowed[at] and read and all(start <= i < end for i in read):
            test = _semi_condition(semi.on, start, width(item), split)
            inner = Join(semi.kind, (item, right), test)
            return Join(join.kind, (*join.inputs[:at], inner, *join.inputs[at + 1 :]), join.on)
        start = end
    return None


def _semi_condition(on: Sequence[Expr], start: int, size: int, split: int) -> tuple[Expr, ...]:
    return tuple(remap(e, lambda i: i - start if i < split else i - split + size) for e in on)


def _is_movable_semi(rel: Join) -> bool:
    return (
        rel.kind in ("semi", "anti") and all_movable(rel.on) and not is_volatile_plan(rel.inputs[1])
    )


def is_block(rel: Rel) -> bool:
    """Inner and left joins, with semi joins and filters on them: what flattens together."""
    while True:
        match rel:
            case Join(kind="inner" | "left"):
                return True
            case Filter(input=inner) | Join(kind="semi" | "anti", inputs=(inner, _)):
                rel = inner
            case _:
                return False


# --- outer to inner -------------------------------------------------------------------------

# NULL whenever one of their operands is.
_STRICT = frozenset({"add", "sub", "mul", "eq", "neq", "lt", "lte", "gt", "gte"})


def left_join_to_inner(rel: Rel) -> Rel | None:
    """Filter(l LEFT JOIN r ON p, q) -> Filter(l JOIN r ON p, q) where q cannot be true when all
    columns of r are NULL: the rows without a match are filtered out anyway."""
    match rel:
        case Filter(input=Join(kind="left", inputs=(left, right), on=on), conjuncts=conjuncts):
            split = width(left)
            nullable = range(split, split + width(right))
            if any(_rejects_nulls(c, nullable) for c in conjuncts):
                return Join("inner", (left, right), (*on, *conjuncts))
            return None
        case _:
            return None


def _rejects_nulls(expr: Expr, nullable: range) -> bool:
    """Is it not true whenever the nullable columns are all NULL?"""
    match expr:
        case Call(op="and", args=args):
            return any(_rejects_nulls(a, nullable) for a in args)
        case Call(op="or", args=args):
            return all(_rejects_nulls(a, nullable) for a in args)
        case Call(op="not", args=(Call(args=(tested, *_)) as inner,)) if _is_null_test(inner):
            return _is_null(tested, nullable)
        case Call(op="like" | "in", args=(tested, *_)):
            return _is_null(tested, nullable)
        case Call(op="is", args=(tested, Lit(kind="null")), shape=shape):
            return shape == (*BINARY, "negate=True") and _is_null(tested, nullable)
        case _:
            return _is_null(expr, nullable)


def _is_null(expr: Expr, nullable: range) -> bool:
    """Is the value NULL whenever the nullable columns are all NULL?"""
    match expr:
        case Col(index=index):
            return index in nullable
        case Call(op="neg" | "cast", args=(only,)):
            return _is_null(only, nullable)
        case Call(op=op, args=args) if op in _STRICT and is_plain_comparison(expr):
            return any(_is_null(a, nullable) for a in args)
        case _:
            return False


def _is_null_test(expr: Call) -> bool:
    """LIKE or IN a list, NULL for a NULL on the left. IN UNNEST(array) is FALSE when that is
    empty, and so is LIKE ANY."""
    if expr.op == "in":
        return expr.shape == ("this", f"expressions*{len(expr.args) - 1}")
    return expr.op == "like" and is_plain_comparison(expr)


# --- order ----------------------------------------------------------------------------------


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
    names = sorted(set(ranks))
    found: list[_Rank] = []
    for at in range(len(inputs)):
        seen: list[bytes] = []
        for test in tellable(on):
            read = columns_of(test)
            if not any(owner[c][0] == at for c in read):
                continue

            def label(c: int, at: int = at) -> int:
                item, place = owner[c]
                group = names.index(ranks[item]) * 2 + (item == at)
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
    while isinstance(base, Join) and _is_movable_semi(base):
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
    Case("select t.a, u.b from t, u where t.a = u.b", "select t.a, u.b from u join t on u.b = t.a"),
    Case("select t.a, v.b from t left join u as v on t.a = v.b where v.b > 1",
         "select t.a, v.b from t join u as v on t.a = v.b and v.b > 1"),
    Case("select x.a, y.b from (select t.a, t.b from t left join u on t.a = u.b) x "
         "join t as y on x.b = y.c",
         "select t.a, y.b from t join t as y on t.b = y.c left join u on t.a = u.b"),
)  # fmt: skip
