"""GROUP BY the number of an output is GROUP BY its expression; both are executed."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import meaning_of
from unwet.rewrite.positions import by_expression, by_position

BAND = "CASE WHEN a < 10 THEN 'young' WHEN a < 60 THEN 'adult' WHEN a >= 60 THEN 'old' ELSE '?' END"
QUERIES = (
    f"SELECT {BAND} AS band, COUNT(*) AS n FROM t GROUP BY {BAND}",
    f"SELECT k, COUNT(*) AS n, {BAND} AS band FROM t GROUP BY {BAND}, k",
    f"SELECT k, COUNT(*) AS n, {BAND} AS band FROM t GROUP BY k, {BAND}, b",
    f"SELECT x.band, x.n FROM (SELECT {BAND} AS band, SUM(b) AS n FROM t GROUP BY {BAND}, k) AS x",
)
LEFT_ALONE = (
    "SELECT k, a, COUNT(*) AS n FROM t GROUP BY k, a",
    f"SELECT *, {BAND} AS band FROM t GROUP BY k, a, b, {BAND}",
    f"SELECT COUNT(*) AS n FROM t GROUP BY {BAND}",
    f"SELECT {BAND} AS band, COUNT(*) AS n FROM t GROUP BY ROLLUP ({BAND})",
    f"SELECT {BAND.replace('a <', 'RANDOM() <')} AS x FROM t GROUP BY "
    f"{BAND.replace('a <', 'RANDOM() <')}",
)


def rewritten(sql: str, dialect: str = "duckdb") -> str:
    tree = sqlglot.parse_one(sql, read=dialect)
    by_position(tree, dialect)
    return tree.sql(dialect)


@pytest.mark.parametrize("sql", QUERIES)
def test_the_rows_are_the_same(sql: str) -> None:
    base = duckdb.connect()
    base.execute("CREATE TABLE t AS SELECT i % 3 AS k, CASE WHEN i % 7 > 0 THEN i END AS a, "
                 "i % 5 AS b FROM range(100) AS r (i)")  # fmt: skip
    made = rewritten(sql)
    assert made.count("CASE") == 1
    assert sorted(base.execute(made).fetchall(), key=str) == sorted(
        base.execute(sql).fetchall(), key=str
    )


@pytest.mark.parametrize("sql", QUERIES)
def test_and_back(sql: str) -> None:
    tree = sqlglot.parse_one(rewritten(sql), read="duckdb")
    by_expression(tree, "duckdb")
    assert tree == sqlglot.parse_one(sql, read="duckdb")


@pytest.mark.parametrize("sql", LEFT_ALONE)
def test_what_is_short_or_another_thing_is_left_alone(sql: str) -> None:
    assert rewritten(sql) == sqlglot.parse_one(sql, read="duckdb").sql("duckdb")


@pytest.mark.parametrize("dialect", ["tsql", "oracle", "hive"])
def test_where_a_number_is_a_constant_nothing_changes(dialect: str) -> None:
    assert rewritten(QUERIES[0], dialect) == sqlglot.parse_one(QUERIES[0], dialect).sql(dialect)


def test_a_query_that_is_not_understood_says_the_same_by_numbers() -> None:
    sql = (
        f"SELECT {BAND} AS band, COUNT(*) AS n FROM t LEFT JOIN u ON x = y GROUP BY {{}} ORDER BY z"
    )
    digests = []
    for keys in (BAND, "1"):
        meaning = meaning_of(load([Source("r.sql", sql.format(keys))], "databricks"))
        [report] = meaning.state.reports
        assert report.definition.plan is not None
        digests.append(report.definition.plan.rel.digest)
    assert digests[0] == digests[1]
