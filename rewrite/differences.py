"""The smallest difference between two terms, and the word for it."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Final

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Over, operands, parts
from unwet.rewrite.rules.refs import with_operands
from unwet.rewrite.terms import UNION

_TRIED: Final = 3  # operands whose order is found by trying
_COMPARISONS: Final = frozenset({"lt", "lte"})
_NULLS: Final = frozenset({"coalesce", "nullif"})
_ZONES: Final = frozenset({"attimezone", "converttimezone", "fromutctimestamp", "toutctimestamp"})


def smallest(one: Expr, other: Expr) -> tuple[Expr, Expr]:
    """The smallest parts of two terms in which they differ."""
    while True:
        step = _step(one, other)
        if step is None:
            return one, other
        one, other = step


def difference(one: Expr, other: Expr) -> tuple[Expr, Expr]:
    """The smallest parts in which two terms differ; where these are no edit, the window around
    them, if it is ordered or partitioned otherwise."""
    window: tuple[Expr, Expr] | None = None
    while True:
        if _is_other_window(one, other):
            window = one, other
        step = _step(one, other)
        if step is None:
            return window if window is not None and not is_edit(one, other) else (one, other)
        one, other = step


def _is_other_window(one: Expr, other: Expr) -> bool:
    """Whether two windows differ in their keys only, and not in all of them."""
    match one, other:
        case Over(), Over() if one.call == other.call and one.frame == other.frame:
            if one.partition == other.partition:
                return one.order != other.order
            return one.order == other.order and bool(set(one.partition) & set(other.partition))
        case _:
            return False


def _step(one: Expr, other: Expr) -> tuple[Expr, Expr] | None:
    if not _same_head(one, other):
        return None
    left, right = _without_common(operands(one), operands(other))
    if not left or len(left) != len(right):
        return None
    if len(left) == 1:
        return left[0], right[0]
    # one difference in several places is one: both sides of `day = first_day` in another zone
    for order in permutations(right) if len(right) <= _TRIED else (tuple(right),):
        pairs = {smallest(a, b) for a, b in zip(left, order, strict=True)}
        if len(pairs) == 1:
            return pairs.pop()
    return None


def _same_head(one: Expr, other: Expr) -> bool:
    match one, other:
        case Call(), Call():
            return (one.op, one.shape) == (other.op, other.shape)
        case Agg(), Agg():
            heads = ((a.op, a.shape, a.distinct, len(a.order)) for a in (one, other))
            return len(set(heads)) == 1
        case Over(), Over():
            return (one.frame, len(one.order)) == (other.frame, len(other.order))
        case _:
            return False


def _without_common(
    one: tuple[Expr, ...], other: tuple[Expr, ...]
) -> tuple[list[Expr], list[Expr]]:
    """What is left on each side when equal operands are crossed out, place by place first."""
    if len(one) == len(other):
        pairs = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
        if len(pairs) == 1:
            return [pairs[0][0]], [pairs[0][1]]
    left, right = Counter(one), Counter(other)
    return list((left - right).elements()), list((right - left).elements())


def is_edit(right: Expr, wrong: Expr) -> bool:
    """Whether one is the other with something lost, added or exchanged, as a slip makes it; else
    the two are about different things, whatever their names."""
    if _is_grouped(right) != _is_grouped(wrong):
        return False  # a value of a row, and one of many rows
    match right, wrong:
        case Lit(), Lit():
            return "null" not in (right.kind, wrong.kind)
        case Call(op="interval"), Call(op="interval"):
            return True
        case Over(), Over():
            return _is_other_window(right, wrong)
        case Agg(), Agg():
            return right.op == wrong.op or right.args == wrong.args
        case Call(), Call() if _COMPARISONS.issuperset({right.op, wrong.op}):
            return any(arg in wrong.args for arg in right.args if not isinstance(arg, Lit))
        case Call(op="in"), Call(op="in"):
            return True
    return _contains(right, wrong) or _contains(wrong, right)


def _is_grouped(term: Expr) -> bool:
    return any(isinstance(part, Agg) for part in parts(term))


def _contains(whole: Expr, part: Expr) -> bool:
    """Whether a term is a part of another, not as what is counted in some rows only."""
    if isinstance(part, Lit) or isinstance(whole, Over):
        return False
    if isinstance(whole, Call) and whole.op in ("case", "if"):
        return False
    stack: list[Expr] = [whole]
    while stack:
        each = stack.pop()
        if each == part:
            return True
        # what many rows are made into is no slip for one row; a branch is not its union
        if not isinstance(each, Agg) and not (isinstance(each, Call) and each.op == UNION):
            stack.extend(operands(each))
    return False


def code(right: Expr, wrong: Expr) -> str:
    """What kind of mistake it is to say `wrong` where the majority says `right`."""
    match right, wrong:
        case Lit(), Lit():
            return "DRIFT_LITERAL"
        case Call(op="interval"), Call(op="interval"):
            return "DRIFT_LITERAL"
        case Over(), Over():
            return "DRIFT_WINDOW"
        case Agg(), Agg() if right.op != wrong.op or right.distinct != wrong.distinct:
            return "DRIFT_AGGREGATE"
        case Call(), Call() if {right.op, wrong.op} <= _COMPARISONS:
            return "DRIFT_BOUNDARY"
    if _without(right, _ZONES) == _without(wrong, _ZONES):
        return "DRIFT_TIMEZONE"
    if _without(right, _NULLS) == _without(wrong, _NULLS):
        return "DRIFT_NULL"
    return "DRIFT_EXPRESSION"


def _without(term: Expr, ops: frozenset[str]) -> Expr:
    """The term with only the first operand left of those calls."""
    below = tuple(_without(part, ops) for part in operands(term))
    if isinstance(term, Call) and term.op in ops and below:
        return below[0]
    return with_operands(term, below) if below != operands(term) else term


def signs(right: Expr, wrong: Expr) -> tuple[str, str] | None:
    """How two comparisons with the same constant compare the rest with it: `<`, `<=`."""
    found = [_sign(term) for term in (right, wrong)]
    return (found[0], found[1]) if all(found) and found[0] != found[1] else None


def _sign(term: Expr) -> str:
    match term:
        case Call(op="lt" | "lte", args=(one, other)):
            fixed = [not any(isinstance(part, Col) for part in parts(arg)) for arg in (one, other)]
            sign = "<>"[fixed[0]] + ("=" if term.op == "lte" else "")
            return sign if fixed[0] != fixed[1] else ""
    return ""
