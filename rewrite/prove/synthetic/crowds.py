"""More rows than a LIMIT lets through, and a row among them without a value to be ordered by.

without_values(ask, way, logic) -> [(what is NULL, how to have it so), ...]
Crowds(...).of(way, ask, nulls) -> (entities, ...)
Crowds(...).with_null(way, ask, order, how) -> (entities, ...)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import Expr
from unwet.rewrite.prove.synthetic.entities import ROOM, Entity, Maker
from unwet.rewrite.prove.synthetic.fresh import fresh
from unwet.rewrite.prove.synthetic.goals import MOST_ROWS, Goal
from unwet.rewrite.prove.synthetic.logic import Ask, Logic
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.symbols import Symbols, Variable, is_null, number, numbers
from unwet.rewrite.prove.synthetic.types import SqlType

ORDERED: Final = 6  # keys of ORDER BY that are looked at
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
        self, way: Way, ask: Ask, keys_only: bool, same: Set[int] = frozenset()
    ) -> list[Entity]:
        """`same`: variables that have one value in all of them."""
        asked = {n for test, _ in ask.hard for n in numbers(test)}
        seen = (*way.keys, *way.outputs) if keys_only else way.seen
        loose = [v for e in seen for v in self._symbols.of(e) if v.role == "cell"]
        loose = [v for v in dict.fromkeys(loose) if v.number not in asked | self._pools.free | same]
        goal = Goal("good", _AIM, ask)
        made = list[Entity]()
        for at in range(self._size):
            places, given = self._maker.held(made[0], same) if made else ({}, {})
            entity = self._maker.entity(goal, at, way, places=places, given=given)
            if entity is None:
                return []
            made.append(self._loosened(entity, loose, at))
        return made

    def _loosened(self, entity: Entity, loose: Sequence[Variable], at: int) -> Entity:
        """The entity with a value of its own in each of the cells."""
        rows = []
        for relation, values in entity.rows:
            own = {
                (v.column, v.path): fresh(self._kinds[v.number], at * ROOM, salt)
                for salt, v in enumerate(loose)
                if self._symbols.scans[v.scan] == relation and (v.column, v.path) in values
            }
            rows.append((relation, {**values, **own}))
        return replace(entity, rows=tuple(rows))
