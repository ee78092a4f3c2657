"""Generated tables in an engine, as if they were the user's data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from unwet.rewrite.prove.engines import DATA, DuckEngine, open_duckdb, quote, text
from unwet.rewrite.prove.guests import guest, hurry
from unwet.rewrite.prove.places import target
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table

SECONDS = 20.0  # of work, for one statement over tens of rows


def open_synthetic(
    database: Database, seconds: float | None = SECONDS, readable: Sequence[Path] = ()
) -> DuckEngine:
    """An engine whose data is `database`. `seconds`: of work, for each statement; `readable`:
    files that SQL may read. Raises EngineError where a cell is no value of its column's type, or
    two relations want one place."""
    engine = _reading(seconds, readable) if readable else guest(seconds)
    try:
        fill(engine, database)
    except BaseException:
        engine.close()
        raise
    return engine


def _reading(seconds: float | None, readable: Sequence[Path]) -> DuckEngine:
    engine = open_duckdb(None, seconds=seconds, cpu=True, readable=readable)
    hurry(engine)
    return engine


def fill(engine: DuckEngine, database: Database, catalog: str = DATA) -> None:
    """Makes the tables of `database` in a catalog; those that are there give way.

    A world shows what the data held when the world was made: fill first.
    """
    engine.declared = database.declared
    for macro in database.macros:
        engine.execute(macro)
    for relation, table in sorted(database.tables.items()):
        place = target(tuple(relation.split(".")))
        schema = place[-2] if len(place) > 1 else "main"
        engine.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(catalog, schema)}")
        for statement in statements(quote(catalog, schema, place[-1]), table):
            engine.execute(statement)


def statements(name: str, table: Table) -> Iterator[str]:
    """The SQL that makes a table of that (quoted) name and fills it."""
    columns = table.columns or (("unwet_none", "INTEGER"),)  # SQL knows no table without columns
    definition = ", ".join(f"{quote(column)} {kind}" for column, kind in columns)
    yield f"CREATE OR REPLACE TABLE {name} ({definition})"
    if table.rows:
        rows = ", ".join(_row(row, table.columns) for row in table.rows)
        yield f"INSERT INTO {name} VALUES {rows}"


def _row(row: tuple[Cell, ...], columns: tuple[tuple[str, str], ...]) -> str:
    if not columns:
        return "(1)"
    cells = (_cell(cell, kind) for cell, (_, kind) in zip(row, columns, strict=True))
    return f"({', '.join(cells)})"


def _cell(cell: Cell, kind: str) -> str:
    if cell is None:
        return "NULL"
    return text(cell) if kind == "VARCHAR" else f"CAST({text(cell)} AS {kind})"
