"""Differences that somebody has accepted: by a comment in the SQL, or in the configuration.

``-- unwet: ignore[DRIFT_LITERAL] reason`` holds for its own line, or, on a line of its own, for
the next line that is no comment. A code stands for all codes that begin with it; without a reason
the mark counts for nothing, which is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from unwet.lineage.findings import Finding, Span
from unwet.lineage.lexer import CODE, COMMENT, STRING, pieces
from unwet.lineage.pile import Pile

_MARK: Final = re.compile(r"unwet:\s*ignore\[([\w\s,]*)\]([^\n]*)")


@dataclass(frozen=True, slots=True)
class Mark:
    """`-- unwet: ignore[codes] reason` in line `at`."""

    at: int
    codes: tuple[str, ...]
    reason: str


class Accepting(Protocol):
    """Who accepts differences: an [[intended]] of the configuration, or a decision."""

    @property
    def reason(self) -> str:
        """Why."""

    def fits(self, code: str, path: str, expression: str) -> bool:
        """Whether it accepts that difference."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What has been accepted in a pile; `findings`: marks that count for nothing."""

    marks: Mapping[tuple[str, int], Mark]
    intended: tuple[Accepting, ...]
    findings: tuple[Finding, ...]

    def reason(self, code: str, path: str, line: int, expression: str) -> str:
        """Why a difference at a place is accepted; "" when it is not."""
        mark = self.marks.get((path, line))
        if mark is not None and any(code.startswith(each) for each in mark.codes):
            return mark.reason
        for each in self.intended:
            if each.fits(code, path, expression):
                return each.reason
        return ""


def accepted(pile: Pile, intended: Iterable[Accepting] = ()) -> Accepted:
    """The marks of all sources, and what the configuration says."""
    marks: dict[tuple[str, int], Mark] = {}
    findings: list[Finding] = []
    for script in pile.scripts:
        if "unwet:" not in script.source.text:
            continue
        dialect = script.statements[0].dialect if script.statements else script.source.dialect
        for line, found in marks_of(script.source.text, dialect).items():
            marks[script.source.path, line] = found
            if not found.reason:
                at = Span(script.source.path, line, 1, line, 1)
                message = "an ignore mark without a reason counts for nothing"
                findings.append(Finding("IGNORE", message, at, "write the reason behind it"))
    return Accepted(marks, tuple(intended), tuple(findings))


def marks_of(text: str, dialect: str | None) -> dict[int, Mark]:
    """The marks of a source by the line that they hold for; its own, if nothing follows."""
    found: dict[int, Mark] = {}
    waiting: Mark | None = None
    line, code_line, done = 1, 0, 0
    for piece in pieces(text, dialect):
        line += text.count("\n", done, piece.start)
        done = piece.start
        words = text[piece.start : piece.end]
        if piece.kind == COMMENT:
            if hit := _MARK.search(words):
                mark = Mark(line, tuple(re.findall(r"\w+", hit[1])), hit[2].strip(" */-"))
                if code_line == line:
                    found[line] = mark
                else:
                    waiting = mark
        elif piece.kind in (CODE, STRING):
            first = line + words[: len(words) - len(words.lstrip())].count("\n")
            if words.strip():
                if waiting is not None:
                    found[first], waiting = waiting, None
                code_line = line + words.rstrip(" \t").count("\n") - words.endswith("\n")
                if words.rstrip(" \t").endswith("\n"):
                    code_line = 0
    if waiting is not None:
        found.setdefault(waiting.at, waiting)
    return found
