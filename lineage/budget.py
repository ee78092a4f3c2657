"""How much work one statement may make. Counted, never timed: the same result on any machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds for one statement; what goes beyond them is a BUDGET finding.

    `columns`: outputs of one query that its stars stand for. `steps`: flows that are read while
    its columns are traced. `edges`: edges that conditions on rows make, one for each column.

    The defaults are ten times and more what the largest statement of 600,000 real lines takes.
    """

    columns: int = 20_000
    steps: int = 3_000_000
    edges: int = 500_000


BUDGET = Budget()


class OverBudget(Exception):
    """A statement took more steps than it may; never leaves the tracing of that statement."""
