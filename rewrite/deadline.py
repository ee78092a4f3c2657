"""How long the search for what repeats may take: what has been found by then is the result.

Seconds are those of work, so that a busy machine finds as much as an idle one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Over = Callable[[], bool]  # is the time of a step over?


def never() -> bool:
    """For a step that takes the time it needs."""
    return False


@dataclass(frozen=True, slots=True)
class Deadline:
    """``seconds`` from now on; None for as many as it takes."""

    seconds: float | None = None
    start: float = field(default_factory=time.process_time)

    def after(self, share: float) -> Over:
        """Whether that share of the time is over."""
        if self.seconds is None:
            return never
        end = self.start + share * self.seconds
        return lambda: time.process_time() >= end
