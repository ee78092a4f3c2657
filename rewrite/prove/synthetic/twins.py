"""Two plans over the same rows: what both read in one place is one row for both.

    twins = Twins(Symbols())
    twins.ways(before), twins.other(), twins.ways(after)

Plans that differ in one place are alike below it and beside it. So the n-th time that the second
plan reads a table, or has a part that the first one has, it is the n-th time of the first plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from unwet.rewrite.algebra import Expr, Param, Rel, Scan, inputs
from unwet.rewrite.prove.synthetic.rows import Deriver, Way
from unwet.rewrite.prove.synthetic.symbols import Role, Symbols, written

_Made = tuple[Role, tuple[Expr, ...], bool, frozenset[int], tuple[Expr, ...]]


class TwinSymbols(Symbols):
    """Variables that are no cells are the same for both plans, too, where they are of the same."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[_Made, list[int]] = {}
        self._turns: Counter[_Made] = Counter()

    def other(self) -> None:
        """From here on it is the second plan."""
        self._turns.clear()

    def made(
        self,
        role: Role,
        of: tuple[Expr, ...] = (),
        distinct: bool = False,
        below: frozenset[int] = frozenset(),
        within: tuple[Expr, ...] = (),
    ) -> Param:
        key = (role, of, distinct, below, within)
        known = self._numbers.setdefault(key, [])
        turn = self._turns[key]
        self._turns[key] += 1
        if turn == len(known):
            super().made(role, of, distinct, below, within)
            known.append(len(self.variables) - 1)
        return written(known[turn])


class Twins(Deriver):
    """Derives the ways of one plan, and after `other` those of another one."""

    def __init__(self, symbols: TwinSymbols) -> None:
        super().__init__(symbols)
        self._twin_symbols = symbols
        self._parts: dict[bytes, list[tuple[Way, ...]]] = {}
        self._reads: dict[str, list[int]] = {}
        self._turns: Counter[bytes | str] = Counter()
        self._second = False
        symbols.other()

    def other(self) -> None:
        """From here on it is the second plan."""
        self._second = True
        self._turns.clear()
        self._known.clear()
        self._twin_symbols.other()

    def ways(self, rel: Rel) -> tuple[Way, ...]:
        found = self._again(rel) if self._second and not isinstance(rel, Scan) else None
        if found is None:
            found = super().ways(rel)
            if not self._second:
                self._parts.setdefault(rel.digest, []).append(found)
        return found

    def _again(self, rel: Rel) -> tuple[Way, ...] | None:
        known = self._parts.get(rel.digest, ())
        turn = self._turns[rel.digest]
        if turn >= len(known):
            return None
        for part in _below(rel):
            self._turns[part.table if isinstance(part, Scan) else part.digest] += 1
        return known[turn]

    def _scanned(self, table: str) -> int:
        known = self._reads.setdefault(table, [])
        turn = self._turns[table]
        self._turns[table] += 1
        while turn >= len(known):  # a part that was taken over may have read it more often
            known.append(self.symbols.scan(table))
        return known[turn]


def _below(rel: Rel) -> Iterator[Rel]:
    """A relation and what it is made of, less what only its subqueries read."""
    yield rel
    for each in inputs(rel):
        yield from _below(each)
