"""Shared models that clean one source are staging models, in every kind of project."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.library import plain_library
from unwet.rewrite.naming_again import staging_names
from unwet.rewrite.project import Project
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.renaming import named
from unwet.rewrite.staging import staged_source

ORDERS = Outside("shop.orders", "shop", "orders")
CLEAN = """
SELECT DISTINCT o.order_id, LOWER(o.country) AS country, CAST(o.created_at AS DATE) AS order_day,
  COALESCE(o.discount, 0) AS discount
FROM shop.orders AS o
WHERE o.status IN ('paid', 'shipped', 'delivered') AND o.deleted_at IS NULL
  AND NOT COALESCE(o.is_test, FALSE)
"""


def draft(sql: str, *outside: Outside) -> Draft:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Query)
    return Draft("int_x", tree, outside or (ORDERS,), ())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT o.a FROM orders AS o WHERE o.b = 1",
        "SELECT DISTINCT o.a, UPPER(o.b) AS b FROM orders AS o",
        "SELECT o.a, ROW_NUMBER() OVER (PARTITION BY o.a ORDER BY o.b) AS rn FROM orders AS o",
        "SELECT o.a, SUM(o.b) OVER (PARTITION BY o.a) AS total FROM orders AS o",
        "SELECT q.a FROM (SELECT o.a, o.b FROM orders AS o) AS q WHERE q.b = 1",
        "WITH q AS (SELECT o.a FROM orders AS o) SELECT q.a FROM q WHERE q.a > 1",
    ],
)
def test_cleaning_is_staging(sql: str) -> None:
    assert staged_source(draft(sql)) == ORDERS


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT o.a, COUNT(*) AS n FROM orders AS o GROUP BY o.a",
        "SELECT MAX(o.a) AS a FROM orders AS o",
        "SELECT o.a FROM orders AS o JOIN orders AS p ON o.a = p.a",
        "SELECT o.a FROM orders AS o UNION ALL SELECT o.b FROM orders AS o",
        "SELECT o.a FROM orders AS o LIMIT 5",
        "SELECT o.a FROM orders AS o WHERE o.a IN (SELECT p.a FROM orders AS p)",
        "SELECT o.a FROM orders AS o WHERE EXISTS (SELECT 1 FROM orders AS p WHERE p.a = o.b)",
        "SELECT (SELECT MAX(p.a) FROM orders AS p) AS m FROM orders AS o",
        "WITH q AS (SELECT o.a FROM orders AS o) SELECT q.a FROM q WHERE q.a IN (SELECT a FROM q)",
    ],
)
def test_more_than_cleaning_is_not(sql: str) -> None:
    assert staged_source(draft(sql)) is None


def test_a_model_of_two_sources_is_not() -> None:
    other = Outside("shop.refunds", "shop", "refunds")
    assert staged_source(draft("SELECT o.a FROM orders AS o", ORDERS, other)) is None


def pile_of_copies() -> list[Source]:
    """Three reports over one cleaned table, which each author calls something else."""
    wanted = {"a": "country, COUNT(*) AS n", "b": "order_day, SUM(discount) AS d",
              "c": "country, MAX(order_day) AS last_day"}  # fmt: skip
    return [
        Source(
            f"{name}.sql",
            f"CREATE TABLE out.{name} AS WITH clean_{name} AS ({CLEAN}) "
            f"SELECT {items} FROM clean_{name} GROUP BY 1",
            "duckdb",
        )
        for name, items in wanted.items()
    ]


@pytest.mark.parametrize(
    ("target", "path", "called"),
    [
        ("dbt", "models/staging/stg_shop__orders.sql", "{{ ref('stg_shop__orders') }}"),
        ("sqlmesh", "models/staging/stg_shop__orders.sql", "staging.stg_shop__orders"),
        ("views", "views/staging/stg_shop__orders.sql", "staging.stg_shop__orders"),
    ],
)
def test_a_staging_model_in_every_kind_of_project(
    target: str, path: str, called: str, tmp_path: Path
) -> None:
    found = refactor(load(pile_of_copies(), "duckdb"), Request(out=tmp_path / "out", target=target))
    assert {verdict.outcome for verdict in found.verdicts} == {"proved"}
    assert path in found.files
    marts = [text for name, text in found.files.items() if "/marts/" in name and ".sql" in name]
    assert len(marts) == 3 and all(called in text for text in marts)


def test_dbt_has_a_description_and_a_setting_for_it(tmp_path: Path) -> None:
    found = refactor(load(pile_of_copies(), "duckdb"), Request(out=tmp_path / "out"))
    assert "Read by a, b, c." in found.files["models/staging/_models.yml"]
    assert "    staging:\n      +materialized: view" in found.files["dbt_project.yml"]
    assert "intermediate" not in found.files["dbt_project.yml"]  # dbt warns of folders not there


def cleaned(source: Outside, *names: str) -> Project:
    """A project of staging models of one source."""
    models = tuple(replace(draft("SELECT o.a FROM orders AS o", source), name=n) for n in names)
    return Project("p", "duckdb", (), models, plain_library(models), {}, (), Catalog({}))


def test_the_second_staging_model_of_a_source_has_its_authors_word_once() -> None:
    project = cleaned(ORDERS, "int_orders", "int_paid")
    names = staging_names(project)
    assert names == {"int_orders": "stg_shop__orders", "int_paid": "stg_shop__orders_paid"}
    again = staging_names(named(project, names))  # as at the end of a run, and in the next
    assert again == {name: name for name in names.values()}


def test_a_staging_model_of_a_source_that_is_a_parameter_is_called_after_it() -> None:
    source = Outside("p__cdmschema__p.person", "p__cdmSchema__p", "person")
    assert staging_names(cleaned(source, "int_rows")) == {"int_rows": "stg_cdm_schema__person"}
