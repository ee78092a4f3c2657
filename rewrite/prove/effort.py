"""Work that is counted, not timed: what is found out is the same on every machine, however busy.

The unit is a node of a syntax tree that is run. It takes an engine about 25 microseconds, if the
tables have few rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import process_time
from typing import Final

from unwet.lineage.parse import Script

OPENED: Final = 800  # nodes whose runs take as long as it does to fill a database
_AROUND: Final = 20  # those of what is done around each run
_GUARD: Final = 6  # times as long as it should take


class Effort:
    """What may be spent. Nothing is left either when so many nodes have taken far too much time, of
    this process, not of the clock: a guard against queries that are slow for their length."""

    def __init__(self, most: int) -> None:
        self._most, self.spent = most, 0
        self._end = process_time() + _GUARD * most * 25e-6

    def spend(self, nodes: int) -> None:
        """Count work that is about to be done."""
        self.spent += nodes

    def is_left(self, share: float = 1.0) -> bool:
        """Whether that share of all has not been spent yet."""
        return self.spent < share * self._most and process_time() < self._end


def cost(scripts: Sequence[Script]) -> int:
    """Of one run of the scripts."""
    statements = [each for script in scripts for each in script.statements]
    return sum(_AROUND + sum(1 for _ in each.tree.walk()) for each in statements)
