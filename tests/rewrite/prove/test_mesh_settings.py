"""What a SQLMesh project says beside the queries of its models: read, or nothing is proved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.prove.model_files import read_model
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.outcomes import told_of

LEGACY = (
    "CREATE TABLE s.t (id INT, name TEXT);"
    "CREATE TABLE r.names AS SELECT name, id FROM s.t WHERE id > 3;"
    "CREATE TABLE r.few AS SELECT name FROM r.names WHERE id < 9;"
)
FEW, CONFIG, DEFAULTS = "models/marts/few.sql", "config.yaml", "  optimize_query: false"


def pile() -> Pile:
    return load([Source("p/all.sql", LEGACY)], "duckdb")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sqlmesh") / "project"
    refactor(pile(), Request(out=out, target="sqlmesh"))
    return out


@pytest.fixture
def project(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "project"))


def outcomes(project: Path) -> dict[str, str]:
    return told_of(pile(), project)


def edit(project: Path, name: str, old: str, new: str) -> None:
    text = (project / name).read_text("utf-8")
    assert old in text
    (project / name).write_text(text.replace(old, new), "utf-8")


def test_as_it_was_written_all_is_proved(project: Path) -> None:
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}


ALL = {
    "before_all": (CONFIG, "disable_anon", "before_all: [delete from s.t]\ndisable_anon"),
    "after_all": (CONFIG, "disable_anon", "after_all: ['@f()']\ndisable_anon"),
    "patterns": (CONFIG, "disable_anon", "ignore_patterns: ['*few*']\ndisable_anon"),
    "defaults of a gateway": (CONFIG, "    connection:", "    model_defaults: {start: 2099-01-01}\n"
                              "    connection:"),
    "statements before all": (CONFIG, DEFAULTS, f"{DEFAULTS}\n  pre_statements: [delete from s.t]"),
    "on_virtual_update": (CONFIG, DEFAULTS, f"{DEFAULTS}\n  on_virtual_update: ['drop view x']"),
    "optimized by default": (CONFIG, DEFAULTS, ""),
    "optimized in all": (CONFIG, DEFAULTS, "  optimize_query: true"),
    "switched off": (CONFIG, DEFAULTS, f"{DEFAULTS}\n  enabled: false"),
    "kept from run to run": (CONFIG, DEFAULTS, f"{DEFAULTS}\n  physical_properties: {{a: b}}"),
    "begun in days to come": (CONFIG, DEFAULTS, f"{DEFAULTS}\n  start: 2999-01-01"),
    "another dialect": (CONFIG, "dialect: duckdb", "dialect: mysql"),
    "a statement before the query": (FEW, "SELECT", "DELETE FROM s.t;\n\nSELECT"),
    "a statement behind the query": (FEW, "id < 9;", "id < 9;\nDROP TABLE s.t;"),
    "a macro behind the query": (FEW, "id < 9;", "id < 9;\n@f(x);"),
    "a statement of Jinja": (FEW, "SELECT", "JINJA_STATEMENT_BEGIN;\n{{ x() }}\nJINJA_END;\n"
                             "SELECT"),
    "an update of views": (FEW, "id < 9;", "id < 9;\nON_VIRTUAL_UPDATE_BEGIN;\nDELETE FROM s.t;\n"
                           "ON_VIRTUAL_UPDATE_END;"),
}  # fmt: skip


@pytest.mark.parametrize("title", ALL)
def test_what_may_change_any_row(project: Path, title: str) -> None:
    edit(project, *ALL[title])
    told = outcomes(project)
    assert told.keys() == {"few", "names"}
    assert all(each.startswith("kept: ") for each in told.values()), told


def test_a_configuration_in_python_is_not_known(project: Path) -> None:
    (project / "config.py").write_text("config = 1\n")
    assert all("config.py" in each for each in outcomes(project).values())


ONE = (
    "columns (name INT)",
    "columns (name DECIMAL(12, 2))",
    "optimize_query TRUE",
    "start '2999-01-01'",
    "start @later",
    "end '2020-01-01'",
    "enabled FALSE",
    "enabled @f()",
    "physical_properties (partition_expiration_days = 3)",
    "virtual_properties (a = b)",
    "session_properties (timezone = 'Asia/Tokyo')",
    "physical_version '1'",
    "gateway other",
    "default_catalog other",
    "signals (f())",
    "retention 3",
    "dialect mysql",
)
KINDS = (
    "INCREMENTAL_BY_TIME_RANGE (time_column id)",
    "INCREMENTAL_BY_UNIQUE_KEY (unique_key id)",
    "INCREMENTAL_BY_PARTITION",
    "INCREMENTAL_UNMANAGED",
    "SCD_TYPE_2 (unique_key id)",
    "VIEW (materialized true)",
    "SEED (path 'x.csv')",
    "MANAGED",
    "CUSTOM (materialization 'x')",
)


@pytest.mark.parametrize("setting", ONE)
def test_settings_that_may_change_rows_or_types(project: Path, setting: str) -> None:
    edit(project, FEW, "  kind FULL,", f"  kind FULL,\n  {setting},")
    told = outcomes(project)
    assert told["few"].startswith("kept: ") and told["names"] == "proved: ", told


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_whose_rows_are_not_those_of_the_query(project: Path, kind: str) -> None:
    edit(project, FEW, "kind FULL", f"kind {kind}")
    told = outcomes(project)
    assert told["few"].startswith("kept: ") and told["names"] == "proved: ", told
    edit(project, FEW, f"  kind {kind},\n", "")
    if " " not in kind:  # the same as what all models are by default
        edit(project, CONFIG, DEFAULTS, f"{DEFAULTS}\n  kind: {kind}")
        assert outcomes(project)["few"].startswith("kept: ")


SAME = (
    "start '2020-01-01'",
    "start '3 years ago'",
    "cron '@hourly'",
    "owner x",
    "tags (a, b)",
    "grain name",
    "allow_partials TRUE",
    "partitioned_by name",
    "enabled TRUE",
    "optimize_query FALSE",
    "dialect duckdb",
)


@pytest.mark.parametrize("setting", SAME)
def test_settings_that_change_no_rows(project: Path, setting: str) -> None:
    edit(project, FEW, "  kind FULL,", f"  kind FULL,\n  {setting},")
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}


def test_statements_that_change_no_rows(project: Path) -> None:
    edit(project, FEW, "id < 9;", "id < 9;\nGRANT SELECT ON @this_model TO x;\nANALYZE;")
    edit(project, CONFIG, "disable_anon", "after_all: [grant select on x to y]\ndisable_anon")
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}


def test_variables_of_the_gateway_come_first(project: Path) -> None:
    edit(project, CONFIG, "disable_anon", "variables: {most: 9}\ndisable_anon")
    edit(project, FEW, "id < 9", "id < @most")
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}
    edit(project, CONFIG, "    connection:", "    variables: {most: 8}\n    connection:")
    assert outcomes(project)["few"].startswith("kept: ")
    assert read_project(project).variables == {"most": 8}


def test_what_stands_around_a_query() -> None:
    around = read_model("MODEL (name a); SELECT 0; JINJA_QUERY_BEGIN; SELECT 1 JINJA_END;", "")
    assert (around.query, around.besides) == ("SELECT 1", ("SELECT 0",))
    one = read_model("MODEL (name a); -- x;\nSELECT ';' AS y -- ;\n;", "")
    assert one.besides == () and one.query.startswith("-- x;")
    two = read_model("MODEL (name a); SELECT 1; /* ; */ SELECT 2;", "")
    assert two.besides == ("SELECT 1", "SELECT 2")
