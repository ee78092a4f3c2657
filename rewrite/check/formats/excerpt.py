"""The lines of a file that a problem is about, with what is meant underlined."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.check.formats.paint import Paint
from unwet.rewrite.check.formats.view import harmless
from unwet.rewrite.check.found import Place

AROUND: Final = 2  # lines before and after
WHOLE: Final = 10  # a longer stretch is folded: its first lines, and its last
FIRST, LAST = 5, 2
TAB: Final = 4
_NARROWEST: Final = 30  # columns of SQL, however narrow the terminal is


def excerpt(lines: Sequence[str], at: Place, width: int, paint: Paint) -> list[str]:
    """The framed lines; none when the file has no such line (any more)."""
    if not 1 <= at.line <= len(lines):
        return []
    end = min(max(at.line, at.end_line), len(lines))
    frame = _Frame(gutter(lines, at), paint)
    marks = "" if end == at.line else "  "
    room = max(_NARROWEST, width - frame.gutter - 3 - len(marks))
    shown = [frame.line("", "")]
    for number in range(_first(lines, at.line), at.line):
        shown.append(frame.line(number, marks + _cut(lines[number - 1], room)))
    body = _one(lines, at, room, frame) if not marks else _many(lines, at, end, room, frame)
    shown += body
    for number in range(end + 1, _last(lines, end) + 1):
        shown.append(frame.line(number, marks + _cut(lines[number - 1], room)))
    return [*shown, frame.line("", "")]


def gutter(lines: Sequence[str], at: Place) -> int:
    """How wide the numbers of an excerpt are."""
    shown = 1 <= at.line <= len(lines)
    return len(str(_last(lines, min(max(at.line, at.end_line), len(lines))))) if shown else 1


def _first(lines: Sequence[str], line: int) -> int:
    """The first line that is shown: not a blank one."""
    first = max(1, line - AROUND)
    while first < line and not lines[first - 1].strip():
        first += 1
    return first


def _last(lines: Sequence[str], end: int) -> int:
    last = min(len(lines), end + AROUND)
    while last > end and not lines[last - 1].strip():
        last -= 1
    return last


@dataclass(frozen=True, slots=True)
class _Frame:
    gutter: int
    paint: Paint

    def line(self, number: int | str, text: str) -> str:
        """One line behind its number."""
        head = self.paint.frame(f"{number!s:>{self.gutter}} |")
        return f"{head} {text}" if text.strip() else head

    def fold(self) -> str:
        """Lines that are left out."""
        return self.paint.frame("...".ljust(self.gutter + 2)) + " " + self.paint.code("|")


def _one(lines: Sequence[str], at: Place, room: int, frame: _Frame) -> Iterator[str]:
    """A stretch of one line, underlined."""
    line = lines[at.line - 1]
    indent = len(line) - len(line.lstrip())  # a finding about the line begins at its words
    column = max(at.column, indent + 1)
    left = _left(line, column, room)
    text = _cut(line, room, left)
    start = _width(_shown(line[: column - 1])) - left
    stop = _width(text.rstrip())
    if at.end_column > at.column:
        stop = min(stop, _width(_shown(line[: at.end_column - 1])) - left)
    stop = max(start + 1, stop)
    yield frame.line(at.line, text)
    yield frame.line("", " " * start + frame.paint.code("^" * (stop - start)))


def _many(lines: Sequence[str], at: Place, end: int, room: int, frame: _Frame) -> Iterator[str]:
    """A stretch of several lines, with a line along it that ends at its last word."""
    paint, first = frame.paint, lines[at.line - 1]
    if first[: at.column - 1].strip():  # something stands before it
        left = _left(first, at.column, room)
        yield frame.line(at.line, "  " + _cut(first, room, left))
        start = _width(_shown(first[: at.column - 1])) - left
        yield frame.line("", paint.code(" " + "_" * (start + 1) + "^"))
    else:
        yield frame.line(at.line, paint.code("/") + " " + _cut(first, room))
    folded = end - at.line + 1 > WHOLE
    for number in range(at.line + 1, end + 1):
        if not folded or number < at.line + FIRST or number > end - LAST:
            yield frame.line(number, paint.code("|") + " " + _cut(lines[number - 1], room))
        elif number == end - LAST:
            yield frame.fold()
    known = at.end_column > 1 and at.end_line == end
    words = lines[end - 1][: at.end_column - 1] if known else lines[end - 1]
    last = _width(_cut(words, room).rstrip())
    yield frame.line("", paint.code("|_" + "_" * max(0, last - 1) + "^"))


# --- text in columns of a terminal ------------------------------------------------------------


def _shown(text: str) -> str:
    """Text as it is shown: tabs as blanks, nothing that acts on the terminal."""
    return harmless(text.expandtabs(TAB))


def _cut(line: str, room: int, left: int = 0) -> str:
    """As much of a line as there is room for, from column `left` on; dots where some is missing."""
    text = _shown(line).rstrip()
    if left:
        text = "..." + _from(text, left + 3)
    if _width(text) <= room:
        return text
    kept, used = [], 0
    for letter in text:
        used += _width(letter)
        if used > room - 3:
            break
        kept.append(letter)
    return "".join(kept) + "..."


def _from(text: str, column: int) -> str:
    """What stands from a column on; a blank for half of a wide letter."""
    used = 0
    for place, letter in enumerate(text):
        if used >= column:
            return " " * (used - column) + text[place:]
        used += _width(letter)
    return ""


def _left(line: str, column: int, room: int) -> int:
    """The first column that is shown, so that the one that is meant is in sight."""
    start = _width(_shown(line[: column - 1]))
    return 0 if start < room * 2 // 3 else start - room // 3


def _width(text: str) -> int:
    """Columns that a terminal needs: two for wide letters, none for accents put upon one."""
    if text.isascii():
        return len(text)
    return sum(_cells(letter) for letter in text)


def _cells(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
