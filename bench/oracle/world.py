"""A database whose columns can be changed for a moment.

World(connection).changed(table, column, how): a context in which the column is another one
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

MARK = "\u00a7"  # a sign that no value has
# how a column of a type is changed: all rows, every other row, all rows NULL
WAYS = ("all", "half", "null")


@dataclass(frozen=True, slots=True)
class World:
    """`tables`: relation (schema.table, or table alone in main) -> column -> type."""

    connection: duckdb.DuckDBPyConnection
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @contextmanager
    def changed(self, table: str, column: str, how: str) -> Iterator[None]:
        """The world with `column` of `table` changed; everything done inside is undone."""
        name = '"' + column.replace('"', '""') + '"'
        value = "NULL" if how == "null" else _other(name, self.tables[table][column])
        rows = " WHERE rowid % 2 = 0" if how == "half" else ""
        self.connection.execute("BEGIN")
        try:
            self.connection.execute(f"UPDATE {quoted(table)} SET {name} = {value}{rows}")
            yield
        finally:
            self.connection.execute("ROLLBACK")

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """The world as it is; everything done inside is undone."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")


def read(connection: duckdb.DuckDBPyConnection) -> World:
    """The world of all tables that a connection has."""
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()"
        " JOIN duckdb_tables() USING (database_name, schema_name, table_name)"
        " WHERE NOT duckdb_tables.internal AND database_name = current_database()"
        " ORDER BY 1, 2, column_index"
    ).fetchall()
    for schema, table, column, kind in rows:
        name = table if schema == "main" else f"{schema}.{table}"
        found.setdefault(name.lower(), {})[column.lower()] = kind
    return World(connection, found)


def quoted(relation: str) -> str:
    """A dotted name for SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in relation.split("."))


def _other(name: str, kind: str) -> str:
    """Another value of the same type; a text keeps its own and gets a mark."""
    kind = kind.upper()
    if kind.startswith(("VARCHAR", "CHAR", "TEXT")):
        return f"{name} || '{MARK}'"
    if kind == "JSON":  # only what is inside the values: the keys stay
        return f"regexp_replace({name}::VARCHAR, ':\\s*\"', ':\"{MARK}', 'g')::JSON"
    if kind.startswith(("DATE", "TIMESTAMP")):
        return f"CAST({name} + INTERVAL 40 DAY AS {kind})"
    if kind == "BOOLEAN":
        return f"NOT {name}"
    if kind.startswith(("DECIMAL", "DOUBLE", "FLOAT", "REAL")) or "INT" in kind:
        return f"{name} + 1"
    return "NULL"
