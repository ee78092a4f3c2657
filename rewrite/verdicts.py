"""What is known about each report of a rewritten pile, and how it came to be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["proved", "tested", "changed", "order-dependent", "kept", "failed"]

MEANING: Mapping[Outcome, str] = {  # the most trustworthy first
    "proved": "the new model means the same as the old query: the same rows on any data",
    "tested": "no difference on the data it was run on; no proof",
    "order-dependent": "the old query itself may return other rows when its input is shuffled",
    "changed": "changed on purpose",
    "kept": "left as it was, below legacy/",
    "failed": "old and new disagree: look at it before anything else",
}


def as_fixed(outcome: Outcome, reason: str, unfixed: str) -> tuple[Outcome, str]:
    """What is said of a proved report when nothing says which rows it returns (``unfixed``: why):
    the model says the same, and that does not make the rows the same."""
    if outcome != "proved" or not unfixed:
        return outcome, reason
    said = f"the model says the same, but nothing says which rows that are: {unfixed}"
    return "order-dependent", "; ".join(filter(None, (said, reason)))


@dataclass(frozen=True, slots=True)
class Score:
    """What data is worth: of ``valid`` mistakes made on purpose it shows ``killed``."""

    killed: int
    valid: int

    @property
    def percent(self) -> float | None:
        """None where no mistake could be made."""
        return round(100 * self.killed / self.valid, 1) if self.valid else None

    def as_json(self) -> dict[str, object]:
        return {"killed": self.killed, "valid": self.valid, "percent": self.percent}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One report: where it was, which model stands for it now, and the evidence.

    proved: the normal forms are equal. tested: no counterexample on the named data. kept: left as
    it was, with the reason. failed: proved or tested, and contradicted by the data. ``data_sets``:
    on how many the rows are the same; ``score``: what the generated ones of them are worth.
    """

    name: str
    relation: str
    path: str
    line: int
    model: str
    outcome: Outcome
    reason: str = ""
    shared: bool = False
    rows: int | None = None
    data_sets: int = 0
    score: Score | None = None
