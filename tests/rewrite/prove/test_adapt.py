"""Any dialect's trees as SQL that DuckDB runs."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from unwet.lineage.errors import RenderError
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.adapt import order_sensitive, to_duckdb, volatile
from unwet.rewrite.prove.engines import open_duckdb
from unwet.rewrite.prove.judge import difference
from unwet.tests.rewrite.small_world import plan_of

CLOCK = datetime(2024, 5, 6, 7, 8, 9)


def tree(sql: str, dialect: str):  # type: ignore[no-untyped-def]
    (statement,) = parse(verbatim(Source("q.sql", sql)), dialect).statements
    return statement.tree


def nowhere(parts: Sequence[str]) -> None:
    return None


def adapted(sql: str, dialect: str) -> str:
    return to_duckdb(tree(sql, dialect), CLOCK, nowhere)


MOMENT = "2024-05-06 07:08:09"


@pytest.mark.parametrize(
    ("dialect", "expression", "expected"),
    [
        ("tsql", "GETDATE()", MOMENT),
        ("tsql", "CURRENT_TIMESTAMP", MOMENT),
        ("tsql", "SYSDATETIME()", MOMENT),
        ("tsql", "YEAR(GETDATE())", "2024"),
        ("postgres", "now()", MOMENT),
        ("postgres", "clock_timestamp()", "2024-05-06 07:08:10"),
        ("postgres", "CURRENT_DATE - 6", "2024-04-30"),
        ("postgres", "LOCALTIMESTAMP", MOMENT),
        ("postgres", "'now'::timestamp", MOMENT),
        ("postgres", "CURRENT_TIME", "07:08:09"),
        ("postgres", "age(TIMESTAMP '2024-05-05')", "1 day"),
        ("bigquery", "CURRENT_DATETIME()", MOMENT),
        ("bigquery", "CURRENT_DATE()", "2024-05-06"),
        ("snowflake", "SYSDATE()", MOMENT),
        ("mysql", "SYSDATE()", MOMENT),
        ("mysql", "CURDATE()", "2024-05-06"),
        ("mysql", "UTC_TIMESTAMP()", "2024-05-05 22:08:09"),
        ("oracle", "SYSTIMESTAMP", MOMENT),
        ("duckdb", "today()", "2024-05-06"),
    ],
)
def test_the_clock_stands_still(dialect: str, expression: str, expected: str) -> None:
    with open_duckdb(None) as engine:
        sql = adapted(f"SELECT {expression} AS x", dialect)
        assert engine.rows(f"SELECT CAST(x AS VARCHAR) FROM ({sql})") == [(expected,)]


@pytest.mark.parametrize(
    ("dialect", "sql", "rows"),
    [
        ("bigquery", "SELECT SAFE.SUBSTR('abc', 2) AS x", [("bc",)]),
        ("tsql", "SELECT CAST('a' AS VARCHAR(MAX)) AS x", [("a",)]),
        ("oracle", "SELECT 1 AS x FROM dual", [(1,)]),
        ("tsql", "SELECT x FROM (SELECT 1 AS x) t OPTION (MAXDOP 1)", [(1,)]),
        ("postgres", "SELECT x FROM (SELECT 1 AS x) t FOR UPDATE", [(1,)]),
        ("postgres", "SELECT TO_CHAR(7, '0000') AS x", [("0007",)]),
        (
            "bigquery",
            "SELECT ARRAY_AGG(x ORDER BY x DESC LIMIT 2) AS x FROM UNNEST([1, 2, 3]) AS x",
            [([3, 2],)],
        ),
        (
            "bigquery",
            "SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x LIMIT 1)[OFFSET(0)] AS x "
            "FROM UNNEST([2, NULL, 1]) AS x",
            [(1,)],
        ),
        (
            "bigquery",
            "SELECT TO_JSON(s).a.b AS x FROM (SELECT STRUCT(STRUCT(5 AS b) AS a) AS s)",
            [("5",)],
        ),
        (
            "bigquery",
            "SELECT (SELECT AS STRUCT s.* EXCEPT (a)) AS x "
            "FROM (SELECT STRUCT(1 AS a, 2 AS b) AS s)",
            [({"b": 2},)],
        ),
        (
            "bigquery",
            "SELECT (SELECT AS STRUCT s.* REPLACE (s.b + 1 AS a)) AS x "
            "FROM (SELECT STRUCT(1 AS a, 2 AS b) AS s)",
            [({"a": 3, "b": 2},)],
        ),
        ("bigquery", "SELECT t.s.* FROM (SELECT STRUCT(1 AS a, 2 AS b) AS s) AS t", [(1, 2)]),
        (
            "bigquery",
            "SELECT [s][OFFSET(0)].* REPLACE (9 AS b) FROM (SELECT STRUCT(1 AS a, 2 AS b) AS s)",
            [(1, 9)],
        ),
        (
            "bigquery",
            "SELECT s.a, COUNT(*) AS n FROM (SELECT STRUCT(1 AS a) AS s) GROUP BY a",
            [(1, 1)],
        ),
        (
            "bigquery",
            "SELECT t.a FROM (SELECT 1 AS a) AS t JOIN (SELECT 1 AS a) AS u ON t.a = u.a "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY a) = 1",
            [(1,)],
        ),
        (
            "bigquery",
            "SELECT (SELECT AS STRUCT t.s.*) AS x FROM (SELECT STRUCT(1 AS a) AS s) AS t",
            [({"a": 1},)],
        ),
        (
            "bigquery",
            "SELECT (SELECT MAX(k) FROM UNNEST(t.s)) AS x "
            "FROM (SELECT [STRUCT(1 AS k), STRUCT(3 AS k)] AS s) AS t",
            [(3,)],
        ),
        (
            "bigquery",
            "SELECT ARRAY_AGG(k ORDER BY offset DESC) AS x "
            "FROM UNNEST([STRUCT(1 AS k), STRUCT(3 AS k)]) WITH OFFSET",
            [([3, 1],)],
        ),
        ("bigquery", "SELECT JSON_SET('{}', '$.a', 1, '$.b', 'x') AS x", [('{"a":1,"b":"x"}',)]),
        (
            "bigquery",
            "SELECT JSON_OBJECT(ARRAY_AGG(k), ARRAY_AGG(2)) AS x FROM UNNEST(['a']) AS k",
            [('[["a",2]]',)],
        ),
        ("bigquery", "SELECT s.p.q FROM (SELECT STRUCT(STRUCT(4 AS q) AS p) AS s)", [(4,)]),
        ("bigquery", "SELECT SAFE.SUBSTR(SAFE.SUBSTR('abc', 2), 2) AS x", [("c",)]),
        (
            "postgres",
            "SELECT a AS b FROM (VALUES (1), (2), (2), (3)) AS t(a) "
            "ORDER BY b FETCH FIRST 2 ROWS WITH TIES",
            [(1,), (2,), (2,)],
        ),
        (
            "tsql",
            "SELECT TOP 2 WITH TIES SUM(n) AS s FROM (VALUES (1, 1), (2, 1), (3, 1)) AS t(a, n) "
            "GROUP BY a ORDER BY s",
            [(1,), (1,), (1,)],
        ),
        (
            "oracle",
            "SELECT a FROM (SELECT 1 AS a UNION ALL SELECT 2) t ORDER BY a "
            "FETCH FIRST 50 PERCENT ROWS ONLY",
            [(1,)],
        ),
    ],
)
def test_misprints_are_mended(dialect: str, sql: str, rows: list[tuple[object, ...]]) -> None:
    with open_duckdb(None) as engine:
        assert engine.rows(adapted(sql, dialect)) == rows


@pytest.mark.parametrize("order", ["1", ""])
def test_ties_that_duckdb_cannot_be_told_of_are_not_run(order: str) -> None:
    by = f"ORDER BY {order}" if order else ""
    with pytest.raises(RenderError, match="a limit with ties"):
        adapted(f"SELECT a FROM t {by} FETCH FIRST 2 ROWS WITH TIES", "postgres")


def test_a_function_of_a_schema_is_one_name() -> None:
    with open_duckdb(None) as engine:
        engine.execute('CREATE TEMP MACRO "udf.twice"(x) AS x * 2')
        sql = adapted("SELECT udf.twice(udf.twice(3)) AS x", "bigquery")
        assert engine.rows(sql) == [(12,)]


def test_the_clock_stands_still_inside_what_is_replaced() -> None:
    with open_duckdb(None) as engine:
        sql = adapted("SELECT CAST(age(CAST(now() AS date)) AS text) AS x", "postgres")
        assert engine.rows(sql) == [("00:00:00",)]


@pytest.mark.parametrize(
    ("dialect", "value"),
    [
        ("postgres", "B'101'"),
        ("postgres", "X'1F'"),
        ("mysql", "b'101'"),
        ("mysql", "0x1F"),
        ("mysql", "0b11"),
    ],
)
def test_strings_of_bits_are_not_run_as_numbers(dialect: str, value: str) -> None:
    with pytest.raises(RenderError, match="bits"):
        adapted(f"SELECT {value} AS x FROM t", dialect)


@pytest.mark.parametrize(
    ("dialect", "value", "expected"),
    [
        ("bigquery", "0x1F", 31),
        ("snowflake", "X'1F'", b"\x1f"),
        ("spark", "X'1F'", b"\x1f"),
        ("sqlite", "x'1f'", b"\x1f"),
        ("postgres", r"E'\x41'", "A"),
        ("bigquery", "b'abc'", b"abc"),
    ],
)
def test_bytes_and_numbers_are_run(dialect: str, value: str, expected: object) -> None:
    with open_duckdb(None) as engine:
        assert engine.rows(adapted(f"SELECT {value} AS x", dialect)) == [(expected,)]


def test_the_tree_itself_is_not_changed() -> None:
    given = tree("SELECT GETDATE() AS x FROM dbo.t WITH (NOLOCK)", "tsql")
    before = given.sql("tsql")
    to_duckdb(given, CLOCK, lambda parts: ("a", "b"))
    assert given.sql("tsql") == before


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("tsql", "SELECT dbo.t.x FROM dbo.t", 'SELECT t.x FROM "s"."dbo.t" AS "t"'),
        ("tsql", "SELECT a.x FROM srv.dbo.t a", 'SELECT a.x FROM "s"."srv.dbo.t" AS a'),
        ("tsql", "SELECT x FROM #t", 'SELECT x FROM "s"."#t" AS "t"'),
        ("tsql", "SELECT #t.x FROM #t", 'SELECT t.x FROM "s"."#t" AS "t"'),
        (
            "postgres",
            "WITH c AS (SELECT x FROM t) SELECT x FROM c",
            'WITH c AS (SELECT x FROM "s"."t" AS "t") SELECT x FROM c',
        ),
    ],
)
def test_names_are_placed(dialect: str, sql: str, expected: str) -> None:
    made = to_duckdb(tree(sql, dialect), CLOCK, lambda parts: ("s", ".".join(parts)))
    assert made == expected


@pytest.mark.parametrize(
    ("dialect", "sql", "names"),
    [
        ("tsql", "SELECT NEWID() AS x, RAND() AS y", ("rand", "uuid")),
        (
            "postgres",
            "SELECT random(), gen_random_uuid(), nextval('s')",
            ("nextval", "rand", "uuid"),
        ),
        ("databricks", "SELECT * FROM t TABLESAMPLE (10 PERCENT)", ("tablesample",)),
        ("databricks", "SELECT monotonically_increasing_id()", ("monotonically_increasing_id",)),
        ("oracle", "SELECT SYS_GUID() FROM dual", ("sys_guid",)),
        ("postgres", "SELECT now(), x FROM t", ()),
    ],
)
def test_random_functions_are_found(dialect: str, sql: str, names: tuple[str, ...]) -> None:
    assert volatile(tree(sql, dialect)) == names


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a, sum(b) AS s FROM t GROUP BY a", False),
        ("SELECT a FROM t ORDER BY a", False),
        ("SELECT DISTINCT a FROM t", False),
        ("SELECT a FROM t LIMIT 3", True),
        ("SELECT DISTINCT ON (a) a, b FROM t", True),
        ("SELECT row_number() OVER (ORDER BY a) AS n FROM t", True),
        ("SELECT any_value(a) FROM t", True),
        ("SELECT string_agg(a, ',') FROM t", True),
        ("SELECT array_agg(a) FROM t", True),
        ("SELECT some_function(a) FROM t", True),
    ],
)
def test_what_may_depend_on_the_order_of_rows(sql: str, expected: bool) -> None:
    assert order_sensitive(tree(sql, "postgres")) is expected


@pytest.mark.parametrize(
    ("dialect", "expression", "expected"),
    [
        ("postgres", "x / 2", 3),
        ("postgres", "-x / 2", -3),
        ("postgres", "x / 2.0", 3.5),
        ("postgres", "SUM(x) OVER () / COUNT(*) OVER ()", 7),
        ("postgres", "x / (x - 7)", None),
        ("tsql", "x / 2", 3),
        ("trino", "CAST(x AS DOUBLE) / 2", 3.5),
        ("sqlite", "x / 0", None),
        ("mysql", "x / 2", 3.5),
        ("bigquery", "x / 2", 3.5),
        ("snowflake", "x / 2", 3.5),
    ],
)
def test_integers_are_divided_as_their_dialect_says(
    dialect: str, expression: str, expected: object
) -> None:
    with open_duckdb(None) as engine:
        sql = adapted(f"SELECT {expression} AS y FROM (SELECT 7 AS x) AS t", dialect)
        assert engine.rows(sql) == [(expected,)]


def test_what_collects_no_value_has_no_element() -> None:
    """Spark's manual: NULLs are left out, and an empty group has an empty array."""
    values = "FROM VALUES (1, CAST(NULL AS INT)), (2, 5), (2, NULL) AS t(k, x)"
    calls = ("COLLECT_LIST(x)", "COLLECT_SET(x)", "COLLECT_LIST(x) FILTER (WHERE x > 0)")
    with open_duckdb(None) as engine:
        for call in calls:
            grouped = f"SELECT k, SIZE({call}) AS n {values} GROUP BY k"
            assert sorted(engine.rows(adapted(grouped, "spark"))) == [(1, 0), (2, 1)]
        window = f"SELECT k, SIZE(COLLECT_LIST(x) OVER (PARTITION BY k)) AS n {values}"
        assert sorted(engine.rows(adapted(window, "spark"))) == [(1, 0), (2, 1), (2, 1)]


