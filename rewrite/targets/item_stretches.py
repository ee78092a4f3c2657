"""Printed members of one list, side by side: the loops that they are.

stretches(texts) -> the stretches of them, with a loop where one pays
together(texts) -> their places, with those beside one another that may be one loop

Where a few kinds of members take turns (`base_a, total_a, base_b, total_b`), these are one
member of the loop together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from unwet.rewrite.targets.item_bodies import (
    Hole,
    Item,
    ItemLevel,
    ItemLoop,
    Piece,
    body,
    holes_of,
    is_param,
    names_of,
)
from unwet.rewrite.targets.item_grids import Grid, grids
from unwet.rewrite.targets.lexemes import Lexeme, lexemes, middles, skeleton
from unwet.rewrite.targets.row_grids import row_grid, row_grids

LEAST: Final = 5  # members; fewer are read as easily as a loop
FEWEST: Final = 3  # of those that take several lines each
_TURNS: Final = 6  # kinds of members that may take turns
_SAVED: Final = 4  # lines that a loop saves at least
_FEWER: Final = 2  # where it has so much fewer signs
_SIGNS: Final = 0.4
_PLAIN: Final = 10  # and one over columns, which are a list already

Stretch = tuple[int, int, ItemLoop | None]  # from, to, and the loop that it is


def stretches(texts: Sequence[str], between: str = ",") -> Iterator[Stretch]:
    """All members, in their order; ``between``: what stands between two, besides the lines' end."""
    words = _words_between(between)
    items = [lexemes(text) for text in texts]
    kinds = [_kind(item) for item in items]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    row = [numbers[kind] for kind in kinds]
    at = start = 0
    while at < len(row):
        found = max((_in_turn(items, texts, words, row, at, many) for many in range(1, _TURNS + 1)),
                    key=lambda each: _saved(each, texts))  # fmt: skip
        if _saved(found, texts) <= 0:
            at += max(_run(row, at, 1), 1)
            continue
        if at > start:
            yield start, at, None
        yield from found
        at = start = found[-1][1]
    if at > start:
        yield start, at, None


def together(texts: Sequence[str]) -> list[int]:
    """The places of members, those of one kind beside one another, in the order of the first."""
    places: dict[Hashable, list[int]] = {}
    for at, text in enumerate(texts):
        places.setdefault(_kind(lexemes(text)), []).append(at)
    return [at for same in places.values() for at in same]


def _kind(item: Item) -> Hashable:
    return skeleton(_words(item))


def _words_between(text: str) -> Item:
    end = Lexeme("space", "\n")
    if text == ",":
        return (Lexeme("fixed", text), end)
    return (end, Lexeme("fixed", text), end) if text else (end,)


def _words(item: Item) -> list[Lexeme]:
    return [word for word in item if word.kind != "space"]


def _run(row: Sequence[int], at: int, many: int) -> int:
    """How many members from there on take turns, so many kinds of them."""
    end = at + many
    while end < len(row) and row[end] == row[end - many]:
        end += 1
    return (end - at) // many * many


def _in_turn(
    items: Sequence[Item],
    texts: Sequence[str],
    between: Item,
    row: Sequence[int],
    at: int,
    many: int,
) -> list[Stretch]:
    """The stretches of the run there, so many members put together as one."""
    end = at + _run(row, at, many)
    if end - at < many * FEWEST or (many > 1 and len({*row[at : at + many]}) < many):
        return [(at, end, None)]
    groups = range(at, end, many)
    joined = [_joined(items[n : n + many], between) for n in groups]
    sign = "".join(word.text for word in between)
    said = [sign.join(texts[n : n + many]) for n in groups]
    return [
        (at + start * many, at + stop * many, loop) for start, stop, loop in _loops(joined, said)
    ]


def _joined(items: Sequence[Item], between: Item) -> Item:
    found = items[0]
    for item in items[1:]:
        found += between + item
    return found


def _saved(found: Iterable[Stretch], texts: Sequence[str]) -> int:
    return sum(_lines(texts[a:b]) - loop.lines for a, b, loop in found if loop is not None)


def _lines(texts: Iterable[str]) -> int:
    return sum(text.count("\n") + 1 for text in texts)


# --- members of one skeleton -------------------------------------------------------------------


def _loops(items: Sequence[Item], texts: Sequence[str]) -> list[Stretch]:
    """One loop for all, or several, in each of which the same words vary together."""
    holes = holes_of(items)
    patterns = [tuple(_pattern(hole.values[n] for hole in holes)) for n in range(len(items))]
    usual, times = Counter(patterns).most_common(1)[0]
    whole = _stretch(items, texts)
    if times == len(items):
        return whole
    apart: list[Stretch] = []
    at = 0
    for is_usual, same in groupby(pattern == usual for pattern in patterns):
        end = at + len(list(same))
        if end - at < FEWEST:
            apart.append((at, end, None))
        else:
            found = (_stretch if is_usual else _loops)(items[at:end], texts[at:end])
            apart += [(at + start, at + stop, loop) for start, stop, loop in found]
        at = end
    return max(whole, apart, key=lambda found: _saved(found, texts))


