"""Legacy scripts as they are, on DuckDB."""

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.prove.engines import DATA, DuckEngine, Row, open_duckdb
from unwet.rewrite.prove.legacy import LegacyRun, run_legacy
from unwet.rewrite.prove.schedule import in_order

CLOCK = datetime(2024, 5, 6)


def script(path: str, sql: str, dialect: str = "tsql") -> Script:
    return parse(mask(Source(path, sql)), dialect)


@pytest.fixture
def engine(tmp_path: Path):  # type: ignore[no-untyped-def]
    path = tmp_path / "d.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA dbo")
        connection.execute(
            "CREATE TABLE dbo.sales AS SELECT range AS id, range % 3 AS k FROM range(9)"
        )
        connection.execute("CREATE TABLE dbo.log AS SELECT 'old' AS line")
    with open_duckdb(path, seconds=5) as made:
        made.world("w")
        yield made


def ran(engine: DuckEngine, *scripts: Script) -> LegacyRun:
    return run_legacy(engine, "w", scripts, CLOCK)


def rows(engine: DuckEngine, relation: str) -> list[Row]:
    return engine.rows(f"SELECT * FROM w.{relation} ORDER BY ALL")


@pytest.mark.parametrize(
    ("dialect", "sql", "relation", "expected"),
    [
        ("tsql", "SELECT k, COUNT(*) AS n INTO rep.a FROM dbo.sales GROUP BY k", "rep.a",
         [(0, 3), (1, 3), (2, 3)]),
        ("tsql", "SELECT id INTO #t FROM dbo.sales WHERE id > 6\nSELECT t.id + 1 AS x INTO rep.a "
         "FROM #t t\nDROP TABLE #t", "rep.a", [(8,), (9,)]),
        ("tsql", "SELECT #t.id INTO rep.a FROM (SELECT 1 AS z) z CROSS JOIN #t",
         "dbo.log", [("old",)]),
        ("tsql", "CREATE TABLE rep.a (x INT NOT NULL PRIMARY KEY, y VARCHAR(MAX) DEFAULT 'd')\nGO\n"
         "INSERT INTO rep.a (x) SELECT id FROM dbo.sales WHERE id < 2\nGO\n"
         "INSERT INTO rep.a VALUES (7, 'e')\n", "rep.a", [(0, "d"), (1, "d"), (7, "e")]),
        ("tsql", "IF OBJECT_ID('rep.a') IS NOT NULL DROP TABLE rep.a;\n"
         "SELECT 1 AS x INTO rep.a;", "rep.a", [(1,)]),
        ("tsql", "DROP TABLE rep.a;\nSELECT 1 AS x INTO rep.a;\nTRUNCATE TABLE rep.a;\n"
         "INSERT INTO rep.a SELECT 2;", "rep.a", [(2,)]),
        ("tsql", "SELECT id INTO srv.rep.a FROM prod.dbo.sales WHERE id = 1", "rep.a", [(1,)]),
        ("tsql", "SELECT id INTO a FROM sales WHERE id = 1", "main.a", [(1,)]),
        ("postgres", "CREATE TABLE rep.a AS SELECT 1 AS x; INSERT INTO rep.a SELECT 2;", "rep.a",
         [(1,), (2,)]),
        ("postgres", "CREATE VIEW rep.a (y) AS SELECT id FROM dbo.sales WHERE id = 3", "rep.a",
         [(3,)]),
        ("postgres", "CREATE OR REPLACE VIEW dbo.log AS SELECT 1 AS x", "dbo.log", [(1,)]),
        ("postgres", "CREATE TEMP TABLE t AS SELECT 1 AS x; CREATE TABLE rep.a AS SELECT * FROM t",
         "rep.a", [(1,)]),
        ("postgres", "CREATE TABLE rep.a (LIKE dbo.log); INSERT INTO rep.a VALUES ('n')", "rep.a",
         [("n",)]),
        ("postgres", "CREATE TABLE IF NOT EXISTS dbo.log (x int); SELECT 1", "dbo.log", [("old",)]),
        ("postgres", "INSERT INTO dbo.log VALUES ('new')", "dbo.log", [("new",), ("old",)]),
        ("postgres", "DELETE FROM dbo.sales WHERE id > 0", "dbo.sales", [(0, 0)]),
        ("postgres", "UPDATE dbo.log SET line = 'x' WHERE line = 'old'", "dbo.log", [("x",)]),
        ("postgres", "CREATE TABLE rep.a AS SELECT 1 AS x; DROP TABLE rep.a; "
         "CREATE TABLE rep.a AS SELECT 2 AS x", "rep.a", [(2,)]),
        ("postgres", "DROP TABLE dbo.log; CREATE TABLE dbo.log AS SELECT 5 AS n", "dbo.log",
         [(5,)]),
        ("postgres", "INSERT INTO rep.a (p, q) SELECT id, k FROM dbo.sales WHERE id = 4", "rep.a",
         [(4, 1)]),
        ("postgres", "WITH c AS (SELECT 1 AS x) INSERT INTO rep.a SELECT x FROM c", "rep.a",
         [(1,)]),
        ("postgres", "MERGE INTO dbo.log USING (SELECT 'old' AS l) s ON log.line = s.l "
         "WHEN MATCHED THEN UPDATE SET line = 'merged'", "dbo.log", [("merged",)]),
        ("spark", "CREATE TABLE rep.a USING parquet AS SELECT 1 AS x; "
         "INSERT OVERWRITE TABLE rep.a SELECT x + 1 FROM rep.a", "rep.a", [(2,)]),
        ("postgres", "CREATE INDEX i ON dbo.log (line); GRANT SELECT ON dbo.log TO me; "
         "SET search_path = x; CREATE TABLE rep.a AS SELECT now()::date AS d", "rep.a",
         [(datetime(2024, 5, 6).date(),)]),
    ],
)  # fmt: skip
def test_statements(
    engine: DuckEngine, dialect: str, sql: str, relation: str, expected: list[Row]
) -> None:
    run = ran(engine, script("a.sql", sql, dialect))
    if relation != "dbo.log" or expected != [("old",)]:
        assert run.failures == ()
    assert rows(engine, relation) == expected
    # the data itself never changes
    assert engine.rows(f"SELECT count(*) FROM {DATA}.dbo.sales") == [(9,)]
    assert engine.rows(f"SELECT * FROM {DATA}.dbo.log") == [("old",)]


