"""The small shop of fixtures/small on real engines: its data, its scripts, what they leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from unwet import refactor
from unwet.rewrite.refactor import Result
from unwet.rewrite.verdicts import Verdict
from unwet.tests.test_small_pile import DATA, SMALL, order, text


def rewritten(out: Path, target: str, to_dialect: str) -> Result:
    """The pile as a project, proved and nothing else."""
    return refactor(SMALL / "pile", out, "postgres", to_dialect,
                    schema=str(SMALL / "schema.sql"), params=DATA.PARAMS,
                    generated=False, target=target)  # fmt: skip


def data_sql() -> Iterator[str]:
    """The tables and their rows, as SQL that DuckDB and PostgreSQL read."""
    yield (SMALL / "schema.sql").read_text("utf-8")
    for table, rows in DATA.tables(Random(DATA.SEED)):
        yield f"INSERT INTO shop.{table} VALUES {', '.join(map(DATA._tuple, rows))};"


def database(path: Path, legacy: bool) -> duckdb.DuckDBPyConnection:
    """A new DuckDB file with the data, and with what the scripts leave."""
    connection = duckdb.connect(str(path))
    for sql in data_sql():
        connection.execute(sql)
    for name in order() if legacy else ():
        for statement in duckdb.extract_statements(readable(name)):
            connection.execute(statement)
    return connection


def readable(name: str) -> str:
    """A script with values for its placeholders; empty when it is broken."""
    sql = text(name)
    for parameter, value in DATA.PARAMS.items():
        sql = sql.replace(f"{{{{{parameter}}}}}", value).replace(f"{{{{ {parameter} }}}}", value)
    return "" if name == "kpi_old_do_not_use.sql" else sql


def modelled(result: Result) -> list[Verdict]:
    """Reports that are relations of the pile, and models of the project."""
    return [v for v in result.verdicts if v.relation and v.model]


def bag(connection: Any, sql: str) -> Counter[str]:
    """The rows of a query in no order; floats to twelve digits, as sums depend on their order."""
    rows = connection.execute(sql).fetchall()
    return Counter(repr([f"{v:.12g}" if isinstance(v, float) else v for v in row]) for row in rows)
