"""Marked blocks in Markdown pages, which hold lineage and say how it was made.

    <!-- unwet lineage sql --column mart.revenue.total --upstream -->
    ...whatever unwet writes there...
    <!-- /unwet -->

The words of the first line are arguments of the command line. Marks inside fenced code are text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from unwet.lineage.errors import UsageError

FENCED = {"mermaid": "mermaid", "text": "text", "json": "json", "dot": "dot"}  # format: language
_BEGIN = re.compile(r"^(\s*)<!--\s*unwet\s+lineage\b(.*?)-->\s*$")
_END = re.compile(r"^\s*<!--\s*/unwet\s*-->\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Block:
    """One block; `start` and `end` are the lines of its marks, counted from 0."""

    start: int
    end: int
    words: tuple[str, ...]
    indent: str
    body: tuple[str, ...]

    def content(self) -> str:
        """What stands in the block, without its fence."""
        lines = [line.removeprefix(self.indent) for line in self.body]
        inside = [line for line in lines if not _FENCE.match(line)]
        return "".join(f"{line}\n" for line in inside).lstrip("\n")


def blocks(text: str, path: str) -> tuple[Block, ...]:
    """The blocks of a page in their order.

    Raises UsageError for a block that is not closed, and for words that are no shell words.
    """
    found: list[Block] = []
    lines = _lines(text)
    fence = ""
    at = 0
    while at < len(lines):
        begin = None if fence else _BEGIN.match(lines[at])
        if begin:
            end = _end(lines, at, path)
            words = _words(begin[2], f"{path}:{at + 1}")
            found.append(Block(at, end, words, begin[1], tuple(lines[at + 1 : end])))
            at = end
        elif mark := _FENCE.match(lines[at]):
            fence = _fence_after(fence, mark[1], lines[at])
        at += 1
    return tuple(found)


def rewritten(text: str, contents: Sequence[tuple[Block, str, str]]) -> str:
    """The page with new contents, each with its block and its format."""
    lines = _lines(text)
    for block, format, content in sorted(contents, key=lambda one: -one[0].start):
        fenced = _fenced(content, FENCED[format])
        lines[block.start + 1 : block.end] = [f"{block.indent}{line}".rstrip() for line in fenced]
    return ("\r\n" if "\r\n" in text else "\n").join(lines)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _end(lines: list[str], start: int, path: str) -> int:
    for at in range(start + 1, len(lines)):
        if _END.match(lines[at]):
            return at
        if _BEGIN.match(lines[at]):
            break
    raise UsageError(f"{path}:{start + 1}: the block is not closed", "add a line <!-- /unwet -->")


def _words(text: str, place: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{place}: {error}", "quote words as in a shell") from error


def _fence_after(fence: str, mark: str, line: str) -> str:
    """The fence that is open after a line that begins with a mark; "" for none."""
    if not fence:
        return mark
    closes = mark[0] == fence[0] and len(mark) >= len(fence) and not line.strip().strip(mark[0])
    return "" if closes else fence


def _fenced(content: str, language: str) -> list[str]:
    runs = [len(run) for run in re.findall(r"`{3,}", content)]
    mark = "`" * max([3, *(run + 1 for run in runs)])
    return [mark + language, *content.rstrip("\n").splitlines(), mark]
