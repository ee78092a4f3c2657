"""Rows upon rows of VALUES: what thousands of them hold is no lineage, and reading them takes more
memory than all else in a pile. Of a very long run only the beginning is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from unwet.lineage.dialects import lexis

LONG: Final = 1_000_000  # characters of a text from which on it is looked through
MOST: Final = 10_000  # rows that are read
KEPT: Final = 1_000  # rows that are read of a longer run


@dataclass(frozen=True, slots=True)
class Left:
    """Rows that are not read: `start` is where the last row ends that is; `rows`: of the whole run,
    of which `kept` are read."""

    start: int
    stop: int
    rows: int
    kept: int = KEPT


def long_runs(text: str, dialect: str) -> tuple[Left, ...]:
    """The runs of more than MOST rows, in one statement or in INSERTs that begin alike."""
    return tuple(_runs(text, lexis(dialect).backslash)) if len(text) >= LONG else ()


def without(text: str, runs: tuple[Left, ...]) -> str:
    """The text with blanks for what is not read; every offset stays as it was."""
    parts: list[str] = []
    done = 0
    for run in runs:
        parts += [text[done : run.start], " " * (run.stop - run.start)]
        done = run.stop
    return "".join([*parts, text[done:]]) if parts else text


_HEAD: Final = re.compile(
    r"(?:\b(?:INSERT|REPLACE)\s++(?:\w++\s++){0,3}[\w.\"`\[\]$#]++\s*+(?:\([^()]*+\)\s*+)?)?"
    r"\bVALUES\s*+(?=\()",
    re.I,
)


def _runs(text: str, backslash: bool) -> Iterator[Left]:
    row, at = _row(backslash), 0
    while head := _HEAD.search(text, at):
        # an INSERT that begins alike goes on with the run
        again = rf"\s*+(?:,|(?:;\s*+)?(?:GO\s++)?{re.escape(head.group())})\s*+"
        between = re.compile(again, re.I)
        place, rows, kept, at = head.end(), 0, 0, head.end()
        while found := row.match(text, place):
            rows, at = rows + 1, found.end()
            kept = at if rows == KEPT else kept
            following = between.match(text, at)
            if following is None:
                break
            place = following.end()
        if rows > MOST:
            yield Left(kept, at, rows)


@cache
def _row(backslash: bool) -> re.Pattern[str]:
    """A row of constants and calls; not one with a query, or with a comment, in it."""
    string = r"'(?:[^'\\]++|''|\\.)*+'" if backslash else r"'(?:[^']++|'')*+'"
    flat = rf"(?:[^()'\"`;\-]++|-(?!-)|{string})*+"
    return re.compile(rf"\((?:[^()'\"`;\-]++|-(?!-)|{string}|\({flat}\))*+\)", re.S)
