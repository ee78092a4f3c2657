"""The data: Eunomia's patients in the tables of the OMOP DDL, and the file around them.

    ddl(text) -> DDL in schema `cdm`;  build_eunomia(source, ddl, target) -> Eunomia tables kept

Both data sets are DuckDB files with the schemas cdm (input), scratch and results (empty), and
with a pinned clock: macros that shadow now() and its synonyms in this database.
"""

import shutil
from pathlib import Path

import duckdb

from bench.achilles.pile import render

CLOCK = "2026-01-15 12:00:00"
_CLOCKS = ("get_current_timestamp", "now", "transaction_timestamp", "current_localtimestamp")
# Eunomia leaves this column NULL in 34 of 125 rows although the DDL forbids it.
_NULLABLE = (("vocabulary_reference", "varchar(255)"),)


def ddl(text: str) -> str:
    """OMOP's DDL for the schema `cdm`, without the one NOT NULL that Eunomia breaks."""
    sql = render(text)
    for column, type in _NULLABLE:
        sql = sql.replace(f"{column} {type} NOT NULL", f"{column} {type} NULL")
    return sql


def create(target: Path, ddl: str) -> duckdb.DuckDBPyConnection:
    """A new DuckDB file with every OMOP table, empty; replaces an old one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    connection = duckdb.connect(str(target))
    for schema in ("cdm", "scratch", "results"):
        connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(ddl)
    for name in _CLOCKS:
        connection.execute(f"CREATE MACRO main.{name}() AS TIMESTAMP '{CLOCK}'")
    connection.execute(f"CREATE MACRO main.current_date() AS DATE '{CLOCK[:10]}'")
    return connection


def build_eunomia(source: Path, ddl: str, target: Path) -> tuple[str, ...]:
    """Write `target`; returns the names of the tables that Eunomia fills.

    Eunomia's broken tables (their columns are called column0, column1, ... and the only row holds
    the real names) stay empty. Values are cast to the DDL's types on insert: every one of them
    converts, and the bench stops with DuckDB's error if a future release has one that does not.
    """
    with create(target, ddl) as connection:
        connection.execute(f"ATTACH '{source}' AS eunomia (READ_ONLY)")
        tables = columns(connection, "cdm")
        kept = []
        for name, names in _source_tables(connection).items():
            if name in tables and not names[0].startswith("column0"):
                listed = ", ".join(f'"{column}"' for column in names)
                connection.execute(
                    f'INSERT INTO cdm."{name}" ({listed}) SELECT {listed} FROM eunomia."{name}"'
                )
                kept.append(name)
        connection.execute("DETACH eunomia")
    return tuple(kept)


def columns(
    connection: duckdb.DuckDBPyConnection, schema: str
) -> dict[str, tuple[tuple[str, str, bool], ...]]:
    """Per table of the schema: its columns as (name, type, may be NULL), in order."""
    rows = connection.execute(
        "SELECT table_name, column_name, data_type, is_nullable = 'YES' "
        "FROM information_schema.columns WHERE table_catalog = current_database() "
        "AND table_schema = ? ORDER BY table_name, ordinal_position",
        [schema],
    ).fetchall()
    tables: dict[str, tuple[tuple[str, str, bool], ...]] = {}
    for table, name, type, nullable in rows:
        tables[table] = (*tables.get(table, ()), (name, type, nullable))
    return tables


def _source_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = connection.execute(
        "SELECT lower(table_name), list(lower(column_name) ORDER BY ordinal_position) "
        "FROM information_schema.columns WHERE table_catalog = 'eunomia' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {name: names for name, names in rows}


def copy(source: Path, target: Path) -> Path:
    """A copy to run something on; replaces an old one and its write-ahead log."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_name(target.name + ".wal").unlink(missing_ok=True)
    shutil.copyfile(source, target)
    return target
