"""What may stand in any order: cases, each executed, and random queries turned at random.

A case in fixtures/rewrite/one_order starts with `-- # title`. Its queries are what most say, what
one says, and what becomes of that; with `-- stays`, the first two stay as they are.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.compose import Draft
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.one_order import free_rows, in_one_order, put
from unwet.rewrite.remembered import Remembered
from unwet.tests.rewrite.small_world import Worlds, plan_of, reason
from unwet.tests.rewrite.sql_texts import Writer

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "one_order" / "cases.sql"
STAYS = "-- stays\n"


@dataclass(frozen=True)
class Case:
    title: str
    usual: str
    other: str
    wanted: str


def cases() -> list[Case]:
    found = []
    for text in re.split(r"^-- # ", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        queries = [query.strip() for query in rest.removeprefix(STAYS).split(";") if query.strip()]
        wanted = queries[1] if rest.startswith(STAYS) else queries[2]
        found.append(Case(title, queries[0], queries[1], wanted))
    return found


CASES = cases()


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


def draft(name: str, sql: str, dialect: str = "duckdb") -> Draft:
    tree = sqlglot.parse_one(sql, read=dialect)
    assert isinstance(tree, exp.Query)
    return Draft(name, tree, (), ())


def ordered(
    *queries: str, dialect: str = "duckdb", stay: frozenset[str] = frozenset()
) -> list[str]:
    drafts = [draft(f"m{at}", query, dialect) for at, query in enumerate(queries)]
    made = in_one_order(drafts, stay, Remembered())
    return [each.tree.sql(dialect) for each in made]


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_what_one_says_stands_in_the_order_of_most(case: Case, worlds: Worlds) -> None:
    *usual, found = ordered(case.usual, case.usual, case.other)
    assert found == sqlglot.parse_one(case.wanted, read="duckdb").sql("duckdb")
    assert usual == [sqlglot.parse_one(case.usual, read="duckdb").sql("duckdb")] * 2
    assert worlds.difference(case.other, found) == ""


def test_what_stays_says_it_as_before_and_still_counts() -> None:
    one, other = (
        "SELECT x.a FROM (SELECT a, b FROM t) AS x",
        "SELECT x.a FROM (SELECT b, a FROM t) AS x",
    )
    assert ordered(one, one, other, stay=frozenset({"m2"})) == [one, one, other]
    assert ordered(other, other, one, stay=frozenset({"m0", "m1"})) == [other, other, other]


def test_of_orders_as_often_the_own_one_stays() -> None:
    one, other = (
        "SELECT x.a FROM (SELECT a, b FROM t) AS x",
        "SELECT x.a FROM (SELECT b, a FROM t) AS x",
    )
    assert ordered(one, other) == [one, other]


def test_a_copy_of_other_columns_is_put_together_alike() -> None:
    alike = "SELECT x.a FROM (SELECT a, SUM(b) AS s FROM t GROUP BY a) AS x"
    more = "SELECT x.k FROM (SELECT k, SUM(b) AS s FROM v GROUP BY k) AS x"
    turned = "SELECT x.k FROM (SELECT SUM(b) AS s, k FROM v GROUP BY k) AS x"
    assert ordered(alike, alike, more, turned, turned) == [alike, alike, more, more, more]


@pytest.mark.parametrize(
    ("dialect", "sql", "rows"),
    [
        ("snowflake", "SELECT $1 AS p FROM (SELECT a, b FROM t)", 0),
        ("duckdb", "SELECT #1 AS p FROM (SELECT a, b FROM t) AS x", 0),
        ("duckdb", "SELECT HASH(*) AS p FROM (SELECT a, b FROM t) AS x", 0),
        ("duckdb", "SELECT x.a FROM (SELECT a, b FROM t) AS x NATURAL JOIN u", 0),
        ("duckdb", "SELECT a FROM read_csv('f.csv', header = TRUE)", 0),
        ("duckdb", "SELECT x.a FROM (SELECT DISTINCT ON (1) a, b FROM t) AS x", 0),
        ("duckdb", "SELECT x.a FROM (SELECT a, RANDOM() AS r FROM t) AS x", 0),
        ("duckdb", "SELECT x.a FROM (SELECT a, UNNEST([1, 2]) AS r FROM t) AS x", 0),
        ("bigquery", "SELECT x.a FROM (SELECT AS STRUCT a, b FROM t) AS x", 0),
        ("clickhouse", "WITH x AS (SELECT a, k FROM u) SELECT 1 AS o FROM t WHERE (a, b) IN x", 0),
        ("tsql", "SELECT p.a FROM (SELECT a, b FROM t) AS x PIVOT (SUM(b) FOR a IN ([1])) AS p", 0),
        ("postgres", "SELECT c FROM t GROUP BY GROUPING SETS ((a, b), (a))", 0),
        ("postgres", "SELECT c FROM t WHERE a = ALL (ARRAY[1, 2])", 0),
        ("bigquery", "SELECT a FROM (SELECT _TABLE_SUFFIX AS a, b FROM t)", 1),
        ("tsql", "SELECT x.a FROM (SELECT a, b FROM t) AS x", 1),
    ],
)  # fmt: skip
def test_places_that_may_count_do_not_move(dialect: str, sql: str, rows: int) -> None:
    found = free_rows(sqlglot.parse_one(sql, read=dialect))
    assert len([row for row in found if row.slot == "expressions"]) == rows
    assert not [row for row in found if row.slot == "test"]


def test_random_queries_return_the_same_rows_in_any_order(worlds: Worlds) -> None:
    rng = random.Random(11)
    turned = proved = 0
    for _ in range(150):
        tree = sqlglot.parse_one(Writer(rng.randrange).statement(), read="duckdb")
        before = tree.sql("duckdb")
        for row in free_rows(tree):
            put(row, rng.sample(row.signs, len(row.signs)))
        after = tree.sql("duckdb")
        try:
            worlds.rows(before, 0)
        except duckdb.Error:
            continue
        if after != before:
            assert worlds.difference(before, after) == "", before
            plans = [plan_of(before), plan_of(after)]
            if not any(map(reason, plans)):
                turned += 1
                old, new = (normalize_plan(plan)[0] for plan in plans)
                proved += old.rel == new.rel
    assert turned > 40
    assert proved > turned * 0.95, (turned, proved)