def test_what_counts_true_tests_counts_none_where_all_are_unknown() -> None:
    with open_duckdb(None) as engine:
        unknown = "SELECT COUNTIF(x > 0) AS y FROM (SELECT CAST(NULL AS INT64) AS x) AS t"
        assert engine.rows(adapted(unknown, "bigquery")) == [(0,)]
        window = "SELECT COUNTIF(x > 0) OVER () AS y FROM UNNEST([1, 2, 0, NULL]) AS x"
        assert engine.rows(adapted(window, "bigquery")) == [(2,)] * 4


@pytest.mark.parametrize(
    ("dialect", "expression", "expected"),
    [
        ("tsql", "a + '/' + b", "x/y"),
        ("tsql", "'(' + UPPER(a) + b + ')'", "(Xy)"),
        ("tsql", "CAST(n AS VARCHAR(9)) + a", "7x"),
        ("tsql", "a + NULL + '-'", None),
        ("tsql", "n + 1 + n", "15"),
        ("postgres", "DATE '2024-02-28' + INTERVAL '2 days'", "2024-03-01 00:00:00"),
        ("snowflake", "EQUAL_NULL(a, b) = FALSE", "true"),
        ("snowflake", "NOT EQUAL_NULL(a, 'x')", "false"),
        ("postgres", "(n / 2) / 2", "1"),  # also what stands inside of what is mended
    ],
)
def test_what_other_engines_write_otherwise(
    dialect: str, expression: str, expected: object
) -> None:
    with open_duckdb(None) as engine:
        row = "(SELECT CAST('x' AS VARCHAR(9)) AS a, 'y' AS b, 7 AS n) AS t"
        sql = adapted(f"SELECT {expression} AS y FROM {row}", dialect)
        assert engine.rows(f"SELECT CAST(y AS VARCHAR) FROM ({sql})") == [(expected,)]


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgres", 'SELECT c FROM t ORDER BY c COLLATE "C" LIMIT 2'),
        ("postgres", 'SELECT MIN(c COLLATE "de_DE") AS x FROM t'),
        ("tsql", "SELECT c COLLATE Latin1_General_CI_AS AS x FROM t"),
        ("sqlite", "SELECT c COLLATE RTRIM = 'x' AS x FROM t"),
    ],
)
def test_what_only_another_collation_shows_is_not_run(dialect: str, sql: str) -> None:
    with pytest.raises(RenderError, match="collation"):
        adapted(sql, dialect)


