"""A condition that is always true asks nothing."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.compose import Draft
from unwet.rewrite.idle_truths import without_truths
from unwet.rewrite.remembered import Remembered


def draft(sql: str) -> Draft:
    tree = parse_one(sql, dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return Draft("r", tree, (), (), ())


def made(sql: str, *stay: str) -> str:
    [found] = without_truths([draft(sql)], {*stay}, Remembered())
    return found.tree.sql("duckdb")


CASES = [
    ("SELECT a FROM t WHERE 1 = 1 AND a > 1", "SELECT a FROM t WHERE a > 1"),
    ("SELECT a FROM t WHERE a > 1 AND (b IS NULL AND TRUE)",
     "SELECT a FROM t WHERE a > 1 AND (b IS NULL)"),
    ("SELECT a FROM t WHERE 1 = 1", "SELECT a FROM t"),
    ("SELECT a FROM t WHERE TRUE AND 1 = 1", "SELECT a FROM t"),
    ("SELECT a FROM t WHERE 2 = 2 AND (a = 1 OR TRUE)", "SELECT a FROM t WHERE (a = 1 OR TRUE)"),
    ("SELECT COUNT(*) AS n FROM t GROUP BY a HAVING 1 = 1 AND COUNT(*) > 1",
     "SELECT COUNT(*) AS n FROM t GROUP BY a HAVING COUNT(*) > 1"),
    ("SELECT t.a FROM t LEFT JOIN t AS u ON 1 = 1 AND t.a = u.b",
     "SELECT t.a FROM t LEFT JOIN t AS u ON t.a = u.b"),
    ("SELECT a FROM (SELECT a FROM t WHERE 1 = 1 AND NOT b IS NULL) AS x WHERE TRUE",
     "SELECT a FROM (SELECT a FROM t WHERE NOT b IS NULL) AS x"),
    ("SELECT a FROM t WHERE 1 = 1 AND a > 1 QUALIFY ROW_NUMBER() OVER (ORDER BY a, b) = 1",
     "SELECT a FROM t WHERE a > 1 QUALIFY ROW_NUMBER() OVER (ORDER BY a, b) = 1"),
    # BigQuery wants a WHERE there
    ("SELECT a FROM t WHERE TRUE QUALIFY ROW_NUMBER() OVER (ORDER BY a, b) = 1", None),
    ("SELECT a FROM t WHERE 1 = 1 AND TRUE QUALIFY ROW_NUMBER() OVER (ORDER BY a, b) = 1",
     "SELECT a FROM t WHERE TRUE QUALIFY ROW_NUMBER() OVER (ORDER BY a, b) = 1"),
    ("SELECT t.a FROM t LEFT JOIN t AS u ON 1 = 1 AND TRUE",
     "SELECT t.a FROM t LEFT JOIN t AS u ON TRUE"),
    # what is not beside others, is no filter, or may not be true
    ("SELECT t.a FROM t LEFT JOIN t AS u ON TRUE", None),
    ("SELECT MAX(a) AS a FROM t HAVING 1 = 1", None),
    ("SELECT a FROM t WHERE 1 = 1 OR a > 1", None),
    ("SELECT a FROM t WHERE NOT (1 = 1 AND a > 1)", None),
    ("SELECT a FROM t WHERE 1 = 2 AND a > 1", None),
    ("SELECT a FROM t WHERE FALSE AND a > 1", None),
    ("SELECT a FROM t WHERE '1' = '1' AND a > 1", None),
    ("SELECT 1 = 1 AND a > 1 AS b FROM t", None),
    ("SELECT CASE WHEN 1 = 1 AND a > 1 THEN 1 END AS b FROM t", None),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "wanted"), CASES)
def test_what_is_always_true_goes(sql: str, wanted: str | None) -> None:
    assert made(sql) == (wanted or parse_one(sql, dialect="duckdb").sql("duckdb"))


@pytest.mark.parametrize(("sql", "wanted"), CASES)
def test_the_rows_are_what_they_were(sql: str, wanted: str | None) -> None:
    base = duckdb.connect()
    base.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, NULL), (2, 2), (2, 2), (NULL, 1),"
                 " (3, NULL)) AS v (a, b)")  # fmt: skip
    old, new = (base.sql(f"FROM ({text}) ORDER BY ALL").fetchall() for text in (sql, made(sql)))
    assert old == new and (old or "1 = 2" in sql or "FALSE" in sql)


def test_a_comment_is_said_of_what_stays() -> None:
    sql = "SELECT a FROM t WHERE 1 = 1 /* all */ AND a > 1 /* two */"
    assert made(sql).count("/* all */") == made(sql).count("/* two */") == 1
    assert "1 = 1" not in made(sql)
    sql = "SELECT a FROM t WHERE 1 = 1 /* nothing yet */"
    assert made(sql) == sql
    sql = "SELECT a FROM t WHERE 1 = 1 /* one */ AND TRUE /* two */"
    assert made(sql) == "SELECT a FROM t WHERE TRUE /* one */ /* two */"


def test_a_report_that_keeps_its_words_keeps_these() -> None:
    sql = "SELECT a FROM t WHERE 1 = 1 AND a > 1"
    assert made(sql, "r") == sql
