"""An alias where a table of unknown columns may have one of its name: told, not silently read."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet import Source, refactor, verify

UNKNOWN = "t has no column b: the alias is meant where a query reads that name"


def assumed(dialect: str, sql: str, *more: Source) -> tuple[str, ...]:
    """What the proof of a report over a table takes for granted."""
    found = refactor([Source("r.sql", sql, dialect), *more], None, dialect, generated=False)
    assert [v.outcome for v in found.verdicts] == ["proved"]
    return found.assumptions


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("duckdb", "SELECT a AS b, b AS c FROM t"),
        ("duckdb", "SELECT a + 1 AS b FROM t WHERE b > 3"),
        ("snowflake", "SELECT a + 1 AS b FROM t HAVING b > 3"),
        ("postgres", "SELECT a + 1 AS b, COUNT(*) AS n FROM t GROUP BY b"),
        ("spark", "SELECT a + 1 AS b, b * 2 AS c FROM t"),
        ("databricks", "WITH q AS (SELECT a + 1 AS b, b * 2 AS c FROM t) SELECT q.c FROM q"),
    ],
)
def test_a_table_of_unknown_columns(dialect: str, sql: str) -> None:
    assert assumed(dialect, sql) == (UNKNOWN,)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("duckdb", "SELECT a AS b, c AS d FROM t"),
        ("duckdb", "SELECT b AS b FROM t WHERE b > 3"),  # the alias is the column
        ("bigquery", "SELECT a + 1 AS b, COUNT(*) AS n FROM t GROUP BY b"),  # there the alias wins
        ("postgres", "SELECT a + 1 AS b FROM t ORDER BY b"),  # so it does here
    ],
)
def test_nothing_is_taken_for_granted(dialect: str, sql: str) -> None:
    assert assumed(dialect, sql) == ()


def test_declared_columns_decide() -> None:
    table = Source("t.sql", "CREATE TABLE t (a INTEGER, z INTEGER)", "duckdb")
    assert assumed("duckdb", "SELECT a AS b, b AS c FROM t", table) == ()


def test_a_temporary_table_tells_it_too() -> None:
    script = "CREATE TEMP TABLE q AS SELECT a + 1 AS b, b * 2 AS c FROM t; SELECT c FROM q"
    assert assumed("duckdb", script) == (UNKNOWN,)


def test_verify_tells_it_of_the_project(tmp_path: Path) -> None:
    old = Source("r.sql", "CREATE TABLE r AS SELECT a AS b, a AS c FROM s.t", "duckdb")
    refactor([old], tmp_path / "out", "duckdb", generated=False)
    model = next((tmp_path / "out" / "models").rglob("r.sql"))
    text = model.read_text("utf-8")
    assert text.count("  a AS c") == 1
    model.write_text(text.replace("  a AS c", "  b AS c"), "utf-8")
    found = verify([old], tmp_path / "out", "duckdb", generated=False)
    assert [each.verdict for each in found.reports] == ["proved"]
    assert any("s.t has no column b" in each for each in found.assumptions)
