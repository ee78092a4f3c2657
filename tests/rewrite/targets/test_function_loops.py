"""Functions that are alike are made in one loop: the same ones, each behind those that it calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from unwet.rewrite.function_text import all_created, created
from unwet.rewrite.function_words import meaning, spelled, spelled_calls
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.prove.sandbox import CHARACTERS, STEPS, Budget, Sandbox
from unwet.rewrite.sizes import code_lines
from unwet.rewrite.targets.function_loops import Family, Unit, in_layout, united

FILE = Path(__file__).parents[3] / "fixtures" / "rewrite" / "function_loops" / "cases.sql"


@dataclass(frozen=True)
class Case:
    title: str
    functions: tuple[str, ...]
    after: str  # empty where they stay


def cases() -> list[Case]:
    found = []
    for text in re.split(r"^-- # ", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        before, _, after = rest.replace("-- stays", "-- becomes").partition("-- becomes")
        found.append(Case(title, tuple(before.strip().split("\n\n")), after.strip()))
    return found


CASES = cases()


def own(texts: Sequence[str], dialect: str = "bigquery") -> tuple[OwnFunction, ...]:
    trees = [created(text, dialect) for text in texts]
    names = [spelled(tree) for tree in trees if tree is not None]
    assert len(names) == len(texts)
    return tuple(
        OwnFunction(name, text, dialect, meaning(tree), "a.sql", at,
                    tuple(sorted(spelled_calls(tree, names) - {name})))
        for at, (name, text, tree) in enumerate(zip(names, texts, trees, strict=True))
        if tree is not None
    )  # fmt: skip


def written(units: Sequence[Unit]) -> str:
    return "\n".join(unit.text if isinstance(unit, Family) else unit.sql for unit in units)


def said(unit: Unit) -> str:
    """What a project runs for it; the same in the sandbox of the proof."""
    if not isinstance(unit, Family):
        return f"{unit.sql};"
    environments: tuple[Environment, ...] = (Environment(), Sandbox(Budget(STEPS, CHARACTERS)))
    found = {each.from_string(unit.text).render() for each in environments}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_functions_that_are_alike_are_a_loop(case: Case) -> None:
    units = united(own(case.functions))
    assert written(units) == (case.after or "\n".join(case.functions))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_loop_makes_the_same_functions(case: Case) -> None:
    functions = own(case.functions)
    made = [tree for unit in united(functions) for tree in all_created(said(unit), "bigquery")]
    wanted = {each.name: each.meaning for each in functions}
    assert {spelled(tree): meaning(tree) for tree in made} == wanted
    there: set[str] = set()
    for tree in made:
        assert spelled_calls(tree, wanted) <= there
        there.add(spelled(tree))
    assert len(there) == len(made) == len(functions)


@pytest.mark.parametrize("case", [c for c in CASES if c.after], ids=lambda case: case.title)
def test_a_loop_is_counted_in_the_layout_of_the_pile(case: Case) -> None:
    functions = own(case.functions)
    [family] = [unit for unit in united(functions) if isinstance(unit, Family)]
    text = in_layout(family.text, "bigquery")
    assert len(functions) == 2 or family.saved >= 4
    assert code_lines(text) == family.lines
    assert text.count("{{") == family.text.count("{{")
    assert in_layout(text, "bigquery") == text


# --- the law: each returns what it returned -----------------------------------------------------

TESTS = ("v.a = x", "v.a > x OR v.a IS NULL", "NOT v.a <> x", "(v.a + x) * 2 > y", "x IS NULL")
FRAMES = (
    "(SELECT COUNT(*) FROM (VALUES (1), (NULL), (3), (3)) AS v(a) WHERE {0})",
    "(SELECT COUNT(*) FROM (VALUES (1), (NULL), (3), (3)) AS v(a) WHERE {0} AND v.a < 3)",
    "(SELECT SUM(CASE WHEN {0} THEN v.a END) FROM (VALUES (1), (NULL), (3), (3)) AS v(a))",
    "(SELECT f0(y, x) + COUNT(*) FROM (VALUES (1), (3)) AS v(a) WHERE {0} AND NOT ({0}))",
)
macros = st.lists(st.tuples(st.sampled_from(FRAMES), st.sampled_from(TESTS)), min_size=2,
                  max_size=6)  # fmt: skip


def texts_of(drawn: Sequence[tuple[str, str]]) -> list[str]:
    said = [f"CREATE OR REPLACE MACRO functions.f{at + 1}(x, y) AS ({frame.format(test)})"
            for at, (frame, test) in enumerate(drawn)]  # fmt: skip
    inner = "CREATE OR REPLACE MACRO functions.f0(x, y) AS (x - y)"
    return [inner, *(text.replace("f0(", "functions.f0(") for text in said)]


def returned(statements: Sequence[str], many: int) -> list[object]:
    values = ("(NULL, 1), (1, NULL), (3, 2), (0, 0)",)
    calls = ", ".join(f"functions.f{at}(t.x, t.y)" for at in range(many))
    with duckdb.connect(config={"threads": 1}) as base:
        base.execute("CREATE SCHEMA functions")
        for statement in statements:
            base.execute(statement)
        found = base.execute(f"SELECT {calls} FROM (VALUES {values[0]}) AS t(x, y)").fetchall()
    return list(found)


@settings(max_examples=15, deadline=None)
@given(macros)
def test_functions_of_loops_return_what_they_returned(drawn: list[tuple[str, str]]) -> None:
    texts = texts_of(drawn)
    units = united(own(texts, "duckdb"))
    assert returned([said(unit) for unit in units], len(texts)) == returned(texts, len(texts))


def test_the_law_is_tried_on_loops() -> None:
    texts = texts_of([(FRAMES[0], test) for test in TESTS])
    units = united(own(texts, "duckdb"))
    assert [len(unit.functions) for unit in units if isinstance(unit, Family)] == [len(TESTS)]
    assert returned([said(unit) for unit in units], 6) == returned(texts, 6)
