"""Running a pile of the shop on DuckDB, with the answer key and nothing of the engine."""

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from bench.shop.legacy import statements


def run(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, str], key: Mapping[str, Any]
) -> Iterator[tuple[str, int]]:
    """(path, rows) of every query, in the key's order; raises what DuckDB raises."""
    for path in key["order"]:
        for statement in statements(path, files[path], key):
            rows = connection.execute(statement).fetchall()
            if statement.type == duckdb.StatementType.SELECT:
                yield path, len(rows)


def bag(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """The rows of the last statement, sorted; sums to nine digits."""
    rows: list[Any] = []
    for statement in duckdb.extract_statements(sql):
        rows = connection.execute(statement).fetchall()
    return sorted(str([f"{v:.9g}" if isinstance(v, float) else v for v in row]) for row in rows)
