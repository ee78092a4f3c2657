"""A CASE of many alike WHENs is a loop over their table, and reads as it did."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.targets.jinja import template
from unwet.tests.rewrite.targets.test_jinja import rendered

PAIRS = [(f"A{n}", f'it\'s number {n}, "said" at length') for n in range(9)]


def tree(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="duckdb")


def ladder(when: str, pairs: list[tuple[str, str]] = PAIRS, head: str = "CASE") -> str:
    rungs = (when.format(code, text.replace("'", "''")) for code, text in pairs)
    return f"SELECT a, {head} {' '.join(rungs)} ELSE '?' END AS b FROM t"


@pytest.mark.parametrize(
    ("when", "head"),
    [
        ("WHEN x.k = '{0}' THEN '{1}'", "CASE"),
        ("WHEN '{0}' THEN '{1}'", "CASE k"),
        ("WHEN k = '{0}' AND v > 1 THEN v + 1", "CASE"),
        ("WHEN k LIKE '{0}%' THEN '{0}'", "CASE"),
        ("WHEN k = '{0}' AND v = '{0}x' AND w = '{0}y' THEN '{1}'", "CASE"),
    ],
)
def test_the_loop_says_what_the_whens_said(when: str, head: str) -> None:
    sql = ladder(when, head=head)
    text = template(tree(sql), "duckdb", (), tables=True)
    assert text.count("WHEN") == 1
    assert "{% for " in text
    assert tree(rendered(text)) == tree(sql)
    assert len(text.splitlines()) < len(tree(sql).sql("duckdb", pretty=True).splitlines())


@pytest.mark.parametrize(
    "sql",
    [
        ladder("WHEN k = '{0}' THEN '{1}'", PAIRS[:7]),
        ladder("WHEN k = '{0}' THEN '{1}'").replace("'A3' THEN", "'A3' AND v = 1 THEN"),
        ladder("WHEN k = '{0}' THEN '{1}'")
        .replace("k = 'A0'", "k IS NULL")
        .replace("k = 'A8'", "v"),
        ladder("WHEN h__column__h = '{0}' THEN '{1}'"),
        ladder("WHEN k = (SELECT MAX(k) FROM u WHERE v = '{0}') THEN '{1}'"),
    ],
)
def test_what_is_short_or_not_alike_stays(sql: str) -> None:
    assert "{% for" not in template(tree(sql), "duckdb", (), tables=True)


def test_no_table_where_nobody_asks_for_one() -> None:
    assert "{% for" not in template(tree(ladder("WHEN k = '{0}' THEN '{1}'")), "duckdb", ())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("CASE", "CASE WHEN k IS NULL THEN 'none'"),
        ("ELSE", "WHEN k IS NULL THEN 'none' WHEN v > 1 AND w THEN v ELSE"),
        ("CASE", "CASE WHEN k = (SELECT MAX(k) FROM u WHERE v = 'A0') THEN 'most'"),
        ("CASE", "CASE WHEN k = 'A5' AND v = 1 THEN 'first'"),  # of what a row would say, too
    ],
)
def test_whens_that_say_something_else_stand_where_they_stood(old: str, new: str) -> None:
    sql = ladder("WHEN k = '{0}' THEN '{1}'").replace(old, new, 1)
    text = template(tree(sql), "duckdb", (), tables=True)
    assert text.count("{% for ") == 1
    assert text.count("WHEN") == 1 + new.count("WHEN")
    assert tree(rendered(text)) == tree(sql)


def test_two_tables_with_a_when_between_them() -> None:
    half = ladder("WHEN k = '{0}' THEN '{1}'")
    other = [(f"B{n}", f"other {n}") for n in range(8)]
    more = " ".join(f"WHEN k = '{code}' THEN '{text}'" for code, text in other)
    sql = half.replace("ELSE", f"WHEN v > 1 THEN 'v' {more} ELSE")
    text = template(tree(sql), "duckdb", (), tables=True)
    assert text.count("{% for ") == 2
    assert tree(rendered(text)) == tree(sql)


def test_columns_stand_as_they_are_asked_for() -> None:
    sql = "WHEN country = '{0}' AND city = '{1}' THEN '{0}{1}'"
    pairs = [(f"A{n}", "" if n < 5 else f"c{n}") for n in range(9)]
    text = template(tree(ladder(sql, pairs)), "duckdb", (), tables=True)
    assert "{% for a, city, value in [" in text
    assert "('A0', '', 'A0')," in text
    assert tree(rendered(text)) == tree(ladder(sql, pairs))


def test_five_words_that_differ_are_no_table() -> None:
    sql = "WHEN k = '{0}' AND v = '{0}v' AND w = '{0}w' AND x = '{0}x' THEN '{1}'"
    assert "{% for" not in template(tree(ladder(sql)), "duckdb", (), tables=True)
