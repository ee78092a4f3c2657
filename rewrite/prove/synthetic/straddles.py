"""As many rows as a number that rows are counted up to, and a few beside them that are dropped.

sizes(plans, ways, bounds, symbols) -> how many rows
Straddles(...).of(way, size) -> (entities, ...)
Straddles(...).tied(way, size) -> (entities, ...)
Straddles(...).alike(way, size) -> entities

A condition on how many rows there are (COUNT(*) OVER () > 2, HAVING COUNT(*) >= 5, rn <= 3) holds
before a filter or behind it, and where there are few rows on both. With `size` rows that are kept
and some that are dropped, first and last in their order, it holds on one side only. Rows that tie
in all that they are ordered by have places of their own by ROW_NUMBER, one for all by RANK and
DENSE_RANK. Rows that are alike in what is summed up are the same share each.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit, Plan, Window, operands, parts, walk
from unwet.rewrite.prove.synthetic.entities import Entity, Maker
from unwet.rewrite.prove.synthetic.goals import MOST_ROWS, Goal
from unwet.rewrite.prove.synthetic.logic import TESTS, Ask, Logic, together
from unwet.rewrite.prove.synthetic.pools import KEYS, Pools
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.solve import Solver
from unwet.rewrite.prove.synthetic.symbols import Symbols, Truth, all_numbers, numbers

SIZES: Final = 6  # numbers of rows that are tried
BEYOND_NULL: Final = KEYS + 1  # of values that are all different the next one is NULL
DROPPED: Final = 4  # conditions, and other ways to a row, that rows are dropped by
FEWEST: Final = 3  # rows, where none is dropped: of two a good row has one beside it anyway
_AIM: Final = "rows that are counted"
_COUNTED: Final = frozenset({"count", "rank"})
_OF_GROUPS: Final = _COUNTED | {"unknown"}
_FAILS: Final[tuple[Truth, Truth]] = ("false", "null")


def sizes(
    plans: Iterable[Plan], ways: Iterable[Way], bounds: Iterable[int], symbols: Symbols
) -> tuple[int, ...]:
    """One less than what numbers of rows are compared with, and just as many; what a window looks
    back at, and more."""
    exprs = dict.fromkeys(e for way in ways for e in (*way.wants, *way.outputs))
    counted = {n for each in exprs for n in _compared(each, symbols)} | {*bounds}
    found = {n + by for n in counted for by in (-1, 0)} | {n + 2 for n in _reached(plans)}
    return tuple(sorted(n for n in found if 0 < n <= MOST_ROWS)[:SIZES])


def _compared(expr: Expr, symbols: Symbols) -> Iterator[int]:
    """The whole numbers that numbers of rows are compared with."""
    for part in parts(expr):
        is_test = isinstance(part, Call) and part.op in TESTS
        if is_test and any(v.role in _COUNTED for v in symbols.of(part)):
            yield from _whole(part)


def _whole(expr: Expr) -> Iterator[int]:
    for part in parts(expr):
        if isinstance(part, Lit) and part.kind == "number" and part.text.isdigit():
            yield int(part.text)


def _reached(plans: Iterable[Plan]) -> Iterator[int]:
    """How far windows look, and in how many parts they are cut."""
    windows = (rel for plan in plans for rel in walk(plan.rel) if isinstance(rel, Window))
    for over in chain.from_iterable(rel.functions for rel in windows):
        yield from map(int, re.findall(r"\b\d{1,9}\b", over.frame))
        if over.call.op in ("lag", "lead", "ntile", "nthvalue"):
            yield from (n for each in operands(over.call) for n in _whole(each))


@dataclass(frozen=True, slots=True)
class _Row:
    """A way to a row of a table, whatever is said of groups above."""

    way: Way
    ask: Ask


class Straddles:
    """`ways`: those of both plans, and rows that only one of them looks at."""

    def __init__(
        self,
        symbols: Symbols,
        pools: Pools,
        maker: Maker,
        solver: Solver,
        logic: Logic,
        ways: Sequence[Way],
    ) -> None:
        self._symbols, self._pools, self._logic = symbols, pools, logic
        self._maker, self._solver = maker, solver
        self._ways = tuple(dict.fromkeys(ways))

    def of(self, way: Way, size: int) -> Iterator[Sequence[Entity]]:
        """Rows of one group, and of one partition."""
        row = self._plain(way)
        dropped = [*self._failing(row), *self._others(row)]
        for keys in dict.fromkeys((way.keys, way.partitions)):
            kept = self._kept(row, size, keys, len(dropped))
            if kept and (dropped or size >= FEWEST):
                around = [self._beside(kept, keys, dropped, at) for at in (0, len(dropped) + size)]
                yield [*around[0], *kept, *around[1]]

    def tied(self, way: Way, size: int) -> Iterator[Sequence[Entity]]:
        """One row more than that: all in one place of their order; then the last two of them, and
        the first two."""
        row, many = self._plain(way), size + 1
        keys, orders = all_numbers(way.partitions), all_numbers(way.orders)
        if orders <= keys or many < 2:
            return
        whole = self._kept(row, many, way.partitions, 0, orders)
        if whole:
            yield whole
        for start in (many - 2, 0) if many > 2 else ():
            apart = self._kept(row, many - 1, way.partitions, 0)
            again = self._twin(row, apart[start], many, keys | orders) if apart else None
            if again is not None:
                yield [*apart, again]

    def _twin(self, row: _Row, near: Entity, at: int, same: Set[int]) -> Entity | None:
        """Another row that is the same in some cells."""
        places, given = self._maker.held(near, same)
        return self._entity(row, at, places, given)

    def alike(self, way: Way, size: int) -> Sequence[Entity]:
        """So many rows, one after the other in their order, alike in all that is summed up."""
        outer = [v for e in (*way.wants, *way.outputs) for v in self._symbols.of(e)]
        summed = frozenset(n for v in outer if v.role == "unknown" for n in all_numbers(v.of))
        return self._kept(self._plain(way), size, way.partitions, 0, summed)

    # --- which rows

    def _plain(self, way: Way) -> _Row:
        """The row without what is asked of groups."""
        wants = tuple(want for want in way.wants if not self._is_of_groups(want))
        plain = replace(way, wants=wants)
        return _Row(plain, self._logic.of_way(plain))

    def _is_of_groups(self, want: Expr) -> bool:
        return any(v.role in _OF_GROUPS for v in self._symbols.of(want))

    def _failing(self, row: _Row) -> Iterator[_Row]:
        """Rows of which one condition does not hold, and all else if possible."""
        for want in row.way.wants[:DROPPED]:
            others = together(
                [self._logic.first(each, "true") for each in row.way.wants if each != want],
                Ask(scans=row.ask.scans),
            ).softened()
            for truth in _FAILS:
                for each in self._logic.asks(want, truth)[:1]:
                    ask = each.also(others)
                    yield replace(row, ask=replace(ask, scans=ask.scans | row.way.scans))

    def _others(self, row: _Row) -> list[_Row]:
        """Other ways to a row of the same tables: with a partner, or without one."""
        found = [way for way in self._ways if way.scans & row.way.scans]
        others = dict.fromkeys(self._plain(way) for way in found)
        return [each for each in others if each.way.outputs != row.way.outputs][:DROPPED]

    # --- rows of it

    def _kept(
        self,
        row: _Row,
        size: int,
        keys: Sequence[Expr],
        start: int,
        same: Set[int] = frozenset(),
    ) -> list[Entity]:
        """So many rows with the same keys, each at another place of their order: the next day, the
        next number, as a window may reach so many days back. `same`: what they have in common
        besides."""
        cells = all_numbers(keys) | same
        spread = self._spread(row, cells)
        ordered = all_numbers(row.way.orders)
        asked = {n for test, _ in row.ask.hard for n in numbers(test)}
        near = ordered & self._pools.free - cells - asked
        made = list[Entity]()
        for at in range(size):
            places, given = self._maker.held(made[0], cells) if made else ({}, {})
            given |= {n: many[at % len(many)] for n, many in spread.items()}
            places |= {self._pools.chief[n]: start for n in near}
            given |= dict.fromkeys(near, BEYOND_NULL + at)
            entity = self._entity(row, start + at, places, given)
            if entity is None:
                return []
            made.append(entity)
        return made

    def _spread(self, row: _Row, cells: Collection[int]) -> Mapping[int, Sequence[int]]:
        """For what rows are ordered by, and what is asked of it: the values that it may have."""
        ordered = all_numbers(row.way.orders) - {*cells}
        found = {}
        for n in sorted(ordered - self._pools.free):
            many = range(len(self._pools.of[n][1]) - 1)
            good = [at for at in many if self._solver.solve(row.ask, {n: at}) is not None]
            if len(good) > 1:
                found[n] = good
        return found if len(found) == 1 else {}  # of two the one may decide the other

    def _beside(
        self, kept: Sequence[Entity], keys: Sequence[Expr], dropped: Sequence[_Row], start: int
    ) -> list[Entity]:
        places, given = self._maker.held(kept[0], all_numbers(keys))
        made = (self._entity(row, start + at, places, given) for at, row in enumerate(dropped))
        return [each for each in made if each is not None]

    def _entity(
        self, row: _Row, at: int, places: Mapping[int, int], given: Mapping[int, int]
    ) -> Entity | None:
        return self._maker.entity(Goal("good", _AIM, row.ask), at, row.way, 0, places, given=given)
