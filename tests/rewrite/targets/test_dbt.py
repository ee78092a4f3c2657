"""The dbt project of the small pile: files, YAML, what each model says of itself."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import FOLDER, small_pile
from unwet.tests.rewrite.small_world import SCHEMA


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return dict(refactor(small_pile(), Request(name="small")).files)


def loaded(text: str) -> Any:
    return yaml.safe_load(text)


def test_the_project_file(files: dict[str, str]) -> None:
    project = loaded(files["dbt_project.yml"])
    assert project["name"] == project["profile"] == "small"
    assert project["config-version"] == 2
    profile = loaded(files["profiles.yml"])["small"]
    assert profile["outputs"][profile["target"]]["type"] == "duckdb"


def test_only_what_duckdb_can_build_has_a_profile_for_it() -> None:
    pile = load([Source("a.sql", "SELECT a FROM s.t")], "postgres")
    asis, duck = (
        dict(refactor(pile, Request(name="shop", to_dialect=to)).files) for to in ("", "duckdb")
    )
    assert "profiles.yml" not in asis
    assert "It is postgres: `dbt build` wants your profile `shop`." in asis["MIGRATION.md"]
    assert "profiles.yml" in duck
    assert "`dbt build --profiles-dir .` builds it" in duck["MIGRATION.md"]


def test_every_model_has_an_entry_and_an_exposure(files: dict[str, str]) -> None:
    entries = loaded(files["models/marts.yml"])
    models = {path.split("/")[-1][:-4] for path in files if path.startswith("models/marts/")}
    assert {entry["name"] for entry in entries["models"]} >= models
    exposures = {each["name"]: each for each in entries["exposures"]}
    assert exposures.keys() == {f"legacy_{name}" for name in models}
    assert exposures["legacy_ranked"]["depends_on"] == ["ref('ranked')"]
    assert {"label", "type", "owner"} <= exposures["legacy_ranked"].keys()


def test_a_model_says_which_lines_it_replaces(files: dict[str, str]) -> None:
    entries = {e["name"]: e for e in loaded(files["models/marts.yml"])["models"]}
    assert entries["sales_1"]["config"]["meta"]["replaces"] == ["sales_1.sql:2-14"]
    assert entries["sales_1"]["description"] == "sales of region 1"


def test_sources_have_their_columns(files: dict[str, str]) -> None:
    [source] = loaded(files["models/sources.yml"])["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    assert source["name"] == source["schema"] == "main"
    assert tables.keys() == {"t", "u", "v"}
    assert [column["name"] for column in tables["v"]["columns"]] == ["k", "b", "e"]


def test_views_stay_views(files: dict[str, str]) -> None:
    assert "config(materialized='view')" in files["models/marts/all_sales.sql"]
    assert "config(" not in files["models/marts/ranked.sql"]


def test_comments_of_the_author_are_kept(files: dict[str, str]) -> None:
    assert files["models/marts/sales_2.sql"].startswith("-- sales of region 2\n")
    assert "-- every segment once" in files["models/marts/segments.sql"]


def test_what_is_kept_is_there_letter_for_letter(files: dict[str, str]) -> None:
    for name in ("broken.sql", "changed.sql", "names.sql"):
        assert files[f"legacy/{name}"] == (FOLDER / name).read_text()


def test_a_comment_cannot_become_code() -> None:
    text = "-- {{ 1/0 }} {% endmacro %} {# x\nCREATE TABLE r AS SELECT a FROM t"
    schema = {name: dict(columns) for name, columns in SCHEMA.items()}
    pile = load([Source("a.sql", text, "duckdb")], "duckdb", schema)
    result = refactor(pile, Request())
    assert [v.outcome for v in result.verdicts] == ["proved"]
    assert "{{ 1/0" not in result.files["models/marts/r.sql"]


def test_odd_names_of_tables_are_identifiers() -> None:
    text = 'CREATE TABLE r AS SELECT a FROM "My Schema"."My Table"'
    pile = load([Source("a.sql", text, "duckdb")], "duckdb")
    result = refactor(pile, Request())
    assert [v.outcome for v in result.verdicts] == ["proved"]
    [source] = loaded(result.files["models/sources.yml"])["sources"]
    assert source["name"] == "my_schema"
    assert source["schema"].lower() == "my schema"
    assert source["tables"][0]["identifier"].lower() == "my table"
