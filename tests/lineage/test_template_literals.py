"""`${x}` in a program is no placeholder where the program says what x is."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.template_literals import own_names
from unwet.lineage.templating import mask
from unwet.rewrite.refactor import refactor
from unwet.rewrite.request import Request

BODIES = [
    ("const re = RegExp(`(${words.join('|')})`); let words = ['a'];", []),
    ("return css.map(c => `\\\\b${c}\\\\b`)", []),
    ("return css.map((one, two) => `${two}`)", []),
    ("function own(a, b) { return `${b}`; } return own(css)", []),
    ("return `${css}`", []),
    ("return `${Math.round(css)}`", []),
    ("return `${place}`", ["place"]),
    ("const c = 1; return `${c}${c_of_run}`", ["c_of_run"]),
    ("const c = '${c}'", ["c"]),  # no template literal
]


def script(body: str, language: str = "LANGUAGE js") -> str:
    made = f'CREATE TEMP FUNCTION f(css STRING) RETURNS STRING {language} AS """\n{body}\n"""'
    return f"{made};\nCREATE TABLE r AS SELECT f(x) AS a, f(y) AS b FROM t"


@pytest.mark.parametrize(("body", "names"), BODIES)
def test_what_a_program_declares_is_its_own(body: str, names: list[str]) -> None:
    masked = mask(Source("a.sql", script(body), "bigquery"))
    assert [each.name for each in masked.placeholders] == names


def test_no_other_language_has_them() -> None:
    text = script("SELECT c, `${c}.d` FROM c", "LANGUAGE SQL")
    assert [each.name for each in mask(Source("a.sql", text, "bigquery")).placeholders] == ["c"]


def test_a_value_that_somebody_gives_is_put_in() -> None:
    masked = mask(Source("a.sql", script("const c = 1; return `${c}`"), "bigquery"), {"c": "7"})
    assert "`7`" in masked.text


def test_the_project_makes_such_a_function() -> None:
    text = script("const c = ['a']; return RegExp(`${c.join('|')}`).test(css)")
    result = refactor(load([Source("a.sql", text, "bigquery")], "bigquery"), Request())
    assert {v.name: v.outcome for v in result.verdicts} == {"r": "proved"}
    [made] = [text for path, text in result.files.items() if "macros/functions/" in path]
    assert "`${c.join('|')}`" in made and not result.assumptions


@pytest.mark.parametrize(
    "odd", ["let " + " " * 200_000, "x" * 200_000, "(a " * 60_000, "`${" * 60_000]
)
def test_a_hostile_body_takes_no_time(odd: str) -> None:
    text = script("`" + odd)
    assert "css" in own_names(text, text.index('"""'), len(text))
