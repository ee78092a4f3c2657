"""Joins: inner joins flat, left joins above them, semi joins as deep as they can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unwet.rewrite.algebra import (
    Aggregate,
    Col,
    Expr,
    Filter,
    Join,
    Project,
    Rel,
    Values,
    expressions,
    width,
)
from unwet.rewrite.references import columns_of
from unwet.rewrite.rules.bounds import fits_block
from unwet.rewrite.rules.nulls import columns_missing, null_tested, rejects
from unwet.rewrite.rules.refs import (
    all_movable,
    is_volatile,
    is_volatile_plan,
    remap,
    shift,
    with_inputs,
)
from unwet.rewrite.rules.shapes import Case


def flatten_inner_joins(rel: Rel) -> Rel | None:
    """(a JOIN b ON p) JOIN c ON q -> JOIN(a, b, c) ON p and q; the columns stay where they are."""
    match rel:
        case Join(kind="inner", inputs=inputs) if any(map(_is_inner, inputs)) and fits_block(rel):
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
                if isinstance(item, Join) and is_movable_semi(item) and is_block(item.inputs[0]):
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
        case Join(inputs=(left, _)) if is_movable_semi(rel):
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


def is_movable_semi(rel: Join) -> bool:
    """Is it a semi or anti join that may stand anywhere its columns are?"""
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
def left_join_to_inner(rel: Rel) -> Rel | None:
    """Filter(l LEFT JOIN r ON p, q) -> Filter(l JOIN r ON p, q) where q cannot be true when all
    columns of r are NULL: the rows without a match are filtered out anyway."""
    match rel:
        case Filter(input=Join(kind="left", inputs=(left, right), on=on), conjuncts=conjuncts):
            split = width(left)
            missing = columns_missing(range(split, split + width(right)))
            if any(rejects(c, missing) for c in conjuncts):
                return Join("inner", (left, right), (*on, *conjuncts))
            return None
        case _:
            return None


def left_join_to_anti(rel: Rel) -> Rel | None:
    """Project(Filter(l LEFT JOIN r ON p, r.c IS NULL and q), e) -> Project(Filter(l ANTI JOIN r ON
    p, q), e) where p is not true for a NULL in c, so that a match has none, and where q and e read
    l only. The same for an aggregation of such rows."""
    return anti_join(rel, lambda test, join: _no_match(test, join.on, width(join.inputs[0])))


def anti_join(rel: Rel, is_only_without: Callable[[Expr, Join], bool]) -> Rel | None:
    """That, where a test is true for the rows without a match and for no others."""
    match rel:
        case (
            Project(
                input=Filter(input=Join(kind="left", inputs=(left, right), on=on) as join) as at
            )
            | Aggregate(
                input=Filter(input=Join(kind="left", inputs=(left, right), on=on) as join) as at
            )
        ):
            split = width(left)
            missing = [c for c in at.conjuncts if is_only_without(c, join)]
            rest = tuple(c for c in at.conjuncts if c not in missing)
            seen = [i for e in (*expressions(rel), *rest) for i in columns_of(e)]
            if not missing or any(i >= split for i in seen) or any(map(is_volatile, on)):
                return None
            made: Rel = Join("anti", (left, right), on)
            return with_inputs(rel, [Filter(made, rest) if rest else made])
        case _:
            return None


def _no_match(test: Expr, on: Sequence[Expr], split: int) -> bool:
    """Does the test ask for a column of the right side that is NULL only without a match?"""
    tested = null_tested(test)
    if not isinstance(tested, Col) or tested.index < split:
        return False
    unmatched = columns_missing(range(tested.index, tested.index + 1))
    return any(rejects(c, unmatched) for c in on)


CASES = (
    Case("select t.a, u.b from t, u where t.a = u.b", "select t.a, u.b from u join t on u.b = t.a"),
    Case("select t.a, v.b from t left join u as v on t.a = v.b where v.b > 1",
         "select t.a, v.b from t join u as v on t.a = v.b and v.b > 1"),
    Case("select x.a, y.b from (select t.a, t.b from t left join u on t.a = u.b) x "
         "join t as y on x.b = y.c",
         "select t.a, y.b from t join t as y on t.b = y.c left join u on t.a = u.b"),
    Case("select t.a from t left join u on u.b = t.b and u.c > 1 where u.b is null and t.c = 1",
         "select t.a from t where t.c = 1 and not exists "
         "(select 1 from u where u.b = t.b and u.c > 1)"),
    Case("select t.c, count(*) as n from t left join (select distinct b from u) as v on v.b = t.a "
         "where v.b is null group by t.c",
         "select c, count(*) as n from t where not exists (select 1 from u where u.b = t.a) "
         "group by c"),
)  # fmt: skip
