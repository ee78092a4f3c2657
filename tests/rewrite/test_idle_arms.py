"""Arms of CASE that are what would be anyway, and conditions that arms before tell, go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from unwet.rewrite.idle_arms import without_idle_arms
from unwet.rewrite.normal import normalize_plan
from unwet.tests.rewrite.small_world import Worlds, plan_of

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "idle_arms" / "cases.sql"


@dataclass(frozen=True)
class Case:
    title: str
    before: str
    after: str


def cases() -> list[Case]:
    found = []
    for text in re.split(r"^-- # ", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        before, after = (part.strip() for part in rest.split(";")[:2])
        found.append(Case(title, before, before if after == "-- stays" else after))
    return found


CASES = cases()


def said(sql: str, change: bool = True) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    if change:
        without_idle_arms(tree)
    return tree.sql("duckdb")


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_what_arms_say_for_nothing_goes(case: Case, worlds: Worlds) -> None:
    assert said(case.before) == said(case.after, change=False)
    assert worlds.difference(case.before, case.after) == ""


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_it_is_proved(case: Case) -> None:
    before, after = (normalize_plan(plan_of(sql))[0] for sql in (case.before, case.after))
    assert before.rel == after.rel


@pytest.mark.parametrize("case", [
    "CASE WHEN a > 1 THEN 1 WHEN RANDOM() > 0.5 THEN 2 ELSE 2 END",
    "CASE WHEN RANDOM() > 0.5 THEN 1 WHEN a > 1 AND RANDOM() <= 0.5 AND RANDOM() > 0.1 THEN 2 END",
])  # fmt: skip
def test_what_chance_says_stays(case: str) -> None:
    assert said(f"SELECT {case} AS v FROM t") == f"SELECT {case} AS v FROM t"


TESTS = st.builds(
    "{} {} {}".format,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]),
    st.integers(0, 3),
)
BOTH = st.lists(TESTS, min_size=1, max_size=3).map(" AND ".join)
VALUES = st.sampled_from(["1", "2", "a", "NULL"])
ARMS = st.lists(st.builds("WHEN {} THEN {}".format, BOTH, VALUES), min_size=1, max_size=4)


@given(arms=ARMS.map(" ".join), last=st.one_of(st.just(""), VALUES.map("ELSE {} ".format)))
@settings(max_examples=150, deadline=None)
def test_law_the_rows_are_the_same(worlds: Worlds, arms: str, last: str) -> None:
    before = f"SELECT a, b, CASE {arms} {last}END AS v FROM t"
    after = said(before)
    assert worlds.difference(before, after) == ""
    one, other = (normalize_plan(plan_of(sql))[0] for sql in (before, after))
    assert one.rel == other.rel


@pytest.mark.parametrize("case", [
    "SELECT CASE WHEN a > 1 THEN 1 WHEN UNNEST([1, 2]) > 1 THEN 2 ELSE 2 END AS v FROM t",
    "SELECT CASE WHEN a > 1 THEN 1 WHEN FSUM(b) > 1 THEN 2 ELSE 2 END AS v FROM t GROUP BY ALL",
    "SELECT CASE WHEN c >= '' THEN 1 WHEN c < '' AND c < 'x' THEN 2 END AS v FROM t",
])  # fmt: skip
def test_what_makes_rows_or_may_be_null_stays(case: str) -> None:
    assert said(case) == case
