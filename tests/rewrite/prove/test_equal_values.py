"""What is taken for granted of equal values: told where a group is crossed, and nowhere else."""

from __future__ import annotations

import duckdb
import pytest

from tests.rewrite.sql_plans import plan_of
from unwet.lineage.tables import Catalog, Column, Table
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.equal_values import SCALES, SPANS, ZONES, values_assumed
from unwet.rewrite.prove.judge import proves

_ABOVE = "SELECT a, COUNT(*) AS n FROM t GROUP BY a HAVING {}"
_BELOW = "SELECT a, COUNT(*) AS n FROM t WHERE {} GROUP BY a"
_DAY = "EXTRACT(DAY FROM a) = 30"
_SHIFTED = "b + a > c"


def _assumed(first: str, second: str, dialect: str, kind: str = "") -> frozenset[str]:
    table = Table("t", tuple(Column(name, kind) for name in "abc"), True, "ddl")
    old, new = plan_of(first, dialect), plan_of(second, dialect)
    return values_assumed(old, new, {dialect}, Catalog({"t": table}).type_of)


@pytest.mark.parametrize(
    ("condition", "dialect", "kind", "expected"),
    [
        (_DAY, "postgres", "", {SPANS}),
        (_DAY, "duckdb", "interval", {SPANS}),
        (_DAY, "duckdb", "timestamp", set()),
        (_DAY, "bigquery", "", {SPANS}),
        (_DAY, "spark", "", set()),
        (_DAY, "trino", "", {ZONES}),
        ("EXTRACT(DAY FROM CAST(a AS DATE)) = 3", "postgres", "", set()),
        ("TIMESTAMP '2020-01-31' + a > TIMESTAMP '2020-03-01'", "postgres", "", {SPANS}),
        ("TIMESTAMP '2020-01-31' + a > TIMESTAMP '2020-03-01'", "postgres", "interval", {SPANS}),
        ("a + 1 > 3", "postgres", "", set()),
        ("a + a > 3", "postgres", "integer", set()),
        ("a / 3 > 1", "postgres", "", {SCALES}),
        ("a / 3 > 1", "postgres", "numeric", {SCALES}),
        ("a / 3 > 1", "postgres", "integer", set()),
        ("a / 3 > 1", "duckdb", "", set()),
        ("a > 3", "postgres", "", set()),
    ],
)
def test_a_condition_that_is_moved_past_a_group(
    condition: str, dialect: str, kind: str, expected: set[str]
) -> None:
    above, below = _ABOVE.format(condition), _BELOW.format(condition)
    assert _assumed(above, below, dialect, kind) == expected
    assert _assumed(below, above, dialect, kind) == expected


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (_BELOW.format(_DAY), _BELOW.format(_DAY + " AND TRUE")),
        (_ABOVE.format(_DAY), _ABOVE.format(_DAY)),
        (f"SELECT a FROM t WHERE {_DAY}", f"SELECT a FROM (SELECT a FROM t) AS s WHERE {_DAY}"),
        ("SELECT SUM(a) + SUM(b) AS n FROM t", "SELECT SUM(b) + SUM(a) AS n FROM t"),
    ],
)
def test_nothing_is_told_where_no_group_is_crossed(first: str, second: str) -> None:
    assert _assumed(first, second, "postgres") == set()


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (
            f"SELECT a FROM (SELECT DISTINCT a FROM t) AS s WHERE {_DAY}",
            f"SELECT DISTINCT a FROM t WHERE {_DAY}",
        ),
        (
            f"SELECT a, n FROM (SELECT a, COUNT(*) OVER (PARTITION BY a) AS n FROM t) AS s "
            f"WHERE {_DAY}",
            f"SELECT a, COUNT(*) OVER (PARTITION BY a) AS n FROM t WHERE {_DAY}",
        ),
        (
            f"SELECT a FROM (SELECT a FROM t INTERSECT SELECT b FROM t) AS s WHERE {_DAY}",
            f"SELECT a FROM t WHERE {_DAY} INTERSECT SELECT b FROM t",
        ),
        (
            f"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM (SELECT DISTINCT b FROM t) AS s "
            f"WHERE s.b = t.a AND {_DAY})",
            f"SELECT a FROM t WHERE EXISTS (SELECT 1 FROM t AS s WHERE s.b = t.a) AND {_DAY}",
        ),
    ],
)
def test_it_is_told_of_whatever_puts_rows_together(above: str, below: str) -> None:
    assert _assumed(above, below, "postgres") == {SPANS}


def test_the_equation_needs_what_it_takes_for_granted() -> None:
    """Law: both sides run where the assumption holds, and where it does not."""
    above, below = _ABOVE.format(_DAY), _BELOW.format(_DAY)
    assert proves(plan_of(above), plan_of(below), Normalizer())
    engine = duckdb.connect()
    engine.execute("CREATE TABLE t (a INTERVAL)")
    engine.execute("INSERT INTO t VALUES (INTERVAL '30 days'), (INTERVAL '30 days'), (NULL)")
    assert _rows(engine, above) == _rows(engine, below) != []
    engine.execute("INSERT INTO t VALUES (INTERVAL '1 month')")
    assert _rows(engine, above) != _rows(engine, below)


def _rows(engine: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return engine.execute(sql).fetchall()