def _pattern(values: Iterable[str]) -> Iterator[int]:
    """Which of the values are the same."""
    known: dict[str, int] = {}
    for value in values:
        yield known.setdefault(value, len(known))


def _stretch(items: Sequence[Item], texts: Sequence[str]) -> list[Stretch]:
    """One loop for all, or several over two lists each and what is between them."""
    whole: list[Stretch] = [(0, len(items), _loop(items, texts))]
    apart: list[Stretch] = []
    at = 0
    for start, stop, loop in _grids(items, texts):
        if at < start:
            apart.append((at, start, _loop(items[at:start], texts[at:start])))
        apart.append((start, stop, loop))
        at = stop
    if at < len(items):
        apart.append((at, len(items), _loop(items[at:], texts[at:])))
    return max(whole, apart, key=lambda found: _saved(found, texts))


def _grids(items: Sequence[Item], texts: Sequence[str]) -> Iterator[Stretch]:
    """The stretches whose values are every combination of two lists, or of two tables."""
    holes = holes_of(items)
    if any(is_param(hole.values) for hole in holes):
        return
    if len({hole.values for hole in holes}) == 1:
        for grid in grids(holes[0].values):
            inside = slice(grid.start, grid.stop)
            yield grid.start, grid.stop, _grid(items[inside], texts[inside], holes, grid)
        return
    columns = [tuple(hole.head + v + hole.tail for v in hole.values) for hole in holes]
    for start, stop, many in row_grids(columns):
        inside = slice(start, stop)
        loop = row_grid(items[inside], _shown(texts[inside]), many)
        yield start, stop, _paying(loop, items[inside], texts[inside])


def _loop(items: Sequence[Item], texts: Sequence[str]) -> ItemLoop | None:
    """One item in a loop, where that is shorter to read."""
    holes = holes_of(items) if len(items) >= FEWEST else []
    if not holes:
        return None
    shown = _shown(texts)
    names, said = names_of(holes, items[shown])
    level = ItemLevel(tuple(names), tuple(zip(*names.values(), strict=True)))
    return _paying(ItemLoop((level,), body(items[shown], holes, said)), items, texts)


def _grid(
    items: Sequence[Item], texts: Sequence[str], holes: Sequence[Hole], grid: Grid
) -> ItemLoop | None:
    """Two loops for items whose only value is every combination of two lists; ``holes``: those of
    the stretch that the grid is in."""
    shown = _shown(texts)
    [name], _ = names_of(holes, items[shown])
    part = "part" if name != "part" else "other"
    called = (part, name) if len(grid.first) <= len(grid.second) else (name, part)
    levels: list[ItemLevel] = []
    text: list[Piece] = []
    for word, values in zip(called, (grid.first, grid.second), strict=True):
        head, middle, tail = middles(values)
        levels.append(ItemLevel((word,), tuple((value,) for value in middle)))
        text += [("text", head), ("name", word), ("text", tail)]
    said: dict[int, Sequence[Piece]] = {
        hole.place: [("text", hole.head), *text, ("text", hole.tail)] for hole in holes
    }
    return _paying(ItemLoop(tuple(levels), body(items[shown], holes, said)), items, texts)


def _shown(texts: Sequence[str]) -> int:
    """The item whose lines a loop has."""
    return min(range(len(texts)), key=lambda n: (texts[n].count("\n"), len(texts[n]), n))


def _paying(loop: ItemLoop, items: Sequence[Item], texts: Sequence[str]) -> ItemLoop | None:
    """The loop if it has fewer lines by far, and fewer signs."""
    before = _lines(texts)
    few = before < 2 * len(texts) and len(texts) < LEAST
    if few or any(len(set(level.rows)) < len(level.rows) for level in loop.levels):
        return None
    fixed = {w.text for w in items[0] if w.kind == "fixed"}
    if fixed == {"AS"}:
        return None  # columns under another name, or under their own
    signs = sum(level.signs for level in loop.levels) + len(loop.body)
    least = _SAVED if fixed - {"."} else _PLAIN
    every = sum(map(len, texts))
    if len(texts) < LEAST and len(loop.levels[0].names) > 1:
        least = max(
            least, before // 3
        )  # a table of few rows is read as slowly as what it stands for
    elif fixed - {"."} and signs <= _SIGNS * every:
        least = min(least, _FEWER)
    return loop if signs < every and before - loop.lines >= least else None
