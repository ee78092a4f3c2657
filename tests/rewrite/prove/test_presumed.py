"""An alias where a table of unknown columns may have one of its name: told, not silently read."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet import Source, refactor, verify
from unwet.tests.rewrite.laid_out import replaced

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
    model.write_text(replaced(text, "a AS c", "b AS c"), "utf-8")
    found = verify([old], tmp_path / "out", "duckdb", generated=False)
    assert [each.verdict for each in found.reports] == ["proved"]
    assert any("s.t has no column b" in each for each in found.assumptions)


NUMBERED = "CREATE TEMP TABLE x AS SELECT a, ROW_NUMBER() OVER (ORDER BY b) AS r FROM s.t;"
ALIKE = "the query of x orders rows with equal keys alike wherever it stands"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("SELECT a FROM x WHERE r = 1; SELECT a FROM x WHERE r = 2", True),
        ("SELECT a FROM x WHERE r = 1 UNION ALL SELECT a FROM x WHERE r = 1", True),
        ("SELECT a FROM x WHERE r = 1", False),
    ],
)
def test_a_temporary_table_that_is_a_query_more_than_once(script: str, told: bool) -> None:
    sources = [Source("r.sql", NUMBERED + script, "duckdb")]
    found = refactor(sources, None, "duckdb", generated=False)
    assert {v.outcome for v in found.verdicts} == {"proved"}
    assert found.assumptions == ((ALIKE,) if told else ())


@pytest.mark.parametrize(
    ("made", "read", "told"),
    [
        ("s.t", "t", "t is s.t"),
        ("t", "s.t", "s.t is t"),
        ("s.t", "db.s.t", "db.s.t is s.t"),
        ("s.t", "s.t", ""),
        ("t", "t", ""),
    ],
)
def test_the_table_that_a_name_is_taken_for(made: str, read: str, told: str) -> None:
    table = Source("t.sql", f"CREATE TABLE {made} (a INTEGER, z INTEGER)", "postgres")
    said = f"a name means the one table of the pile that ends like it: {told}"
    assert assumed("postgres", f"SELECT a FROM {read} AS t WHERE z > 1", table) == (
        (said,) if told else ()
    )


def test_a_temporary_table_of_a_common_name_is_that_of_its_own_script() -> None:
    temp = "CREATE TEMP TABLE base AS SELECT a FROM t; "
    script = temp + "CREATE TABLE {0} AS SELECT a + {1} AS n FROM Base"
    scripts = [Source(f"{name}.sql", script.format(name, at), "duckdb")
               for at, name in enumerate(("r", "s"))]  # fmt: skip
    found = refactor(scripts, None, "duckdb", generated=False)
    assert [verdict.outcome for verdict in found.verdicts] == ["proved"] * 2
    assert found.assumptions == ()


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
     ("mysql", ("d.Orders and d.orders are one table",)), ("tsql", ()), ("postgres", ())],
)  # fmt: skip
def test_tables_whose_names_differ_in_capitals(dialect: str, told: tuple[str, ...]) -> None:
    sql = "CREATE VIEW r.{0} AS SELECT a FROM d.{0}rders"
    scripts = [Source(f"{name}.sql", sql.format(name), dialect) for name in ("O", "o")]
    scripts[1] = Source("p.sql", sql.replace("r.{0}", "r.p").format("o"), dialect)
    found = refactor(scripts, None, dialect, generated=False)
    assert [verdict.outcome for verdict in found.verdicts] == ["proved"] * 2
    assert found.assumptions == told
