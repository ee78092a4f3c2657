"""Projects of templates that say other rows than the pile, in their models or around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.rewrite.verify import Request, Verification, verify

CONFIG = "name: p\nversion: 1.0.0\nconfig-version: 2\nprofile: p\n"
HEAD = "{{ config(materialized='table') }}\n"
MODEL = HEAD + "select a, b from {{ ref('x') }} where {{ cond() }}\n"
SOURCE = HEAD + "select a from {{ source('s', 'x') }} where {{ cond() }}\n"
VARIABLE = HEAD + "select a from {{ ref('x') }} where {{ var('c', 'a > 1') }}\n"
OUTER = "{% macro cond() %}{{ deep() }}{% endmacro %}"
RETURNS = "{% macro cond() %}{% do return('a > 1') %}{% do return('a > 2') %}{% endmacro %}"

Files = Mapping[str, str]


def checked(folder: Path, old: Files, new: Files) -> Verification:
    for place, files in (("pile", old), ("project", {"dbt_project.yml": CONFIG, **new})):
        for name, text in files.items():
            path = folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return verify(load(folder / "pile", "postgres"), Request(folder / "project"))


def model(text: str = MODEL, **macros: str) -> dict[str, str]:
    return {"models/m.sql": text} | {f"macros/{name}.sql": said for name, said in macros.items()}


def configured(said: str) -> dict[str, str]:
    return {**model(), "dbt_project.yml": CONFIG + said}


def described(said: str, text: str = MODEL) -> dict[str, str]:
    return {**model(text), "models/m.yml": said}


OTHER = {
    "a macro that an unchanged macro calls": (
        model(cond=OUTER, deep="{% macro deep() %}a > 1{% endmacro %}"),
        model(cond=OUTER, deep="{% macro deep() %}a > 2{% endmacro %}"),
        "something else",
    ),
    "a second macro of one name": (
        model(cond="{% macro cond() %}a > 1{% endmacro %}"),
        model(cond="{% macro cond() %}a > 1{% endmacro %}", z="{% macro cond() %}b{% endmacro %}"),
        "two macros are called cond",
    ),
    "what a macro returns": (
        model(cond=RETURNS),
        model(cond=RETURNS.replace("> 1", "> 3")),
        "something else",
    ),
    "a statement that runs": (
        model(),
        model(MODEL + "{% do run_query('delete from x') %}"),
        "something else",
    ),
    "a statement that runs and is kept in a name": (
        model(),
        model(MODEL + "{% set found = run_query('delete from x') %}"),
        "something else",
    ),
    "a statement that does not run any more": (
        model(MODEL + "{% do adapter.drop_relation(this) %}"),
        model(),
        "something else",
    ),
    "a call that nobody hears of": (model(MODEL + "{% do clean(this) %}"), model(), "something"),
    "a statement in a branch": (
        model(MODEL + "{% if is_incremental() %}{% do run_query('a') %}{% endif %}"),
        model(),
        "is_incremental() is true",
    ),
    "it is disabled": (model(), configured("models:\n  p:\n    +enabled: false\n"), "disabled"),
    "a hook of a folder": (
        model(),
        configured("models:\n  p:\n    +post-hook: delete from x\n"),
        "hook",
    ),
    "a hook of the project": (model(), configured("on-run-end: delete from x\n"), "on-run-end"),
    "a hook in its description": (
        model(),
        described("models:\n- name: m\n  config:\n    post_hook: delete from x\n"),
        "post_hook",
    ),
    "a contract": (
        model(),
        described("models:\n- name: m\n  config:\n    contract: {enforced: true}\n"),
        "contract",
    ),
    "a macro of dbt": (
        model(),
        model(own="{% macro generate_alias_name(n) %}y{% endmacro %}"),
        "generate_alias_name takes the place",
    ),
    "a way to store": (
        model(),
        model(own="{% materialization table, default %}select 1{% endmaterialization %}"),
        "materialization table",
    ),
    "a source that is another table": (
        model(SOURCE),
        described("sources:\n- name: s\n  tables:\n  - name: x\n    identifier: y\n", SOURCE),
        "the source s.x is s.y",
    ),
    "a seed in the place of a table": (
        model(),
        {**model(), "seeds/x.csv": "a,b\n1,2\n"},
        "no old script makes",
    ),
    "a model in the place of a table": (
        model(),
        {**model(), "models/x.sql": "select 1 as a, 2 as b"},
        "no old script makes",
    ),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_rows_are_not_proved(name: str, tmp_path: Path) -> None:
    old, new, word = OTHER[name]
    found = checked(tmp_path, old, new)
    [report] = [each for each in found.reports if each.name == "m"]
    assert (report.verdict, word in report.reason) == ("kept", True), report


SAME = {
    "as it was": (model(), model()),
    "a log": (model(MODEL + "{% do log('x') %}"), model()),
    "a query that both run": (
        model(MODEL + "{% do run_query('q') %}"),
        model(MODEL.replace("where", "\nwhere") + "{% do run_query('q') %}"),
    ),
    "a macro in another file": (
        model(cond="{% macro cond() %}a > 1{% endmacro %}"),
        model(other="{% macro cond() %}a > 1{% endmacro %}"),
    ),
    "what is behind a return": (
        model(cond=RETURNS),
        model(cond=RETURNS.replace("> 2", "> 3")),
    ),
    "a description": (model(), described("models:\n- name: m\n  description: of it\n")),
    "a source where it is": (
        model(SOURCE),
        described("sources:\n- name: s\n  tables:\n  - name: x\n", SOURCE),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_rows_are_proved(name: str, tmp_path: Path) -> None:
    found = checked(tmp_path, *SAME[name])
    assert [(each.name, each.verdict) for each in found.reports] == [("m", "proved")]


def test_a_variable_that_the_project_sets_is_an_assumption(tmp_path: Path) -> None:
    new = {**model(VARIABLE), "dbt_project.yml": CONFIG + "vars:\n  c: a > 2\n"}
    found = checked(tmp_path, model(VARIABLE), new)
    assert [each.verdict for each in found.reports] == ["proved"]
    assert "c had the value that dbt_project.yml gives it" in found.assumptions
