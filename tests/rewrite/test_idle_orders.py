"""Orders of CTEs and derived tables that nothing depends on go; the others stay."""

from __future__ import annotations

import pytest
import sqlglot

from unwet.rewrite.idle_orders import without_idle_orders, without_orders_of_parts
from unwet.tests.rewrite.small_world import Worlds

GONE = [
    ("SELECT x.a, COUNT(*) AS n FROM (SELECT a, b FROM t ORDER BY b) AS x GROUP BY x.a",
     "SELECT x.a, COUNT(*) AS n FROM (SELECT a, b FROM t) AS x GROUP BY x.a"),
    ("WITH x AS (SELECT a, b FROM t GROUP BY a, b ORDER BY a DESC) "
     "SELECT a, SUM(b) AS s FROM x GROUP BY a ORDER BY a",
     "WITH x AS (SELECT a, b FROM t GROUP BY a, b) "
     "SELECT a, SUM(b) AS s FROM x GROUP BY a ORDER BY a"),
    ("SELECT t.c, x.a FROM t JOIN (SELECT a, k FROM u ORDER BY k) AS x ON x.k = t.b",
     "SELECT t.c, x.a FROM t JOIN (SELECT a, k FROM u) AS x ON x.k = t.b"),
    ("SELECT DISTINCT x.a FROM (SELECT a, b FROM t ORDER BY b) AS x",
     "SELECT DISTINCT x.a FROM (SELECT a, b FROM t) AS x"),
    ("SELECT x.a FROM (SELECT y.a FROM (SELECT a, b FROM t ORDER BY b) AS y ORDER BY y.a) AS x",
     "SELECT x.a FROM (SELECT y.a FROM (SELECT a, b FROM t) AS y ORDER BY y.a) AS x"),
    ("WITH x AS (SELECT a FROM t UNION ALL SELECT k FROM u ORDER BY a) "
     "SELECT MAX(a) AS m FROM x GROUP BY a",
     "WITH x AS (SELECT a FROM t UNION ALL SELECT k FROM u) SELECT MAX(a) AS m FROM x GROUP BY a"),
    ("WITH x AS (SELECT a FROM t ORDER BY a) SELECT a FROM x UNION SELECT k FROM u ORDER BY a",
     "WITH x AS (SELECT a FROM t) SELECT a FROM x UNION SELECT k FROM u ORDER BY a"),
    ("SELECT x.a, SUM(x.b) OVER (ORDER BY x.b) AS r FROM (SELECT a, b FROM t ORDER BY b) AS x "
     "JOIN u ON u.a = x.a",
     "SELECT x.a, SUM(x.b) OVER (ORDER BY x.b) AS r FROM (SELECT a, b FROM t) AS x "
     "JOIN u ON u.a = x.a"),
    ("SELECT x.a, RANK() OVER (ORDER BY x.b) AS r FROM (SELECT a, b FROM t ORDER BY b) AS x "
     "JOIN u ON u.a = x.a",
     "SELECT x.a, RANK() OVER (ORDER BY x.b) AS r FROM (SELECT a, b FROM t) AS x "
     "JOIN u ON u.a = x.a"),
    ("SELECT x.a, x.c, APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b, c FROM t ORDER BY a) AS x "
     "GROUP BY x.a, x.c ORDER BY m",
     "SELECT x.a, x.c, APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b, c FROM t) AS x "
     "GROUP BY x.a, x.c ORDER BY m"),
    ("WITH x AS (SELECT a + 1 AS d, b FROM t ORDER BY 1) "
     "SELECT d, APPROX_QUANTILE(b, 0.5) AS m FROM x GROUP BY ALL",
     "WITH x AS (SELECT a + 1 AS d, b FROM t) "
     "SELECT d, APPROX_QUANTILE(b, 0.5) AS m FROM x GROUP BY ALL"),
]  # fmt: skip
STAYS = [
    "SELECT x.a, APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b FROM t ORDER BY b) AS x "
    "GROUP BY x.a",
    "SELECT x.a, APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b, c FROM t ORDER BY a, c) AS x "
    "GROUP BY x.a",
    "SELECT x.a, APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b FROM t ORDER BY a) AS x "
    "JOIN u ON u.a = x.a GROUP BY x.a",
    "SELECT b AS a, APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b FROM t ORDER BY a) AS x "
    "GROUP BY ALL",
    "SELECT APPROX_QUANTILE(x.b, 0.5) AS m FROM (SELECT a, b FROM t ORDER BY a) AS x "
    "GROUP BY ROLLUP (x.a)",
    "WITH x AS (SELECT a, b FROM t ORDER BY a) SELECT a, APPROX_QUANTILE(b, 0.5) AS m FROM x "
    "GROUP BY a UNION ALL SELECT 1, APPROX_QUANTILE(b, 0.5) FROM x",
    "SELECT x.a, LIST(x.b) AS bs FROM (SELECT a, b FROM t ORDER BY a) AS x GROUP BY x.a",
    "SELECT x.a, COUNT(*) AS n FROM (SELECT a, b FROM t ORDER BY a, b LIMIT 2) AS x GROUP BY x.a",
    "SELECT x.a, COUNT(*) AS n FROM (SELECT a, b FROM t ORDER BY a, b OFFSET 1) AS x GROUP BY x.a",
    "SELECT x.b, COUNT(*) AS n FROM (SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b) AS x "
    "GROUP BY x.b",
    "SELECT x.a, LIST(x.b) AS bs FROM (SELECT a, b FROM t ORDER BY b) AS x GROUP BY x.a",
    "SELECT x.a, STRING_AGG(x.c, ',') AS s FROM (SELECT a, c FROM t ORDER BY c) AS x GROUP BY x.a",
    "SELECT x.a, ANY_VALUE(x.b) AS b FROM (SELECT a, b FROM t ORDER BY b) AS x GROUP BY x.a",
    "SELECT x.a, FIRST(x.b) AS b FROM (SELECT a, b FROM t ORDER BY b) AS x GROUP BY x.a",
    "SELECT x.a, ROW_NUMBER() OVER () AS n FROM (SELECT a, b FROM t ORDER BY b) AS x "
    "JOIN u ON u.a = x.a",
    "SELECT x.a, ROW_NUMBER() OVER (ORDER BY 1) AS n FROM (SELECT a, b FROM t ORDER BY b) AS x "
    "JOIN u ON u.a = x.a",
    "SELECT x.a, LAG(x.b) OVER (ORDER BY x.a) AS n FROM (SELECT a, b FROM t ORDER BY a, b) AS x "
    "JOIN u ON u.a = x.a",
    "SELECT x.a, SUM(x.b) OVER (ORDER BY x.a ROWS UNBOUNDED PRECEDING) AS n "
    "FROM (SELECT a, b FROM t ORDER BY a, b) AS x JOIN u ON u.a = x.a",
    "SELECT x.a, MAX(x.b) AS m FROM (SELECT a, b FROM t ORDER BY b) AS x GROUP BY x.a "
    "ORDER BY m LIMIT 2",
    "SELECT DISTINCT ON (x.a) x.a, x.b FROM (SELECT a, b FROM t ORDER BY b) AS x ORDER BY x.a",
    "SELECT x.a, COUNT(*) AS n FROM (SELECT a FROM (SELECT a, b FROM t ORDER BY b) AS y LIMIT 1) "
    "AS x GROUP BY x.a",
    "SELECT * FROM (SELECT a, b FROM t ORDER BY b) AS x",
    "SELECT * FROM (SELECT a, b FROM t ORDER BY b) AS x WHERE a > 1",
    "WITH x AS (SELECT a, b FROM t ORDER BY b) SELECT a FROM x",
    "WITH x AS (SELECT a FROM t ORDER BY a) SELECT a FROM x UNION ALL SELECT k FROM u",
    "SELECT a, b FROM t ORDER BY b",
]
TIES_IN_CAPITALS = [
    "SELECT x.a, x.c, COUNT(*) AS n FROM (SELECT a, c FROM t ORDER BY a) AS x GROUP BY x.a, x.c "
    "ORDER BY a, c LIMIT 2",
    "SELECT x.a, GROUP_CONCAT(x.c ORDER BY x.c) AS cs FROM (SELECT a, c FROM t "
    "ORDER BY a) AS x GROUP BY x.a",
]


