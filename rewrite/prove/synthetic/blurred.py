"""Two rows that one plan takes for the same, and the other one does not.

    blurs(one, other, symbols) -> (Blur, ...)
    with_both(database, blur, found, pools, symbols) -> the database with the second row, or None

Of what rows are made distinct or grouped by, one key is computed otherwise in the two plans, as
days of another time zone. That shows on two rows that are alike in all but the value that the key
is computed from: the key is the same for both in one plan, and not in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from unwet.rewrite.algebra import Expr
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.logic import Ask
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.symbols import Symbols, binary, numbers, written
from unwet.rewrite.rules.refs import exchanged


@dataclass(frozen=True, slots=True)
class Blur:
    """`cell`: the variable of the value; `other`: that of the second row. `ask`: what is the same
    in one plan and not in the other."""

    cell: int
    other: int
    ask: Ask


def blurs(
    one: Sequence[Sequence[Expr]], other: Sequence[Sequence[Expr]], symbols: Symbols
) -> Iterator[Blur]:
    """Of the keys of both plans, those that differ and are computed from one and the same cell."""
    for mine, theirs in zip(one, other, strict=False):
        for left, right in zip(mine, theirs, strict=False):
            seen = {*numbers(left), *numbers(right)}
            if left == right or len(seen) != 1:
                continue
            (at,) = seen
            cell = symbols.variables[at]
            if cell.role == "cell" and not cell.path:
                again = symbols.cell(symbols.scan(symbols.scans[cell.scan]), cell.column)
                (second,) = numbers(again)
                for same, apart in ((left, right), (right, left)):
                    tests = (
                        binary("nullsafeeq", same, exchanged(same, written(at), again)),
                        binary("nullsafeneq", apart, exchanged(apart, written(at), again)),
                    )
                    yield Blur(at, second, Ask(tuple((test, "true") for test in tests)))


def with_both(
    database: Database, blur: Blur, found: Mapping[int, int], pools: Pools, symbols: Symbols
) -> Database | None:
    """`found`: positions of both values; the database has the row with the first one."""
    cell = symbols.variables[blur.cell]
    relation = symbols.scans[cell.scan]
    values = [pools.of[n][1][found[n]] for n in (blur.cell, blur.other)]
    table = database.tables[relation]
    at = [name for name, _ in table.columns].index(cell.column)
    twins = [(*r[:at], values[1], *r[at + 1 :]) for r in table.rows if r[at] == values[0]]
    if not twins:
        return None
    tables = {**database.tables, relation: replace(table, rows=(*table.rows, *twins))}
    return replace(database, tables=tables, aim="rows that are the same in one plan", parts=())
