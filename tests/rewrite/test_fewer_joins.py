"""Reports that join a part of a wide model's tables read it where the others make no difference."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import yaml

from unwet import Source, refactor
from unwet.lineage.config import USUAL_SHARING
from unwet.lineage.pile import load
from unwet.rewrite.refactor import Request, Result
from unwet.rewrite.refactor import refactor as run

PILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "wide_models" / "parts"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PILE.iterdir())}
REPORTS = TEXTS.keys() - {"schema"}
WIDE = "int_orders_customers_stores"
KEY = "declared: id is a key of shop.stores"


def project(
    target: str = "views",
    dialect: str = "postgres",
    costs: int = 0,
    trust_keys: bool = False,
    **changed: str,
) -> Result:
    """The pile of the fixtures, with other texts."""
    texts = TEXTS | changed
    sources = [Source(f"{name}.sql", text, dialect) for name, text in texts.items()]
    sharing = replace(USUAL_SHARING, wide_costs=costs)
    pile = replace(load(sources, dialect), trust_keys=trust_keys)
    return run(pile, Request(target=target, sharing=sharing))


def readers(result: Result) -> set[str]:
    """The reports that read a wide model."""
    assert {v.outcome for v in result.verdicts} == {"proved"}
    texts = {path.rpartition("/")[2]: text for path, text in result.files.items()}
    reads = re.compile(r"\bint_orders_(customers|stores)")
    return {v.name for v in result.verdicts if reads.search(texts[f"{v.name}.sql"])}


def test_they_read_it_and_the_declarations_are_told() -> None:
    result = project()
    assert readers(result) == REPORTS
    made = result.files[f"views/intermediate/{WIDE}.sql"]
    assert made.count("JOIN") == 2 and "o.status IN ('paid', 'shipped')" in made
    named = result.files["views/marts/names.sql"]
    assert f"FROM intermediate.{WIDE} AS o\nWHERE\n  o.segment = 'b2b'" in named
    assert {KEY, "declared: shop.orders.customer_id refers to shop.customers.id"} <= {
        *result.assumptions
    }


@pytest.mark.parametrize("target", ["dbt", "sqlmesh"])
def test_other_targets_where_somebody_wants_it(target: str) -> None:
    usual = project(target)
    assert not [path for path in usual.files if path.endswith(f"{WIDE}.sql")]
    assert readers(project(target, costs=40)) == REPORTS


SCHEMA = TEXTS["schema"]
LEFT = {"by_country", "good_customers", "names"}  # out the stores
WITHOUT_CUSTOMERS = {"by_region"}
LESS = {
    "no key": (SCHEMA.replace("PRIMARY KEY, city", ", city"), LEFT),
    "no foreign key": (SCHEMA.replace(" REFERENCES shop.customers (id)", ""), WITHOUT_CUSTOMERS),
    "a key that may be NULL": (SCHEMA.replace("INTEGER NOT NULL REF", "INTEGER REF"),
                               WITHOUT_CUSTOMERS),
    "another type": (SCHEMA.replace("store_id INTEGER", "store_id TEXT"), LEFT),
}  # fmt: skip


@pytest.mark.parametrize("less", LESS)
def test_what_nobody_declares_is_not_taken_for_granted(less: str) -> None:
    schema, without = LESS[less]
    assert schema != SCHEMA
    assert readers(project(costs=40, schema=schema)) == REPORTS - without


def test_nor_is_a_key_that_no_engine_checks() -> None:
    found = readers(project(dialect="bigquery", costs=40))
    assert found == REPORTS - LEFT - WITHOUT_CUSTOMERS


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake"])
def test_a_key_that_somebody_trusts_is_an_assumption_and_a_data_test(dialect: str) -> None:
    unchecked = SCHEMA.replace("(id)", "(id) NOT ENFORCED") if dialect == "bigquery" else SCHEMA
    result = project("dbt", dialect, costs=40, trust_keys=True, schema=unchecked)
    assert readers(result) == REPORTS
    assert {KEY, "declared: shop.orders.customer_id refers to shop.customers.id"} <= {
        *result.assumptions
    }
    tables = yaml.safe_load(result.files["models/sources.yml"])["sources"][0]["tables"]
    columns = {
        (table["name"], column["name"]): column.get("data_tests", [])
        for table in tables
        for column in table["columns"]
    }
    assert {"unique", "not_null"} <= {*map(_name, columns["stores", "id"])}
    assert "relationships" in {*map(_name, columns["orders", "customer_id"])}


def _name(test: object) -> str:
    return next(iter(test)) if isinstance(test, dict) else str(test)


OTHER = {
    "another kind of join": ("join shop.customers", "left join shop.customers"),
    "another condition": ("on c.id = o.customer_id", "on c.id = o.customer_id and c.name > 'b'"),
    "no condition of the others": ("where o.status in ('paid', 'shipped')", "where true"),
}


@pytest.mark.parametrize("other", OTHER)
def test_another_question_is_not_asked_of_it(other: str) -> None:
    old, new = OTHER[other]
    text = TEXTS["by_country"].replace(old, new)
    assert text != TEXTS["by_country"]
    result = project(by_country=text)
    assert "by_country" not in readers(result)


def test_parts_that_have_a_model_of_their_own_read_that() -> None:
    """Four reports of two tables, and four of three: each group has its model."""
    changes = {"by_segment_and_region": ("sum(", "min("), "largest_by_city": ("max(", "avg("),
               "by_country": ("count(*)", "min(o.id)")}  # fmt: skip
    more = {
        f"{name}_again": TEXTS[name].replace(f"rep.{name}", f"rep.{name}_again").replace(*change)
        for name, change in changes.items()
    }
    more["cheap"] = TEXTS["names"].replace("rep.names", "rep.cheap").replace("o.amount", "o.pieces")
    result = project("views", "postgres", 40, False, **more)
    assert readers(result)
    wide = [path for path in result.files if "/int_" in path]
    assert len(wide) == 2
    text = result.files["views/marts/cheap.sql"]
    assert "int_orders_customers " in text


@pytest.mark.parametrize("target", ["views", "dbt"])
def test_the_rows_are_the_same(tmp_path: Path, target: str) -> None:
    data = str(tmp_path / "data.duckdb")
    with duckdb.connect(data) as made:
        made.execute(f"CREATE SCHEMA shop; {SCHEMA}")
        made.execute(
            "INSERT INTO shop.customers VALUES (1, 'A', 'b2b', 'DE'), (2, 'B', NULL, 'FR')"
        )
        made.execute("INSERT INTO shop.stores VALUES (1, 'Rome', 'south'), (2, NULL, NULL)")
        for n in range(40):
            row = [n, 1 + n % 2, [None, 1, 2, 3][n % 4], ["web", "shop"][n % 3 % 2],
                   ["paid", "shipped", "open", None, "paid"][n % 5], f"2024-01-{1 + n % 28:02}",
                   [None, 900, 20][n % 3], n % 4]  # fmt: skip
            made.execute("INSERT INTO shop.orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    result = refactor(PILE, tmp_path / "out", dialect="duckdb", target=target, data=data)
    assert {v.name: (v.outcome, v.reason) for v in result.verdicts} == dict.fromkeys(
        REPORTS, ("proved", "")
    )
