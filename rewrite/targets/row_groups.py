"""Loops that call one macro with other rows each: one loop over their rows.

    {% for metric, value, breakdowns in [
        ('MHS76', 'COUNT(DISTINCT person_id)', ['Region', 'Provider', 'Region; Provider']),
        ('MHS77', 'SUM(days)', ['Region', 'Age Group']),
    ] %}
    {% for breakdown in breakdowns %}
    {{ restraints(breakdown=breakdown, metric=metric, value=value) }}

Also a loop whose rows say the same again and again, in some columns. A UNION ALL has the same rows
in any order of its branches; the first one, which names the columns, stays the first.

grouped(bundles, calls, height, followed) -> the bundles, fewer where that makes fewer lines
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from unwet.rewrite.library import MacroCall
from unwet.rewrite.targets.loops import Body, Bundle, Level, Loop, Row, rows_of

_SAVED: Final = 6  # lines, at least: a list within a row is read less easily
_LEAST: Final = 6  # rows
_MOST: Final = 600  # and at most: for all ways to cut them, all are looked at

Height = Callable[[Sequence[Loop]], int]
"""The lines of loops in one template."""
Followed = Callable[[Level], frozenset[str]]
"""The columns that are looked up, and what decides them."""


def grouped(
    bundles: Sequence[Bundle], calls: Mapping[int, MacroCall], height: Height, followed: Followed
) -> list[Bundle]:
    """``calls``: by their places."""
    return _Grouping(bundles, calls, height, followed).done()


class _Grouping:
    """The bundles of one UNION ALL while some are put together."""

    def __init__(
        self,
        bundles: Sequence[Bundle],
        calls: Mapping[int, MacroCall],
        height: Height,
        followed: Followed,
    ) -> None:
        self._found, self._calls = [*bundles], calls
        self._height, self._followed = height, followed
        # lines that were counted, by what a list is: the list stands here, or another may be it
        self._lines_of: dict[int, tuple[list[Bundle], int]] = {}

    def done(self) -> list[Bundle]:
        """The bundles in the end, for one macro after the other."""
        macros = {loop.bodies[0].macro for _, loops in self._found for loop in loops}
        for macro in sorted(macros):
            own = [each for each in self._found if self._is_of(each, macro)]
            if _LEAST <= sum(len(places) for places, _ in own) <= _MOST:
                self._group(own)
        return self._found

    def _group(self, own: list[Bundle]) -> None:
        """The longest first, each with all others that are shorter with it than beside it."""
        own.sort(key=lambda bundle: (-len(bundle[0]), bundle[0]))
        while own:
            one = own.pop(0)
            before, joined = self._found, list[Bundle]()
            one = self._put_together(one) or one
            for other in own:
                both = self._put_together(one, other)
                if both is not None:
                    one = both
                    joined.append(other)
            if self._found is before:
                continue
            if self._lines(before) - self._lines(self._found) < _SAVED:
                self._found = before
            else:
                own = [each for each in own if not any(each is other for other in joined)]

    def _is_of(self, bundle: Bundle, macro: str) -> bool:
        bodies = [loop.bodies for loop in bundle[1]]
        return all(len(each) == 1 and each[0].macro == macro for each in bodies)

    def _put_together(self, *bundles: Bundle) -> Bundle | None:
        """One bundle for these, cut where that makes fewest lines; None where it saves none."""
        places = tuple(sorted(place for each, _ in bundles for place in each))
        table = _table([self._calls[place] for place in places])
        if table is None:
            return None
        columns, bodies = table
        rows = tuple(zip(*columns.values(), strict=True))
        inside = self._followed(Level(tuple(columns), rows))
        others = [each for each in self._found if not any(each is one for one in bundles)]
        ways = [[*others, (places, [loop])] for loop in _cuts(columns, bodies, inside)]
        best = min(ways, key=self._lines, default=self._found)
        if best is self._found or self._lines(best) >= self._lines(self._found):
            return None
        self._found = best
        return best[-1]

    def _lines(self, bundles: list[Bundle]) -> int:
        if id(bundles) not in self._lines_of:
            lines = self._height([loop for _, loops in bundles for loop in loops])
            self._lines_of[id(bundles)] = bundles, lines
        return self._lines_of[id(bundles)][1]


_Table = tuple[Mapping[str, Row], Sequence[Body]]


def _table(calls: Sequence[MacroCall]) -> _Table | None:
    """The columns of the rows for all calls, and the call; None where calls say other things."""
    said = [{name for name, _ in (*call.unsaid, *call.args)} for call in calls]
    if any(each != said[0] for each in said):
        return None
    found = rows_of(calls)
    return found if found is not None and len(found[0]) > 1 else None


def _cuts(
    columns: Mapping[str, Row], bodies: Sequence[Body], inside: Collection[str]
) -> Iterator[Loop]:
    """One loop for all rows, with the columns cut in all ways: those that change less often from
    row to row are in the first level, but for those ``inside``."""
    changes = {name: sum(a != b for a, b in pairwise(column)) for name, column in columns.items()}
    many = len(next(iter(columns.values())))
    for limit in sorted({changes[name] for name in columns if name not in inside}):
        left = [name for name in columns if changes[name] <= limit and name not in inside]
        right = [name for name in columns if name not in left]
        groups: dict[Row, list[Row]] = {}
        for n in range(many):
            row = tuple(columns[name][n] for name in left)
            groups.setdefault(row, []).append(tuple(columns[name][n] for name in right))
        if right and 1 < len(groups) <= many // 2:
            levels = (
                Level(tuple(left), tuple(groups)),
                Level(tuple(right), tuple(row for rows in groups.values() for row in rows)),
            )
            yield Loop(levels, tuple(bodies), groups=tuple(map(len, groups.values())))
