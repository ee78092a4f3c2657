"""A query that takes all of another one is that one, and returns the same rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.compose import Draft
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.one_select import one_select
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.remembered import Remembered
from unwet.tests.rewrite.small_world import Worlds, plan_of

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "one_select" / "cases.sql"


@dataclass(frozen=True)
class Case:
    title: str
    before: str
    after: str  # empty where it stays


def cases() -> list[Case]:
    found = []
    for text in re.split(r"^-- # ", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        before, after = (part.strip() for part in rest.split(";")[:2])
        found.append(Case(title, before, "" if after == "-- stays" else after))
    return found


CASES = cases()


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


def reworded(sql: str, dialect: str = "duckdb", stay: frozenset[str] = frozenset()) -> str:
    tree = sqlglot.parse_one(sql, read=dialect)
    assert isinstance(tree, exp.Query)
    [made] = one_select([Draft("m", tree, (), ())], stay, Remembered())
    return made.tree.sql(dialect)


def said(sql: str) -> str:
    return sqlglot.parse_one(sql, read="duckdb").sql("duckdb")


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_query_is_the_one_that_it_takes_all_of(case: Case, worlds: Worlds) -> None:
    found = reworded(case.before)
    assert found == said(case.after or case.before)
    assert worlds.difference(case.before, found) == ""


@pytest.mark.parametrize("case", [case for case in CASES if case.after], ids=lambda c: c.title)
def test_it_is_proved(case: Case) -> None:
    before, after = (normalize_plan(plan_of(sql))[0] for sql in (case.before, case.after))
    assert before.rel == after.rel


def test_what_stays_keeps_its_words() -> None:
    sql = said(CASES[0].before)
    assert reworded(sql, stay=frozenset({"m"})) == sql


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("bigquery", "SELECT * EXCEPT (a) FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a)"),
        ("bigquery", "SELECT DISTINCT * FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a)"),
        ("bigquery", "SELECT * FROM (SELECT AS STRUCT a, b FROM t)"),
        ("bigquery", "SELECT * FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) WHERE m > 1"),
        ("bigquery", "SELECT * FROM (SELECT a, COUNT(*) FROM t GROUP BY a) WHERE a > 1"),
        ("bigquery", "SELECT * FROM (SELECT *, COUNT(*) AS n FROM t GROUP BY ALL) WHERE n > 1"),
        ("bigquery", "SELECT * FROM (SELECT a, RAND() AS n FROM t GROUP BY a) WHERE n > 0"),
        ("bigquery", "SELECT * FROM (SELECT a, mine(b) AS n FROM t GROUP BY a) WHERE n > 0"),
        ("snowflake", "SELECT * FROM (SELECT a, b FROM t) SAMPLE (10)"),
        ("tsql", "SELECT * FROM (SELECT a, b FROM t) AS x PIVOT (SUM(b) FOR a IN ([1])) AS p"),
    ],
)
def test_other_queries_stay(dialect: str, sql: str) -> None:
    assert reworded(sql, dialect) == sqlglot.parse_one(sql, read=dialect).sql(dialect)


def test_a_report_is_proved_in_these_words() -> None:
    sql = "SELECT * FROM (SELECT a, COUNT(*) AS n FROM t GROUP BY a) WHERE n > {0} ORDER BY n DESC"
    sources = [Source(f"r{n}.sql", sql.format(n), "duckdb") for n in range(3)]
    result = refactor(load(sources, "duckdb", {"t": ["a", "b"]}), Request())
    assert {each.outcome for each in result.verdicts} == {"proved"}
    texts = " ".join(" ".join(result.files.values()).lower().split())
    assert "having count(*) > " in texts
    assert "select *" not in texts
