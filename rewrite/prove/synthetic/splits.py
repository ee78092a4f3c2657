"""Where the ways of two plans differ: conditions of one, values of both, rows of one.

splits(one, other) -> (Split, ...)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from unwet.rewrite.algebra import Call, Expr, Rel, Subquery, parts
from unwet.rewrite.prove.synthetic.logic import TESTS
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.symbols import Truth, binary, is_null, negated, number


@dataclass(frozen=True, slots=True)
class Split:
    """`way`: a row of one plan. `test` has to be `truth` for the other one to part from it."""

    way: Way
    test: Expr | None
    truth: Truth = "true"
    aim: str = "the plans part"


def queries(expr: Expr) -> list[Rel]:
    """The queries in an expression."""
    return [part.rel for part in parts(expr) if isinstance(part, Subquery)]


def paired(first: Sequence[Way], second: Sequence[Way]) -> Iterator[tuple[Way | None, Way | None]]:
    """Ways that stand for each other; those that both plans have are left out."""
    one = [way for way in first if way not in second]
    other = [way for way in second if way not in first]
    yield from zip_longest(one, other)


def _other_values(one: Way, other: Way, left: Expr, right: Expr) -> Iterator[Split]:
    wants, mine, theirs = narrowed(left, right)
    for way in (one, other):
        near = replace(way, wants=(*wants, *way.wants))
        if wants and _is_test(mine):
            yield Split(replace(near, wants=(mine, *near.wants)), theirs, "false", "other branch")
            yield Split(replace(near, wants=(theirs, *near.wants)), mine, "false", "other branch")
        else:
            yield Split(near, binary("nullsafeneq", mine, theirs), aim="other values")


def _is_test(expr: Expr) -> bool:
    return isinstance(expr, Call) and (expr.op in TESTS or expr.op in ("and", "or", "not"))


def narrowed(left: Expr, right: Expr) -> tuple[tuple[Expr, ...], Expr, Expr]:
    """The smallest parts in which two values differ, and what must be true for them to decide: of
    CASE and COALESCE, that no arm before is taken."""
    wants: list[Expr] = []
    while isinstance(left, Call) and isinstance(right, Call) and not _is_test(left):
        same = (left.op, left.shape, len(left.args)) == (right.op, right.shape, len(right.args))
        apart = [i for i, (a, b) in enumerate(zip(left.args, right.args, strict=False)) if a != b]
        if not same or len(apart) != 1 or (left.op == "case" and "this" in left.shape):
            break
        at = apart[0]
        if left.op == "coalesce":
            wants += [is_null(each) for each in left.args[:at]]
        elif left.op == "case":
            wants += [negated(arm.args[0]) for arm in left.args[:at] if isinstance(arm, Call)]
        elif left.op == "if" and at > 0:
            wants.append(left.args[0] if at == 1 else negated(left.args[0]))
        left, right = left.args[at], right.args[at]
    return tuple(wants), left, right


def splits(one: Way | None, other: Way | None) -> Iterator[Split]:
    """What to ask of a way of one plan so that the way beside it in the other plan has no such row,
    or another one."""
    if one is None or other is None:
        way = one or other
        if way is not None:
            yield Split(way, None, aim="a row of one plan")
        return
    for mine, theirs in ((one, other), (other, one)):
        own = [want for want in mine.wants if want not in theirs.wants]
        rest = [want for want in mine.wants if want in theirs.wants]
        way = replace(mine, wants=(*own, *rest))
        for want in theirs.wants:
            if want not in mine.wants:
                yield Split(way, want, "false", "one condition fails")
                yield Split(way, want, "null", "one condition is unknown")
    for left, right in zip(one.outputs, other.outputs, strict=False):
        if left != right:
            yield from _other_values(one, other, left, right)
    for left, right in zip(one.keys, other.keys, strict=False):
        if left != right and number(left) is None:
            yield Split(one, binary("nullsafeneq", left, right), aim="other keys")
