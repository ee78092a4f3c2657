"""What sources are called in projects and in what is told of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as Verify
from unwet.rewrite.verify import verify

REPORT = """
SELECT g.id, g.name, SUM(o.amount) AS amount, COUNT(*) AS n
INTO @out.sales_{0}
FROM @cdm.{0} AS g JOIN @cdm.orders AS o ON o.id = g.id AND o.status = 'paid'
GROUP BY g.id, g.name
"""


def test_a_source_with_a_placeholder_is_one_that_people_can_read(tmp_path: Path) -> None:
    texts = [Source(f"{name}.sql", REPORT.format(name), "tsql") for name in ("de", "at", "ch")]
    pile = load(texts, "tsql")
    result = refactor(pile, Request(out=tmp_path / "project"))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert [v.relation for v in result.verdicts] == [
        "@out.sales_at",
        "@out.sales_ch",
        "@out.sales_de",
    ]
    sql = "".join(text for path, text in result.files.items() if path.endswith(".sql"))
    assert "source('cdm', table)" in sql and "source('cdm', 'orders')" in sql
    [macro] = result.abstractions
    assert [hole.values for hole in macro.holes] == [("@cdm.at", "@cdm.ch", "@cdm.de")]
    told = [p for p, text in result.files.items() if "p__" in text and not p.startswith(".unwet")]
    assert told == []
    checked = verify(pile, Verify(tmp_path / "project"))
    assert [(c.relation, c.verdict) for c in checked.reports] == [
        (f"@out.sales_{name}", "proved") for name in ("at", "ch", "de")
    ]


@pytest.mark.parametrize(
    "texts",
    [
        ["select a.id into r from @cdm.a as a join cdm.b as b on a.id = b.id"],
        ["select id into q from @cdm.a", "select id into r from cdm.b where id > 1"],
        ["select id into q from @cdm.a", "select id into r from cdm.a where id > 1"],
        ["select id into q from a__b.t", "select id into r from a_b.t where id > 1"],
    ],
)
def test_no_model_reads_another_schema_that_has_its_name(texts: list[str]) -> None:
    pile = load([Source(f"{n}.sql", text, "tsql") for n, text in enumerate(texts)], "tsql")
    *others, last = refactor(pile, Request()).verdicts
    assert (last.name, last.outcome) == ("r", "kept")
    assert "cannot be told apart as sources" in last.reason and "p__" not in last.reason
    assert {each.outcome for each in others} <= {"proved"}


def test_the_same_schema_in_other_letters_is_one_source() -> None:
    texts = ["select id into q from Dbo.a", "select id into r from dbo.b where id > 1"]
    pile = load([Source(f"{n}.sql", text, "tsql") for n, text in enumerate(texts)], "tsql")
    assert {each.outcome for each in refactor(pile, Request()).verdicts} == {"proved"}


@pytest.mark.parametrize(
    ("old", "schema", "assumed"),
    [
        ("orders", "main", ()),
        ("a.orders", "A", ()),
        ("@cdm.orders", "\"{{ var('cdm') }}\"", ()),
        ("orders", "archive", ("archive.orders is what the old scripts call orders",)),
        ("a.orders", "db.a", ("db.a.orders is what the old scripts call a.orders",)),
        ("@cdm.orders", "a", ("a.orders is what the old scripts call @cdm.orders",)),
    ],
)
@pytest.mark.parametrize("through", [False, True])
def test_a_source_that_is_called_otherwise_is_an_assumption(
    tmp_path: Path, old: str, schema: str, assumed: tuple[str, ...], through: bool
) -> None:
    query = "select o.id, o.amount from {} as o where o.id > 1"
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text("name: p\nprofile: p\nmodel-paths: [models]\n")
    model = query.format("{{ source('s', 'orders') }}")
    if through:
        (tmp_path / "models" / "middle.sql").write_text(model)
        model = "select id, amount from {{ ref('middle') }}"
    (tmp_path / "models" / "r.sql").write_text(model)
    source = f"sources: [{{name: s, schema: {schema}, tables: [{{name: orders}}]}}]"
    (tmp_path / "models" / "s.yml").write_text(f"version: 2\n{source}\n")
    text = query.format(old).replace(" from", " into r from")
    found = verify(load([Source("r.sql", text, "tsql")], "tsql"), Verify(tmp_path))
    assert [(each.verdict, each.reason) for each in found.reports] == [("proved", "")]
    assert found.assumptions == assumed


@pytest.mark.parametrize(
    ("made", "read", "assumed"),
    [
        ("s.t", "s.t", ()),
        ("@cdm.t", "@cdm.t", ()),
        (
            "@cdm.t",
            "@CDM.t",
            ("the schema @CDM is @cdm: only that has the tables that are read from it",),
        ),
        (
            "s.t",
            "@Cdm.t",
            ("the schema @Cdm is s: only that has the tables that are read from it",),
        ),
        ("t", "@cdm.t", ("the schema @cdm is the usual one, of the tables that are read from it",)),
        (
            "@results.t",
            "@cdm.t",
            ("the schema @cdm is @results: only that has the tables that are read from it",),
        ),
    ],
)
def test_a_schema_that_is_a_placeholder_and_taken_for_another_is_an_assumption(
    tmp_path: Path, made: str, read: str, assumed: tuple[str, ...]
) -> None:
    text = f"create table {made} (id int); select t.id into r from {read} as t where t.id > 1"
    old = load([Source("r.sql", text, "tsql")], "tsql")
    found = refactor(old, Request(out=tmp_path / "out"))
    assert [v.outcome for v in found.verdicts] == ["proved"]
    assert found.assumptions == assumed
    assert verify(old, Verify(tmp_path / "out")).assumptions == assumed


TABLES = """
CREATE TABLE out.{0}_{1} AS SELECT t.id, COUNT(*) AS n
FROM {2} AS t JOIN db.crm.users AS u ON u.id = t.id WHERE t.a = '{1}' GROUP BY t.id
"""


def test_a_source_is_called_by_its_schema_where_no_other_database_has_one(tmp_path: Path) -> None:
    read = {"crm": "db.crm.leads", "shop": "db.shop.orders", "other": "archive.shop.orders"}
    texts = [Source(f"{name}_{n}.sql", TABLES.format(name, n, table), "duckdb")
             for name, table in read.items() for n in (1, 2)]  # fmt: skip
    pile = load(texts, "duckdb")
    result = refactor(pile, Request(out=tmp_path / "project"))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    sql = "".join(text for path, text in result.files.items() if path.endswith(".sql"))
    assert set(re.findall(r"source\('(\w+)'", sql)) == {"crm", "db_shop", "archive_shop"}
    sources = next(text for path, text in result.files.items() if path.endswith("sources.yml"))
    assert re.findall(r"database: (\w+)\n +schema: (\w+)", sources) == [
        ("archive", "shop"), ("db", "crm"), ("db", "shop")
    ]  # fmt: skip
    checked = verify(pile, Verify(tmp_path / "project"))
    assert {c.verdict for c in checked.reports} == {"proved"}
