"""Parentheses that say nothing go; those that the order of operators needs stay."""

import pytest
import sqlglot

from unwet.rewrite.parentheses import without_idle_parentheses

CASES = [
    ("", "SELECT ((a.x)) AS x, (COUNT(DISTINCT a.y)) AS n",
     "SELECT a.x AS x, COUNT(DISTINCT a.y) AS n"),
    ("", "SELECT (a + b) * c AS x, (a * b) + c AS y, a - (b - c) AS z",
     "SELECT (a + b) * c AS x, a * b + c AS y, a - (b - c) AS z"),
    ("", "SELECT 1 FROM t WHERE (a = 1) AND (b = 2 OR c = 3)",
     "SELECT 1 FROM t WHERE a = 1 AND (b = 2 OR c = 3)"),
    ("", "SELECT 1 FROM t WHERE NOT (a = b) AND ((a = b) = c)",
     "SELECT 1 FROM t WHERE NOT (a = b) AND (a = b) = c"),
    ("", "SELECT 1 FROM t JOIN u ON (t.a = u.a) WHERE (t.a IN ('x'))",
     "SELECT 1 FROM t JOIN u ON t.a = u.a WHERE t.a IN ('x')"),
    ("", "SELECT a FROM t GROUP BY (a), (1)", "SELECT a FROM t GROUP BY a, (1)"),
    ("", "SELECT CASE WHEN (a > 1) THEN (b) END AS x", "SELECT CASE WHEN a > 1 THEN b END AS x"),
    ("", "SELECT (a || b) AT TIME ZONE 'UTC' AS x", "SELECT (a || b) AT TIME ZONE 'UTC' AS x"),
    ("", "SELECT (SELECT 1) + (1) AS x", "SELECT (SELECT 1) + 1 AS x"),
    ("", "SELECT (a + b), (a)", "SELECT (a + b), a"),
    ("postgres", "SELECT (d ->> 'x') || 'c' AS x, CAST((d ->> 'x') AS INT) AS y",
     "SELECT (d ->> 'x') || 'c' AS x, CAST(d ->> 'x' AS INT) AS y"),
    ("postgres", "SELECT 1 FROM t WHERE x LIKE ANY ('{a}')",
     "SELECT 1 FROM t WHERE x LIKE ANY('{a}')"),
    ("postgres", "SELECT (t.pair).a AS a FROM t", "SELECT (t.pair).a AS a FROM t"),
    ("duckdb", "SELECT - (1) AS a, INTERVAL (1) DAY AS b",
     "SELECT -(1) AS a, INTERVAL (1) DAY AS b"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "written", "said"), CASES)
def test_only_idle_parentheses_go(dialect: str, written: str, said: str) -> None:
    tree = sqlglot.parse_one(written, read=dialect or None)
    without_idle_parentheses(tree, dialect)
    assert tree.sql(dialect or None) == said
    assert tree == sqlglot.parse_one(said, read=dialect or None)


def test_a_comment_stays_where_its_parentheses_went() -> None:
    tree = sqlglot.parse_one("SELECT (a) /* net */ AS x FROM t")
    without_idle_parentheses(tree, "")
    assert "/* net */" in tree.sql()
    assert "(" not in tree.sql()
