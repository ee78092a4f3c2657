"""What is always true goes from the end of a condition that a call says; the rest asks the same."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwet.rewrite.idle_conditions import without_idle_conditions
from unwet.rewrite.library import NO_CONDITION, MacroCall
from unwet.rewrite.shapes import Leaf


def without(text: str, dialect: str = "duckdb", kind: str = "condition") -> Leaf:
    call = MacroCall("m", (("condition", Leaf(kind, text)),))  # type: ignore[arg-type]
    [(_, leaf)] = without_idle_conditions(call, dialect).args
    return leaf


@pytest.mark.parametrize(
    ("text", "dialect", "wanted"),
    [
        ("a = 1 AND TRUE", "duckdb", "a = 1"),
        ("a = 1 AND TRUE AND TRUE", "duckdb", "a = 1"),
        ("a = 1 AND (1 = 1)", "tsql", "a = 1"),
        ("(1 = 1)", "tsql", NO_CONDITION.text),
        ("TRUE", "duckdb", NO_CONDITION.text),
        ("a = 1 OR TRUE", "duckdb", "a = 1 OR TRUE"),
        ("a BETWEEN b AND TRUE", "duckdb", "a BETWEEN b AND TRUE"),
        ("a = 'x AND TRUE'", "duckdb", "a = 'x AND TRUE'"),
    ],
)
def test_what_is_left_of_a_condition(text: str, dialect: str, wanted: str) -> None:
    assert without(text, dialect) == Leaf("condition", wanted)


def test_a_text_is_no_condition() -> None:
    assert without("this AND TRUE", kind="string").text == "this AND TRUE"


PARTS = st.lists(st.sampled_from(["a", "b", "NOT a", "(a OR b)", "a IS NULL", "TRUE"]), min_size=1)


@given(PARTS, st.lists(st.sampled_from([" AND ", " OR "]), min_size=12, max_size=12))
def test_rows_are_the_same(parts: list[str], between: list[str]) -> None:
    words = [word for pair in zip(parts[:12], between, strict=False) for word in pair][:-1]
    text = "".join(words)
    values = "(VALUES (TRUE), (FALSE), (NULL))"
    rows = f"FROM {values} AS x (a) CROSS JOIN {values} AS y (b) ORDER BY a, b"
    old = duckdb.execute(f"SELECT a, b, {text} {rows}").fetchall()
    assert duckdb.execute(f"SELECT a, b, {without(text).text} {rows}").fetchall() == old
