"""Rows that could not be there: made data keeps what is declared of its tables.

A rewriting that is right because a column is a key may not be called wrong on rows in which it is
none. Foreign keys are not read from DDL yet, so nothing is kept of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.lineage.tables import Catalog
from unwet.lineage.tables import Table as Declared
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table


def honoured(database: Database, catalog: Catalog) -> Database:
    """The database without rows that break a declared key or NOT NULL; of rows with one key the
    first stays. A key that allows NULL binds rows without NULL only, as in SQL."""
    kept = {
        name: _kept(table, declared) if (declared := catalog.get(name)) is not None else table
        for name, table in database.tables.items()
    }
    parts = tuple(honoured(each, catalog) for each in database.parts)
    return replace(database, tables=kept, parts=parts)


def _kept(table: Table, declared: Declared) -> Table:
    place = {name.lower(): at for at, (name, _) in enumerate(table.columns)}
    needed = [place[c.name] for c in declared.columns if c.not_null and c.name in place]
    keys = [[place[c] for c in key] for key in declared.keys if all(c in place for c in key)]
    if not needed and not keys:
        return table
    seen: list[set[tuple[Cell, ...]]] = [set() for _ in keys]
    rows: list[tuple[Cell, ...]] = []
    for row in table.rows:
        found = [_key(row, key) for key in keys]
        taken = any(k is not None and k in known for k, known in zip(found, seen, strict=True))
        if taken or any(row[at] is None for at in needed):
            continue
        for key, known in zip(found, seen, strict=True):
            if key is not None:
                known.add(key)
        rows.append(row)
    return replace(table, rows=tuple(rows))


def _key(row: Sequence[Cell], key: Sequence[int]) -> tuple[Cell, ...] | None:
    """The row's values of a key; None where one is NULL, which is equal to nothing."""
    values = tuple(row[at] for at in key)
    return None if None in values else values
