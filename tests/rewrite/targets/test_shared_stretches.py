"""Lists that are the same in part: that part stands once, and loops go over what they did."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from jinja2 import Environment

from unwet.rewrite.prove.sandbox import CHARACTERS, STEPS, Budget, Sandbox
from unwet.rewrite.targets.shared_stretches import with_stretches

LEVELS = [f"Region of the patient; Reason {n} of the restraint" for n in range(12)]
OTHERS = [f"Provider {n} of the patient and of the restraint" for n in range(12)]


def loop(items: Sequence[str], pad: str = "", var: str = "level") -> str:
    rows = ",\n".join(f"{pad}    '{item}'" for item in items)
    return (f"{pad}{{% for {var} in [\n{rows}\n{pad}] %}}\n{pad}[{{{{ {var} }}}}]"
            f"{{% if not loop.last %}},{{% endif %}}\n{pad}{{% endfor %}}\n")  # fmt: skip


def rows(items: Sequence[str], pad: str = "") -> str:
    """A loop over rows: a text with quotes, a number and nothing; long ones in several lines."""
    said = [f"('{item}', \"'{item}', (x)\", {n % 2}.5, none)" for n, item in enumerate(items)]
    lines = ",\n".join(
        f"{pad}    {row}" if len(row) < 90 else f"{pad}    (\n{pad}        {row[1:-1]}\n{pad}    )"
        for row in said
    )
    return (f"{pad}{{% for level, text, n, no in [\n{lines}\n{pad}] %}}\n"
            f"{pad}[{{{{ (level, text, n, no) }}}}]\n{pad}{{% endfor %}}\n")  # fmt: skip


def rendered(text: str) -> str:
    """What a template says, which is the same in the sandbox of the proof."""
    environments: tuple[Environment, ...] = (Environment(), Sandbox(Budget(STEPS, CHARACTERS)))
    known = {"config": lambda **_: "", "var": lambda *_: ""}
    found = {"".join(each.from_string(text).render(known).split()) for each in environments}
    assert len(found) == 1
    return found.pop()


def test_what_two_loops_have_in_common_stands_once() -> None:
    text = loop([*LEVELS, *OTHERS[:2]]) + loop([OTHERS[3], *LEVELS], pad="    ")
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert made.startswith("{% set region_patient_reason_levels = [\n")
    assert all(made.count(f"'{level}'") == 1 for level in LEVELS)
    assert "{% for level in region_patient_reason_levels + [\n" in made
    assert f"        '{OTHERS[3]}'\n    ] + region_patient_reason_levels %}}\n" in made


def test_rows_that_two_loops_have_in_common_stand_once() -> None:
    text = rows([*LEVELS, *OTHERS[:2]]) + rows([*LEVELS, OTHERS[3]], pad="    ")
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert made.startswith("{% set level_rows = [\n    (\n        'Region of the patient;")
    assert "{% for level, text, n, no in level_rows + [\n" in made
    assert all(made.count(f"\"'{level}', (x)\"") == 1 for level in LEVELS)


def test_it_stands_behind_what_is_in_front_of_a_template() -> None:
    body = loop([*LEVELS, *OTHERS[:2]]) + loop([OTHERS[3], *LEVELS])
    settings = "{{ config(materialized='table', enabled=(var('a', none) is not none)) }}\n\n"
    for head in (
        settings, f"{settings}-- what it is\n-- and why\n", "-- what it is\n",
        "{% macro levels(a, b='x') %}\n", "{% macro levels(\n    a, b='x %}'\n) %}\n",
    ):  # fmt: skip
        end = "{% endmacro %}\n" if "macro" in head else ""
        assert with_stretches(head + body + end).startswith(f"{head}{{% set region_")


def test_a_head_that_is_not_known_is_left_alone() -> None:
    body = loop([*LEVELS, *OTHERS[:2]]) + loop([OTHERS[3], *LEVELS])
    text = f"{{% macro levels(a=3 % 2) %}}\n{body}{{% endmacro %}}\n"
    assert with_stretches(text) == text


def test_a_list_that_has_a_name_goes_over_it_too() -> None:
    text = (loop([*LEVELS, *OTHERS[:2]]) + loop([OTHERS[3], *LEVELS])).replace(
        "{% for level in [", "{% set levels = [", 1
    )
    text = text.replace("%}\n[", "%}\n{% for level in levels %}[", 1)
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert "{% set levels = region_patient_reason_levels + [" in made


def test_a_name_that_means_something_is_not_taken() -> None:
    text = loop([*LEVELS, *OTHERS[:2]]) + loop([OTHERS[3], *LEVELS])
    text = "{% set region_patient_reason_levels = 'x' %}{{ region_patient_reason_levels }}\n" + text
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert "{% set region_patient_reason_levels_2 = [" in made


@pytest.mark.parametrize(
    "text",
    [
        loop(LEVELS),  # one list
        loop(LEVELS[:3]) + loop([*LEVELS[:3], *OTHERS]),  # three lines are no name worth
        loop(LEVELS) + loop(OTHERS),
        loop(LEVELS[::2] + LEVELS[1::2]) + loop(LEVELS),  # the same in another order
        (loop(LEVELS) + loop([*LEVELS, *OTHERS])).replace("'Region", "other ~ 'Region"),
        (loop(LEVELS) + loop([*LEVELS, *OTHERS])).replace("[\n    '", "[\n    none, '"),
    ],
)
def test_what_has_little_in_common_stays(text: str) -> None:
    assert with_stretches(text) == text


@pytest.mark.parametrize("seed", range(40))
def test_each_loop_goes_over_what_it_did(seed: int) -> None:
    rng = random.Random(seed)
    words = [f"level {rng.randrange(9)} of the {'long ' * rng.randrange(6)}name" for _ in range(14)]
    blocks = [[rng.choice(words) for _ in range(rng.randrange(1, 9))] for _ in range(4)]
    text = ""
    for _ in range(rng.randrange(2, 6)):
        items = [item for _ in range(rng.randrange(1, 5)) for item in rng.choice(blocks)]
        pad = " " * rng.choice((0, 4))
        text += loop(items, pad, rng.choice(("level", "name"))) if seed % 2 else rows(items, pad)
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert made.count("\n") <= text.count("\n")


def grouped(groups: Sequence[Sequence[str]], pad: str = "") -> str:
    """A loop over rows that end with a list."""
    said = "\n".join(
        f"{pad}    ('m{n}', [\n{pad}        {', '.join(repr(item) for item in items)}\n{pad}    ]),"
        for n, items in enumerate(groups)
    )
    return (f"{pad}{{% for metric, levels in [\n{said}\n{pad}] %}}\n"
            f"{pad}{{% for level in levels %}}\n{pad}[{{{{ (metric, level) }}}}]\n"
            f"{pad}{{% endfor %}}\n{pad}{{% endfor %}}\n")  # fmt: skip


def test_lists_at_the_ends_of_rows_have_something_in_common() -> None:
    text = loop(LEVELS) + grouped([[*LEVELS, "a"], ["b", *LEVELS], OTHERS[:2]], pad="    ")
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert all(made.count(f"'{level}'") == 1 for level in LEVELS)
    assert "('m1', ['b'] + region_patient_reason_levels)," in made


def test_what_looks_like_the_list_of_a_row_in_sql_is_none() -> None:
    sql = f"SELECT f(1, [{', '.join(map(repr, LEVELS))}]), 2"
    text = loop(LEVELS) + loop([*LEVELS, "a"]) + sql
    made = with_stretches(text)
    assert made != text
    assert made.endswith(sql)


def test_a_list_that_has_a_name_keeps_it() -> None:
    items = ",\n".join(f"    '{level}'" for level in LEVELS)
    text = f"{{% set of_all = [\n{items}\n] %}}\n" + grouped([LEVELS, [*LEVELS, "a"]])
    text += "{% for level in of_all %}{{ level }}{% endfor %}\n"
    made = with_stretches(text)
    assert rendered(made) == rendered(text)
    assert made.startswith("{% set of_all = [\n") and made.count("{% set ") == 1
    assert "('m0', of_all)," in made and "('m1', of_all + ['a'])," in made
