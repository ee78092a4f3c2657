"""What dbt has compiled counts, as long as it is of the texts that the project has now."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from unwet import verify
from unwet.rewrite.checked import Checked
from unwet.rewrite.prove.compiled import read_project
from unwet.rewrite.verify import Verification

RAW = {
    "models/north.sql": "select id, amount from {{ ref('stg') }} where region = {{ quoted('n') }}",
    "models/stg.sql": "select * from {{ source('shop', 'orders') }}",
}
MACRO = "{% macro quoted(word) %}'{{ word }}'{% endmacro %}"
SOURCES = "sources: [{name: shop, schema: shop, tables: [{name: orders}]}]"
DDL = "CREATE TABLE shop.orders (id INTEGER, region VARCHAR, amount INTEGER)"
LEGACY = "CREATE TABLE rep.north AS SELECT id, amount FROM shop.orders WHERE region = 'n'"
COMPILED = {
    "models/north.sql": """select id, amount from "wh"."main"."stg" where region = 'n'""",
    "models/stg.sql": 'select * from "wh"."shop"."orders"',
}


class Project:
    """A pile, and a project with what dbt 1.11 leaves in target/."""

    def __init__(self, root: Path) -> None:
        self.root, self.project = root, root / "project"
        self.write(root / "pile/a.sql", LEGACY)
        self.write(root / "pile/ddl.sql", DDL)
        self.write(self.project / "dbt_project.yml", "name: p\nvars: {least: 1}\n")
        self.write(self.project / "models/sources.yml", SOURCES)
        self.write(self.project / "macros/quoted.sql", MACRO)
        for name, text in RAW.items():
            self.write(self.project / name, text)
        self.compile()

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def compile(self, **changed: Any) -> None:
        """As `dbt compile`, with the texts of now. ``changed``: what north's node says instead."""
        nodes = {f"model.p.{Path(n).stem}": self.node(n) for n in RAW}
        nodes["model.p.north"] |= changed
        macro = {
            "package_name": "p",
            "original_file_path": "macros/quoted.sql",
            "macro_sql": (self.project / "macros/quoted.sql").read_text(),
            "depends_on": {"macros": []},
        }
        orders = {
            "relation_name": '"wh"."shop"."orders"',
            "database": "wh",
            "schema": "shop",
            "identifier": "orders",
        }
        manifest = {
            "metadata": {"dbt_version": "1.11.0"},
            "nodes": nodes,
            "sources": {"source.p.shop.orders": orders},
            "macros": {"macro.p.quoted": macro},
        }
        self.write(self.project / "target/manifest.json", json.dumps(manifest))

    def node(self, name: str) -> dict[str, Any]:
        stem = Path(name).stem
        return {
            "resource_type": "model",
            "name": stem,
            "package_name": "p",
            "original_file_path": name,
            "relation_name": f'"wh"."main"."{stem}"',
            "raw_code": (self.project / name).read_text().strip(),
            "compiled_code": COMPILED[name],
            "config": {"materialized": "table", "pre-hook": [], "post-hook": []},
            "depends_on": {"macros": ["macro.p.quoted"] if stem == "north" else [], "nodes": []},
        }

    def run(self, data: Path | None = None, **params: str) -> Verification:
        return verify(
            self.root / "pile",
            self.project,
            dialect="duckdb",
            data=data,
            params=params,
            generated=False,
        )

    def north(self) -> Checked:
        return self.run().reports[0]

    def sql(self) -> str:
        return {m.name: m.sql for m in read_project(self.project).models}["north"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_compiled_models_are_read_with_their_names(project: Project) -> None:
    found = read_project(project.project, relation=lambda kind, name: f"{kind}_{name}")
    assert {model.name: model.sql for model in found.models} == {
        "stg": "select * from source_shop.orders",
        "north": "select id, amount from ref_stg where region = 'n'",
    }
    assert [model.name for model in found.models] == ["stg", "north"]  # inputs first
    assert found.compiled == {"north", "stg"}
    assert found.notes == ()
    assert project.north().verdict == "proved"
    assert project.run().notes == ()


def test_what_dbt_made_counts_and_a_disagreement_is_told(project: Project) -> None:
    project.compile(compiled_code=COMPILED["models/north.sql"].replace("'n'", "'s'"))
    found = project.run()
    assert found.reports[0].verdict == "kept"
    assert "region = 's'" in found.reports[0].reason
    (note,) = found.notes
    assert note.startswith(f"{project.project / 'models/north.sql'}: dbt has compiled it to ")
    assert "region = 's' against region = 'n'" in note


def test_templates_that_only_dbt_understands(project: Project) -> None:
    raw = RAW["models/north.sql"].replace("quoted('n')", "dbt_utils.quoted('n')")
    project.write(project.project / "models/north.sql", raw)
    assert project.north().verdict == "kept"  # what is compiled is older
    project.compile()
    assert project.north().verdict == "proved"
    assert project.run().notes == ()


@pytest.mark.parametrize("name", ["models/north.sql", "macros/quoted.sql"])
def test_what_is_out_of_date_is_not_read(project: Project, name: str) -> None:
    path = project.project / name
    text = path.read_text()
    project.write(path, text.replace("'n'", "'s'").replace("'{{ word }}'", "'{{ word }}s'"))
    found = project.run()
    assert found.reports[0].verdict == "kept"
    (note,) = found.notes
    assert "manifest.json is older than north: the templates were read instead" in note
    project.write(path, f"\n{text}\r\n".replace("\r", ""))  # the same text
    assert project.north().verdict == "proved"


def test_newer_settings_make_all_of_it_old(project: Project) -> None:
    later = time.time() + 60
    os.utime(project.project / "dbt_project.yml", (later, later))
    assert read_project(project.project).compiled == frozenset()
    assert "older than north, stg" in read_project(project.project).notes[0]


def test_other_values_than_dbt_had_are_read_from_the_template(project: Project) -> None:
    raw = RAW["models/north.sql"].replace(
        "{{ quoted('n') }}", "'n' and amount > {{ var('least') }}"
    )
    project.write(project.project / "models/north.sql", raw)
    made = COMPILED["models/north.sql"] + " and amount > 1"
    project.compile(compiled_code=made, raw_code=raw)
    assert "amount > 1" in project.sql()
    assert read_project(project.project).compiled == {"north", "stg"}
    found = read_project(project.project, {"least": "7"})
    assert found.compiled == {"stg"}
    assert "amount > 7" in {m.name: m.sql for m in found.models}["north"]


def test_compiled_files_beside_a_manifest_without_code(project: Project) -> None:
    project.compile(compiled_code=None)
    file = project.project / "target/compiled/p/models/north.sql"
    project.write(file, COMPILED["models/north.sql"].replace("'n'", "'n' or false"))
    assert "or false" in project.sql()
    os.utime(file, (1, 1))  # older than the model
    assert "or false" not in project.sql()


def test_rows_that_a_hook_or_an_earlier_run_makes_are_not_taken_from_it(project: Project) -> None:
    raw = "{{ config(materialized='incremental') }} " + RAW["models/north.sql"]
    project.write(project.project / "models/north.sql", raw)
    project.compile(raw_code=raw, config={"materialized": "incremental"})
    assert "depend on earlier runs" in project.north().reason
    project.write(project.project / "models/north.sql", RAW["models/north.sql"])
    project.compile(config={"materialized": "table", "pre-hook": [{"sql": "delete from x"}]})
    assert read_project(project.project).compiled == {"stg"}
    assert "runs more than its query" in project.north().reason
    project.compile(config={"materialized": "table", "contract": {"enforced": False}})
    assert read_project(project.project).compiled == {"stg", "north"}
    project.compile(config={"materialized": "table", "contract": {"enforced": True}})
    assert read_project(project.project).compiled == {"stg"}


PACKAGED: dict[str, dict[str, Any]] = {
    "what a package runs first": {"resource_type": "operation", "raw_code": "delete from x"},
    "a hook of a package's model": {
        "resource_type": "model",
        "config": {"post-hook": [{"sql": "delete from x"}]},
    },
}


@pytest.mark.parametrize("title", PACKAGED)
def test_what_packages_run_besides_counts_for_all(project: Project, title: str) -> None:
    node = {"name": "other", "package_name": "q", "original_file_path": "q.sql"}
    project.compile()
    path = project.project / "target/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["nodes"]["operation.q.other"] = {**node, **PACKAGED[title]}
    path.write_text(json.dumps(manifest))
    assert project.north().verdict == "kept"
    assert "operation.q.other, which is run with it, may change rows" in project.north().reason


def test_a_model_that_dbt_writes_over_a_source(project: Project) -> None:
    project.compile(relation_name='"wh"."shop"."orders"')
    found = read_project(project.project)
    (failure,) = found.failures
    assert failure.name == "stg" and "written over shop.orders" in failure.reason


def test_names_in_texts_and_comments_stay(project: Project) -> None:
    made = """-- it's "wh"."main"."stg"
    select id, amount /* isn't "wh"."main"."stg" */
    from "wh"."main"."stg" where region = '"wh"."main"."stg"'"""
    project.compile(compiled_code=made)
    assert project.sql() == made.replace('from "wh"."main"."stg"', "from stg")


@pytest.mark.parametrize("text", ["", "[", "[]", '{"nodes": 7}', '{"nodes": {"a": 7}}', "\x00"])
def test_a_manifest_that_nobody_can_read_is_none(project: Project, text: str) -> None:
    project.write(project.project / "target/manifest.json", text)
    assert read_project(project.project).compiled == frozenset()
    assert project.north().verdict == "proved"


def test_data_runs_what_was_compiled(project: Project, tmp_path: Path) -> None:
    project.write(tmp_path / "data/shop/orders.csv", "id,region,amount\n1,n,5\n2,s,6\n")
    data = tmp_path / "data"
    assert project.run(data).reports[0].rows_after == 1
    project.compile(compiled_code=COMPILED["models/north.sql"].replace("'n'", "'n' or true"))
    north = project.run(data).reports[0]
    assert (north.verdict, north.rows_before, north.rows_after) == ("failed", 1, 2)


def test_a_model_that_is_gone_is_not_read_from_the_manifest(project: Project) -> None:
    (project.project / "models/north.sql").unlink()
    assert project.north().reason == "the project has no model north"
    assert read_project(project.project).notes == ()


def test_a_macro_that_dbt_has_not_seen_may_take_the_place_of_another(project: Project) -> None:
    """As dbt's dispatch does: of a package, or of its own."""
    project.compile()
    project.write(
        project.project / "macros/new.sql", "{% macro duckdb__quoted(w) %}1{% endmacro %}"
    )
    found = read_project(project.project)
    assert found.compiled == frozenset()
    assert "is older than north, stg" in found.notes[0]


def test_what_an_ephemeral_model_said_stands_in_the_models_that_read_it(project: Project) -> None:
    compiled = """with __dbt__cte__stg as (select * from "wh"."shop"."orders")
        select id, amount from __dbt__cte__stg where region = 'n'"""
    needed = {"macros": ["macro.p.quoted"], "nodes": ["model.p.stg"]}
    project.compile(compiled_code=compiled, depends_on=needed)
    path = project.project / "target/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["nodes"]["model.p.stg"]["config"]["materialized"] = "ephemeral"
    path.write_text(json.dumps(manifest))
    assert read_project(project.project).compiled == {"north", "stg"}
    assert project.north().verdict == "proved"
    project.write(project.project / "models/stg.sql", RAW["models/stg.sql"] + " where amount > 1")
    assert read_project(project.project).compiled == frozenset()
    assert project.north().verdict == "kept"


def test_a_source_that_is_elsewhere_now(project: Project) -> None:
    """Where it is stands in YAML, which is no part of the manifest."""
    project.write(
        project.project / "models/sources.yml", SOURCES.replace("shop, tables", "s2, tables")
    )
    newer(project.project / "models/sources.yml")
    assert read_project(project.project).compiled == frozenset()
    assert project.north().verdict == "kept"


def test_a_compiled_file_is_older_than_a_macro_that_the_manifest_has(project: Project) -> None:
    """`dbt parse` writes a manifest without compiled SQL; the files of an earlier run stay."""
    file = project.project / "target/compiled/p/models/north.sql"
    project.write(file, COMPILED["models/north.sql"])
    project.write(project.project / "macros/quoted.sql", MACRO.replace("word }}'", "word }}x'"))
    newer(project.project / "macros/quoted.sql")
    project.compile(compiled_code=None)
    newer(project.project / "target/manifest.json")
    assert "north" not in read_project(project.project).compiled
    assert project.north().verdict == "kept"


def test_a_package_of_another_version_than_dbt_compiled_with(project: Project) -> None:
    needed = {"macros": ["macro.u.q"], "nodes": []}
    project.compile(depends_on=needed)
    path = project.project / "target/manifest.json"
    manifest = json.loads(path.read_text())
    text = "{% macro q() %}'n'{% endmacro %}"
    place = {"package_name": "u", "original_file_path": "macros/q.sql", "macro_sql": text}
    manifest["macros"]["macro.u.q"] = place
    path.write_text(json.dumps(manifest))
    file = project.project / "dbt_packages/u/macros/q.sql"
    project.write(file, text)
    assert "north" in read_project(project.project).compiled
    project.write(file, text.replace("n", "s"))
    assert "north" not in read_project(project.project).compiled


def newer(path: Path) -> None:
    """The file was written a minute from now."""
    os.utime(path, (time.time() + 60, time.time() + 60))
