"""Columns of a derived table keep their own name without saying it twice, in T-SQL."""

from __future__ import annotations

import pytest
from sqlglot import parse_one

from unwet.lineage.printing import render

CASES = [
    "WITH c AS (SELECT t.a, [D], COUNT(*) AS n FROM t GROUP BY t.a, [D]) SELECT a FROM c",
    "SELECT a FROM (SELECT c.a, x AS y FROM c) AS z",
    "SELECT a FROM (SELECT a FROM c UNION ALL SELECT b FROM c) AS x",
    "SELECT x FROM (SELECT q.b /* note */ FROM (SELECT b FROM t) AS q) AS a",
    "SELECT x FROM (SELECT b, 'c AS own' AS k FROM t) AS a",
]


@pytest.mark.parametrize("dialect", ["tsql", "fabric"])
@pytest.mark.parametrize("sql", CASES)
def test_a_column_is_printed_as_it_was_written(sql: str, dialect: str) -> None:
    assert render(parse_one(sql, dialect=dialect), dialect, pretty=False) == sql


def test_what_is_no_column_and_what_wants_quotes_get_names() -> None:
    sql = "SELECT x FROM (SELECT [B c], 1 + 1 FROM t) AS a"
    said = "SELECT x FROM (SELECT [B c] AS [B c], 1 + 1 AS _col_1 FROM t) AS a"
    assert render(parse_one(sql, dialect="tsql"), "tsql", pretty=False) == said


def test_other_dialects_say_what_was_written() -> None:
    sql = "SELECT a FROM (SELECT c.a AS a FROM c) AS z"
    assert render(parse_one(sql, dialect="duckdb"), "duckdb", pretty=False) == sql
