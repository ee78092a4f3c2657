"""What is known about each report of a rewritten pile, and how it came to be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["proved", "tested", "changed", "order-dependent", "kept", "failed"]

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
