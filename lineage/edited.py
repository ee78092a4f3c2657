"""Text that was edited and still knows where each character came from."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

Cut = tuple[int, int]
Edit = tuple[int, int, str]
_FAR = 1 << 62
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Edited:
    """`text`, and `cuts`: from offset cut[0] on, characters stem from the original at cut[1].

    Both halves of the cuts never decrease, but for a cut to 0, from which on the original is read
    once more. Two cuts at one offset enclose a deletion.
    """

    text: str
    cuts: tuple[Cut, ...]

    def begin(self, offset: int) -> int:
        """The original offset of the character at `offset`."""
        return begin(self.cuts, offset)

    def end(self, offset: int) -> int:
        """The original exclusive end of a stretch that ends before `offset`."""
        return end(self.cuts, offset)


def unedited(text: str) -> Edited:
    """`text` as its own original."""
    return Edited(text, ((0, 0), (len(text), len(text))))


def begin(cuts: tuple[Cut, ...], offset: int) -> int:
    """See `Edited.begin`."""
    at = bisect_right(cuts, (offset, _FAR)) - 1
    start, origin = cuts[at]
    limit = cuts[at + 1][1] if at + 1 < len(cuts) else origin
    return min(origin + offset - start, max(limit, origin))


def end(cuts: tuple[Cut, ...], offset: int) -> int:
    """See `Edited.end`."""
    at = bisect_left(cuts, (offset, -1)) - 1
    if at < 0:
        return cuts[0][1]
    if at + 1 < len(cuts) and cuts[at + 1][0] == offset:
        return cuts[at + 1][1]
    return begin(cuts, offset)


def edit(base: Edited, edits: Iterable[Edit]) -> Edited:
    """Replace stretches of `base.text`; `edits` are (start, end, replacement), sorted, disjoint."""
    parts: list[str] = []
    cuts: list[Cut] = []
    place = done = 0
    for start, stop, replacement in edits:
        place = _copy(base, done, start, place, parts, cuts)
        cuts.append((place, base.begin(start)))
        parts.append(replacement)
        place += len(replacement)
        cuts.append((place, base.end(stop)))
        done = stop
    place = _copy(base, done, len(base.text), place, parts, cuts)
    cuts.append((place, base.cuts[-1][1]))
    return Edited("".join(parts), tuple(_rising(cuts)))


def read_again(first: Edited, between: str, second: Edited) -> Edited:
    """Two readings of one original, one behind the other."""
    place = len(first.text) + len(between)
    cuts = (*first.cuts, *((at + place, origin) for at, origin in second.cuts))
    return Edited(f"{first.text}{between}{second.text}", cuts)


def line_starts(text: str) -> tuple[int, ...]:
    """Offsets at which the lines of `text` begin."""
    if "\r" in text:
        return (0, *[hit.end() for hit in _NEWLINE.finditer(text)])
    ends = accumulate(map(len, text.split("\n")))
    return (0, *[end + newlines for newlines, end in enumerate(ends, 1)][:-1])


def line_column(starts: tuple[int, ...], offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


def _copy(
    base: Edited, start: int, stop: int, place: int, parts: list[str], cuts: list[Cut]
) -> int:
    cuts.append((place, base.begin(start)))
    low, high = bisect_right(base.cuts, (start, _FAR)), bisect_left(base.cuts, (stop, -1))
    cuts.extend((place + at - start, origin) for at, origin in base.cuts[low:high])
    parts.append(base.text[start:stop])
    cuts.append((place + stop - start, base.end(stop)))
    return place + stop - start


def _rising(cuts: Iterable[Cut]) -> Iterable[Cut]:
    """The cuts without repetitions and without steps back, but to the beginning."""
    last: Cut = (-1, 0)
    for at, origin in cuts:
        here = (at, max(origin, last[1]) if origin else 0)
        if here != last:
            yield here
            last = here
