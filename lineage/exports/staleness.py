"""Whether a file still shows what the SQL says; and what it shows wrongly."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unwet.lineage.exports.arrows import drawing
from unwet.lineage.exports.reading import shown
from unwet.lineage.exports.view import View

_DATA = ("json", "openlineage")
_PLACES = re.compile(r"(  (?:(?!  ).)+:\d+:\d+(?: and \d+ more)?)+$")


@dataclass(frozen=True, slots=True)
class Stale:
    """What the SQL has and the file has not, the other way round, and what stands elsewhere now."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: int = 0  # edges that are read at other places

    @property
    def summary(self) -> str:
        """In a few words."""
        counts = ((self.added, "added"), (self.removed, "removed"))
        said = [f"{len(lines)} {word}" for lines, word in counts if lines]
        said += [f"{self.moved} at other places"] if self.moved else []
        return ", ".join(said) or "the same lineage, written otherwise"

    def lines(self, most: int | None = None) -> list[str]:
        """A short diff; what is over `most` lines is counted."""
        every = [*(f"- {line}" for line in self.removed), *(f"+ {line}" for line in self.added)]
        if most is None or len(every) <= most:
            return every
        return [*every[:most], f"... and {len(every) - most} more (-v shows all)"]


def drawn_lines(view: View) -> list[str]:
    """What a picture of the view shows, as `shown` reads it back."""
    return [str(each) for each in drawing(view).arrows]


def compare(old: bytes, format: str, new: str | bytes | Sequence[str]) -> Stale | None:
    """None when the file `old` shows what it should: the text `new`, or these drawn lines.

    Text and data are compared with their places, pictures without.
    """
    if isinstance(new, str | bytes):
        fresh = new.encode(errors="backslashreplace") if isinstance(new, str) else new
        if _same(old, fresh, format):
            return None
        lines = shown(fresh, format)
    else:
        lines = list(new)
    before = shown(old, format)
    moved = len(_more(lines, before))
    lines, before = [_PLACES.sub("", each) for each in lines], [_PLACES.sub("", b) for b in before]
    added, removed = _more(lines, before), _more(before, lines)
    found = Stale(added, removed, max(0, moved - len(added)))
    return found if format in ("text", *_DATA) or any((added, removed, found.moved)) else None


def _same(old: bytes, fresh: bytes, format: str) -> bool:
    if old == fresh or old.replace(b"\r\n", b"\n") == fresh:
        return True
    if format not in _DATA:
        return False
    try:
        return bool(json.loads(old) == json.loads(fresh))  # somebody's formatter was at it
    except ValueError:
        return False


def _more(lines: Iterable[str], than: Iterable[str]) -> tuple[str, ...]:
    """Lines that are there more often than in the other, in their order; spaces are no matter."""
    left = Counter(" ".join(line.split()) for line in than)
    found = []
    for line in lines:
        key = " ".join(line.split())
        if left[key] > 0:
            left[key] -= 1
        elif key:
            found.append(line)
    return tuple(found)
