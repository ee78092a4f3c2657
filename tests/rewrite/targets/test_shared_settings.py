"""What all callers of a macro have set stands in it: once, and only where it is always reached."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.dbt_folders import Folder, Folders, Setting
from unwet.rewrite.targets.place import write
from unwet.rewrite.targets.shared_settings import with_settings
from unwet.tests.rewrite.targets.test_dbt_build import VENV

SAID = "{{ config(enabled=(var('day', none) is not none)) }}\n\n"
QUERY = "SELECT a FROM {{ app }} WHERE d = {{ var('day', 'day') }}"
MACRO = f"{{% macro daily(app) %}}\n{QUERY}\n{{% endmacro %}}\n"
MODEL = "-- of an app\n{{ daily('t') }}\n"
FILES = {"macros/daily.sql": MACRO} | {f"models/marts/{name}.sql": MODEL for name in "abc"}
DAILY, PLAIN = Setting("table", ("day",)), Setting("table")


def _settled(files: Mapping[str, str], **others: Setting) -> dict[str, str]:
    """Three models need a day, `others` what they need, and so many that nothing is usual."""
    models = {"a": DAILY, "b": DAILY, "c": DAILY, **dict.fromkeys("vwxyz", PLAIN), **others}
    usual = Folder(PLAIN, {})
    folders = Folders(models, dict.fromkeys(models, ("marts",)), {"marts": usual}, usual)
    return with_settings(files, folders)[0]


def test_what_all_callers_have_set_stands_in_the_macro() -> None:
    found = _settled(FILES)
    assert found.pop("macros/daily.sql") == MACRO.replace("SELECT", SAID + "SELECT")
    assert set(found.values()) == {MODEL}


@pytest.mark.parametrize(
    "loop", ["{% for t in ['t', 'u'] %}", "{% for t, u in [\n    ('t', 1),\n] + more %}"]
)
def test_macros_between_and_loops_over_what_stands_there_are_always_reached(loop: str) -> None:
    between = f"{{% macro every(k) %}}\n{loop}\n{{{{ daily(t) }}}}\n{{% endfor %}}\n"
    files = FILES | {"macros/every.sql": between, "models/marts/c.sql": "{{ every(1) }}\n"}
    assert [path for path, text in _settled(files).items() if SAID in text] == ["macros/daily.sql"]


@pytest.mark.parametrize(
    "other",
    [
        {"models/marts/d.sql": "{{ daily('t') }}\n"},
        {"models/marts/d.sql": "SELECT a FROM {{ rows(daily('t')) }}\n"},
        {"models/marts/c.sql": "{% if var('day') %}\n{{ daily('t') }}\n{% endif %}\n"},
        {"models/marts/c.sql": "{% for x in [] %}\n{{ daily('t') }}\n{% endfor %}\n"},
        {"models/marts/c.sql": "{% for x in rows() %}\n{{ daily('t') }}\n{% endfor %}\n"},
        {"models/marts/c.sql": "{% for x in ['a'] if x != y %}\n{{ daily('t') }}\n{% endfor %}\n"},
        {"macros/weekly.sql": "{% macro weekly() %}\n{{ daily('t') }}\n{% endmacro %}\n"},
        {"tests/generic/least.sql": "{% test least(model) %}\n{{ daily('t') }}\n{% endtest %}\n"},
        {"macros/daily.sql": "{#- one #}" + MACRO},
    ],
)
def test_models_say_for_themselves_what_not_all_have(other: dict[str, str]) -> None:
    files = FILES | other
    found = _settled(files, d=PLAIN)
    needy = [f"models/marts/{name}.sql" for name in "abc"]
    assert found == {p: SAID + text if p in needy else text for p, text in files.items()}


def test_two_needs_are_two_settings() -> None:
    found = _settled(FILES, c=Setting("table", ("month",)))
    assert found["macros/daily.sql"] == MACRO
    assert found["models/marts/c.sql"] == SAID.replace("day", "month") + MODEL


def test_what_one_model_says_stands_with_it() -> None:
    files = {path: FILES[path] for path in ("macros/daily.sql", "models/marts/a.sql")}
    found = _settled(files)
    assert found == files | {"models/marts/a.sql": SAID + MODEL}


def _written(root: Path) -> dict[str, str]:
    """A project of nine reports, of which four that have a variable are calls of a macro."""
    shown = "SELECT id, SUM(n) AS n FROM s.{} WHERE k > 3 AND d = {{{{ day }}}} GROUP BY id"
    texts = {f"{t}.sql": f"CREATE TABLE r.{t}_day AS {shown.format(t)}" for t in "abcd"}
    texts |= {f"{t}.sql": f"CREATE TABLE r.{t} AS SELECT {t} FROM s.x{t}" for t in "efghi"}
    pile = load([Source(*each) for each in texts.items()], "duckdb")
    result = refactor(pile, Request(name="p"))
    assert {each.outcome for each in result.verdicts} == {"proved"}
    write(result.files, root)
    return dict(result.files)


def test_dbt_takes_settings_from_macros(tmp_path: Path) -> None:
    program = VENV / "bin" / "dbt"
    if not program.exists():
        pytest.skip("dbt is not there")
    files = _written(tmp_path / "p")
    assert not [path for path, text in files.items() if "models/" in path and "config(" in text]
    for words, names in (([], "efghi"), (["--vars", "{day: 5}"], "abcdefghi")):
        said = subprocess.run(
            [str(program), "-q", "ls", "--profiles-dir", ".", "--resource-type", "model",
             "--output", "json", *words],
            cwd=tmp_path / "p", capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        models: list[Any] = [json.loads(line) for line in said.splitlines()]
        assert "".join(sorted(each["name"][0] for each in models)) == names
