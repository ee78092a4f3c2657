"""What an outlier is: a fact, and the vote of the copies against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unwet.rewrite.facts import Block, Fact
from unwet.rewrite.votes import Vote

MINORITY: Final = 0.5  # of all facts of a slot: more are another opinion, no outliers
SAME: Final = 0.55  # of the copies that have a filter or a constant: else it is a parameter


@dataclass(frozen=True, slots=True)
class Outlier:
    """A fact that its nearest copies contradict.

    Of a filter that is `missing`, `fact` is the nearest copy's filter and `block` the one where it
    should stand; else `fact` is the outlier's own, and `block` its block. `added`: a filter that
    no copy has. `at` is the position of the constant that differs, None where more differs than a
    constant, and `variety` how many values it has in all facts that are alike otherwise.
    """

    fact: Fact
    block: Block
    vote: Vote
    missing: bool = False
    added: bool = False
    at: int | None = None
    variety: int = 0

    @property
    def other(self) -> Fact:
        """The fact of the nearest copy that has what the majority has."""
        return self.vote.majority[0]


def few(count: int, total: int) -> bool:
    """Whether so many may be outliers."""
    return count <= max(1, MINORITY * total)
