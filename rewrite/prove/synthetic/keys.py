"""Rows that could not be there: made data keeps what is declared of its tables.

A rewriting that is right because a column is a key may not be called wrong on rows in which it is
none; and so with foreign keys, where the table they refer to is made, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from unwet.lineage.constraints import Key
from unwet.lineage.tables import Catalog
from unwet.lineage.tables import Table as Declared
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table


def honoured(database: Database, catalog: Catalog) -> Database:
    """The database without rows that break a declared key, foreign key or NOT NULL; of rows with
    one key the first stays. A key that allows NULL binds rows without NULL only, as in SQL. A row
    that refers to nothing gets somebody to refer to, where there is one that is like it."""
    declared = {name: found for name in database.tables if (found := catalog.get(name)) is not None}
    kept = _all_kept(database.tables, declared)
    if any(table.foreign for table in declared.values()):
        kept = _all_kept(_referring(kept, declared, catalog, _with_more_parents), declared)
        while (fewer := _referring(kept, declared, catalog, _without_orphans)) != kept:
            kept = fewer  # who refers to rows that are gone goes, too
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


def _all_kept(tables: Mapping[str, Table], declared: Mapping[str, Declared]) -> dict[str, Table]:
    return {
        name: _kept(table, declared[name]) if name in declared else table
        for name, table in tables.items()
    }


@dataclass(frozen=True, slots=True)
class _Reference:
    """Where the columns of a foreign key are in the rows of a table, and what they refer to."""

    child: str
    mine: list[int]
    parent: str
    theirs: list[int]

    def orphans(self, tables: Mapping[str, Table]) -> dict[tuple[Cell, ...], None]:
        """Values that refer to no row, in the order of the rows."""
        there = {_key(row, self.theirs) for row in tables[self.parent].rows}
        found = (_key(row, self.mine) for row in tables[self.child].rows)
        return {key: None for key in found if key is not None and key not in there}


_Change = Callable[[dict[str, Table], _Reference], None]


def _referring(
    tables: Mapping[str, Table],
    declared: Mapping[str, Declared],
    catalog: Catalog,
    change: _Change,
) -> dict[str, Table]:
    """The tables after a change for each foreign key."""
    names = {table.name: name for name, table in declared.items()}
    found = dict(tables)
    for name, table in declared.items():
        for foreign in (key for key in table.foreign if key.checked):
            parent = catalog.find(foreign.table)[1]
            at = names.get(parent.name) if parent is not None else None
            if at is None or parent is None:
                continue
            to = foreign.to or (parent.keys[0] if parent.keys else ())
            mine, theirs = _places(found[name], foreign.columns), _places(found[at], to)
            if len(mine) == len(foreign.columns) == len(theirs):
                change(found, _Reference(name, mine, at, theirs))
    return found


def _with_more_parents(tables: dict[str, Table], reference: _Reference) -> None:
    """A row like the first one for each value that refers to none."""
    parent = tables[reference.parent]
    if not parent.rows:
        return
    rows = list(parent.rows)
    for key in reference.orphans(tables):
        cells = list(parent.rows[0])
        for at, value in zip(reference.theirs, key, strict=True):
            cells[at] = value
        rows.append(tuple(cells))
    tables[reference.parent] = replace(parent, rows=tuple(rows))


def _without_orphans(tables: dict[str, Table], reference: _Reference) -> None:
    child, orphans = tables[reference.child], reference.orphans(tables)
    kept = tuple(row for row in child.rows if _key(row, reference.mine) not in orphans)
    tables[reference.child] = replace(child, rows=kept)


def _places(table: Table, names: Key) -> list[int]:
    place = {name.lower(): at for at, (name, _) in enumerate(table.columns)}
    return [place[name] for name in names if name in place]


def _key(row: Sequence[Cell], key: Sequence[int]) -> tuple[Cell, ...] | None:
    """The row's values of a key; None where one is NULL, which is equal to nothing."""
    values = tuple(row[at] for at in key)
    return None if None in values else values
