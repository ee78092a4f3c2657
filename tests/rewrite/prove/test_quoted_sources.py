"""Sources whose names have capitals: which table is read depends on quotes, which dbt sets by
adapter, or as a project says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify

QUOTED = {
    "a": 'CREATE VIEW r.a AS SELECT "Id", amount FROM "Sales Dept"."Orders_2021" WHERE amount > 3;',
    "b": 'CREATE VIEW r.b AS SELECT id FROM sales."Orders" AS o WHERE amount > 3;',
    "c": "CREATE VIEW r.c AS SELECT id FROM Sales.Items WHERE amount > 3;",
}
CAPITALS = ("postgres", "snowflake", "oracle")  # where a name with them is another one in quotes


def pile(dialect: str, **scripts: str) -> Pile:
    return load([Source(f"p/{name}.sql", sql) for name, sql in scripts.items()], dialect)


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
@pytest.mark.parametrize("dialect", [*CAPITALS, "duckdb", "bigquery", "tsql"])
def test_they_are_read_back(dialect: str, target: str) -> None:
    scripts = (
        QUOTED if dialect != "bigquery" else {n: s.replace('"', "`") for n, s in QUOTED.items()}
    )
    result = refactor(pile(dialect, **scripts), Request(target=target))
    assert {v.name: v.outcome for v in result.verdicts} == dict.fromkeys("abc", "proved")


@pytest.mark.parametrize("dialect", CAPITALS)
def test_a_dbt_project_says_that_they_have_quotes(dialect: str) -> None:
    result = refactor(pile(dialect, **QUOTED), Request())
    said = {
        each["name"]: each for each in yaml.safe_load(result.files["models/sources.yml"])["sources"]
    }
    assert said["sales_dept"]["quoting"] == {"schema": True} and "quoting" not in said["sales"]
    tables = {t["name"]: t.get("quoting") for s in said.values() for t in s["tables"]}
    assert tables == {"orders_2021": {"identifier": True}, "orders": {"identifier": True},
                      "items": None}  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "quoting", "table"),
    [
        ("postgres", "", '"Orders"'),  # as dbt does by itself
        ("postgres", "quoting: {identifier: true}", '"Orders"'),
        ("postgres", "quoting: {identifier: false}", "orders"),
        ("postgres", "quoting: {identifier: '{{ x }}'}", '"Orders"'),
        ("snowflake", "", "orders"),
        ("snowflake", "quoting: {identifier: true}", '"Orders"'),
        ("snowflake", "quoting: {identifier: false}", "orders"),
        ("duckdb", "quoting: {identifier: false}", "orders"),
        ("bigquery", "quoting: {identifier: false}", "Orders"),
    ],
)
@pytest.mark.parametrize("where", ["table", "source", "project"])
def test_a_project_by_hand_reads_the_table_that_dbt_reads(
    tmp_path: Path, dialect: str, quoting: str, table: str, where: str
) -> None:
    said = {each: quoting if each == where else "" for each in ("table", "source", "project")}
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(f"name: p\n{said['project']}\n")
    (tmp_path / "models" / "r.sql").write_text("SELECT id FROM {{ source('s', 'o') }}")
    (tmp_path / "models" / "s.yml").write_text(
        f"sources:\n  - name: s\n    schema: sales\n    {said['source']}\n    tables:\n"
        f"      - name: o\n        identifier: Orders\n        {said['table']}\n"
    )
    for read, outcome in ((table, "proved"), ("other", "kept")):
        old = pile(dialect, r=f"CREATE VIEW r AS SELECT id FROM sales.{read}")
        (report,) = verify(old, VerifyRequest(tmp_path)).reports
        assert report.verdict == outcome, (read, report.reason)
    if dialect in CAPITALS:
        other = "orders" if table != "orders" else '"Orders"'
        old = pile(dialect, r=f"CREATE VIEW r AS SELECT id FROM sales.{other}")
        (report,) = verify(old, VerifyRequest(tmp_path)).reports
        assert report.verdict == "kept"
