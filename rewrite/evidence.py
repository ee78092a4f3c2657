"""What rows say about a contradiction: one on which the sides differ, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Witness:
    """What the data says about one outlier.

    `rows`: on how many rows the two sides differ, `of` how many were looked at; both None where it
    could not be tried, and `reason` says why. `row`: (column, value) of the first such row;
    `majority` and `outlier`: what the two sides make of it.
    """

    path: str
    line: int
    rows: int | None = None
    of: int | None = None
    row: tuple[tuple[str, str], ...] = ()
    majority: str = ""
    outlier: str = ""
    reason: str = ""
