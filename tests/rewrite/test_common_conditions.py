"""Conditions that nearly all calls of a macro say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.common_conditions import conjuncts, with_common_conditions
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text


def library(*said: tuple[str, str], body: str = "SELECT COUNT(*) AS n FROM t AS t") -> Library:
    """A macro of a day and a condition, and models that say these."""
    tree = parse_one(f"{body} WHERE t.since > 'h__day__h' AND x = 1")
    test = tree.find(exp.And)
    assert test is not None
    test.set("expression", exp.Var(this="h__condition__h"))
    calls = tuple(
        MacroCall("m", (("day", Leaf("string", day)), ("condition", Leaf("condition", text))))
        for day, text in said
    )
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call")
                                   for n in range(len(calls))}  # fmt: skip
    return Library(models, (Macro("m", ("day", "condition"), tree, "query"),), calls)


def conditions(made: Library, name: str = "condition") -> list[str | None]:
    found = [dict(call.args).get(name) for call in made.calls]
    return [None if leaf is None else leaf.text for leaf in found]


def where(made: Library) -> str:
    clause = made.macros[0].tree.args["where"]
    return str(clause.this.sql())


def test_what_all_calls_say_is_in_the_macro() -> None:
    made = with_common_conditions(
        library(*((f"2024-0{n}-01", f"t.a = {n} AND t.ok = 1") for n in range(1, 4))), 5
    )
    assert where(made) == "t.since > 'h__day__h' AND t.ok = 1 AND h__condition__h"
    assert conditions(made) == ["t.a = 1", "t.a = 2", "t.a = 3"]
    assert made.macros[0].params == ("day", "condition")


def test_a_condition_has_another_argument_in_it() -> None:
    days = [f"2024-0{n}-01" for n in range(1, 5)]
    said = [(day, f"t.until < CAST('{day}' AS DATE)") for day in days]
    made = with_common_conditions(library(*said), 5)
    assert "t.until < CAST('h__day__h' AS DATE) AND h__condition__h" in where(made)
    assert conditions(made) == [None] * 4
    assert made.macros[0].defaults == {"condition": "TRUE"}


def test_what_nearly_all_say_is_a_parameter() -> None:
    said = [("2024-01-01", f"t.a = {n} AND t.kind = 'x'") for n in range(4)]
    other = [("2024-01-01", "t.a = 9 AND t.kind = 'y'"), ("2024-01-01", "t.a = 8")]
    made = with_common_conditions(library(*said, *other), 5)
    assert made.macros[0].params == ("day", "condition", "kind")
    assert made.macros[0].defaults["kind"] == "t.kind = 'x'"
    assert conditions(made, "kind") == [None] * 4 + ["t.kind = 'y'", "TRUE"]
    assert conditions(made) == [*(f"t.a = {n}" for n in range(4)), "t.a = 9", "t.a = 8"]


def test_a_condition_of_two_places_is_in_both() -> None:
    body = "SELECT COUNT(*) AS n FROM (SELECT x FROM u AS t WHERE h__condition__h) AS t"
    said = [("2024-01-01", f"t.a = {n} AND t.ok = 1") for n in range(3)]
    found = library(*said, body=body)
    for column in found.macros[0].tree.find_all(exp.Column):
        if column.name == "h__condition__h":
            column.replace(exp.Var(this=column.name))
    made = with_common_conditions(found, 5)
    tests = [each.this.sql() for each in made.macros[0].tree.find_all(exp.Where)]
    assert len(tests) == 2
    assert all("t.ok = 1 AND h__condition__h" in test for test in tests)


def test_a_condition_that_is_handed_on_stays_whole() -> None:
    """The other macro would not know of the part that its caller says for itself."""
    said = [("2024-01-01", f"t.a = {n} AND t.ok = 1") for n in range(3)]
    found = library(*said, body="SELECT COUNT(*) AS n FROM (call__3__call) AS t")
    inner = MacroCall("inner", (("condition", Leaf("condition", "h__condition__h")),))
    body = parse_one("SELECT x FROM u AS t WHERE h__condition__h")
    macros = (*found.macros, Macro("inner", ("condition",), body, "query"))
    made = with_common_conditions(replace(found, macros=macros, calls=(*found.calls, inner)), 5)
    assert conditions(made)[:3] == [text for _, text in said]
    assert "t.ok" not in where(made)


def test_calls_that_others_say_are_calls_too() -> None:
    """An argument may be a call of the same macro, which says something else."""
    found = library(*(("2024-01-01", f"t.a = {n} AND t.ok = 1") for n in range(5)))
    inner = MacroCall("m", (("day", Leaf("string", "2024-01-01")),
                            ("condition", Leaf("condition", "t.b = 2"))))  # fmt: skip
    around = MacroCall("w", (("q", Leaf("condition", "call__5__call")),))
    models = {**found.models, "r5": exp.Var(this="call__6__call")}
    around_it = Macro("w", ("q",), parse_one("SELECT * FROM (h__q__h) AS x"), "query")
    both = Library(models, (*found.macros, around_it), (*found.calls, inner, around))
    made = with_common_conditions(both, 5)
    assert made.macros[0].defaults["ok"] == "t.ok = 1"
    assert conditions(made, "ok") == [None] * 5 + ["TRUE", None]
    assert conditions(made) == [*(f"t.a = {n}" for n in range(5)), "t.b = 2", None]
    assert call_text(made.calls[6], "", made.calls) == (
        "{{ w(q=m(day='2024-01-01', condition='t.b = 2', ok='TRUE')) }}"
    )


@pytest.mark.parametrize(
    ("said", "most"),
    [
        ([("d", "t.a = 1 AND t.k = 2"), ("e", "t.b = 1 AND t.k = 2")], 5),  # only two
        ([("d", f"t.a = {n}") for n in range(4)], 5),  # nothing in common
        ([("d", f"t.a = {n} OR t.k = 2") for n in range(4)], 5),  # no plain AND
        ([*(("d", f"t.a = {n} AND t.k = 2") for n in range(4)), ("d", "t.a = 9")], 1),  # too many
    ],
)
def test_what_stays(said: list[tuple[str, str]], most: int) -> None:
    found = library(*said)
    made = with_common_conditions(found, most)
    assert (made.macros, made.calls) == (found.macros, found.calls)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a = 1 AND b = 2", ["a = 1", "b = 2"]),
        ("a BETWEEN 1 AND 2 AND b = 3", ["a BETWEEN 1 AND 2", "b = 3"]),
        ("a = ' AND ' AND (b = 1 AND c = 2)", ["a = ' AND '", "(b = 1 AND c = 2)"]),
        ("a = 'it''s AND' AND x", ["a = 'it''s AND'", "x"]),
        ("a = 1 AND b = 2 OR c = 3", ["a = 1 AND b = 2 OR c = 3"]),
        ("band = 1 AND land", ["band = 1", "land"]),
        ("CASE WHEN a AND b THEN 1 END = 1 AND c", ["CASE WHEN a AND b THEN 1 END = 1 AND c"]),
    ],
)
def test_parts_of_a_condition(text: str, parts: list[str]) -> None:
    assert conjuncts(text) == parts
