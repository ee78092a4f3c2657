"""Spellings of single dialects, which DuckDB does not run."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Rel
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.normal import normalize


def normal(select: str, dialect: str) -> Rel:
    text = f"CREATE TABLE r AS SELECT {select} FROM t"
    (report,) = Meaning(load([Source("r.sql", text, dialect)], dialect)).state.reports
    assert report.definition.plan is not None
    return normalize(report.definition.plan.rel)[0]


@pytest.mark.parametrize(
    ("dialect", "one", "other"),
    [
        ("snowflake", "EQUAL_NULL(t.a, t.b) AS x", "t.a IS NOT DISTINCT FROM t.b AS x"),
        ("snowflake", "EQUAL_NULL(t.a, 1) = FALSE AS x", "t.a IS DISTINCT FROM 1 AS x"),
        ("oracle", "DECODE(t.a, 1, t.b, 2, t.c, 3) AS x",
         "CASE WHEN t.a = 1 THEN t.b WHEN t.a = 2 THEN t.c ELSE 3 END AS x"),
        ("oracle", "DECODE(t.a, 1, t.b) AS x", "CASE WHEN t.a = 1 THEN t.b END AS x"),
        ("tsql", "CONVERT(DATE, t.a) AS x", "CAST(t.a AS DATE) AS x"),
    ],
)  # fmt: skip
def test_other_words_meet(dialect: str, one: str, other: str) -> None:
    assert normal(one, dialect) == normal(other, dialect)


@pytest.mark.parametrize(
    ("dialect", "one", "other"),
    [
        ("oracle", "DECODE(t.a, 'x', t.b, t.c) AS x",  # converts t.a to text
         "CASE WHEN t.a = 'x' THEN t.b ELSE t.c END AS x"),
        ("oracle", "DECODE(t.a, t.b, 1, 0) AS x",  # two NULLs are equal
         "CASE WHEN t.a = t.b THEN 1 ELSE 0 END AS x"),
        ("oracle", "DECODE(t.a, NULL, 1, 0) AS x", "CASE WHEN t.a = NULL THEN 1 ELSE 0 END AS x"),
        ("tsql", "CONVERT(VARCHAR(10), t.a, 112) AS x", "CAST(t.a AS VARCHAR(10)) AS x"),
        ("tsql", "ISNULL(t.a, NULL) AS x", "t.a AS x"),
        ("bigquery", "COUNTIF(t.a > 0) AS x", "COUNT(t.a > 0) AS x"),
        ("snowflake", "LAG(t.a, 1, 0) OVER (ORDER BY t.b) AS x",
         "LAG(t.a) OVER (ORDER BY t.b) AS x"),
        ("snowflake", "LAG(t.a, 2) OVER (ORDER BY t.b) AS x", "LAG(t.a) OVER (ORDER BY t.b) AS x"),
    ],
)  # fmt: skip
def test_what_only_looks_alike_stays_apart(dialect: str, one: str, other: str) -> None:
    assert normal(one, dialect) != normal(other, dialect)
