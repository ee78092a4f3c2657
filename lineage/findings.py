"""Places in the input, and what was found there. Findings are values; rendering is the caller's."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

UNPARSED: Final = frozenset({"PARSE", "TOKENIZE"})  # codes of text that may have been a report


class Span(NamedTuple):
    """A stretch of one source; lines and columns count from 1, the end is exclusive.

    (A tuple, because a pile has hundreds of thousands, which are hashed and sorted.)
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader of the pile should know, with the place that shows it.

    `code` is one stable upper-case word (PARSE, ENCODING, ...); `also`: other places it is about.
    """

    code: str
    message: str
    at: Span
    help: str = ""
    also: tuple[Span, ...] = ()

    def __str__(self) -> str:
        return f"{self.at}: {self.code} {self.message}"


def whole(path: str) -> Span:
    """The place for findings about a file as such."""
    return Span(path, 1, 1, 1, 1)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by their places."""
    return tuple(sorted(findings, key=lambda f: (f.at, f.code)))
