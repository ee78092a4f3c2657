"""A text that is no number is NULL beside one in Spark without ANSI: both sides on Spark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.servers.spark import SparkEngine
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import models
from unwet.tests.rewrite.small_world import plan_of

VALUES = ("NULL", "'abc'", "'0'", "'2'", "'12'", "'1e2'", "'2024-02-10'", "'2024-03-01'")
APART = {  # a condition, and one that is true for other texts
    "not equal to both": ("c <> 1 or c <> 2", "c is not null"),
    "unknown": ("(c < 1) is null", "c is null"),
    "not true": ("(c > 3) is not true", "c <= 3 or c is null"),
    "a text beside a number": (
        "case when c >= 9 then 1 when c >= '2' and c < 9 then 2 end = 2",
        "case when c >= 9 then 1 when c >= '2' then 2 end = 2",
    ),
    "a fraction beside a whole number": (
        "case when c >= 9 then 1 when c >= 2.5 and c < 9 then 2 end = 2",
        "case when c >= 9 then 1 when c >= 2.5 then 2 end = 2",
    ),
    "a day that is none": (
        "case when cast(c as date) >= '2024-02-30' then 1"
        " when cast(c as date) >= '2024-02-01' and cast(c as date) < '2024-02-30' then 2 end = 2",
        "case when cast(c as date) >= '2024-02-30' then 1"
        " when cast(c as date) >= '2024-02-01' then 2 end = 2",
    ),
}
SAME = {
    "two whole numbers": (
        "case when c >= 9 then 1 when c >= 2 and c < 9 then 2 end = 2",
        "case when c >= 9 then 1 when c >= 2 then 2 end = 2",
    ),
    "not true, in other words": ("(c > 3) is not true", "not coalesce(c > 3, false)"),
}


def query(condition: str, table: str = "t") -> str:
    return f"select c from {table} where {condition}"


def rows(engine: SparkEngine, sql: str) -> list[tuple[object, ...]]:
    listed = ", ".join(f"({value})" for value in VALUES)
    found = engine.rows(f"with t as (select * from values {listed} as v(c)) {sql}")
    return sorted(found, key=repr)


@pytest.fixture
def lenient(spark: SparkEngine) -> Iterator[SparkEngine]:
    """Spark as it was by itself before its fourth version."""
    spark.rows("SET spark.sql.ansi.enabled = false")
    yield spark
    spark.rows("RESET spark.sql.ansi.enabled")


@pytest.mark.parametrize("name", APART)
def test_what_is_apart_on_spark_is_not_proved(lenient: SparkEngine, name: str) -> None:
    one, other = map(query, APART[name])
    assert rows(lenient, one) != rows(lenient, other)
    assert normal(one) != normal(other)


@pytest.mark.parametrize("name", SAME)
def test_what_is_proved_is_the_same_on_spark(lenient: SparkEngine, name: str) -> None:
    one, other = map(query, SAME[name])
    assert rows(lenient, one) == rows(lenient, other) != []
    assert normal(one) == normal(other)


def normal(sql: str) -> object:
    return Normalizer(numbers=False).run(plan_of(sql, "spark").rel)[0]


def test_models_of_such_reports_return_their_rows(lenient: SparkEngine, tmp_path: Path) -> None:
    conditions = [each for pair in (*APART.values(), *SAME.values()) for each in pair]
    texts = {f"r{at}": query(each) for at, each in enumerate(dict.fromkeys(conditions))}
    sources = [Source(f"{n}.sql", f"create table {n} as {q};", "spark") for n, q in texts.items()]
    pile = load(sources, "spark", {"t": {"c": "STRING"}})
    found = refactor(pile, Request(out=tmp_path, force=True)).verdicts
    made = models(tmp_path)
    assert {each.outcome for each in found} == {"proved"}
    for each in found:
        sql = made[each.model].replace("default.t", "t")
        assert rows(lenient, sql) == rows(lenient, texts[each.name]), each.name
