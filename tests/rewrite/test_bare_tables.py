"""A query in a FROM that only takes some of a source is that source, and the rows are the same.

A case in fixtures/rewrite/bare_tables starts with `-- # title`; then come what is said and what
becomes of it, or `-- stays`. `$t` is a source.
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
from unwet.rewrite.bare_tables import bare_tables
from unwet.rewrite.compose import Draft
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.remembered import Remembered
from unwet.tests.rewrite.small_world import Worlds, plan_of

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "bare_tables" / "cases.sql"


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


def plain(sql: str) -> str:
    """With tables of the small world for sources."""
    return re.sub(r"\$(\w)|src__(\w)__src", r"\1\2", sql)


def parsed(sql: str, dialect: str = "duckdb") -> exp.Query:
    tree = sqlglot.parse_one(re.sub(r"\$(\w+)", r"src__\1__src", sql), read=dialect)
    assert isinstance(tree, exp.Query)
    return tree


def reworded(sql: str, dialect: str = "duckdb", stay: frozenset[str] = frozenset()) -> str:
    [made] = bare_tables([Draft("m", parsed(sql, dialect), (), ())], stay, Remembered())
    return made.tree.sql(dialect)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_query_is_the_source_that_it_takes_some_of(case: Case, worlds: Worlds) -> None:
    found = reworded(case.before)
    assert found == parsed(case.after or case.before).sql("duckdb")
    assert worlds.difference(plain(case.before), plain(found)) == ""


@pytest.mark.parametrize("case", [case for case in CASES if case.after], ids=lambda c: c.title)
def test_it_is_proved(case: Case) -> None:
    both = (normalize_plan(plan_of(plain(sql)))[0] for sql in (case.before, case.after))
    before, after = both
    assert before.rel == after.rel


def test_what_stays_keeps_its_words() -> None:
    sql = parsed(CASES[0].before).sql("duckdb")
    assert reworded(sql, stay=frozenset({"m"})) == sql


U = "(SELECT DISTINCT a FROM $u) USING (a)"
OTHER = [
    ("bigquery", f"SELECT b FROM (SELECT a, b FROM $t WHERE RAND() < 0.5) JOIN {U}"),
    ("bigquery", f"SELECT b FROM (SELECT s.a, b FROM $t) JOIN {U}"),
    ("bigquery", f"SELECT b FROM (SELECT a, b FROM $t WHERE s.f > 1) JOIN {U}"),
    ("bigquery", f"SELECT b FROM (SELECT DISTINCT a, b FROM $t) JOIN {U}"),
    ("bigquery", f"SELECT b FROM (SELECT a, b FROM $t LIMIT 9) JOIN {U}"),
    ("bigquery", "SELECT b FROM (SELECT a, b FROM z) JOIN (SELECT DISTINCT a FROM z) USING (a)"),
    ("bigquery", f"SELECT b, s.f FROM (SELECT a, b FROM $t) JOIN {U}"),
    ("bigquery", f"SELECT b FROM (SELECT a, b FROM $t TABLESAMPLE SYSTEM (9 PERCENT)) JOIN {U}"),
    ("duckdb", "SELECT b FROM (SELECT a, b FROM $t) NATURAL JOIN (SELECT DISTINCT a FROM $u)"),
    ("duckdb", f"SELECT b FROM (SELECT a, b FROM $t) AS w(a, b) JOIN {U}"),
    ("postgres", "SELECT w.b FROM (SELECT a, b FROM $t) AS w CROSS JOIN LATERAL (SELECT x) AS l"),
]


@pytest.mark.parametrize(("dialect", "sql"), OTHER, ids=[str(n) for n in range(len(OTHER))])
def test_other_queries_stay(dialect: str, sql: str) -> None:
    assert reworded(sql, dialect) == parsed(sql, dialect).sql(dialect)


@pytest.mark.parametrize("seed", range(60))
def test_random_queries_return_the_same_rows(seed: int, worlds: Worlds) -> None:
    sql = _random_query(random.Random(seed))
    found = reworded(sql)
    assert worlds.difference(plain(sql), plain(found)) == ""


def test_most_random_queries_are_said_otherwise() -> None:
    changed = [
        s for s in range(60) if "src__t__src AS w" in reworded(_random_query(random.Random(s)))
    ]
    assert 20 <= len(changed) < 60


def _random_query(rng: random.Random) -> str:
    """A derived table or a CTE of `t`, joined with one or two others in any way."""
    where = rng.choice(
        ["", " WHERE b > 0", " WHERE c = 'a' OR b = 2", " WHERE c IS NULL AND a > 0"]
    )
    taken = f"SELECT a, b FROM $t{where}"
    first = rng.random() < 0.6
    other = rng.choice(["$u", "(SELECT DISTINCT a, k FROM $u)", "(SELECT a, k FROM $u)"])
    side = rng.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
    named = rng.random() < 0.3
    w = "w" if named else f"({taken}) AS w"
    pair = (w, f"{other} AS x") if first else (f"{other} AS x", w)
    more = rng.choice(
        ["", " LEFT JOIN $v AS y ON w.b = y.b", " CROSS JOIN (SELECT MAX(k) AS m FROM $v) AS y"]
    )
    test = rng.choice(["", " WHERE w.b < 3", " WHERE x.k > 0 OR w.a = 1"])
    shown = rng.choice(["w.b, COUNT(*) AS c", "w.a, w.b, x.k", "DISTINCT w.b, x.k"])
    group = " GROUP BY w.b" if "COUNT" in shown else ""
    block = f"WITH w AS ({taken}) " if named else ""
    return f"{block}SELECT {shown} FROM {pair[0]} {side} {pair[1]} ON w.a = x.a{more}{test}{group}"


def test_reports_are_proved_in_these_words() -> None:
    sql = (
        "SELECT client, COUNT(*) AS n FROM (SELECT client, page FROM l.hits WHERE d = '{0}')"
        " JOIN (SELECT DISTINCT page FROM l.pages WHERE kind = '{0}') USING (page) GROUP BY client"
    )
    sources = [Source(f"r{n}.sql", sql.format(n), "bigquery") for n in range(3)]
    result = refactor(load(sources, "bigquery"), Request())
    assert {each.outcome for each in result.verdicts} == {"proved"}
    texts = " ".join(" ".join(result.files.values()).lower().split())
    assert "client, page from" not in texts
