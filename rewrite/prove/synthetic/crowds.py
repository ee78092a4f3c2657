"""More rows than a LIMIT lets through: with one among them that has no value to be ordered by, or
with ties in all that they are ordered by.

alike(way) -> what rows of a group have in common
without_values(ask, way, logic) -> [(what is NULL, how to have it so), ...]
Crowds(...).of(way, ask, nulls) -> (entities, ...)
Crowds(...).with_null(way, ask, order, how) -> (entities, ...)
Crowds(...).tied(way, ask) -> (entities, ...)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit
from unwet.rewrite.prove.synthetic.entities import ROOM, Entity, Maker
from unwet.rewrite.prove.synthetic.fresh import fresh
from unwet.rewrite.prove.synthetic.goals import MOST_ROWS, Goal
from unwet.rewrite.prove.synthetic.logic import Ask, Logic
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.symbols import Symbols, Variable, is_null, number, numbers
from unwet.rewrite.prove.synthetic.types import SqlType

ORDERED: Final = 6  # keys of ORDER BY that are looked at
SHIFTED: Final = 3  # other rows beside a crowd, at most one less
CUT: Final = 64  # letters; a longer beginning of a text is taken for all of it
_LONG: Final = "x" * CUT
_AIM: Final = "more than a limit"

Nulls = Sequence[tuple[Expr, Ask | None]]
"""Keys of an order. None: it is a cell, which has a NULL among its values."""


def without_values(ask: Ask, way: Way, logic: Logic) -> Nulls:
    """How each key of the order of a row is NULL; those that never are, are left out."""
    found = list[tuple[Expr, Ask | None]]()
    for order in list(dict.fromkeys(way.orders))[:ORDERED]:
        if number(order) is not None:
            found.append((order, None))
        else:
            found += [(order, each.also(ask)) for each in logic.asks(is_null(order), "true")[:1]]
    return found


def alike(way: Way) -> Iterator[tuple[tuple[Expr, ...], tuple[int, ...]]]:
    """What rows of a group have in common, and which variables are NULL in all but one."""
    for keys in dict.fromkeys((way.keys, way.partitions)):
        yield keys, ()
    for order in dict.fromkeys(way.orders[:ORDERED]):
        others = tuple(each for each in way.orders if each != order)
        if others:
            yield (*way.partitions, *others), ()
        if (at := number(order)) is not None:
            yield way.partitions, (at,)


def is_beginning(expr: Expr) -> bool:
    """SUBSTRING(x, 1, 20) or LEFT(x, 20)."""
    match expr:
        case Call(op="substring", args=(_, Lit(text="1"), Lit(text=size)), shape=shape):
            return shape == ("this", "start", "length") and size.isdigit() and int(size) < CUT
        case Call(op="left", args=(_, Lit(text=size))):
            return size.isdigit() and int(size) < CUT
        case _:
            return False


def _once(crowd: Sequence[Entity]) -> Sequence[Entity]:
    """Those of their rows that are the first one's, too, are there once, unless all of them are."""
    first, *rest = crowd
    own = [tuple(row for row in each.rows if row not in first.rows) for each in rest]
    if not all(own):
        return crowd
    return [first, *(replace(e, rows=rows) for e, rows in zip(rest, own, strict=True))]


