"""A dbt project read back without dbt."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from unwet.lineage.errors import PathNotFound
from unwet.rewrite.prove.projects import kind_of
from unwet.rewrite.prove.render import render_project
from unwet.rewrite.prove.rendered import BadProject, RenderedModel, RenderedProject
from unwet.tests.nobody import as_nobody, open_copy

PROJECT = "name: shop\nvars:\n  since: 2020\n  shop:\n    region: north\n"
SOURCES = (
    "sources:\n  - name: raw\n    schema: \"{{ var('schema', 'landing') }}\"\n    tables:\n"
    "      - name: orders\n      - name: people\n        identifier: persons\n"
    "  - name: plain\n    tables: [{name: t}]\n"
)


def project(tmp_path: Path, files: Mapping[str, str]) -> Path:
    given = {"dbt_project.yml": PROJECT, "models/sources.yml": SOURCES, **files}
    for name, content in given.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


def rendered(tmp_path: Path, files: Mapping[str, str], **vars: str) -> RenderedProject:
    return render_project(project(tmp_path, files), vars)


def only(found: RenderedProject) -> RenderedModel:
    assert not found.failures
    (model,) = found.models
    return model


def test_refs_and_sources(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        {
            "models/marts/a_report.sql": "{{ config(materialized='table') }}\n"
            "select * from {{ ref('stg_orders') }} join {{ ref('codes') }} using (k)",
            "models/stg_orders.sql": "select * from {{ source('raw', 'orders') }}, "
            "{{ source('raw', 'people') }}, {{ source('plain', 't') }}",
            "seeds/codes.csv": "k\n1\n",
        },
    )
    assert found.name == "shop" and not found.failures
    orders, report = found.models  # inputs first, whatever their names
    assert orders.sql == "select * from landing.orders, landing.persons, plain.t"
    assert orders.sources == ("landing.orders", "landing.persons", "plain.t")
    assert (orders.refs, orders.materialized) == ((), "view")
    assert report.sql == "select * from stg_orders join codes using (k)"
    assert (report.refs, report.materialized) == (("stg_orders", "codes"), "table")
    assert [seed.name for seed in found.seeds] == ["codes"]


def test_the_caller_names_relations(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        {
            "models/a.sql": "select 1 as x",
            "models/b.sql": "{{ ref('a') }} {{ source('plain', 't') }}",
        },
    )
    found = render_project(root, {}, lambda kind, name: f"<{kind} {name}>")
    assert found.models[1].sql == "<ref a> <source plain.t>"


def test_macros_call_macros_of_other_files(tmp_path: Path) -> None:
    macros = {
        "macros/a.sql": "{% macro twice(x) %}{{ once(x) }} + {{ once(x) }}{% endmacro %}"
        "{% materialization m, default %}{{ nothing }}{% endmaterialization %}",
        "macros/b.sql": "{% macro once(x) %}({{ x }}){% endmacro %}"
        "{% macro names() %}{{ return(['p', 'q']) }}{% endmacro %}"
        "{% macro of(model) %}select * from {{ ref(model) }}{% endmacro %}",
        "models/base.sql": "select 1 as x",
        "models/m.sql": "select {{ twice('x') }}{% for n in names() %}, {{ n }}{% endfor %} "
        "from ({{ of('base') }})",
    }
    found = rendered(tmp_path, macros)
    assert not found.failures
    assert found.models[1].sql == "select (x) + (x), p, q from (select * from base)"
    assert found.models[1].refs == ("base",)  # also those made inside a macro


def test_this_is_the_model_that_calls(tmp_path: Path) -> None:
    files = {
        "macros/a.sql": "{% macro me() %}{{ this }}{% endmacro %}",
        "models/m.sql": "{{ me() }} {{ this }}",
        "models/n.sql": "{{ me() }}",
    }
    assert [model.sql for model in rendered(tmp_path, files).models] == ["m m", "n"]


def test_loops_and_vars(tmp_path: Path) -> None:
    text = (
        "{% set ages = [('kid', 0), ('adult', 18)] %}select\n"
        "{% for name, age in ages %}  sum(age >= {{ age }}) as {{ name }}"
        "{{ ',' if not loop.last }}\n{% endfor %}"
        "from {{ source('plain', 't') }} where y > {{ var('since') }} and r = '{{ var('region') }}'"
    )
    assert only(rendered(tmp_path, {"models/m.sql": text}, since="2021")).sql == (
        "select\n  sum(age >= 0) as kid,\n  sum(age >= 18) as adult\n"
        "from plain.t where y > 2021 and r = 'north'"
    )


def test_a_var_may_locate_a_source(tmp_path: Path) -> None:
    files = {"models/m.sql": "select * from {{ source('raw', 'orders') }}"}
    assert only(rendered(tmp_path, files, schema="cdm")).sources == ("cdm.orders",)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("select\n{{ var('nope') }}", "no value for var nope", 2),
        ("{{ ref('nope') }}", "no model or seed", 1),
        ("{{ source('raw', 'nope') }}", "not declared", 1),
        ("\n\n{{ nope() }}", "'nope' is undefined", 3),
        ("{{ dbt_utils.star('x') }}", "'dbt_utils' is undefined", 1),
        ("{% for x in %}", "", 1),
        ("{{ env_var('HOME') }}", "'env_var' is undefined", 1),
        ("{{ ''.__class__ }}", "unsafe", 1),
        ("x {{ return(1) }}", "outside of a macro", 1),
        ("{% for x in range(10**9) %}x{% endfor %}", "too long", 1),
    ],
)
def test_one_bad_model_loses_only_itself(tmp_path: Path, text: str, reason: str, line: int) -> None:
    found = rendered(tmp_path, {"models/bad.sql": text, "models/good.sql": "select 1 as x"})
    assert [model.name for model in found.models] == ["good"]
    (failure,) = found.failures
    assert (failure.name, failure.line) == ("bad", line)
    assert reason in failure.reason
    assert failure.path.endswith("bad.sql")


def test_disabled_models_are_left_out(tmp_path: Path) -> None:
    found = rendered(tmp_path, {"models/m.sql": "{{ config(enabled=false) }} select 1"})
    assert (found.models, found.failures) == ((), ())


def test_circles_are_reported(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        {
            "models/a.sql": "select * from {{ ref('b') }}",
            "models/b.sql": "select * from {{ ref('a') }}",
            "models/c.sql": "select 1 as x",
        },
    )
    assert [model.name for model in found.models] == ["c"]
    assert {failure.name for failure in found.failures} == {"a", "b"}
    assert all("circle" in failure.reason for failure in found.failures)


def test_two_models_of_one_name(tmp_path: Path) -> None:
    found = rendered(
        tmp_path, {"models/x/m.sql": "select 1 as x", "models/y/m.sql": "select 2 as x"}
    )
    assert len(found.models) == 1
    assert "second model" in found.failures[0].reason


def test_a_broken_macro_file_is_named(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        {"macros/bad.sql": "{% macro x() %}", "models/m.sql": "select 1 as x"},
    )
    assert [failure.name for failure in found.failures] == ["bad"]
    assert len(found.models) == 1


def test_materialized_from_the_project(tmp_path: Path) -> None:
    settings = PROJECT + "models:\n  shop:\n    marts:\n      +materialized: table\n"
    found = rendered(
        tmp_path,
        {
            "dbt_project.yml": settings,
            "models/marts/m.sql": "select 1 as x",
            "models/n.sql": "select 1 as x",
            "models/o.sql": "select 1 as x",
            "models/o.yml": "models: [{name: o, config: {materialized: ephemeral}}]",
        },
    )
    assert {m.name: m.materialized for m in found.models} == {
        "m": "table",
        "n": "view",
        "o": "ephemeral",
    }


def test_nothing_outside_the_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "outside.sql").write_text("select 'secret' as x")
    root = project(tmp_path / "p", {"models/m.sql": "select 1 as x"})
    (root / "dbt_project.yml").write_text(PROJECT + "model-paths: ['..', 'models']\n")
    (root / "models" / "link.sql").symlink_to(tmp_path / "outside.sql")
    assert [model.name for model in render_project(root).models] == ["m"]


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound):
        render_project(tmp_path / "nope")
    with pytest.raises(BadProject):
        render_project(tmp_path)
    (tmp_path / "dbt_project.yml").write_text("a: [")
    with pytest.raises(BadProject):
        render_project(tmp_path)
    (tmp_path / "dbt_project.yml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(BadProject):
        render_project(tmp_path)


def test_broken_yaml_beside_models(tmp_path: Path) -> None:
    found = rendered(tmp_path, {"models/x.yml": "a: [", "models/m.sql": "select 1 as x"})
    assert [failure.name for failure in found.failures] == ["x"]
    assert len(found.models) == 1


def test_undecodable_and_large_models(tmp_path: Path) -> None:
    root = project(tmp_path, {"models/good.sql": "select 1 as x"})
    (root / "models" / "bytes.sql").write_bytes(b"select '\xff\xfe'")
    (root / "models" / "large.sql").write_text("-- " + "x" * 6_000_000)
    found = render_project(root)
    assert [model.name for model in found.models] == ["good"]
    assert [failure.name for failure in found.failures] == ["bytes", "large"]


@pytest.mark.parametrize(
    "setting",
    [
        "post_hook='delete from {{ this }}'",
        "pre_hook='delete from t'",
        "sql_header='set x = 1;'",
        "materialized='incremental'",
    ],
)
def test_what_runs_beside_the_query_is_not_read_back(tmp_path: Path, setting: str) -> None:
    found = rendered(tmp_path, {"models/a.sql": f"{{{{ config({setting}) }}}} select 1 as x"})
    assert not found.models
    (failure,) = found.failures
    assert "rows" in failure.reason


def test_hooks_and_switches_in_yaml_count(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        {
            "models/a.sql": "select 1 as x",
            "models/sub/b.sql": "select 1 as x",
            "models/c.sql": "select 1 as x",
            "models/m.yml": "models: [{name: a, config: {enabled: false}},"
            " {name: c, config: {post-hook: delete from c}}]",
            "dbt_project.yml": PROJECT + "models:\n  shop:\n    sub:\n      +pre-hook: [x]\n",
        },
    )
    assert not found.models
    assert sorted(failure.name for failure in found.failures) == ["b", "c"]


@pytest.mark.parametrize("closed", ["", "models"])
def test_a_folder_that_may_not_be_read(tmp_path: Path, closed: str) -> None:
    with open_copy(project(tmp_path, {"models/a.sql": "select 1 as x"})) as home:
        kind_of(home)  # imports what it needs
        (home / closed).chmod(0)

        def told() -> str:
            try:
                return kind_of(home).name
            except BadProject as error:
                return error.message

        found = as_nobody(told)
        (home / closed).chmod(0o755)
        assert found == f"cannot read {home / closed}: Permission denied"
