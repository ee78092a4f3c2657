"""How wide a block of joins and a union may become; what would be wider stays as it is.

A chain of CTEs that each read the one before twice is short as a text, and as a plan, whose parts
are shared; but flat it is 2**n inputs wide. Beyond the bounds the rules that make things flat do
not apply. That can only miss an equality of plans, never make a false one. What counts is how wide
a plan would be if all of it were flat, so that it does not matter which rule comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unwet.rewrite.algebra import Filter, Join, Project, Rel, SetOp, inputs
from unwet.rewrite.folding import fold

MOST_INPUTS = 64
MOST_BRANCHES = 4096


def fits_block(rel: Rel) -> bool:
    """Would the joins of ``rel`` be few enough if they were one flat block?"""
    return _measure(rel, _joined, _inputs) <= MOST_INPUTS


def fits_union(rel: Rel) -> bool:
    """Would ``rel`` have few enough branches if it were one flat union?"""
    return _measure(rel, _united, _branches) <= MOST_BRANCHES


# Content to number, so it can never be stale.
_inputs: dict[bytes, int] = {}
_branches: dict[bytes, int] = {}


def _measure(rel: Rel, parts: Callable[[Rel], Sequence[Rel]], known: dict[bytes, int]) -> int:
    """The sum over the parts, which may be shared and as deep as they like; 1 without any."""

    def made(node: Rel) -> int:
        return sum(known[part.digest] for part in parts(node)) or 1

    return fold(rel, parts, known, made)


def _joined(rel: Rel) -> Sequence[Rel]:
    """What stands side by side in a block: projects rise above it, filters sink into it, and a
    semi join is a filter."""
    match rel:
        case Join(kind="semi" | "anti"):
            return rel.inputs[:1]
        case Join() | Project() | Filter():
            return inputs(rel)
        case _:
            return ()


def _united(rel: Rel) -> Sequence[Rel]:
    match rel:
        case SetOp(kind="union_all") | Project() | Filter():
            return inputs(rel)
        case _:
            return ()
