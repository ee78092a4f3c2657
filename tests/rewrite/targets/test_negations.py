"""NOT stands in a test, where that is read as the same tree."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from unwet.rewrite.targets.negations import negated

SAID = [
    ("SELECT a FROM t WHERE NOT a IS NULL", "SELECT a FROM t WHERE a IS NOT NULL"),
    ("SELECT a FROM t WHERE b = 1 AND NOT t.a IN (1, 2)",
     "SELECT a FROM t WHERE b = 1 AND t.a NOT IN (1, 2)"),
    ("SELECT a FROM t WHERE (NOT a IN (SELECT k FROM u) OR NOT a BETWEEN 1 AND 2)",
     "SELECT a FROM t WHERE (a NOT IN (SELECT k FROM u) OR a NOT BETWEEN 1 AND 2)"),
    ("SELECT CASE WHEN NOT a IS NULL THEN NOT b IS NULL ELSE NOT c IS NULL END AS x FROM t",
     "SELECT CASE WHEN a IS NOT NULL THEN b IS NOT NULL ELSE c IS NOT NULL END AS x FROM t"),
    ("SELECT COUNT_IF(NOT a IS NULL) AS n FROM t JOIN u ON NOT t.k IS NULL",
     "SELECT COUNT_IF(a IS NOT NULL) AS n FROM t JOIN u ON t.k IS NOT NULL"),
]  # fmt: skip
LEFT = [
    "SELECT a FROM t WHERE b = NOT a IS NULL",  # IS binds less than = in PostgreSQL
    "SELECT a FROM t WHERE NOT NOT a IS NULL",
    "SELECT 'AND NOT a IS NULL' AS x, \"(NOT a IS NULL\" FROM t",
    "SELECT a /* AND NOT a IS NULL */ FROM t",
    "SELECT a FROM t WHERE NOT a + 1 IS NULL AND NOT f(a) IN (1)",
    "SELECT a FROM t WHERE NOT EXISTS(SELECT 1 FROM u) AND NOT (a IS NULL)",
    "SELECT a FROM t WHERE NOT b AND a IN (1)",
]


@pytest.mark.parametrize(("printed", "said"), SAID)
def test_not_stands_in_the_test(printed: str, said: str) -> None:
    for dialect in ("duckdb", "redshift", "bigquery", "tsql", "databricks", "trino", "mysql"):
        assert negated(printed, dialect) == said == negated(said, dialect)
        assert parse_one(printed, dialect=dialect) == parse_one(said, dialect=dialect)


@pytest.mark.parametrize("printed", LEFT)
def test_what_may_be_something_else_stays(printed: str) -> None:
    assert negated(printed, "duckdb") == printed


def test_a_row_of_postgresql_may_be_neither() -> None:
    printed = "SELECT a FROM t WHERE NOT a IS NULL AND NOT b IN (1)"
    assert negated(printed, "postgres") == "SELECT a FROM t WHERE NOT a IS NULL AND b NOT IN (1)"


def test_not_in_of_snowflake_is_read_as_not_equal_to_all() -> None:
    printed = "SELECT a FROM t WHERE NOT a IS NULL AND NOT b IN (SELECT k FROM u)"
    assert negated(printed, "snowflake") == (
        "SELECT a FROM t WHERE a IS NOT NULL AND NOT b IN (SELECT k FROM u)"
    )


def test_the_beginning_of_a_part_may_stand_behind_an_operator() -> None:
    assert negated("NOT a IS NULL", "duckdb") == "a IS NOT NULL"
    part = "NOT a IS NULL AND NOT b IS NULL"
    assert negated(part, "duckdb", is_whole=False) == "NOT a IS NULL AND b IS NOT NULL"
