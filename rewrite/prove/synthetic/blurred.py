"""Two rows that one plan takes for the same, and the other one does not.

    blurs(one, other, symbols) -> (Blur, ...)
    solved(blur, solver, pools) -> positions of the values of both rows, or None
    with_both(database, blur, found, pools, symbols) -> the database with the second row, or None

Of what rows are made distinct, counted or grouped by, one key is computed otherwise in the two
plans, as days of another time zone, or several columns are one text in one of them. That shows on
two rows that are alike in all but the values that the keys are computed from: all keys of one plan
are the same for both, and one of the other plan is not, as with 'x' and 'yz' beside 'xy' and 'z'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Final

from unwet.rewrite.algebra import Call, Expr, parts
from unwet.rewrite.prove.synthetic.classes import JOINED, shifts
from unwet.rewrite.prove.synthetic.database import Cell, Database
from unwet.rewrite.prove.synthetic.logic import Ask
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.solve import Solver
from unwet.rewrite.prove.synthetic.symbols import Symbols, Truth, binary, numbers, written
from unwet.rewrite.rules.refs import exchanged

_TRUE: Final[Truth] = "true"
MOST: Final = 3  # values that keys are computed from together


@dataclass(frozen=True, slots=True)
class Blur:
    """`cells`: the variables of the values; `others`: those of the second row. `ask`: what is the
    same in one plan and not in the other."""

    cells: tuple[int, ...]
    others: tuple[int, ...]
    ask: Ask


def blurs(
    one: Sequence[Sequence[Expr]], other: Sequence[Sequence[Expr]], symbols: Symbols
) -> Iterator[Blur]:
    """Of the keys of both plans, those that differ and are computed from the same cells."""
    for mine, theirs in zip(one, other, strict=False):
        left = [key for key in mine if key not in theirs]
        right = [key for key in theirs if key not in mine]
        if len(left) == len(right):
            for a, b in zip(left, right, strict=True):
                yield from _apart((a,), (b,), symbols)
        elif left and right:
            yield from _apart(left, right, symbols)


def _apart(left: Sequence[Expr], right: Sequence[Expr], symbols: Symbols) -> Iterator[Blur]:
    """Where all of one side are the same, and one of the other is not."""
    cells = tuple(sorted({n for key in (*left, *right) for n in numbers(key)}))
    places = [symbols.variables[n] for n in cells]
    if not 0 < len(cells) <= MOST or any(v.role != "cell" or v.path for v in places):
        return
    if len({v.scan for v in places}) > 1:
        return
    scan = symbols.scan(symbols.scans[places[0].scan])
    again = {n: symbols.cell(scan, v.column) for n, v in zip(cells, places, strict=True)}
    others = tuple(n for each in again.values() for n in numbers(each))
    for same, apart in ((left, right), (right, left)):
        equal = tuple(binary("nullsafeeq", key, _of_other(key, again)) for key in same)
        for key in apart:
            unequal = binary("nullsafeneq", key, _of_other(key, again))
            facts = tuple((test, _TRUE) for test in (*equal, unequal))
            yield Blur(cells, others, Ask(facts))


def _of_other(key: Expr, again: Mapping[int, Expr]) -> Expr:
    for at, other in again.items():
        key = exchanged(key, written(at), other)
    return key


def solved(blur: Blur, solver: Solver, pools: Pools) -> Mapping[int, int] | None:
    """Positions of both rows' values. Of texts that are written one behind the other those that
    are the same so are tried first: there are too many pairs of pairs to try them all."""
    for pins in (*_shifted(blur, pools), {}):
        found = solver.solve(blur.ask, pins)
        if found is not None and not pools.free.intersection((*blur.cells, *blur.others)):
            return found
    return None


def _shifted(blur: Blur, pools: Pools) -> Iterator[Mapping[int, int]]:
    tests = (part for test, _ in blur.ask.hard for part in parts(test))
    joined = [p for p in tests if isinstance(p, Call) and p.op in JOINED]
    pairs = permutations(range(len(blur.cells)), 2) if joined else ()
    for (one, other), (first, second) in product(pairs, shifts(joined[0]) if joined else ()):
        wanted = {
            blur.cells[one]: first[0],
            blur.cells[other]: first[1],
            blur.others[one]: second[0],
            blur.others[other]: second[1],
        }
        if all(text in pools.of[n][1] for n, text in wanted.items()):
            yield {n: pools.of[n][1].index(text) for n, text in wanted.items()}


def with_both(
    database: Database, blur: Blur, found: Mapping[int, int], pools: Pools, symbols: Symbols
) -> Database | None:
    """`found`: positions of both values; the database has the row with the first ones."""
    cells = [symbols.variables[n] for n in blur.cells]
    relation = symbols.scans[cells[0].scan]
    table = database.tables[relation]
    names = [name for name, _ in table.columns]
    places = [names.index(each.column) for each in cells]
    first, second = (_values(each, found, pools) for each in (blur.cells, blur.others))
    twins = []
    for row in table.rows:
        if [row[at] for at in places] == first:
            changed = dict(zip(places, second, strict=True))
            twins.append(tuple(changed.get(at, value) for at, value in enumerate(row)))
    if not twins:
        return None
    tables = {**database.tables, relation: replace(table, rows=(*table.rows, *twins))}
    return replace(database, tables=tables, aim="rows that are the same in one plan", parts=())


def _values(many: Sequence[int], found: Mapping[int, int], pools: Pools) -> list[Cell]:
    return [pools.of[n][1][found[n]] for n in many]
