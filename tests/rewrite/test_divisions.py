"""Quotients of integers in the words of DuckDB: executed on it, beside PostgreSQL's rules."""

from __future__ import annotations

from fractions import Fraction

import duckdb
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.divisions import as_typed
from unwet.rewrite.quotients import write_quotients

WHOLE = st.integers(-10_000, 10_000)


def rows(sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


def written(sql: str, dialect: str = "postgres") -> str:
    tree = sqlglot.parse_one(sql, read=dialect)
    as_typed(tree, "duckdb", lambda _: False)
    return tree.sql("duckdb")


@given(a=WHOLE, b=WHOLE.filter(bool), c=WHOLE.filter(bool))
def test_integers_are_cut_off_towards_zero_from_the_left(a: int, b: int, c: int) -> None:
    sql = written(f"SELECT CAST({a} AS INT) / CAST({b} AS INT) / CAST({c} AS INT)")
    first = int(Fraction(a, b))
    assert rows(sql) == [(int(Fraction(first, c)),)]


@given(a=st.decimals(-100, 100, places=2), b=WHOLE.filter(bool))
def test_of_decimals_nothing_is_cut_off(a: object, b: int) -> None:
    sql = written(f"SELECT x / y FROM (SELECT CAST({a} AS DECIMAL(9, 2)) AS x, {b} AS y) AS t")
    assert "//" in sql
    [(found,)] = rows(sql)
    assert found == pytest.approx(float(str(a)) / b)


def test_a_zero_is_an_error_as_it_was() -> None:
    with pytest.raises(duckdb.Error, match=r"(?i)division by zero"):
        rows(written("SELECT 1 / (x - x) FROM (SELECT 1 AS x) AS t"))


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("SELECT a / 2.0 FROM t", "postgres"),
        ("SELECT 1.0 * a / b FROM t", "tsql"),
        ("SELECT CAST(a AS FLOAT) / b FROM t", "tsql"),
        ("SELECT INTERVAL '1' DAY / 2", "postgres"),
        ("SELECT a / b FROM t", "sqlite"),
        ("SELECT a / b FROM t", "mysql"),
        ("SELECT a / b FROM t", "snowflake"),
    ],
)
def test_what_stays_as_it_is(sql: str, dialect: str) -> None:
    tree = sqlglot.parse_one(sql, read=dialect)
    assert isinstance(tree, exp.Query)
    write_quotients(tree, dialect, "duckdb", {})
    assert "//" not in tree.sql("duckdb")
