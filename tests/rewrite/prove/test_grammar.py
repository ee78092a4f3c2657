"""Queries that our parser reads and no engine of the dialect runs."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot

from unwet.rewrite.prove.grammar import not_run

TWICE = "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a), a AS (SELECT 2 AS x) SELECT x FROM b"
INSIDE = "WITH a AS (WITH b AS (SELECT 1 AS x) SELECT x FROM b) SELECT x FROM a"
BELOW = "SELECT x FROM (WITH b AS (SELECT 1 AS x) SELECT x FROM b) AS a"
NOWHERE = 'SELECT x FROM (SELECT 1 AS x) WHERE "".x = 1'
SHADOWED = f"WITH b AS (SELECT 2 AS x), {INSIDE.removeprefix('WITH ')}"
PLAIN = "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM b UNION ALL SELECT 3"


@pytest.mark.parametrize(
    ("query", "dialect", "why"),
    [
        (TWICE, "duckdb", "one WITH has the name a twice"),
        (TWICE.replace(", a AS", ", A AS"), "duckdb", "one WITH has the name a twice"),
        (TWICE, "databricks", "one WITH has the name a twice"),
        (TWICE, "tsql", "one WITH has the name a twice"),
        (INSIDE, "tsql", "SQL Server has no WITH inside of a query"),
        (BELOW, "tsql", "SQL Server has no WITH inside of a query"),
        (NOWHERE, "duckdb", "a column is one of a relation without a name"),
        (NOWHERE, "postgres", "a column is one of a relation without a name"),
        (INSIDE, "duckdb", ""),
        (SHADOWED, "duckdb", ""),
        (PLAIN, "duckdb", ""),
        (PLAIN, "tsql", ""),
    ],
)
def test_what_no_engine_runs_is_told(query: str, dialect: str, why: str) -> None:
    assert not_run(sqlglot.parse_one(query, dialect=dialect), dialect) == why
    if dialect == "duckdb":
        try:
            duckdb.connect().execute(query)
            runs = True
        except duckdb.ParserException:
            runs = False
        assert runs is not bool(why)


def test_a_name_in_another_case_is_another_one_where_quotes_say_so() -> None:
    quoted = TWICE.replace(", a AS", ', "A" AS')
    assert not_run(sqlglot.parse_one(quoted, dialect="postgres"), "postgres") == ""
