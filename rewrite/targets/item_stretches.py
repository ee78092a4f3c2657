"""Printed items of one skeleton, side by side: the loops that they are.

loops_in(items, texts) -> the stretches of them, with a loop where one pays
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from unwet.rewrite.naming import free
from unwet.rewrite.targets.item_grids import Grid, grids
from unwet.rewrite.targets.lexemes import Lexeme, middles

LEAST: Final = 5  # items; fewer are read as easily as a loop
_SAVED: Final = 4  # lines that a loop saves at least
_PLAIN: Final = 10  # and one over columns, which are a list already
_ROW: Final = 84  # signs in a line of values

Item = tuple[Lexeme, ...]
Stretch = tuple[int, int, "ItemLoop | None"]  # from, to, and the loop that it is


@dataclass(frozen=True, slots=True)
class ItemLevel:
    """The names that one loop gives values, and these."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def signs(self) -> int:
        """How much there is to read."""
        return sum(len(value) + 4 for row in self.rows for value in row)

    @property
    def lines(self) -> int:
        """With those around."""
        rows = len(self.rows) if len(self.names) > 1 else -(-self.signs // _ROW)
        return 2 if len(self.names) == 1 and self.signs < _ROW - 20 else rows + 3


@dataclass(frozen=True, slots=True)
class ItemLoop:
    """Loops in one another, and one item over their names: see `each`."""

    levels: tuple[ItemLevel, ...]
    body: str

    @property
    def lines(self) -> int:
        """As printed."""
        inner = 1 if len(self.levels) > 1 else 0  # for the last of the outer one
        return sum(level.lines for level in self.levels) + self.body.count("\n") + 1 + inner


@dataclass(frozen=True, slots=True)
class _Hole:
    """Where items differ: the place of the word, and what it begins and ends with in all."""

    place: int
    head: str
    values: tuple[str, ...]
    tail: str


def each(name: str) -> str:
    """What stands in a body for the value of a name."""
    return f"each__{name}__each"


def loops_in(items: Sequence[Item], texts: Sequence[str]) -> Iterator[Stretch]:
    """The stretches of items of one skeleton."""
    if len(items) < LEAST:
        yield 0, len(items), None
        return
    holes = _holes(items)
    patterns = [tuple(_pattern(hole.values[n] for hole in holes)) for n in range(len(items))]
    usual, _ = Counter(patterns).most_common(1)[0]
    at = 0
    for is_usual, same in groupby(pattern == usual for pattern in patterns):
        end = at + len(list(same))
        if is_usual and end - at >= LEAST:
            for start, stop, loop in _stretch(items[at:end], texts[at:end]):
                yield at + start, at + stop, loop
        else:
            yield at, end, None
        at = end


def _pattern(values: Iterable[str]) -> Iterator[int]:
    """Which of the values are the same."""
    known: dict[str, int] = {}
    for value in values:
        yield known.setdefault(value, len(known))


def _stretch(items: Sequence[Item], texts: Sequence[str]) -> list[Stretch]:
    """One loop for all, or several over two lists each and what is between them."""
    whole = [(0, len(items), _loop(items, texts))]
    holes = _holes(items)
    if len({hole.values for hole in holes}) != 1:
        return whole
    apart: list[Stretch] = []
    at = 0
    for grid in grids(holes[0].values):
        apart.append((at, grid.start, _loop(items[at : grid.start], texts[at : grid.start])))
        inside = slice(grid.start, grid.stop)
        apart.append((grid.start, grid.stop, _grid(items[inside], texts[inside], holes, grid)))
        at = grid.stop
    apart.append((at, len(items), _loop(items[at:], texts[at:])))
    return min(whole, apart, key=lambda found: _lines(found, texts))


def _lines(stretches: Iterable[Stretch], texts: Sequence[str]) -> int:
    return sum(
        loop.lines if loop else sum(text.count("\n") + 1 for text in texts[start:stop])
        for start, stop, loop in stretches
    )


def _loop(items: Sequence[Item], texts: Sequence[str]) -> ItemLoop | None:
    """One item in a loop, where that is shorter to read."""
    holes = _holes(items) if len(items) >= LEAST else []
    if not holes:
        return None
    shown = _shown(texts)
    names = _names(holes, items[shown])
    columns = {names[hole.place]: hole.values for hole in holes}
    level = ItemLevel(tuple(columns), tuple(zip(*columns.values(), strict=True)))
    said = {place: each(name) for place, name in names.items()}
    return _paying(ItemLoop((level,), _body(items[shown], holes, said)), items, texts)


def _grid(
    items: Sequence[Item], texts: Sequence[str], holes: Sequence[_Hole], grid: Grid
) -> ItemLoop | None:
    """Two loops for items whose only value is every combination of two lists; ``holes``: those of
    the stretch that the grid is in."""
    shown = _shown(texts)
    names = _names(holes, items[shown])
    name = names[holes[0].place]
    part = "part" if name != "part" else "other"
    called = (part, name) if len(grid.first) <= len(grid.second) else (name, part)
    levels: list[ItemLevel] = []
    text = ""
    for word, values in zip(called, (grid.first, grid.second), strict=True):
        head, middle, tail = middles(values)
        levels.append(ItemLevel((word,), tuple((value,) for value in middle)))
        text += head + each(word) + tail
    body = _body(items[shown], holes, dict.fromkeys(names, text))
    return _paying(ItemLoop(tuple(levels), body), items, texts)


def _shown(texts: Sequence[str]) -> int:
    """The item whose lines a loop has."""
    return min(range(len(texts)), key=lambda n: (texts[n].count("\n"), len(texts[n]), n))


def _holes(items: Sequence[Item]) -> list[_Hole]:
    """The places in which items differ, by their places among the words without spaces."""
    rows = [[word.text for word in item if word.kind != "space"] for item in items]
    holes: list[_Hole] = []
    for place, values in enumerate(zip(*rows, strict=True)):
        if len(set(values)) > 1:
            holes.append(_Hole(place, *middles(values)))
    return holes


def _body(item: Item, holes: Sequence[_Hole], said: Mapping[int, str]) -> str:
    """The item with what is said in place of what differs."""
    text, place = "", 0
    varying = {hole.place: hole for hole in holes}
    for word in item:
        if word.kind == "space":
            text += word.text
            continue
        hole = varying.get(place)
        text += hole.head + said[place] + hole.tail if hole else word.text
        place += 1
    return text


def _names(holes: Sequence[_Hole], item: Item) -> dict[int, str]:
    """A name for each hole, by its place; holes that have the same values share one."""
    words = [word for word in item if word.kind != "space"]
    taken = {part for word in words if word.kind == "token" for part in word.text.split("__")}
    known: dict[tuple[str, ...], str] = {}
    for hole in reversed(holes):  # the last is what an item is called
        if hole.values not in known:
            known[hole.values] = free(_said(hole, words), {*taken, *known.values()})
    return {hole.place: known[hole.values] for hole in holes}


def _said(hole: _Hole, words: Sequence[Lexeme]) -> str:
    """What stands in front of the hole, if that is a name; else what it is."""
    before = hole.head.rstrip("_.$/'\"`-: ").rpartition("_")[2].rpartition(".")[2]
    if not before and hole.place > 1 and words[hole.place - 1].text == ".":
        before = words[hole.place - 2].text
    before = before.lower()
    if before.isidentifier() and len(before) > 2:
        return before
    return "value" if words[hole.place].kind == "string" else "name"


def _paying(loop: ItemLoop, items: Sequence[Item], texts: Sequence[str]) -> ItemLoop | None:
    """The loop if it has fewer lines by far, and fewer signs."""
    if any(len(set(level.rows)) < len(level.rows) for level in loop.levels):
        return None
    before = sum(text.count("\n") + 1 for text in texts)
    least = _SAVED if any(w.kind == "fixed" and w.text != "." for w in items[0]) else _PLAIN
    signs = sum(level.signs for level in loop.levels) + len(loop.body)
    pays = 0 < signs < sum(map(len, texts)) and before - loop.lines >= least
    return loop if pays else None
