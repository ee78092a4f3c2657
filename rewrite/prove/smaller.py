"""A database on which something holds, made smaller while it does: fewer rows to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from unwet.rewrite.prove.synthetic.database import Database, Table

TRIALS = 60


def smaller(
    database: Database, holds: Callable[[Database], bool], trials: int = TRIALS
) -> Database:
    """`database` with as few rows as a bounded search finds: a whole table goes first, then halves,
    then smaller parts (delta debugging: Zeller and Hildebrandt 2002). `holds` is asked at most
    `trials` times."""
    for name, table in sorted(database.tables.items(), key=lambda each: -len(each[1].rows)):
        size = len(table.rows)
        while size and trials:
            start = 0
            while trials and start < len(database.tables[name].rows):
                trials -= 1
                tried = _without(database, name, start, start + size)
                if holds(tried):
                    database = tried
                else:
                    start += size
            size //= 2
    return database


def _without(database: Database, name: str, start: int, stop: int) -> Database:
    table = database.tables[name]
    rows = (*table.rows[:start], *table.rows[stop:])
    return replace(database, tables={**database.tables, name: Table(table.columns, rows)})
