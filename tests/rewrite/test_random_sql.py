"""Random queries: the text, its plan, and the plan's normal form return the same rows."""

from __future__ import annotations

import random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.plan_sql import to_sql
from unwet.tests.rewrite.small_world import Worlds, plan_of, reason
from unwet.tests.rewrite.sql_texts import Writer
from unwet.tests.rewrite.wild_texts import WildWriter


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    made = Worlds()
    made.engine.execute("SET error_on_division_by_zero = false")  # where it is divided is open
    return made


def check(sql: str, worlds: Worlds) -> str:
    """Where the rows differ, in words; what DuckDB does not run is nobody's fault."""
    try:
        worlds.rows(sql, 0)
    except (duckdb.BinderException, duckdb.NotImplementedException):
        return ""
    plan = plan_of(sql)
    if reason(plan):
        return ""
    found = worlds.difference(sql, to_sql(plan))
    if found:
        return f"lowering: {found}"
    normal, _ = normalize_plan(plan)
    try:
        found = worlds.difference(sql, to_sql(normal))
    except (duckdb.BinderException, duckdb.NotImplementedException):
        return ""
    return f"normal form: {found}" if found else ""


QUICKLY = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUICKLY
@given(st.data())
def test_plans_return_the_rows_of_their_texts(worlds: Worlds, data: st.DataObject) -> None:
    sql = Writer(lambda n: data.draw(st.integers(0, n - 1))).statement()
    assert check(sql, worlds) == "", sql


@settings(QUICKLY, max_examples=25)
@given(st.data())
def test_plans_return_the_rows_of_texts_in_rarer_words(worlds: Worlds, data: st.DataObject) -> None:
    sql = WildWriter(lambda n: data.draw(st.integers(0, n - 1))).statement()
    assert check(sql, worlds) == "", sql


def test_most_random_queries_are_understood(worlds: Worlds) -> None:
    rng = random.Random(3)
    understood = runs = 0
    for _ in range(60):
        sql = Writer(rng.randrange).statement()
        try:
            worlds.rows(sql, 0)
        except duckdb.Error:
            continue
        runs += 1
        understood += not reason(plan_of(sql))
    assert runs > 45
    assert understood > runs * 0.9
