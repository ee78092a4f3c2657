"""What a dbt project says beside the queries of its models: read, or nothing is proved."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.prove.hooks import is_harmless
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify
from unwet.tests.rewrite.outcomes import told_of

LEGACY = (
    "CREATE TABLE s.t (id INT, name TEXT);"
    "CREATE VIEW r.names AS SELECT name, id FROM s.t WHERE id > 3;"
    "CREATE VIEW r.few AS SELECT name FROM r.names WHERE id < 9;"
)
FEW, NAMES, SETTINGS = "models/marts/few.sql", "models/marts/names.sql", "dbt_project.yml"
MARTS = "name: unwet_project\nmodels:\n  unwet_project:\n    marts:\n"
QUERY = "SELECT name FROM {{ ref('names') }} WHERE id < 9"


def pile() -> Pile:
    return load([Source("p/all.sql", LEGACY)], "duckdb")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dbt") / "project"
    refactor(pile(), Request(out=out))
    return out


@pytest.fixture
def project(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "project"))


def outcomes(project: Path) -> dict[str, str]:
    return told_of(pile(), project)


def change(project: Path, files: Mapping[str, str]) -> None:
    """`+text`: to be put before what the file says; `text+`: behind it; else the whole text."""
    for name, text in files.items():
        path = project / name
        before = path.read_text("utf-8") if path.exists() else ""
        path.parent.mkdir(parents=True, exist_ok=True)
        made = text[1:] + before if text.startswith("+") else text
        made = before + text[:-1] if text.endswith("+") else made
        path.write_text(made, "utf-8")


def test_as_it_was_written_all_is_proved(project: Path) -> None:
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}


ALL = {
    "on-run-start": {SETTINGS: "on-run-start: delete from s.t\n+"},
    "on-run-end in a list": {SETTINGS: "on-run-end: [grant select on x to y, drop view r.few]\n+"},
    "a hook for a folder": {SETTINGS: f"{MARTS}      +pre-hook: delete from s.t\n"},
    "a hook for one model": {SETTINGS: f"{MARTS}      few:\n        +post-hook: delete from s.t\n"},
    "a hook of another project's models": {
        SETTINGS: "models:\n  other:\n    +post-hook: delete from s.t\n"
    },
    "a hook of seeds": {SETTINGS: "seeds:\n  +post-hook: delete from s.t\n+"},
    "a hook in the model": {FEW: "+{{ config(post_hook='delete from s.t') }}"},
    "a hook in a mapping": {FEW: "+{{ config({'pre-hook': 'delete from s.t'}) }}"},
    "a header": {FEW: "+{{ config(sql_header='delete from s.t;') }}"},
    "a hook behind a harmless one": {FEW: "+{{ config(post_hook='grant x to y; drop table t') }}"},
    "a hook in a YAML file below macros": {
        "macros/x.yml": "models: [{name: few, config: {post-hook: delete from s.t}}]"
    },
    "a hook of a snapshot": {
        "snapshots/s.sql": "{% snapshot s %}{{ config(post_hook='delete from s.t') }}"
        "select 1 as x{% endsnapshot %}"
    },
    "run_query": {FEW: "+{% do run_query('delete from s.t') %}"},
    "run_query in a macro": {
        "macros/m.sql": "{% macro m() %}{% do run_query('delete from s.t') %}{% endmacro %}",
        FEW: "+{{ m() }}",
    },
    "run_query in one macro, what it runs in another": {
        "macros/m.sql": "{% macro m() %}{% do run_query(n()) %}{% endmacro %}",
        "macros/n.sql": "{% macro n() %}delete from s.t{% endmacro %}",
        "models/x.sql": "{{ m() }} select 1 as x",
    },
    "run_query of a variable": {
        SETTINGS: "vars: {text: delete from s.t}\n+",
        "macros/m.sql": "{% macro m() %}{% do run_query(var('text')) %}{% endmacro %}",
        "models/x.sql": "{{ m() }} select 1 as x",
    },
    "a YAML file that cannot be read": {"models/x.yml": "models: [{name: few"},
    "a macro ref": {"macros/m.sql": "{% macro ref(x) %}other{% endmacro %}"},
    "a macro source": {"macros/m.sql": "{% macro source(x, y) %}other{% endmacro %}"},
    "a macro create_view_as": {"macros/m.sql": "{% macro create_view_as(r, s) %}{% endmacro %}"},
    "a macro of an adapter": {
        "macros/m.sql": "{% macro duckdb__create_table_as(t, r, s) %}{% endmacro %}"
    },
    "a macro for names": {"macros/m.sql": "{% macro generate_alias_name(a, n) %}t{% endmacro %}"},
    "a materialization": {
        "macros/m.sql": "{%- materialization view, default -%}{%- endmaterialization -%}"
    },
}


@pytest.mark.parametrize("title", ALL)
def test_what_may_change_any_row(project: Path, title: str) -> None:
    change(project, ALL[title])
    told = outcomes(project)
    assert told.keys() == {"few", "names"}
    assert all(each.startswith("kept: ") for each in told.values()), told


ONE = {
    "incremental": {FEW: "{{ config(materialized='incremental') }}" + QUERY},
    "incremental, for one model": {
        SETTINGS: f"{MARTS}      few:\n        +materialized: incremental\n",
        FEW: QUERY,
    },
    "a way to store that is not known": {FEW: "{{ config(materialized='mine') }}" + QUERY},
    "a materialized view": {FEW: "{{ config(materialized='materialized_view') }}" + QUERY},
    "a setting that is not known": {FEW: "+{{ config(row_limit=5) }}"},
    "rows that expire": {FEW: "+{{ config(partition_expiration_days=7) }}"},
    "a contract": {FEW: "{{ config(materialized='table', contract={'enforced': true}) }}" + QUERY},
    "a contract of a folder": {
        SETTINGS: f"{MARTS}      +materialized: table\n      +contract: {{enforced: true}}\n",
        NAMES: "+{{ config(materialized='view') }}",
    },
    "disabled": {FEW: "+{{ config(enabled=false) }}"},
    "whether there is a name of dbt's": {FEW: "{% if adapter is defined %}LIMIT 9{% endif %}+"},
    "what stands for a name of dbt's": {FEW: "+-- {{ invocation_id | default('') }}\n"},
    "what engine dbt runs on": {FEW: "{% if target.type == 'x' %}LIMIT 9{% endif %}+"},
    "an old name of the folder": {
        SETTINGS: "name: unwet_project\nsource-paths: [old]\n",
        "old/few.sql": "select name from r.names",
        "old/names.sql": "SELECT name, id FROM {{ source('s', 't') }} WHERE id > 3",
        "old/sources.yml": "sources: [{name: s, tables: [{name: t}]}]",
    },
    "disabled in its folder": {SETTINGS: f"{MARTS}      few:\n        +enabled: false\n"},
    "disabled, perhaps": {SETTINGS: f"{MARTS}      few:\n        +enabled: '{{{{ x }}}}'\n"},
    "versions": {"models/v.yml": "models: [{name: few, versions: [{v: 1}, {v: 2}]}]"},
    "a seed of its name": {"seeds/few.csv": "name\nx\n"},
}


@pytest.mark.parametrize("title", ONE)
def test_what_may_change_the_rows_of_one_model(project: Path, title: str) -> None:
    change(project, ONE[title])
    told = outcomes(project)
    assert told["few"].startswith("kept: ") and told["names"] == "proved: ", told


@pytest.mark.parametrize(
    "files",
    [
        {"macros/m.sql": "{% macro generate_schema_name(s, n) %}s{% endmacro %}",
         "models/t.sql": "select 1 as id, 'x' as name"},
        {"models/x.sql": "{{ config(alias='t') }} select 1 as id, 'x' as name"},
        {"snapshots/x.sql": "{% snapshot t %}select 1 as id, 'x' as name{% endsnapshot %}"},
        {"snapshots/x.yml": "snapshots: [{name: x, config: {alias: t}}]"},
    ],
)  # fmt: skip
def test_a_model_that_may_be_written_over_a_source(project: Path, files: Mapping[str, str]) -> None:
    change(project, files)
    assert "may be written over s.t" in outcomes(project)["names"]


SAME = {
    "harmless hooks": {SETTINGS: "on-run-end: ['grant select on all tables in schema x to y']\n+"},
    "a macro for schemas": {
        "macros/m.sql": "{% macro generate_schema_name(s, n) %}{{ s }}{% endmacro %}"
    },
    "its own dispatching": {
        "macros/m.sql": "{% macro m() %}{% endmacro %}{% macro duckdb__m() %}{% endmacro %}"
    },
    "how it is kept": {
        FEW: "+{{ config(materialized='table', tags=['x'], meta={'a': 1}, unique_key='id') }}"
    },
    "a contract of a view": {FEW: "+{{ config(contract={'enforced': true}) }}"},
    "a contract that is off": {
        FEW: "{{ config(materialized='table', contract={'enforced': false}) }}" + QUERY
    },
    "run_query of what only reads, beside a macro that writes": {
        "macros/m.sql": "{% macro m() %}{% do run_query('select 1') %}{% endmacro %}",
        "macros/n.sql": "{% macro n() %}delete from s.t{% endmacro %}",
        "models/x.sql": "{{ m() }} select 1 as x",
    },
    "a hook of what is disabled": {
        "models/x.sql": "{{ config(enabled=false, post_hook='delete from s.t') }} select 1 as x"
    },
    "a comment for queries": {
        SETTINGS: "query-comment: run by dbt\nquoting: {identifier: true}\n+"
    },
}


@pytest.mark.parametrize("title", SAME)
def test_what_changes_no_rows(project: Path, title: str) -> None:
    change(project, SAME[title])
    assert outcomes(project) == {"few": "proved: ", "names": "proved: "}


def test_packages_that_are_not_read_are_told_of(project: Path) -> None:
    change(project, {"packages.yml": "packages: [{package: a/b, version: 1.0.0}]"})
    notes = verify(pile(), VerifyRequest(project)).notes
    assert any("packages.yml" in note for note in notes)


def test_what_a_model_asks_of_the_target_is_told(project: Path) -> None:
    change(project, {FEW: "{% if target.name == 'dev' %}LIMIT 9{% endif %}+"})
    found = verify(pile(), VerifyRequest(project))
    assert found.ok
    assert "few asks for target.name, which is taken to be prod" in found.notes


def test_a_source_that_is_read_from_a_file(project: Path) -> None:
    described = next((project / "models").rglob("*sources.yml"))
    text = described.read_text("utf-8")
    elsewhere = "- name: s\n  meta: {external_location: x.parquet}\n"
    described.write_text(text.replace("- name: s\n", elsewhere, 1), "utf-8")
    assert "read from somewhere else" in outcomes(project)["names"]


def test_a_model_that_cannot_be_read_is_not_the_table_of_its_name(project: Path) -> None:
    query = "SELECT name, id FROM {{ ref('t') }} WHERE id > 3"
    other = "{{ config(materialized='incremental') }} select 4 as id, 'x' as name"
    change(project, {"models/t.sql": other, NAMES: query})
    assert "it reads t: the rows of incremental models" in outcomes(project)["names"]


@pytest.mark.parametrize("described", ["", "seeds: [{name: t, config: {column_types: {id: int}}}]"])
def test_a_seed_is_not_the_table_of_its_name(project: Path, described: str) -> None:
    query = "SELECT name, id FROM {{ ref('t') }} WHERE id > 3"
    change(project, {"seeds/t.csv": "id,name\n4,x\n", "seeds/t.yml": described, NAMES: query})
    assert outcomes(project)["names"].startswith("kept: ")


@pytest.mark.parametrize("described", ["", "seeds: [{name: t, config: {column_types: {id: int}}}]"])
@pytest.mark.parametrize("ddl", ["", "CREATE TABLE t (id INT, name TEXT);"])
def test_a_seed_is_not_the_old_table_of_just_its_name(
    tmp_path: Path, ddl: str, described: str
) -> None:
    pile = load([Source("few.sql", f"{ddl} SELECT name FROM t WHERE id > 3", "duckdb")], "duckdb")
    files = {
        "dbt_project.yml": "name: p",
        "models/few.sql": "SELECT name FROM {{ ref('t') }} WHERE id > 3",
        "seeds/t.csv": "id,name\n4,x\n",
        "seeds/t.yml": described,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    [few] = verify(pile, VerifyRequest(tmp_path)).reports
    assert few.verdict == "kept"
    assert not described or "which need not have the rows of the old table t" in few.reason


def odd(path: Path, kind: str) -> None:
    path.unlink()
    match kind:
        case "a pipe":
            os.mkfifo(path)
        case "a socket":
            with socket.socket(socket.AF_UNIX) as made:
                here = Path.cwd()
                os.chdir(path.parent)  # addresses are short
                try:
                    made.bind(path.name)
                finally:
                    os.chdir(here)
        case "a link to nothing":
            path.symlink_to("nowhere.sql")
        case "a link to itself":
            path.symlink_to(path.name)
        case "no text":
            path.write_bytes(b"SELECT '\xff\xfe'")


ODD = {
    "a pipe": "pipe, socket or device",
    "a socket": "pipe, socket or device",
    "a link to nothing": "No such file",
    "a link to itself": "Too many levels",
    "no text": "can't decode byte 0xff",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and sockets in folders")
@pytest.mark.parametrize("kind", ODD)
def test_a_model_that_is_no_file_to_be_read(project: Path, kind: str) -> None:
    odd(project / FEW, kind)
    told = outcomes(project)
    assert told["few"].startswith("kept: its model cannot be read back: cannot be read: ")
    assert ODD[kind] in told["few"] and told["names"] == "proved: "


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and sockets in folders")
@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a link to nothing", "a link to itself"])
def test_an_old_script_that_cannot_be_read_is_looked_at(
    project: Path, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "pile").mkdir()
    (tmp_path / "pile/a.sql").write_text(LEGACY)
    (tmp_path / "pile/b.sql").write_text("")
    odd(tmp_path / "pile/b.sql", kind)
    found = verify(load(tmp_path / "pile", "duckdb"), VerifyRequest(project))
    assert [report.verdict for report in found.reports] == ["proved", "proved"]
    assert [finding.code for finding in found.findings] == ["UNREADABLE"]
    assert not found.ok


@pytest.mark.parametrize(
    ("hook", "harmless"),
    [
        ("grant select on {{ this }} to role x", True),
        ("ANALYZE {{ this }};", True),
        (["vacuum t", {"sql": "create index i on t (a)", "transaction": False}], True),
        ("grant {{ x() }} to y", False),
        ("analyze t; delete from t", False),
        ({"sql": "delete from t"}, False),
        ("{{ m() }}", False),
        (3, False),
    ],
)
def test_hooks(hook: object, harmless: bool) -> None:
    assert is_harmless(hook) == harmless
