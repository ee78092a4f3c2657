"""Macros that differ in a word are one, which says for each what that one said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from unwet.rewrite.prove.render import render_project
from unwet.rewrite.targets.one_word_apart import with_words_handed
from unwet.rewrite.targets.place import write

BODY = "STRUCT(\n  m.WORD_sync_uid,\n  m.raw_WORD_at AS `WORD_at`,\n  {{ of('WORD') }},\n  m.a\n)"
WORDS = ("logins", "tabs", "history")


def _files(body: str = BODY, head: str = "") -> dict[str, str]:
    """A macro for each word, and models that call it in several ways."""
    files = {"macros/of.sql": "{% macro of(x) %}\nm.{{ x }}\n{% endmacro %}\n"}
    for word in WORDS:
        said = body.replace("WORD", word)
        text = f"{{% macro {word}_sync({head}) %}}\n{said}\n{{% endmacro %}}\n"
        files[f"macros/{word}_sync.sql"] = text
        files[f"models/marts/{word}.sql"] = (
            f"SELECT {{{{ {word}_sync() }}}} AS m, '{{{{ {word}_sync() }}}}' AS t,\n"
            f"{{{{ of('it\\'s' ~ {word}_sync()) }}}} AS n\nFROM t\n"
        )
    return files


def _said(files: Mapping[str, str], root: Path) -> dict[str, str]:
    write({**files, "dbt_project.yml": "name: p\n"}, root)
    rendered = render_project(root)
    assert not rendered.failures
    return {each.name: " ".join(each.sql.split()) for each in rendered.models}


def test_models_say_what_they_said(tmp_path: Path) -> None:
    files = _files() | {"models/marts/x.sql": "SELECT logins_sync() AS history_sync, 'tabs_sync'"}
    found, [macro] = with_words_handed(files, {"sync"})
    assert (macro.name, macro.params) == ("sync_2", ("name",))
    said = BODY.replace("'WORD'", "name").replace("WORD", "{{ name }}")
    assert macro.text == f"{{% macro sync_2(name) %}}\n{said}\n{{% endmacro %}}\n"
    assert {*found} == {path for path in files if "_sync" not in path}
    assert found["models/marts/x.sql"] == files["models/marts/x.sql"]
    assert "{{ of('it\\'s' ~ sync_2('logins')) }}" in found["models/marts/logins.sql"]
    found |= {"macros/sync_2.sql": macro.text}
    assert _said(found, tmp_path / "new") == _said(files, tmp_path / "old")


def test_a_macro_is_called_as_nothing_is_that_stands_beside_its_calls() -> None:
    files = _files() | {"macros/x.sql": "{% macro x(sync) %}\n{{ sync }}\n{% endmacro %}\n"}
    assert with_words_handed(files, ())[1][0].name == "sync_2"


@pytest.mark.parametrize(
    "more",
    [
        "SELECT {{ logins_sync }} AS a, {{ of(tabs_sync) }} AS t, {{ history_sync (1) }} AS h\n",
        "{% for logins_sync, tabs_sync in x %}{% endfor %}{% set history_sync = 1 %}SELECT 1\n",
    ],
)
def test_macros_stay_that_are_not_only_called(more: str) -> None:
    files = _files() | {"models/marts/more.sql": more}
    assert with_words_handed(files, ()) == (files, ())


@pytest.mark.parametrize(
    "files",
    [
        _files(BODY.replace("m.a", "{{ of('a WORD') }}")),
        _files(BODY.replace("m.a", "m.name")),
        _files(BODY.replace("m.a", "m.a -- a WORD")),
        _files(head="x"),
        {path: text for path, text in _files("STRUCT(m.WORD)").items() if "tabs" not in path},
    ],
)
def test_macros_stay(files: dict[str, str]) -> None:
    assert with_words_handed(files, ()) == (files, ())