def said(query: str, dialect: str = "duckdb") -> str:
    tree = sqlglot.parse_one(query, read=dialect)
    without_idle_orders(tree, dialect)
    return tree.sql(dialect)


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize(("query", "left"), GONE)
def test_what_goes_gives_the_same_rows(query: str, left: str, worlds: Worlds) -> None:
    assert said(query) == left
    assert worlds.difference(query, left) == ""


@pytest.mark.parametrize("query", STAYS)
def test_what_counts_or_is_looked_at_stays(query: str) -> None:
    assert said(query) == sqlglot.parse_one(query, read="duckdb").sql("duckdb")


PARTS = [
    ("(SELECT a FROM t ORDER BY a) UNION ALL (SELECT k FROM u ORDER BY k DESC)",
     "SELECT a FROM t UNION ALL SELECT k FROM u"),
    ("(SELECT a FROM t ORDER BY a) UNION ALL SELECT k FROM u "
     "UNION ALL (SELECT b FROM t ORDER BY a)",
     "SELECT a FROM t UNION ALL SELECT k FROM u UNION ALL SELECT b FROM t"),
    ("(WITH x AS (SELECT a FROM t) SELECT a FROM x ORDER BY a) UNION ALL SELECT k FROM u",
     "(WITH x AS (SELECT a FROM t) SELECT a FROM x) UNION ALL SELECT k FROM u"),
    ("(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL (SELECT k FROM u ORDER BY k)",
     "(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL SELECT k FROM u"),
]  # fmt: skip
PARTS_STAY = [
    "(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL (SELECT k FROM u ORDER BY k LIMIT 2)",
    "(SELECT DISTINCT ON (a) a FROM t ORDER BY a, b) UNION ALL SELECT k FROM u",
    "(SELECT LIST(a) FROM (SELECT a FROM t ORDER BY a) AS x ORDER BY 1) UNION ALL SELECT k FROM u",
    "SELECT a FROM t ORDER BY a",
]