def test_bare_queries_keep_their_rows(engine: DuckEngine) -> None:
    run = ran(
        engine, script("a.sql", "SELECT 1 AS x;\n\nSELECT COUNT(*), MAX(id) AS m FROM dbo.sales")
    )
    assert set(run.answers) == {("a.sql", 1), ("a.sql", 3)}
    answer = run.answers["a.sql", 3]
    assert answer.unnamed == (0,)
    assert rows(engine, ".".join(answer.place)) == [(9, 8)]


def test_temporary_tables_belong_to_one_source(engine: DuckEngine) -> None:
    run = ran(
        engine,
        script("a.sql", "SELECT 1 AS x INTO #t; SELECT x INTO rep.a FROM #t"),
        script("b.sql", "SELECT 2 AS x INTO #t; SELECT x INTO rep.b FROM #t"),
        script("c.sql", "SELECT x INTO rep.c FROM #t"),
    )
    assert rows(engine, "rep.a") == [(1,)]
    assert rows(engine, "rep.b") == [(2,)]
    assert [failure.path for failure in run.failures] == ["c.sql"]


def test_a_failure_stays_in_its_source(engine: DuckEngine) -> None:
    run = ran(
        engine,
        script("bad.sql", "SELECT 1 AS x INTO rep.ok;\nSELECT nope INTO rep.bad FROM dbo.sales;\n"),
        script("good.sql", "SELECT 2 AS x INTO rep.good"),
        script("after.sql", "SELECT * INTO rep.after FROM rep.bad"),
    )
    bad, after = sorted(run.failures, key=lambda failure: failure.path, reverse=True)
    assert (bad.path, bad.line) == ("bad.sql", 2)
    assert bad.reason == "the data have no column nope in dbo.sales"
    assert after.path == "after.sql"
    assert after.reason == f"rep.bad was not made: bad.sql:2: {bad.reason}"
    assert rows(engine, "rep.good") == [(2,)]
    assert rows(engine, "rep.ok") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "EXEC dbo.refresh_everything",
        "BULK INSERT dbo.log FROM 'c:/x.csv'",
    ],
)
def test_what_cannot_be_run_is_said(engine: DuckEngine, sql: str) -> None:
    run = ran(engine, script("a.sql", sql))
    assert len(run.failures) >= 1
    assert rows(engine, "dbo.log") == [("old",)]


