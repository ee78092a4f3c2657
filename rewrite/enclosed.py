"""Families inside families: which are told, which copies count, and what is counted already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from unwet.rewrite.groups import Group, Piece


def maximal(groups: Sequence[Group[Piece]]) -> Iterator[tuple[Group[Piece], list[int]]]:
    """The groups that are more than a part of another one, and which copies count there: of those
    at the same place of a larger family's members only the first."""
    home = {id(unit): at for at, group in enumerate(groups) for unit in group.units}
    for at, group in enumerate(groups):
        places: dict[tuple[int, int], int] = {}
        met: dict[int, int] = defaultdict(int)
        for number, unit in enumerate(group.units):
            around = next((a for a in unit.ancestors() if home.get(id(a), at) != at), None)
            if around is None:
                places[-1, id(unit)] = number
            else:
                met[id(around)] += 1
                places.setdefault((home[id(around)], met[id(around)]), number)
        if len(places) > 1:
            yield group, list(places.values())


class Enclosed:
    """The pieces of the families that are told, and how many lines of others they are."""

    def __init__(self, told: Iterable[Group[Piece]]) -> None:
        self._lines: dict[int, int] = defaultdict(int)
        pieces = {id(unit): group.lines for group in told for unit in group.units}
        self._pieces = pieces.keys()
        for group in told:
            for unit in group.units:
                for around in unit.ancestors():
                    self._lines[id(around)] += group.lines
                    if id(around) in pieces:
                        break  # what is further out has all of that one

    def lines(self, piece: Piece) -> int:
        """The lines inside a piece that families save already, wherever they stand in it."""
        return self._lines[id(piece)]

    def is_inside(self, piece: Piece) -> bool:
        """Whether something that is told is around a piece."""
        return any(id(around) in self._pieces for around in piece.ancestors())
