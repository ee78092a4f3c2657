"""Rows of several values that are every combination of two tables, in two loops:

    (accept, 100, accept_10th), (accept, 250, accept_25th), (deny, 100, deny_10th), ...
    =  each of accept, deny with each of (100, 10th), (250, 25th)

Each column is said by one of the tables, or is put together from what both say, in either order.

row_grids(columns) -> the stretches of rows that are; row_grid(items, texts, many) -> the loops
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.targets.item_bodies import (
    Hole,
    Item,
    ItemLevel,
    ItemLoop,
    Piece,
    Values,
    body,
    holes_of,
    names_of,
)
from unwet.rewrite.targets.lexemes import middles

_MOST: Final = 200  # rows that are looked at
_LEAST: Final = 6  # of a stretch

Stretch = tuple[int, int, int]  # from, to, and how many rows the inner table has


@dataclass(frozen=True, slots=True)
class _Cut:
    """What the outer and the inner table say of a column, nothing if they don't; ``turned``: what
    the inner one says comes first."""

    outer: Values = ()
    inner: Values = ()
    turned: bool = False


def row_grids(columns: Sequence[Values]) -> Iterator[Stretch]:
    """The stretches from the left, each the one that saves most rows of those that begin there."""
    rows, at = min(map(len, columns), default=0), 0
    while at < rows <= _MOST:
        found = [(at, stop, many) for many in range(2, (rows - at) // 2 + 1)
                 if (stop := _stop(columns, at, many, rows)) - at >= _LEAST]  # fmt: skip
        if not found:
            at += 1
            continue
        best = max(found, key=_saved)
        yield best
        at = best[1]


def _saved(stretch: Stretch) -> int:
    start, stop, many = stretch
    return stop - start - many - (stop - start) // many


def _stop(columns: Sequence[Values], at: int, many: int, rows: int) -> int:
    """Where a grid ends that begins there; where it begins if there is none."""
    stop = at
    for end in range(at + 2 * many, rows + 1, many):
        if any(_cut(column[at:end], many) is None for column in columns):
            break
        stop = end
    return stop


def _cut(values: Values, many: int) -> _Cut | None:
    """What each table says of a column; None if they don't say it."""
    blocks = [values[at : at + many] for at in range(0, len(values), many)]
    if all(len({*block}) == 1 for block in blocks):
        return _Cut(outer=tuple(block[0] for block in blocks))
    if all(block == blocks[0] for block in blocks):
        return _Cut(inner=blocks[0])
    head, _, tail = middles(blocks[0])
    for turned, same in ((False, head), (True, tail)):
        if not same:
            continue
        inner = [v.removesuffix(same) if turned else v.removeprefix(same) for v in blocks[0]]
        outer = [_without(block[0], inner[0], turned) for block in blocks]
        made = [[i + o if turned else o + i for i in inner] for o in outer]
        if all(outer) and made == [[*block] for block in blocks]:
            return _Cut(tuple(outer), tuple(inner), turned)
    return None


def _without(value: str, part: str, begins: bool) -> str:
    return value.removeprefix(part) if begins else value.removesuffix(part)


def row_grid(items: Sequence[Item], shown: int, many: int) -> ItemLoop:
    """Two loops for items of one skeleton that are a grid; ``shown``: whose words they say."""
    holes = holes_of(items)
    columns = {hole.place: tuple(hole.head + v + hole.tail for v in hole.values) for hole in holes}
    cuts = {place: cut for place, values in columns.items() if (cut := _cut(values, many))}
    outer = [Hole(place, *middles(cut.outer)) for place, cut in cuts.items() if cut.outer]
    inner = [Hole(place, *middles(cut.inner)) for place, cut in cuts.items() if cut.inner]
    first, begun = names_of(outer, items[shown])
    second, ended = names_of(inner, items[shown], first)
    said: dict[int, Sequence[Piece]] = {}
    for place, cut in cuts.items():
        both = (ended, begun) if cut.turned else (begun, ended)
        said[place] = [piece for part in both for piece in part.get(place, ())]
    levels = tuple(
        ItemLevel(tuple(names), tuple(zip(*names.values(), strict=True)))
        for names in (first, second)
    )
    return ItemLoop(levels, body(items[shown], holes, said))
