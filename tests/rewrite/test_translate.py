"""Between dialects: what is an equation, what is an assumption, and what is no proof."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.translate import translate
from unwet.tests.rewrite.small_world import SCHEMA, plan_of


def moved(sql: str, source: str, target: str) -> Result:
    schema = {name: dict(columns) for name, columns in SCHEMA.items()}
    pile = load([Source("a.sql", sql, source)], source, schema)
    return refactor(pile, Request(to_dialect=target))


def outcome(result: Result) -> str:
    return result.verdicts[0].outcome


def test_within_one_dialect_nothing_is_assumed() -> None:
    plan = plan_of("SELECT CAST(c AS VARCHAR(3)) AS x FROM t", "postgres")
    assert translate(plan, "postgres", "postgres") == (plan, frozenset())


ASSUMED = [
    ("oracle", "SELECT CASE WHEN c = '' THEN 1 END AS x FROM t", "'' for NULL"),
    ("tsql", "SELECT CAST(a AS VARCHAR(3)) AS x FROM t", "varchar(3) is duckdb text"),
    ("tsql", "SELECT DATEDIFF(day, c, c) AS x FROM t", "are dates"),
    ("tsql", "SELECT CAST(a AS INT) AS x FROM t", "whole numbers"),
    ("tsql", "SELECT a FROM t WHERE c = 'x'", "letter for letter"),
    ("mysql", "SELECT a FROM t", "letter for letter"),
    ("postgres", "SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b", "not understood"),
    ("postgres", "SELECT (a, b) IN ((1, 2)) AS x FROM t", "part of a row"),
    ("postgres", "SELECT DATE_TRUNC('month', CAST(y AS DATE)) AS x FROM s", "date or a timestamp"),
]


@pytest.mark.parametrize(("source", "sql", "word"), ASSUMED)
def test_what_a_proof_assumes_is_listed(source: str, sql: str, word: str) -> None:
    result = moved(sql, source, "duckdb")
    assert outcome(result) == "proved"
    assert any(word in assumption for assumption in result.assumptions), result.assumptions


BOTH_WAYS = [
    ("tsql", "letter for letter"),
    ("mysql", "letter for letter"),
    ("oracle", "'' for NULL"),
]


@pytest.mark.parametrize(("dialect", "word"), BOTH_WAYS)
def test_what_texts_are_equal_is_assumed_in_both_directions(dialect: str, word: str) -> None:
    plan = plan_of("SELECT DISTINCT c FROM t", "postgres")
    for source, target in ((dialect, "postgres"), ("postgres", dialect)):
        assert any(word in each for each in translate(plan, source, target)[1])


EQUATIONS = [
    ("postgres", "SELECT CAST(a AS INT) AS x FROM t"),
    ("postgres", "SELECT AVG(a) AS x FROM t"),
    ("postgres", "SELECT EXTRACT(dow FROM y) AS d FROM s"),
    ("bigquery", "SELECT DATE_TRUNC(CAST(y AS DATE), MONTH) AS d FROM s"),
    ("postgres", "SELECT a, b FROM t ORDER BY a DESC, b LIMIT 3"),
    ("snowflake", "SELECT a, b FROM t QUALIFY RANK() OVER (ORDER BY a) = 1"),
]


@pytest.mark.parametrize(("source", "sql"), EQUATIONS)
def test_what_both_dialects_say_alike_is_proved_as_far_as_names_go(source: str, sql: str) -> None:
    result = moved(sql, source, "duckdb")
    named = f"functions and operators of one name mean the same in {source} and duckdb"
    assert outcome(result) == "proved"
    assert set(result.assumptions) <= {named}


def test_columns_alone_assume_nothing() -> None:
    result = moved("SELECT a, b FROM t", "postgres", "duckdb")
    assert (outcome(result), result.assumptions) == ("proved", ())


UNPROVED = [
    ("tsql", "SELECT AVG(a) AS x FROM t", "integers"),
    ("sqlite", "SELECT a / b AS x FROM t", "NULLIF(b, 0)"),
    ("bigquery", "SELECT EXTRACT(WEEK FROM y) AS x FROM s", "what the two dialects do otherwise"),
    ("postgres", "SELECT a FROM t WHERE c LIKE 'a\\_%'", "what the two dialects do otherwise"),
    ("tsql", "SELECT c + '!' AS x FROM of_unknown_types", "text"),
]


@pytest.mark.parametrize(("source", "sql", "word"), UNPROVED)
def test_what_may_differ_is_kept(source: str, sql: str, word: str) -> None:
    result = moved(sql, source, "duckdb")
    assert outcome(result) == "kept"
    assert word in result.verdicts[0].reason


APART = [
    ("c LIKE 'a\\_'", "postgres", "duckdb tsql oracle"),
    ("c LIKE '[ab]%'", "tsql", "postgres duckdb"),
    ("SUBSTRING(c, 0, 2) = 'a'", "postgres duckdb", "bigquery snowflake spark"),
    ("SUBSTRING(c, -1, 2) = 'a'", "postgres redshift", "duckdb bigquery mysql"),
    ("c || d = 'a'", "oracle", "postgres duckdb"),
    ("a = X'1F'", "postgres", "snowflake mysql sqlite"),
    ("a = X'1F'", "mysql", "snowflake trino"),
    ("a = B'101'", "postgres", "mysql"),
    ("CONCAT(c, d) = 'a'", "redshift", "postgres duckdb"),
    ("GREATEST(a, b) = 1", "oracle", "postgres duckdb"),
    ("EXTRACT(DOW FROM y) = 1", "postgres duckdb", "spark trino"),
    ("EXTRACT(WEEK FROM y) = 1", "postgres duckdb", "bigquery mysql"),
    ("EXTRACT(DAYOFWEEK FROM y) = 1", "duckdb snowflake", "bigquery spark"),
    ("DAYOFWEEK(y) = 1", "duckdb snowflake", "hive"),
    ("c LIKE 'a%'", "sqlite", "postgres duckdb"),
    ("(SELECT APPROX_COUNT_DISTINCT(u.d) FROM u) = 1", "duckdb", "snowflake bigquery"),
    ("HASH(c) = 1", "duckdb", "snowflake"),
    ("LENGTH(c) = 1", "tsql", "postgres duckdb"),
    ("WEEK(y) = 1", "mysql", "duckdb"),
    ("TO_CHAR(y, 'Mon') = 'Jan'", "postgres", "duckdb"),
    ("TO_CHAR(y, 'D') = '1'", "postgres", "duckdb"),
    ("TO_CHAR(y, 'WW') = '1'", "postgres", "duckdb"),
    ("FORMAT('%s', c) = 'a'", "postgres", "duckdb"),
    ("c SIMILAR TO 'a%'", "postgres", "duckdb"),
    ("SPLIT_PART(c, '', 1) = 'a'", "postgres", "duckdb"),
    ("TO_HEX(a) = 'f'", "postgres", "duckdb"),
    ("EXTRACT(SECOND FROM y) = 1", "postgres spark", "duckdb trino"),
    ("CAST(2.5 AS INT) = a", "tsql sqlite", "duckdb postgres"),
    ("UNICODE(c) = 1", "sqlite", "duckdb"),
    ("CAST(DATE_TRUNC('month', CAST(y AS DATE)) AS TEXT) = c", "postgres databricks", "duckdb"),
    ("DATE_TRUNC('month', CAST(y AS DATE)) || c = c", "duckdb", "postgres"),
    ("CAST(DATE_TRUNC('month', y) AS VARCHAR) = c", "postgres", "duckdb"),
]
"""What the two groups of dialects are known to understand differently."""

ALIKE = [
    ("c LIKE 'a%'", "postgres", "duckdb"),
    ("c LIKE '[ab]%'", "postgres", "duckdb"),
    ("SUBSTRING(c, 1, 2) = 'a'", "postgres", "bigquery"),
    ("DATE_TRUNC('month', y) = y", "postgres", "duckdb"),
    ("DATE_TRUNC('month', CAST(y AS DATE)) = y", "duckdb", "trino"),
    ("SUBSTRING(c, 0, 2) = 'a'", "postgres", "duckdb"),
    ("'x' || 'y' = 'a'", "oracle", "postgres"),
    ("GREATEST(a, b) = 1", "postgres", "duckdb"),
    ("EXTRACT(DOW FROM y) = 1", "postgres", "redshift"),
    ("EXTRACT(WEEK FROM y) = 1", "postgres", "duckdb"),
    ("EXTRACT(DAYOFWEEK FROM y) = 1", "snowflake", "duckdb"),
    ("c LIKE '_%'", "sqlite", "duckdb"),
    ("LENGTH(c) = 1", "postgres", "duckdb"),
]

TOGETHER = "(SELECT t.a, t.b, t.c, u.d, s.y FROM t CROSS JOIN u CROSS JOIN s) AS q"


def meets(test: str, source: str, target: str) -> bool:
    old = plan_of(f"SELECT a FROM {TOGETHER} WHERE {test}", source)
    new = plan_of(f"SELECT a FROM {TOGETHER} WHERE {test}", target)
    return proves(translate(old, source, target)[0], new, Normalizer())


@pytest.mark.parametrize(("test", "ones", "others"), APART, ids=lambda each: str(each)[:30])
def test_what_two_dialects_are_known_to_understand_differently_is_no_proof(
    test: str, ones: str, others: str
) -> None:
    for one in ones.split():
        for other in others.split():
            assert not meets(test, one, other), (one, other)
            assert not meets(test, other, one), (other, one)


@pytest.mark.parametrize(("test", "source", "target"), ALIKE)
def test_what_two_dialects_understand_alike_is_left_alone(
    test: str, source: str, target: str
) -> None:
    assert meets(test, source, target)


QUOTIENTS = [
    "a / 2",
    "SUM(a) / COUNT(*)",
    "a * b / (a - b)",
    "1 + CASE WHEN a > b THEN a ELSE b END / 3",
]


@pytest.mark.parametrize("expression", QUOTIENTS)
@pytest.mark.parametrize("source", ["tsql", "postgres", "trino"])
def test_what_integers_cut_off_is_written_so(expression: str, source: str) -> None:
    result = moved(f"SELECT {expression} AS x FROM t", source, "duckdb")
    assert outcome(result) == "proved"
    assert "//" in result.files["models/marts/a.sql"]
    assert outcome(moved(f"SELECT {expression} AS x FROM t", source, "snowflake")) == "kept"


FRACTIONS = ["a / 2.0", "1.0 * a / b", "CAST(a AS FLOAT) / b", "AVG(1.0 * a)"]


@pytest.mark.parametrize("expression", FRACTIONS)
def test_fractions_divide_alike(expression: str) -> None:
    result = moved(f"SELECT {expression} AS x FROM t", "tsql", "duckdb")
    assert outcome(result) == "proved"
    assert not any("//" in text for path, text in result.files.items() if path.endswith(".sql"))


def test_whole_numbers_do_not_round() -> None:
    result = moved("SELECT CAST(DATEDIFF(day, c, c) + 7 AS INT) AS x FROM t", "tsql", "duckdb")
    assert not any("whole numbers" in assumption for assumption in result.assumptions)
