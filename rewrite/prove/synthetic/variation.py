"""Databases beside given ones: a few cells changed, rows doubled with one change, rows left out.

    varied(databases, words, steps) -> (Database, ...)

A search without a plan, for what no condition tells: which of two rows is first, whose maximum is
taken, what two rows of one group do to each other. Values are those that the column has in any of
the databases (so boundaries and constants are among them), those beside them, and NULL.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.prove.synthetic.borders import beside
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table

ROWS: Final = 60  # of a database that is varied
CHANGES: Final = 4  # of one database at most
VALUES: Final = 60  # of one column that are known
_SEED: Final = 20240615
Place = tuple[str, int]  # a relation, and a column of it

Values = Mapping[Place, Sequence[Cell]]


def varied(databases: Sequence[Database], words: Collection[str], steps: int) -> Iterator[Database]:
    """`steps` databases, always the same ones. `words`: names of columns that matter most."""
    bases = [each for each in databases if 0 < each.rows <= ROWS]
    if not bases:
        return
    values = _values(databases)
    for step in range(steps):
        draw = random.Random(_SEED + step)
        base = bases[step % len(bases)]
        tables = dict(base.tables)
        for _ in range(1 + draw.randrange(CHANGES)):
            _change(tables, values, words, draw)
        yield replace(base, tables=tables, aim=f"{base.aim}, varied", parts=())


def _values(databases: Sequence[Database]) -> Values:
    found: dict[Place, dict[Cell, None]] = {}
    for database in databases:
        for name, table in database.tables.items():
            for at in range(len(table.columns)):
                known = found.setdefault((name, at), {})
                for row in table.rows:
                    if len(known) < VALUES:
                        known.setdefault(row[at])
    return {place: tuple(known) for place, known in found.items()}


def _change(
    tables: dict[str, Table], values: Values, words: Collection[str], draw: random.Random
) -> None:
    """One table, changed in place: a cell, a further row like one that is there, a row less."""
    filled = [name for name, table in sorted(tables.items()) if table.rows]
    if not filled:
        return
    name = draw.choice(filled)
    table = tables[name]
    rows = list(table.rows)
    at = draw.randrange(len(rows))
    kind = draw.randrange(10)
    if kind == 0 and len(rows) > 1:
        del rows[at]
    elif kind == 1:
        rows.insert(at, rows[at])
    elif kind < 6:
        rows.append(_changed(name, table, rows[at], values, words, draw))
    else:
        rows[at] = _changed(name, table, rows[at], values, words, draw)
    tables[name] = replace(table, rows=tuple(rows))


def _changed(
    name: str,
    table: Table,
    row: tuple[Cell, ...],
    values: Values,
    words: Collection[str],
    draw: random.Random,
) -> tuple[Cell, ...]:
    """The row with other values in one to three columns."""
    chief = [n for n, (column, _) in enumerate(table.columns) if column.lower() in words]
    made = list(row)
    for _ in range(1 + draw.randrange(3)):
        pool = chief if chief and draw.random() < 0.7 else range(len(row))
        if pool:
            at = draw.choice(pool)
            made[at] = _other(made[at], table.columns[at][1], values[name, at], draw)
    return tuple(made)


def _other(cell: Cell, kind: str, known: Sequence[Cell], draw: random.Random) -> Cell:
    if draw.random() < 0.12:
        return None
    if cell is not None and draw.random() < 0.35:
        beside = list(_beside(cell, kind))
        if beside:
            return draw.choice(beside)
    return draw.choice(known) if known else cell


def _beside(cell: str, kind: str) -> Iterator[str]:
    """Values near one."""
    if kind == "VARCHAR":
        yield from (cell.swapcase(), f"{cell}x", "")
    elif kind == "BOOLEAN":
        yield from ("true", "false")
    else:
        yield from beside(cell, kind)
        if cell.isdigit():
            yield f"-{cell}"
