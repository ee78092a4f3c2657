"""Run statements on a DuckDB file and tell what tables they leave. Imports nothing of ours: it is a
program, too, for a Python that has another DuckDB (files in, what came of them out, as JSON).

    executed(database, files) -> per file its name, its tables with their row counts, its failure
"""

import json
import sys
from collections.abc import Iterable, Sequence

import duckdb

KEPT_SCHEMAS = ("scratch", "results")
Found = tuple[str, list[tuple[str, int]], str]


def executed(database: str, files: Iterable[tuple[str, Sequence[str]]]) -> list[Found]:
    """Each file in a session of its own, one thread; the first statement that fails ends a file."""
    with duckdb.connect(database, config={"threads": 1}) as connection:
        return [_run(connection, name, statements) for name, statements in files]


def _run(connection: duckdb.DuckDBPyConnection, name: str, statements: Sequence[str]) -> Found:
    before, failure = _relations(connection), ""
    with connection.cursor() as session:
        try:
            for sql in statements:
                session.execute(sql)
        except duckdb.Error as error:
            failure = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    made = [each for each in _relations(connection) if each not in before]
    return name, [(each, _count(connection, each)) for each in made], failure


def _relations(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema IN ? ORDER BY 1",
        [list(KEPT_SCHEMAS)],
    ).fetchall()
    return [name for (name,) in rows]


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
    assert isinstance(count, int)
    return count


if __name__ == "__main__":
    json.dump(executed(sys.argv[1], json.load(sys.stdin)), sys.stdout)
