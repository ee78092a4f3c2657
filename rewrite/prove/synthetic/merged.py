"""Ways in which two reads of a table find the same row.

    merged(way, symbols) -> the way with such rows made one, or None when there are none
    merged_rows(ask, symbols) -> the same of what is asked of rows, those of subqueries included

A query that reads a table twice and joins it with itself by its key sees one row twice. Two rows
that only have the key in common would hide what happens to each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from unwet.rewrite.algebra import Call, Expr
from unwet.rewrite.prove.synthetic.classes import equal_pair
from unwet.rewrite.prove.synthetic.logic import Ask, Fact
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.symbols import Symbols, Variable, number
from unwet.rewrite.rules.refs import rebuild


def merged(way: Way, symbols: Symbols) -> Way | None:
    """Rows of one table that some column has to be equal in are one row: the first of them."""
    into = _first_scans(way, symbols)
    if not into:
        return None
    swap = Swap(into, symbols)

    def within(exprs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(dict.fromkeys(map(swap.over, exprs)))

    return replace(
        way,
        scans=frozenset(into.get(at, at) for at in way.scans),
        wants=tuple(each for each in within(way.wants) if not _is_itself(each)),
        outputs=tuple(map(swap.over, way.outputs)),
        keys=within(way.keys),
        partitions=within(way.partitions),
        orders=within(way.orders),
        looks=within(way.looks),
        hopes=within(way.hopes),
        why=f"{way.why}, " * bool(way.why) + "one row read twice",
    )


def merged_rows(ask: Ask, symbols: Symbols) -> Ask | None:
    """Until no row is read twice: a subquery that looks for the lowest price of a product finds the
    very row whose price is compared with it."""
    made, into = ask, _first_scans(_equal(ask), symbols)
    while into:
        made = swapped(made, Swap(into, symbols), into)
        into = _first_scans(_equal(made), symbols)
    return made if made != ask else None


def swapped(ask: Ask, swap: Swap, into: Mapping[int, int]) -> Ask:
    """What is asked of rows, with some of them made others."""
    scans = frozenset(into.get(at, at) for at in ask.scans)
    return Ask(_swapped(ask.hard, swap), _swapped(ask.soft, swap), scans)


def _equal(ask: Ask) -> Way:
    return Way(wants=tuple(test for test, truth in ask.hard if truth == "true"))


def _swapped(facts: tuple[Fact, ...], swap: Swap) -> tuple[Fact, ...]:
    found = dict.fromkeys((swap.over(test), truth) for test, truth in facts)
    return tuple(each for each in found if not (each[1] == "true" and _is_itself(each[0])))


def _first_scans(way: Way, symbols: Symbols) -> dict[int, int]:
    """Scan -> the earlier one whose row is the same."""
    above: dict[int, int] = {}

    def root(at: int) -> int:
        while at in above:
            at = above[at]
        return at

    pairs = [pair for want in way.wants if isinstance(want, Call) and want.op == "eq"
             if (pair := equal_pair(want)) is not None]  # fmt: skip
    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        if low != high:
            above[high] = low
    first: dict[tuple[int, str, str, tuple[str, ...]], int] = {}
    found: dict[int, int] = {}
    for each in _cells(pairs, symbols):
        place = (root(each.number), symbols.scans[each.scan], each.column, each.path)
        earlier = found.get(first.setdefault(place, each.scan), first[place])
        if earlier != each.scan:
            found.setdefault(each.scan, earlier)
    return {at: _end(at, found) for at in found}


def _end(at: int, found: Mapping[int, int]) -> int:
    while at in found:
        at = found[at]
    return at


def _cells(pairs: list[tuple[int, int]], symbols: Symbols) -> Iterator[Variable]:
    """By scan, so that an earlier one is met first."""
    seen = {n for pair in pairs for n in pair}
    cells = [v for v in map(symbols.variables.__getitem__, seen) if v.role == "cell"]
    yield from sorted(cells, key=lambda v: (v.scan, v.number))


def _is_itself(want: Expr) -> bool:
    return isinstance(want, Call) and want.op == "eq" and want.args[0] == want.args[1]


class Swap:
    """Puts the cells of the first row in place of those of the others."""

    def __init__(self, into: Mapping[int, int], symbols: Symbols) -> None:
        self._into, self._symbols = into, symbols
        self._done: dict[bytes, Expr] = {}

    def over(self, expr: Expr) -> Expr:
        """The same over the rows that are left."""
        return rebuild(expr, self._visit, self._done)

    def _visit(self, part: Expr) -> Expr:
        at = number(part)
        if at is None:
            return part
        variable = self._symbols.variables[at]
        if variable.role == "cell":
            scan = self._into.get(variable.scan)
            if scan is None:
                return part
            return self._symbols.cell(scan, variable.column, variable.path)
        of = tuple(map(self.over, variable.of))
        below = frozenset(self._into.get(scan, scan) for scan in variable.below)
        if variable.role == "element" or (of == variable.of and below == variable.below):
            return part
        return self._symbols.made(variable.role, of, variable.distinct, below)
