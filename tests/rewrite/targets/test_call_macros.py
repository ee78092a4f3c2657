"""Calls that say most alike are one macro: it pays, constants only differ, rows stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from unwet.rewrite.prove.render import render_project
from unwet.rewrite.targets.call_macros import with_call_macros
from unwet.rewrite.targets.place import write

MACRO = "{% macro pings(columns, table, kind='day') %}\nSELECT {{ columns }}\n{% endmacro %}\n"
APPS = ("fenix", "klar", "focus_ios", "thunderbird_android")
LONG = "'client_id, submission_timestamp, experiments, a_long_name_of_a_column'"


def _files(arguments: Sequence[str], name: str = "history_{}_v1") -> dict[str, str]:
    """A model for each app, that is a call with these arguments, said for it."""
    said = {app: [each.replace("APP", app) for each in arguments] for app in APPS}
    return {"macros/pings.sql": MACRO} | {
        f"models/marts/{name.format(app)}.sql": "-- told\n{{ pings(\n    "
        + ",\n    ".join(words)
        + "\n) }}\n"
        for app, words in said.items()
    }


def test_what_calls_say_alike_stands_in_a_macro() -> None:
    files = _files([LONG, "source('APP_stable', 'history_v1')"])
    found, [macro] = with_call_macros(files, {"pings"})
    assert (macro.name, macro.params) == ("history_v1", ("origin",))
    assert macro.text == (
        "{% macro history_v1(origin) %}\n{{ pings(\n"
        f"    {LONG},\n"
        "    source(origin ~ '_stable', 'history_v1')\n) }}\n{% endmacro %}\n"
    )
    assert found.pop("macros/pings.sql") == MACRO
    assert found == {
        f"models/marts/history_{app}_v1.sql": f"-- told\n{{{{ history_v1('{app}') }}}}\n"
        for app in APPS
    }


def test_what_is_said_twice_is_one_parameter_and_has_its_arguments_name() -> None:
    files = _files([LONG, "source('APP_stable', 'of_APP')", "kind='APP'"])
    _, [macro] = with_call_macros(files, {"pings", "history_v1"})
    assert (macro.name, macro.params) == ("history_v1_2", ("origin",))
    assert "source(origin ~ '_stable', 'of_' ~ origin)" in macro.text
    assert "kind=origin" in macro.text
    _, [macro] = with_call_macros(_files([LONG, "'t'", "kind='APP'"]), {"pings"})
    assert macro.params == ("kind",)
    _, [macro] = with_call_macros(_files([LONG, "'APP'", "kind='week'"]), {"pings"})
    assert macro.params == ("table",)


@pytest.mark.parametrize(
    "files",
    [
        _files([LONG, "source('APP_stable', 'x')"]) | {"macros/pings.sql": "SELECT 1\n"},
        _files([LONG, "('APP' if x else 'y')"]),
        _files([LONG, "not 'APP'"]),
        _files([LONG, "'APP' | upper"]),
        _files([LONG, "APP()"]),
        _files([LONG, "'APP'", "'x_APP_y'", "'APPx'", "'z' ~ 'APPyx'"]),
        {path: f"{text}UNION ALL\n" for path, text in _files([LONG, "'APP'"]).items()},
        dict([*_files([LONG, "'APP'"]).items()][:3]),
        {path: text.replace("(\n    ", "(").replace("\n)", ")").replace("\n    ", " ")
         for path, text in _files(["'few'", "'APP'"]).items()},
    ],
)  # fmt: skip
def test_calls_stay(files: dict[str, str]) -> None:
    assert with_call_macros(files, {"pings"}) == (files, ())


def test_models_say_what_they_said(tmp_path: Path) -> None:
    pings = MACRO.replace("{{ columns }}", "{{ columns }}, '{{ kind }}' AS k FROM {{ table }}")
    files = _files([LONG, "source('APP_stable', 'of_APP')", "kind='x_APP'"])
    files |= {"macros/pings.sql": pings, "dbt_project.yml": "name: p\n"}
    tables = "\n".join(f"- name: {app}_stable\n  tables: [{{name: of_{app}}}]" for app in APPS)
    files["models/sources.yml"] = f"version: 2\nsources:\n{tables}\n"
    found, macros = with_call_macros(files, {"pings"})
    found |= {f"macros/{each.name}.sql": each.text for each in macros}
    assert len(found) == len(files) + 1
    said = []
    for name, project in (("old", files), ("new", found)):
        write(project, tmp_path / name)
        rendered = render_project(tmp_path / name)
        assert not rendered.failures
        said.append({each.name: " ".join(each.sql.split()) for each in rendered.models})
    assert said[0] == said[1]
    assert len({*said[0].values()}) == len(APPS)
