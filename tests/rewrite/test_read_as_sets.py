"""Groups of which nobody sees how many there are: cases, each executed and proved, and random
readers of random groups.

A case in fixtures/rewrite/read_as_sets starts with `-- # title`; then come what is said and what
becomes of it, or `-- stays`.
"""

from __future__ import annotations

import random
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
from unwet.rewrite.read_as_sets import as_sets
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.remembered import Remembered
from unwet.tests.rewrite.small_world import Worlds, plan_of

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "read_as_sets" / "cases.sql"


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
    [made] = as_sets([Draft("m", tree, (), ())], stay, Remembered())
    return made.tree.sql(dialect)


def said(sql: str, dialect: str = "duckdb") -> str:
    return sqlglot.parse_one(sql, read=dialect).sql(dialect)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_what_is_read_as_a_set_is_distinct(case: Case, worlds: Worlds) -> None:
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
        ("bigquery", "SELECT MAX(a) AS m FROM (SELECT a FROM t GROUP BY 1, b) AS w"),
        ("bigquery", "SELECT MAX(a) AS m FROM (SELECT a FROM t GROUP BY ROLLUP (a, b)) AS w"),
        ("bigquery", "SELECT a, RAND() AS r FROM (SELECT a FROM t GROUP BY a, b) AS w GROUP BY a"),
        ("bigquery", "SELECT mine(a) AS m FROM (SELECT a FROM t GROUP BY a, b) AS w GROUP BY 1"),
        ("bigquery", "SELECT MAX(w) AS m FROM (SELECT * FROM t GROUP BY ALL) AS w"),
        ("bigquery", "WITH w AS (SELECT a FROM t GROUP BY a, b) SELECT DISTINCT k FROM v, "
                     "UNNEST(k) AS e WHERE e IN UNNEST(w)"),
        ("duckdb", "SELECT ARG_MAX(a, a) AS m FROM (SELECT a FROM t GROUP BY a, b) AS w"),
        ("duckdb", "SELECT MAX(a, 2) AS m FROM (SELECT a FROM t GROUP BY a, b) AS w"),
        ("duckdb", "SELECT MAX(x) AS m FROM (SELECT a FROM t GROUP BY a, b) AS w(x)"),
        ("duckdb", "WITH w(x) AS (SELECT a FROM t GROUP BY a, b) SELECT MAX(x) AS m FROM w"),
        ("snowflake", "SELECT MAX(a) AS m FROM (SELECT a FROM t GROUP BY a, b) SAMPLE (10)"),
        ("duckdb", "WITH w AS (SELECT a FROM t GROUP BY a, b) SELECT MAX(a) AS m FROM w UNION ALL "
                   "(WITH w AS (SELECT 1 AS a) SELECT a FROM w)"),
    ],
)  # fmt: skip
def test_other_queries_stay(dialect: str, sql: str) -> None:
    assert reworded(sql, dialect) == said(sql, dialect)


@pytest.mark.parametrize("seed", range(60))
def test_random_readers_return_the_same_rows(seed: int, worlds: Worlds) -> None:
    rng = random.Random(seed)
    columns = ["a", "b", "c"]
    shown, keys = rng.sample(columns, rng.randint(1, 2)), rng.sample(columns, 3)
    test = rng.choice(["", " WHERE b > 0", " WHERE c IS NULL OR a = 1"])
    inner = f"SELECT {', '.join(shown)} FROM t{test} GROUP BY {', '.join(keys)}"
    one = shown[0]
    asked = rng.choice([f"MIN({one})", f"COUNT(DISTINCT {one})", f"MAX({one})", f"COUNT({one})",
                        "COUNT(*)", f"MAX(CASE WHEN {one} IS NULL THEN 1 ELSE 0 END)"])  # fmt: skip
    group = rng.choice(["", f" GROUP BY w.{shown[-1]}"])
    join = rng.choice(["", " JOIN u ON TRUE", f" LEFT JOIN v ON CAST(v.k AS TEXT) = w.{one}"])
    having = rng.choice(["", f" HAVING {asked} IS NOT NULL"])
    reader = asked.replace(one, f"w.{one}")
    if rng.random() < 0.5:
        sql = f"WITH w AS ({inner}) SELECT {reader} AS n FROM w{join}{group}{having}"
    else:
        sql = f"SELECT {reader} AS n FROM ({inner}) AS w{join}{group}{having}"
    sql = sql.replace(f"HAVING {asked}", f"HAVING {reader}")
    found = reworded(sql)
    counts = "COUNT(*)" in sql or f"COUNT({one})" in asked
    assert ("DISTINCT" in found.split("FROM t")[0].split("(SELECT")[-1]) or counts or "CAST" in join
    assert worlds.difference(sql, found) == ""


def test_a_report_is_proved_in_these_words() -> None:
    sql = (
        "WITH w AS (SELECT d, s.x, n FROM t WHERE n > {} GROUP BY d, s, n) "
        "SELECT d, x, COUNT(DISTINCT n) AS k FROM w GROUP BY d, x HAVING COUNT(DISTINCT n) > 1"
    )
    sources = [Source(f"r{n}.sql", sql.format(n), "bigquery") for n in range(3)]
    result = refactor(load(sources, "bigquery", {"t": ["d", "s", "n"]}), Request())
    assert {each.outcome for each in result.verdicts} == {"proved"}
    texts = " ".join(" ".join(result.files.values()).lower().split())
    assert "select distinct d, s.x, n" in texts
