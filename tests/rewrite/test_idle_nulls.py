"""NULLs that COALESCE never gives go, and an ELSE NULL, where the output keeps its name."""

import duckdb
import pytest
import sqlglot

from unwet.rewrite.idle_nulls import without_idle_nulls

CASES = [
    ("SELECT COALESCE(NULL, a, NULL, b) AS x", "SELECT COALESCE(a, b) AS x"),
    ("SELECT COALESCE(NULL, t.a, NULL) AS x, MAX(COALESCE(a, NULL)) AS y",
     "SELECT t.a AS x, MAX(a) AS y"),
    ("SELECT COALESCE(NULL, COALESCE(NULL, a)) AS x", "SELECT a AS x"),
    ("SELECT COALESCE(NULL, a)", "SELECT COALESCE(NULL, a)"),
    ("SELECT COALESCE(NULL, NULL) AS x", "SELECT COALESCE(NULL, NULL) AS x"),
    ("SELECT COALESCE(NULL, 1) AS x", "SELECT COALESCE(NULL, 1) AS x"),
    ("SELECT a AS x FROM t GROUP BY COALESCE(NULL, 1)",
     "SELECT a AS x FROM t GROUP BY COALESCE(NULL, 1)"),
    ("SELECT CASE WHEN a THEN b ELSE NULL END AS x", "SELECT CASE WHEN a THEN b END AS x"),
    ("SELECT MAX(CASE a WHEN 1 THEN CASE WHEN b THEN c ELSE NULL END ELSE NULL END) AS x",
     "SELECT MAX(CASE a WHEN 1 THEN CASE WHEN b THEN c END END) AS x"),
    ("SELECT a AS x FROM t WHERE CASE WHEN a THEN b ELSE NULL END = 1",
     "SELECT a AS x FROM t WHERE CASE WHEN a THEN b END = 1"),
    ("SELECT MAX(CASE WHEN a THEN b ELSE NULL END)",
     "SELECT MAX(CASE WHEN a THEN b ELSE NULL END)"),
    ("SELECT CASE WHEN a THEN b ELSE NULL /* nobody */ END AS x",
     "SELECT CASE WHEN a THEN b ELSE NULL /* nobody */ END AS x"),
    ("SELECT CASE WHEN a THEN b ELSE CAST(NULL AS INT) END AS x",
     "SELECT CASE WHEN a THEN b ELSE CAST(NULL AS INT) END AS x"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), CASES)
def test_idle_nulls_go(written: str, said: str) -> None:
    tree = sqlglot.parse_one(written)
    without_idle_nulls(tree)
    assert tree.sql() == said


@pytest.mark.parametrize("said", [
    "CASE WHEN a > 0 THEN b ELSE NULL END",
    "CASE a WHEN 1 THEN CASE WHEN b > 1 THEN c ELSE NULL END ELSE NULL END",
    "COALESCE(NULL, a, NULL, b)",
])  # fmt: skip
def test_law_the_rows_are_the_same(said: str) -> None:
    some = "(VALUES (1), (2), (NULL))"
    query = f"SELECT a, b, c, {said} AS x FROM {some} t(a), {some} u(b), {some} v(c) ORDER BY ALL"
    tree = sqlglot.parse_one(query, dialect="duckdb")
    without_idle_nulls(tree)
    after = tree.sql(dialect="duckdb")
    assert after != sqlglot.parse_one(query, dialect="duckdb").sql(dialect="duckdb")
    assert duckdb.execute(query).fetchall() == duckdb.execute(after).fetchall()
