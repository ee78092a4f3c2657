"""Columns that one template names in several places are a list, and each place says what it did."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import pytest
from jinja2 import Environment

from unwet.rewrite.prove.sandbox import CHARACTERS, STEPS, Budget, Sandbox
from unwet.rewrite.targets.shared_stretches import with_stretches

NAMES = [f"{word}_of_the_day" for word in ("clicks", "saves", "views", "ads", "hides", "pins")]
MORE = [f"{word}_of_the_night" for word in ("clicks", "saves", "views", "ads", "hides", "pins")]


def lines(names: Sequence[str], before: str = "", behind: str = "", more: str = "") -> str:
    said = [f"    {before}{name}{behind}" for name in names]
    return ",\n".join([*said, *([f"    {more}"] if more else [])]) + "\n"


def query(*parts: str) -> str:
    return "WITH a AS (\n" + "), b AS (\n".join(f"  SELECT\n{p}  FROM t\n" for p in parts) + ")\n"


def rendered(text: str) -> str:
    """What a template says, whatever the spaces around commas and brackets."""
    known = {"config": lambda **_: "", "var": lambda *_: "v", "call": lambda **_: "c"}
    environments: tuple[Environment, ...] = (Environment(), Sandbox(Budget(STEPS, CHARACTERS)))
    found = {" ".join(each.from_string(text).render(known).split()) for each in environments}
    assert len(found) == 1
    return re.sub(r" ?([,()]) ?", r"\1", found.pop())


def test_columns_that_stand_twice_are_a_list() -> None:
    text = query(lines(["day", *NAMES], more="COUNT(*) AS n"), lines(NAMES))
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert made.startswith("{% set day_columns = [\n    'clicks_of_the_day', ")
    assert "  SELECT\n    day,\n    {{ day_columns | join(', ') }},\n    COUNT(*) AS n\n" in made
    assert "  SELECT\n    {{ day_columns | join(', ') }}\n  FROM t\n" in made


def test_columns_of_a_relation_and_with_more_behind_their_names_are_a_loop() -> None:
    text = query(lines(NAMES), lines(NAMES, "t.", "_avg"), lines(NAMES, "", "_sum", "x"))
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert (
        "    {% for column in day_columns %}\n"
        "    t.{{ column }}_avg{% if not loop.last %},{% endif %}\n    {% endfor %}\n" in made
    )
    assert "    {{ column }}_sum,\n    {% endfor %}\n    x\n" in made


def test_what_a_loop_goes_over_is_the_same_list() -> None:
    items = ", ".join(f"'{name}'" for name in NAMES)
    loop = f"    {{% for name in [{items}] %}}\n    SUM({{{{ name }}}}) AS {{{{ name }}}}_sum,\n"
    text = query(lines([*NAMES, *MORE]), loop + "    {% endfor %}\n    1 AS one\n", lines(MORE))
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert "{% for name in day_names %}" in made
    assert "    {{ (day_names + night_columns) | join(', ') }}\n" in made


@pytest.mark.parametrize(
    "text",
    [
        query(lines(NAMES)),  # once
        query(lines(NAMES[:5]), lines(NAMES[:5])),  # few
        query(lines(NAMES), lines(NAMES[::-1])),  # in another order
        query(lines(NAMES), lines(NAMES, "t.").replace("t.views", "u.views")),
        query("'\n" + lines(NAMES) + "' AS text\n", "'\n" + lines(NAMES) + "' AS text\n"),
        query("/*\n" + lines(NAMES) + "*/ a\n", "-- it's\n    a /*\n" + lines(NAMES) + "*/\n"),
        query("{# \n" + lines(NAMES) + "#} a\n", "{{ call(x=[\n" + lines(NAMES) + "]) }}\n"),
        query(lines(["NULL"] * 9), lines(["NULL"] * 9)),
    ],
)
def test_what_is_no_list_of_columns_stays(text: str) -> None:
    assert with_stretches(text) == text


@pytest.mark.parametrize("seed", range(60))
def test_each_place_says_what_it_did(seed: int) -> None:
    rng = random.Random(seed)
    words = [f"{rng.choice('abc')}{n}{rng.choice(('', '_x', '_x_avg', '_avg'))}" for n in range(9)]
    blocks = [[rng.choice(words) for _ in range(rng.randrange(1, 12))] for _ in range(4)]
    parts: list[str] = []
    for _ in range(rng.randrange(2, 7)):
        names = [name for _ in range(rng.randrange(1, 4)) for name in rng.choice(blocks)]
        if rng.random() < 0.3:
            said = ",\n".join(f"        '{name}'" for name in names)
            parts.append(f"    {{% for name in [\n{said}\n    ] %}}\n    f({{{{ name }}}}),\n"
                         "    {% endfor %}\n    1\n")  # fmt: skip
        else:
            affix = rng.choice((("", ""), ("t.", ""), ("", "_avg"), ("t.", "_x"), ("t.u.", "")))
            parts.append(lines(names, *affix, rng.choice(("", "x", "COUNT(*) AS n"))))
    head = rng.choice(("", "{{ config(enabled=(var('a') is not none)) }}\n\n", "-- of columns\n"))
    text = head + query(*parts)
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert made.count("\n") <= text.count("\n")
