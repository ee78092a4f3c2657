"""What `unwet check` tells: problems, each with its place, the other places it is about, and a key
that outlives edits elsewhere. Plain values, so that nothing heavy is imported to show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of a file; lines and columns count from 1, `end_line` is the last line of it.
    `end_column` is the first one behind it; 0: not known, it goes to the end of the line.

    `relation`: what the pile calls the query there; "" when it has no name.
    """

    path: str
    line: int
    column: int
    end_line: int
    relation: str = ""
    end_column: int = 0

    def __str__(self) -> str:
        lines = f"{self.line}-{self.end_line}" if self.end_line > self.line else f"{self.line}"
        return f"{self.path}:{lines}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in a changed file.

    `code` is a stable upper-case word that `unwet explain` knows, `help` what to do about it ("":
    nothing is known), `others` the places that say the same or something else. `key` is the
    identity in baselines and in SARIF's partialFingerprints: made of content, never of line
    numbers; two problems with one key in one file are the same problem twice.
    """

    code: str
    at: Place
    message: str
    help: str
    others: tuple[Place, ...]
    key: str

    def __str__(self) -> str:
        return f"{self.at.path}:{self.at.line}:{self.at.column}: {self.code} {self.message}"