def test_a_placeholder_without_a_value_is_said(engine: DuckEngine) -> None:
    text = "SELECT id INTO rep.a FROM dbo.sales WHERE id > {{ least }}"
    [failure] = ran(engine, script("a.sql", text)).failures
    assert failure.reason == "{{ least }} has no value: give one with --param least=VALUE"


def test_unparsed_statements_are_failures_but_the_rest_runs(engine: DuckEngine) -> None:
    run = ran(engine, script("a.sql", "SELECT FROM WHERE )(;\nSELECT 1 AS x INTO rep.a;"))
    assert [(f.line, f.reason.startswith("not parsed")) for f in run.failures] == [(1, True)]
    assert rows(engine, "rep.a") == [(1,)]


def test_sources_run_in_the_order_of_what_they_need(engine: DuckEngine) -> None:
    scripts = (
        script("1.sql", "SELECT * INTO rep.c FROM rep.b"),
        script("2.sql", "INSERT INTO rep.b SELECT 2"),
        script("3.sql", "SELECT x INTO rep.b FROM rep.a"),
        script("4.sql", "SELECT 1 AS x INTO rep.a"),
    )
    run = ran(engine, *scripts)
    assert run.failures == ()
    assert run.cycles == ()
    assert rows(engine, "rep.c") == [(1,), (2,)]
    assert run.writers["rep", "b"] == ("2.sql", "3.sql")
    ordered, _ = in_order(scripts)
    assert [one.source.path for one in ordered] == ["4.sql", "3.sql", "2.sql", "1.sql"]


def test_cycles_are_reported_and_cut() -> None:
    scripts = (
        script("a.sql", "SELECT * INTO rep.a FROM rep.b"),
        script("b.sql", "SELECT * INTO rep.b FROM rep.a"),
        script("c.sql", "SELECT 1 AS x INTO rep.c"),
    )
    ordered, cycles = in_order(scripts)
    assert {one.source.path for one in ordered} == {"a.sql", "b.sql", "c.sql"}
    assert [set(ring) for ring in cycles] == [{"a.sql", "b.sql"}]


def test_independent_sources_keep_their_order() -> None:
    scripts = tuple(script(f"{n}.sql", f"SELECT 1 AS x INTO rep.t{n}") for n in (3, 1, 2))
    ordered, _ = in_order(scripts)
    assert [one.source.path for one in ordered] == ["3.sql", "1.sql", "2.sql"]


def test_a_long_statement_is_stopped(tmp_path: Path) -> None:
    with open_duckdb(None, seconds=0.3) as engine:
        engine.world("w")
        slow = "CREATE TABLE rep.a AS SELECT sum(a.x * b.x) AS s FROM big a, big b"
        run = ran(
            engine,
            script(
                "a.sql", f"CREATE TABLE big AS SELECT * FROM range(999999) t(x); {slow}", "duckdb"
            ),
            script("b.sql", "CREATE TABLE rep.b AS SELECT 1 AS x", "duckdb"),
        )
        assert [(f.path, f.reason) for f in run.failures] == [("a.sql", "stopped after 0.3 s")]
        assert rows(engine, "rep.b") == [(1,)]


def test_functions_written_in_sql_are_macros(engine: DuckEngine) -> None:
    run = ran(
        engine,
        script(
            "f.sql",
            "CREATE TEMP FUNCTION plus(x INT64, y INT64) AS (x + y);\n"
            "CREATE VIEW rep.a AS SELECT plus(id, 1) AS n FROM dbo.sales WHERE id < 2",
            "bigquery",
        ),
    )
    assert run.failures == ()
    assert rows(engine, "rep.a") == [(1,), (2,)]


def test_functions_in_another_language_are_told(engine: DuckEngine) -> None:
    sql = "CREATE TEMP FUNCTION f(x INT64) RETURNS INT64 LANGUAGE js AS 'return x';"
    run = ran(engine, script("f.sql", sql, "bigquery"))
    assert [failure.reason for failure in run.failures] == [
        "the function f is written in a language that is not run here"
    ]


def test_a_macro_can_stand_for_a_function_in_another_language(engine: DuckEngine) -> None:
    engine.execute("CREATE TEMP MACRO f(x) AS x * 10")
    sql = (
        "CREATE TEMP FUNCTION f(x INT64) RETURNS INT64 LANGUAGE js AS 'return x';\n"
        "CREATE VIEW rep.a AS SELECT f(id) AS n FROM dbo.sales WHERE id = 2"
    )
    assert ran(engine, script("f.sql", sql, "bigquery")).failures == ()
    assert rows(engine, "rep.a") == [(20,)]