@pytest.mark.parametrize(("query", "left"), PARTS)
def test_rows_of_several_inserts_have_no_order(query: str, left: str, worlds: Worlds) -> None:
    tree = sqlglot.parse_one(query, read="duckdb")
    without_orders_of_parts(tree, "duckdb", query.count("UNION") + 1)
    assert tree.sql("duckdb") == left
    assert worlds.difference(query, left) == ""


@pytest.mark.parametrize("query", PARTS_STAY)
def test_parts_that_an_order_chooses_stay(query: str) -> None:
    tree = sqlglot.parse_one(query, read="duckdb")
    without_orders_of_parts(tree, "duckdb", query.count("UNION") + 1)
    assert tree.sql("duckdb") == sqlglot.parse_one(query, read="duckdb").sql("duckdb")


def test_an_order_that_one_insert_says_stays() -> None:
    tree = sqlglot.parse_one("(SELECT a FROM t ORDER BY a) UNION ALL (SELECT k FROM u ORDER BY k)")
    without_orders_of_parts(tree, "duckdb", 1)
    assert tree.sql().count("ORDER BY") == 2


@pytest.mark.parametrize(
    ("dialect", "query"),
    [
        ("tsql", "(SELECT TOP 3 a FROM t ORDER BY a) AS x GROUP BY a"),
        ("oracle", "(SELECT a FROM t ORDER BY a) x WHERE ROWNUM < 3 GROUP BY a"),
        ("clickhouse", "(SELECT a FROM t ORDER BY a WITH FILL) AS x GROUP BY a"),
        ("clickhouse", "(SELECT a FROM t ORDER BY a LIMIT 1 BY a) AS x GROUP BY a"),
        ("bigquery", "(SELECT a, b FROM t ORDER BY b) AS x GROUP BY a HAVING ANY_VALUE(b) > 1"),
        ("mysql", "(SELECT a, b FROM t ORDER BY b) AS x GROUP BY a HAVING GROUP_CONCAT(b) > ''"),
    ],
)  # fmt: skip
def test_in_other_dialects_what_chooses_rows_stays(dialect: str, query: str) -> None:
    assert " ORDER BY " in said(f"SELECT a, COUNT(*) AS n FROM {query}", dialect)


@pytest.mark.parametrize("query", TIES_IN_CAPITALS)
def test_texts_that_are_equal_in_a_collation_may_tie_and_differ(query: str) -> None:
    kept = sqlglot.parse_one(query, read="mysql").sql("mysql")
    assert said(query, "mysql") == kept
    assert said(query, "bigquery") != sqlglot.parse_one(query, read="bigquery").sql("bigquery")