def test_collations_of_duckdb_are_run() -> None:
    with open_duckdb(None) as engine:
        sql = adapted("SELECT 'A' COLLATE nocase.noaccent = 'a' AS x", "duckdb")
        assert engine.rows(sql) == [(True,)]


def test_strings_of_bits_are_told_of_as_they_are_written() -> None:
    old, new = (plan_of(f"SELECT {x} AS x FROM t", "postgres") for x in ("B'101'", "c"))
    assert "B'101'" in difference(old, new, Normalizer(), "duckdb")


_SUMS = (
    "SELECT SUM(s) / SUM(n) AS a FROM (SELECT SUM(x) AS s, COUNT(x) AS n FROM t GROUP BY x) AS f"
)


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("postgres", _SUMS, 1.5),  # SUM of BIGINT is NUMERIC there
        ("redshift", _SUMS, 1.5),
        ("tsql", _SUMS, 1),
        ("trino", _SUMS, 1),
        ("postgres", "SELECT SUM(x) / 2 AS a FROM t", 1),  # x is INTEGER here: SUM is BIGINT
        ("postgres", "SELECT COUNT(x) / 4 AS a FROM t", 0),
        ("postgres", "SELECT SUM(CAST(x AS BIGINT)) / 2 AS a FROM t", 1.5),
        ("postgres", "SELECT SUM(CAST(x AS NUMERIC)) / 2 AS a FROM t", 1.5),
        ("postgres", "WITH f AS (SELECT COUNT(*) AS n FROM t) SELECT SUM(n) / 4 AS a FROM f", 0.5),
    ],
)
def test_quotients_of_sums_are_what_the_dialect_makes_of_them(
    dialect: str, sql: str, expected: float
) -> None:
    with open_duckdb(None) as engine:
        engine.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1), (2)) AS v (x)")
        ((value,),) = engine.rows(adapted(sql, dialect))
    assert value == expected
