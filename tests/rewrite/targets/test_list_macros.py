"""Lists of constants that several templates go over, in macros that return them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.prove.render import render_project
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.layout import laid_out
from unwet.rewrite.targets.list_macros import with_list_macros
from unwet.rewrite.targets.place import write
from unwet.tests.rewrite.targets.test_dbt_build import build, dbt

__all__ = ["dbt"]  # a fixture

WORDS = re.findall(
    r"\w+",
    "top left right bottom inner outer upper lower first last own other small large old new red "
    "blue long short",
)
NAMES = [f"color_of_the_{word}_border" for word in WORDS]
KINDS = [f"{WORDS[n % 20]}_{WORDS[(3 * n * n + 7) % 20]}_border_{37 * n % 101}" for n in range(60)]


def listed(items: Sequence[str], *, var: str = "name") -> str:
    rows = ",\n".join(f"    '{item}'" for item in items)
    between = "{% if not loop.last %},{% endif %}"
    return (f"select\n    {{% for {var} in [\n{rows}\n] %}}\n    {{{{ {var} }}}}{between}"
            "\n    {% endfor %}\nfrom {{ source('s', 't') }}\n")  # fmt: skip


def run(files: Mapping[str, str], root: Path) -> dict[str, str]:
    """What the models say, by their names."""
    root.mkdir(exist_ok=True)
    sources = "sources: [{name: s, tables: [{name: t}]}]\n"
    write({"dbt_project.yml": "name: p\n", "models/sources.yml": sources, **files}, root)
    found = render_project(root, {})
    assert not found.failures, found.failures
    return {model.name: model.sql for model in found.models}


def shared(texts: Mapping[str, str], *taken: str) -> tuple[dict[str, str], list[str]]:
    files, macros = with_list_macros({f"models/{n}.sql": t for n, t in texts.items()}, taken)
    return {**files, **{f"macros/{m.name}.sql": m.text for m in macros}}, [m.name for m in macros]


def test_a_list_of_two_files_stands_once() -> None:
    files, macros = shared({"a": listed(NAMES), "b": listed(NAMES, var="column")})
    assert macros == ["columns"]
    assert "{% for name in columns() %}" in files["models/a.sql"]
    assert "{% for column in columns() %}" in files["models/b.sql"]
    assert files["macros/columns.sql"].startswith("{% macro columns() %}\n{% set items = [\n")
    assert files["macros/columns.sql"].count(NAMES[0]) == 1


def test_a_list_may_leave_some_out() -> None:
    files, macros = shared({"a": listed(NAMES), "b": listed([*NAMES[:5], *NAMES[6:]])})
    assert macros == ["names"]
    assert "{% for name in names() %}" in files["models/a.sql"]
    said = f"{{% for name in names() if name not in [\n    '{NAMES[5]}'\n] %}}"
    assert said in files["models/b.sql"]


def test_both_lists_may_have_what_the_other_has_not() -> None:
    files, macros = shared({"a": listed(NAMES[1:]), "b": listed(NAMES[:-1])})
    assert macros == ["names"]
    assert all(" if name not in [" in files[f"models/{n}.sql"] for n in "ab")


@pytest.mark.parametrize(
    "texts",
    [
        {"a": listed(NAMES), "b": listed([*NAMES[1:], NAMES[0]])},  # another order
        {"a": listed(NAMES), "b": listed(NAMES[:8])},  # too few of them
        {"a": listed(NAMES), "b": listed([f"a_{name}" for name in NAMES])},
        {"a": listed(NAMES[:3]), "b": listed(NAMES[:3])},  # too short
        {"a": listed(NAMES) + listed(NAMES)},  # one file: `shared_lists`
        {"a": listed(NAMES).replace("'color_of_the_top_border'", "top"),
         "b": listed(NAMES).replace("'color_of_the_top_border'", "top")},  # a parameter
    ],
)  # fmt: skip
def test_what_is_no_list_of_both_stays(texts: Mapping[str, str]) -> None:
    files, macros = shared(texts)
    assert macros == []
    assert {path: f"{text}" for path, text in files.items()} == {
        f"models/{name}.sql": text for name, text in texts.items()
    }


def test_names_that_are_taken_are_not_hidden() -> None:
    _, macros = shared({"a": listed(NAMES), "b": listed(NAMES)}, "names")
    assert macros == ["names_2"]
    _, macros = shared({"a": listed(NAMES), "b": listed(NAMES) + "-- names\n"})
    assert macros == ["names_2"]


def test_rows_of_values_are_shared_as_they_are() -> None:
    rows = "".join(f"    (\n        '{name}',\n        'x'\n    ),\n" for name in NAMES)
    text = f"{{% set rows = [\n{rows}] %}}\nselect {{{{ rows | length }}}} as n\n"
    files, macros = shared({"a": text, "b": text})
    assert macros == ["rows_2"]
    assert "{% set rows = rows_2() %}" in files["models/a.sql"]


@given(
    st.lists(
        st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(
            lambda names: sorted(names, key=NAMES.index)
        ),
        min_size=2,
        max_size=4,
    ),
    st.booleans(),
)
def test_law_the_templates_say_what_they_said(
    tmp_path_factory: pytest.TempPathFactory, lists: list[list[str]], full: bool
) -> None:
    if full:
        lists = [lists[0], *(NAMES[:at] + NAMES[at + 1 :] for at in range(len(lists)))]
    texts = {f"m{n}": listed(items) for n, items in enumerate(lists)}
    root = tmp_path_factory.mktemp("law")
    old = run({f"models/{name}.sql": text for name, text in texts.items()}, root / "old")
    new = run(shared(texts)[0], root / "new")
    assert new == old


def _pile() -> dict[str, str]:
    def pivoted(kinds: Sequence[str], call: str, table: str) -> str:
        items = [f"{call}(case when kind = '{n}' then amount end) as {n}" for n in kinds]
        return f"select k,\n{','.join(items)}\nfrom {table} group by k"

    return {
        "widths.sql": f"create table widths as {pivoted(KINDS, 'sum', 't')}",
        "peaks.sql": f"create table peaks as {pivoted(KINDS[1:], 'max', 'u')}",
    }


def test_a_project_of_dbt_builds_with_them(dbt: Path, tmp_path: Path) -> None:
    schema = {table: ["k", "kind", "amount"] for table in ("t", "u")}
    pile = load([Source(path, text, "duckdb") for path, text in _pile().items()], "duckdb", schema)
    result = refactor(pile, Request(name="colors"))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    files = result.files
    assert "() if " in files["models/marts/peaks.sql"]
    assert all(
        laid_out(text, "duckdb") == text
        for path, text in files.items()
        if path.startswith(("models/marts/p", "macros/")) and path.endswith(".sql")
    )
    assert "go over." in files["macros/macros.yml"]
    data = tmp_path / "data.duckdb"
    with duckdb.connect(str(data)) as connection:
        for table in "tu":
            connection.execute(f"CREATE TABLE {table} (k INT, kind TEXT, amount INT)")
            rows = [(n % 3, name, n) for n, name in enumerate(KINDS)]
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
    done = build(dbt, files, tmp_path / "project", data)
    assert done["model success"] == 2
    with duckdb.connect(str(data), read_only=True) as connection:
        for path, text in _pile().items():
            name, query = path.removesuffix(".sql"), text.partition(" as ")[2]
            new = connection.execute(f"SELECT * FROM {name} ORDER BY k").fetchall()
            assert new == connection.execute(f"{query} ORDER BY k").fetchall() != []
