"""Whether a term has a given shape; in the pattern ``?`` stands for any constant."""

from __future__ import annotations

from typing import Final

from unwet.rewrite.algebra import Agg, Call, Expr, Lit, Over, Param, operands, parts
from unwet.rewrite.rules.shapes import UNORDERED

ANY: Final = "?"  # begins the name of a parameter that stands for a constant
_UNORDERED: Final = UNORDERED | {"union"}
_CHAINS: Final = frozenset({"and", "or", "add", "mul"})


def found_in(pattern: Expr, term: Expr) -> Expr | None:
    """The outermost part of a term that the pattern fits; None when there is none."""
    return next((part for part in parts(term) if fits(pattern, part)), None)


def fits(pattern: Expr, term: Expr) -> bool:
    """Whether the pattern is the term, or some of the operands where the term is a chain of them:
    ``a * b`` is in ``a * b * c``."""
    if _equal(pattern, term):
        return True
    if not isinstance(pattern, Call) or not isinstance(term, Call):
        return False
    if pattern.op != term.op or pattern.op not in _CHAINS:
        return False
    return len(pattern.args) < len(term.args) and _assigned(pattern.args, term.args)


def _is_any(expr: Expr) -> bool:
    return isinstance(expr, Param) and expr.name.startswith(ANY)


def _equal(pattern: Expr, term: Expr) -> bool:
    if pattern == term or (_is_any(pattern) and isinstance(term, Lit)):
        return True
    if _is_one_of(pattern, term):
        return True
    if type(pattern) is not type(term) or _head(pattern) != _head(term):
        return False
    mine, theirs = operands(pattern), operands(term)
    if len(mine) != len(theirs) or not mine:
        return False
    if isinstance(pattern, Call) and pattern.op in _UNORDERED:
        return _assigned(mine, theirs)
    if isinstance(pattern, Call) and pattern.op == "in":
        return _equal(mine[0], theirs[0]) and _assigned(mine[1:], theirs[1:])
    return all(map(_equal, mine, theirs))


def _is_one_of(pattern: Expr, term: Expr) -> bool:
    """``a = 1`` is in ``a IN (1, 2)``, which is also how ``a = 1 OR a = 2`` is known."""
    match pattern, term:
        case Call(op="eq", args=(one, other)), Call(op="in", args=(what, *values)):
            pairs = ((one, other), (other, one))
            return any(_equal(a, what) and any(_equal(b, v) for v in values) for a, b in pairs)
    return False


def _assigned(mine: tuple[Expr, ...], theirs: tuple[Expr, ...]) -> bool:
    """Whether each has one of its own among the others; what is fixed chooses first."""
    left = list(theirs)
    for each in sorted(mine, key=lambda part: sum(map(_is_any, parts(part)))):
        hit = next((other for other in left if _equal(each, other)), None)
        if hit is None:
            return False
        left.remove(hit)
    return True


def _head(expr: Expr) -> tuple[object, ...]:
    match expr:
        case Call(op=op):
            return op, expr.shape
        case Agg(op=op, distinct=distinct, where=where):
            return op, distinct, where is None
        case Over(frame=frame, partition=partition):
            return frame, len(partition)
        case _:
            return (expr.digest,)