class Crowds:
    """Rows that have nothing in common but what they must: what nothing is asked of has a value of
    its own in each. `bounds`: of LIMIT and OFFSET."""

    def __init__(
        self,
        symbols: Symbols,
        kinds: Sequence[SqlType],
        pools: Pools,
        maker: Maker,
        bounds: Collection[int],
    ) -> None:
        self._symbols, self._kinds, self._pools, self._maker = symbols, kinds, pools, maker
        bound = max(bounds, default=MOST_ROWS)
        self._size = bound + bound // 8 + 2 if bound < MOST_ROWS else 0  # some may be of one group

    def of(self, way: Way, ask: Ask, nulls: Nulls) -> Iterator[Sequence[Entity]]:
        """Crowds, with other columns that differ; and with a row that is NULL in a key."""
        for keys_only in (True, False) if self._size else ():
            made = self._crowd(way, ask, keys_only)
            if made:
                yield made
                for order, how in nulls:
                    yield from self.with_null(way, ask, order, how)

    def tied(self, way: Way, ask: Ask) -> Iterator[Sequence[Entity]]:
        """Crowds that are the same in all that they are ordered by, also with what they share there
        once only. Where groups are ordered by all of their keys, those of subtotals may still be
        the same, as a key may be NULL."""
        if not self._size or not way.orders:
            return
        same = self._symbols.below(way.orders) - self._cut(way.orders)
        keys = self._symbols.below(way.keys)
        if keys and keys <= same:
            yield from self._subtotals(way, ask, same - keys)
            return
        crowd = self._crowd(way, ask, True, same)
        if crowd:
            yield crowd
            once = _once(crowd)
            if once != crowd:
                yield once

    def _subtotals(self, way: Way, ask: Ask, same: Set[int]) -> Iterator[Sequence[Entity]]:
        """Crowds with NULLs in the last keys, and with a few others, as each brings several rows
        and the limit may be between two of those."""
        cells = [n for key in way.keys if (n := number(key)) is not None]
        for many in range(1, len(cells)):
            crowd = self._crowd(way, ask, True, same, frozenset(cells[-many:]), SHIFTED)
            for more in range(SHIFTED if crowd else 0):
                for start in (0, SHIFTED + len(crowd)) if more else (0,):  # with less, with more
                    others = (self._plain(way, ask, start + at) for at in range(more))
                    yield [*crowd, *filter(None, others)]

    def _cut(self, orders: Sequence[Expr]) -> Set[int]:
        """Texts of which only the beginning is looked at."""
        cut = [n for each in orders for n in numbers(each) if is_beginning(each)]
        whole = {n for each in orders for n in numbers(each) if not is_beginning(each)}
        return {n for n in cut if self._kinds[n].kind == "text"} - whole

    def _plain(self, way: Way, ask: Ask, at: int) -> Entity | None:
        return self._maker.entity(Goal("good", _AIM, ask), at, way, seed=at)

    def with_null(
        self, way: Way, ask: Ask, order: Expr, how: Ask | None
    ) -> Iterator[Sequence[Entity]]:
        """A crowd and a row with a NULL in a key of its order; all are the same in what they are
        ordered by before, as far as no group or partition is made by that."""
        before = way.orders[: way.orders.index(order)]
        apart = {n for each in (*way.keys, order) for n in numbers(each)}
        same = {n for each in before for n in numbers(each)}
        same = (same - apart) | {n for each in before if (n := number(each)) is not None}
        crowd = self._crowd(way, ask, True, same) if self._size else []
        if crowd:
            places, given = self._maker.held(crowd[0], same)
            if (at := number(order)) is not None:
                given[at] = len(self._pools.of[at][1]) - 1
            goal = Goal("good", _AIM, how or ask)
            made = self._maker.entity(goal, len(crowd), way, places=places, given=given)
            if made is not None:
                yield [*crowd, made]

    def _crowd(
        self,
        way: Way,
        ask: Ask,
        keys_only: bool,
        same: Set[int] = frozenset(),
        nulls: Set[int] = frozenset(),
        start: int = 0,
    ) -> list[Entity]:
        """`same`: variables that have one value in all of them; `nulls`: those that are NULL.
        `start`: the number of the first."""
        asked = {n for test, _ in ask.hard for n in numbers(test)}
        seen = (*way.keys, *way.outputs) if keys_only else way.seen
        loose = [v for e in seen for v in self._symbols.of(e) if v.role == "cell"]
        loose = [v for v in dict.fromkeys(loose) if v.number not in asked | self._pools.free | same]
        goal = Goal("good", _AIM, ask)
        loose = [v for v in loose if v.number not in nulls]
        made = list[Entity]()
        without = {n: len(self._pools.of[n][1]) - 1 for n in nulls}
        for at in range(start, start + self._size):
            places, given = self._maker.held(made[0], same) if made else ({}, {})
            given |= without
            entity = self._maker.entity(goal, at, way, places=places, given=given)
            if entity is None:
                return []
            made.append(self._loosened(entity, loose, at, self._cut(way.orders) if same else ()))
        return made

    def _loosened(
        self, entity: Entity, loose: Sequence[Variable], at: int, cut: Collection[int]
    ) -> Entity:
        """The entity with a value of its own in each of the cells; of some only its end is."""
        rows = []
        for relation, values in entity.rows:
            own = {
                (v.column, v.path): _LONG * (v.number in cut)
                + fresh(self._kinds[v.number], at * ROOM, salt)
                for salt, v in enumerate(loose)
                if self._symbols.scans[v.scan] == relation and (v.column, v.path) in values
            }
            rows.append((relation, {**values, **own}))
        return replace(entity, rows=tuple(rows))
