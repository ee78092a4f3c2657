"""Conditions that choose the rows a report is about: what one report chooses, another need not."""

from __future__ import annotations

from typing import Final

from unwet.rewrite.algebra import Call, Col, Expr, Lit
from unwet.rewrite.terms import holders

_CHOICES: Final = frozenset({"eq", "in", "like", "ilike", "is"})
_ALIKE: Final = 0.5  # of all values of two lists that are in both: one of them forgot some


def chosen(term: Expr | None) -> frozenset[str]:
    """The values that a condition picks of a column; none when it is no such choice."""
    if not isinstance(term, Call) or term.op not in _CHOICES or not isinstance(term.args[0], Col):
        return frozenset()
    values = [arg.text for arg in term.args[1:] if isinstance(arg, Lit)]
    return frozenset(values if len(values) == len(term.args) - 1 else ())


def is_other_choice(one: Expr | None, other: Expr | None) -> bool:
    """Whether two conditions choose different rows, and not by lists that are nearly the same."""
    left, right = chosen(one), chosen(other)
    if not left and not right:
        return False
    common = left & right
    return len(common) < 2 or len(common) < _ALIKE * len(left | right)


def is_chosen(term: Expr, literal: int) -> bool:
    """Whether the literal at that position among the literals of a term is what a part of it
    picks of a column: 'web' in SUM(CASE WHEN channel = 'web' THEN ...)."""
    above = holders(term)[literal]
    return isinstance(above, Call) and bool(chosen(above))
