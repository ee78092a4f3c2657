"""What is known about each report of a rewritten pile, and how it came to be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["proved", "tested", "changed", "order-dependent", "kept", "failed"]

MEANING: Mapping[Outcome, str] = {  # the most trustworthy first
    "proved": "the new model has the same normal form as the old query",
    "tested": "no difference on the data it was run on; no proof",
    "order-dependent": "the old query itself returns other rows when its input is shuffled",
    "changed": "changed on purpose",
    "kept": "left as it was, below legacy/",
    "failed": "old and new disagree: look at it before anything else",
}

# An outcome that a careful user has to look at before the old report is switched off.
OPEN: frozenset[Outcome] = frozenset({"kept", "failed"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """One report: where it was, which model stands for it now, and the evidence.

    proved: the normal forms are equal. tested: no counterexample on the named data. kept: left as
    it was, with the reason. failed: proved or tested, and contradicted by the data.
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
