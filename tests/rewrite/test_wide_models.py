"""Reports that join the same tables read one wide model: read back, proved, and run on data."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from unwet import Source, refactor
from unwet.lineage.config import USUAL_SHARING
from unwet.lineage.pile import load
from unwet.rewrite.refactor import Request, Result
from unwet.rewrite.refactor import refactor as run

PILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "wide_models" / "pile"
WIDE = "int_orders_customers_stores"
REPORTS = {path.stem for path in PILE.iterdir()} - {"schema"}
JOINED = "from s.a as a join s.b as b on a.id = b.id"
CREATED = ("create table s.a (id int, x int, y int, z int, f int); "
           "create table s.b (id int, p int, x int);")  # fmt: skip


def project(target: str, *texts: str, costs: int = 0) -> Result:
    """The pile of these reports, or that of the fixtures."""
    if not texts:
        pile = load(PILE, "postgres")
    else:
        sources = [Source(f"r{n}.sql", f"create table o.r{n} as {text}", "postgres")
                   for n, text in enumerate(texts)]  # fmt: skip
        pile = load([*sources, Source("schema.sql", CREATED, "postgres")], "postgres")
    sharing = replace(USUAL_SHARING, wide_costs=costs)
    return run(pile, Request(target=target, sharing=sharing))


def wide(result: Result) -> list[str]:
    return [path for path in result.files if path.rpartition("/")[2].startswith("int_")]


def test_views_read_it() -> None:
    result = project("views")
    assert {v.name: v.outcome for v in result.verdicts} == dict.fromkeys(REPORTS, "proved")
    assert wide(result) == [f"views/intermediate/{WIDE}.sql"]
    made = result.files[f"views/intermediate/{WIDE}.sql"]
    assert "o.status IN ('paid', 'shipped', 'delivered')" in made
    assert "o.channel = 'store'" not in made
    region = result.files["views/marts/revenue_by_region.sql"]
    assert f"FROM intermediate.{WIDE} AS o\nWHERE\n  o.channel = 'store'" in region


def test_macros_take_fewer_lines_and_somebody_may_want_it_even_so() -> None:
    usual, wanted = project("dbt"), project("dbt", costs=25)
    assert not wide(usual)
    assert wide(wanted) == [f"models/intermediate/{WIDE}.sql"]
    assert {v.outcome for v in wanted.verdicts} == {"proved"}
    assert usual.after.lines < wanted.after.lines
    assert usual.after.nodes > wanted.after.nodes
    text = wanted.files["models/marts/revenue_by_country.sql"]
    assert f"from {{{{ ref('{WIDE}') }}}} as o\ngroup by o.country" in text


@pytest.mark.parametrize("target", ["views", "dbt", "sqlmesh"])
def test_the_rows_are_the_same(tmp_path: Path, target: str) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    for path in PILE.iterdir():
        (pile / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with duckdb.connect(str(tmp_path / "data.duckdb")) as made:
        fill(made, random.Random(7))
    result = refactor(pile, dialect="duckdb", data=str(tmp_path / "data.duckdb"), target=target)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert not [v for v in result.verdicts if v.reason]


def fill(made: duckdb.DuckDBPyConnection, rng: random.Random) -> None:
    """Orders without a store, customers whom nobody has tested, and NULLs elsewhere."""
    made.execute("CREATE SCHEMA shop")
    made.execute((PILE / "schema.sql").read_text(encoding="utf-8"))
    for number in range(8):
        row = [number, f"n{number}", rng.choice(["DE", "FR", None]), rng.choice(["b2b", "b2c"]),
               rng.choice(["2022-12-31", "2023-02-01"]),
               rng.choice([True, False, None])]  # fmt: skip
        made.execute("INSERT INTO shop.customers VALUES (?, ?, ?, ?, ?, ?)", row)
    for number in range(3):
        row = [number, rng.choice(["Rome", None]), rng.choice(["north", None]), None]
        made.execute("INSERT INTO shop.stores VALUES (?, ?, ?, ?)", row)
    for number in range(60):
        row = [number, rng.randrange(9), rng.choice([None, 0, 1, 2, 5]),
               rng.choice(["store", "web"]), rng.choice(["paid", "shipped", "open", None]),
               rng.choice(["2024-01-03", "2024-02-05"]), rng.choice([None, 10, 2000]),
               rng.choice([0, 1]), rng.choice([None, 5]), rng.choice([None, 1, 4])]  # fmt: skip
        made.execute(f"INSERT INTO shop.orders VALUES ({', '.join('?' * 10)})", row)


def test_columns_of_one_name_have_that_of_their_table_too() -> None:
    result = project(
        "views",
        f"select a.x, count(*) as n {JOINED} where a.z > 1 group by a.x",
        f"select b.x, sum(a.y) as y {JOINED} where a.z > 1 group by b.x",
        f"select b.p, a.x as ax, b.x as bx {JOINED} where a.z > 1 and a.f = 3",
        f"select max(a.f) as f, min(b.p) as p {JOINED} where a.z > 1 and b.p is not null",
        f"select distinct a.y, b.p, a.f {JOINED} where a.z > 1 and a.x <> b.x",
        costs=40,
    )
    assert {v.outcome for v in result.verdicts} == {"proved"}
    [path] = wide(result)
    assert "a.x AS a_x" in result.files[path]
    assert "a.a_x AS x" in result.files["views/marts/r0.sql"]


@pytest.mark.parametrize(
    "odd",
    [
        "select a.x, (select max(b.p) from s.b as b) as m {} where a.z > 1",
        "select a.x, p {} where a.z > 1",
        "select * {} where a.z > 1",
        "with c as (select 1 as k) select a.x {} where a.z > 1",
    ],
)
def test_what_may_mean_something_else_keeps_its_joins(odd: str) -> None:
    result = project(
        "views",
        f"select a.x, count(*) as n {JOINED} where a.z > 1 group by a.x",
        f"select b.x, sum(a.y) as y {JOINED} where a.z > 1 group by b.x",
        f"select b.p, a.x as ax {JOINED} where a.z > 1 and a.f = 3",
        f"select max(a.f) as f, min(b.p) as p {JOINED} where a.z > 1 and b.p is not null",
        odd.format(JOINED),
        costs=40,
    )
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert len(wide(result)) == 1
    assert "JOIN" in result.files["views/marts/r4.sql"]
