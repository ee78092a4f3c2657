"""Unit tests of a project: small rows, and what the old scripts make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.prove.examples import MOST_IN, MOST_OUT
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.targets.test_dbt_build import build, dbt

__all__ = ["dbt"]  # a fixture

DDL = "CREATE TABLE s.orders (id INTEGER, customer VARCHAR, amount DECIMAL(12,2), day DATE)"
LADDER = """\
CREATE TABLE r.sizes_{0} AS
SELECT o.customer,
  CASE WHEN o.amount >= 1000 THEN 'large' WHEN o.amount >= 100 THEN 'medium'
    ELSE 'small' END AS size,
  COUNT(*) AS n, MIN(o.day) AS first
FROM s.orders AS o WHERE o.customer LIKE '{0}%' AND o.day < DATE '2024-01-01'
GROUP BY 1, 2
"""
PLACE = "models/marts/_unit_tests.yml"


def made(*texts: str, wanted: bool = True, dialect: str = "duckdb") -> Result:
    sources = [Source("ddl.sql", DDL, dialect)]
    sources += [Source(f"{n}.sql", text, dialect) for n, text in enumerate(texts)]
    return refactor(load(sources, dialect), Request(name="sizes", unit_tests=wanted))


def listed(result: Result) -> list[Any]:
    return list(yaml.safe_load(result.files[PLACE])["unit_tests"])


@pytest.fixture(scope="module")
def ladders() -> Result:
    return made(*(LADDER.format(name) for name in "abc"))


def test_one_for_each_macro(ladders: Result) -> None:
    [test] = listed(ladders)
    assert test["model"] == "sizes_a" and test["name"] == "old_sizes_a"
    [given] = test["given"]
    assert given["input"] == "source('s', 'orders')"
    assert 0 < len(given["rows"]) <= MOST_IN and 0 < len(test["expect"]["rows"]) <= MOST_OUT


def test_only_columns_that_matter_are_given(ladders: Result) -> None:
    [test] = listed(ladders)
    assert {tuple(row) for row in test["given"][0]["rows"]} == {("customer", "amount", "day")}


def test_the_rows_tell_arms_of_the_ladder_apart(ladders: Result) -> None:
    [test] = listed(ladders)
    assert len({row["size"] for row in test["expect"]["rows"]}) >= 2


def test_the_old_script_says_so_too(ladders: Result) -> None:
    [test] = listed(ladders)
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA s; CREATE SCHEMA r")
        connection.execute(DDL)
        for row in test["given"][0]["rows"]:
            values = [None, row["customer"], row["amount"], row["day"]]
            connection.execute("INSERT INTO s.orders VALUES (?, ?, ?, ?)", values)
        connection.execute(LADDER.format("a"))
        found = connection.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM r.sizes_a").fetchall()
    assert sorted(found) == sorted(tuple(row.values()) for row in test["expect"]["rows"])


def without() -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield LADDER.format("a"), {"wanted": False}
    yield LADDER.format("a"), {"dialect": "bigquery"}  # DuckDB's rows are not its own
    yield "SELECT o.customer FROM s.orders AS o WHERE o.amount > 1", {}  # there is no rule
    today = "o.day < CURRENT_DATE - INTERVAL '1' DAY"
    yield LADDER.format("a").replace("o.day < DATE '2024-01-01'", today), {}
    yield LADDER.format("a").replace("COUNT(*)", "COUNT(*) + RANDOM()"), {}


@pytest.mark.parametrize(("text", "settings"), list(without()))
def test_none_where_nothing_firm_can_be_said(text: str, settings: Mapping[str, Any]) -> None:
    assert PLACE not in made(text, **settings).files


def test_dbt_runs_it(ladders: Result, dbt: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.duckdb"
    with duckdb.connect(str(data)) as connection:
        connection.execute("CREATE SCHEMA s")
        connection.execute(DDL)
    done = build(dbt, ladders.files, tmp_path / "project", data)
    assert done["unit_test pass"] == 1
    assert not [each for each in done if not each.endswith((" success", " pass", " no-op"))]


def test_views_have_none_and_say_so() -> None:
    sources = [Source("ddl.sql", DDL, "duckdb"), Source("a.sql", LADDER.format("a"), "duckdb")]
    request = Request(name="sizes", unit_tests=True, target="views")
    found = refactor(load(sources, "duckdb"), request)
    assert "--unit-tests: a project of views has nothing that runs them" in found.notes
    assert not [path for path in found.files if "test" in path]


def test_each_column_of_a_pivot_has_a_value() -> None:
    channels = ("web", "app", "store", "fair")
    items = ", ".join(f"SUM(CASE WHEN o.customer = '{each}' THEN o.amount ELSE 0 END) AS {each}"
                      for each in channels)  # fmt: skip
    [test] = listed(made(f"CREATE TABLE r.pivot AS SELECT o.day, {items} FROM s.orders AS o"
                         " GROUP BY o.day"))  # fmt: skip
    rows = test["expect"]["rows"]
    assert len(test["given"][0]["rows"]) <= MOST_IN and len(rows) <= MOST_OUT
    for each in channels:
        assert {float(row[each] or 0) != 0 for row in rows} == {True, False}
