"""Parameters for which every call says the same are none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.always_said import without_constants
from unwet.rewrite.library import NO_CONDITION, Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf

BODY = "SELECT t.a, 'h__word__h' AS b FROM h__relation__h AS t WHERE t.c_h__word__h = 'x'"
SALES = Leaf("name", "ref__sales__ref")


def library(*said: dict[str, Leaf], body: str = BODY) -> Library:
    """A macro with the parameters of the first call, and a model for each call."""
    calls = [MacroCall("m", tuple(each.items())[:1], tuple(each.items())[1:]) for each in said]
    models = {f"model_{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))}
    defaults = {name: leaf.text for name, leaf in [*said[0].items()][1:]}
    macro = Macro("m", tuple(said[0]), parse_one(body), "query", defaults=defaults)
    return Library(models, (macro,), tuple(calls))


def test_the_macro_says_what_all_calls_say() -> None:
    words = [Leaf("string", word) for word in ("one", "two")]
    made = without_constants(library(*({"word": w, "relation": SALES} for w in words)))
    (macro,) = made.macros
    assert macro.params == ("word",) and macro.defaults == {}
    assert macro.tree.sql() == BODY.replace("h__relation__h", SALES.text)
    assert [call.args for call in made.calls] == [(("word", word),) for word in words]
    assert [call.unsaid for call in made.calls] == [(), ()]


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ("t.a > 0 AND {0}", " WHERE t.a > 0"),
        ("{0} AND t.a > 0 AND t.b = 1", " WHERE t.a > 0 AND t.b = 1"),
        ("{0}", ""),
        ("t.a > 0 OR {0}", None),
        ("{0} AND EXISTS(SELECT 1 FROM u WHERE {0})", " WHERE EXISTS(SELECT 1 FROM u)"),
        ("{0} AND EXISTS(SELECT 1 FROM u WHERE u.b > 0 OR {0})", None),
    ],
)
def test_a_condition_that_no_call_has_goes(where: str, left: str | None) -> None:
    body = f"SELECT t.a FROM t WHERE {where.format('hole')}"
    before = library(*[{"word": Leaf("string", "x"), "test": NO_CONDITION}] * 2, body=body)
    (macro,) = before.macros
    for node in [*macro.tree.find_all(exp.Column)]:
        if node.name == "hole":
            node.replace(exp.Var(this="h__test__h"))
    after = without_constants(before)
    if left is None:
        assert after.macros == before.macros and after.calls == before.calls
    else:
        assert after.macros[0].tree.sql() == f"SELECT t.a FROM t{left}"
        assert after.macros[0].params == ("word",) and after.macros[0].defaults == {}
        assert [call.unsaid for call in after.calls] == [(), ()]


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ([SALES], BODY),  # a single call is no evidence
        ([SALES, Leaf("name", "ref__others__ref")], BODY),
        ([Leaf("condition", "t.a > 1")] * 2, "SELECT t.a FROM t WHERE h__relation__h"),
        ([Leaf("name", "h__of_another__h")] * 2, BODY),
        ([SALES] * 2, "SELECT t.a FROM t"),  # it stands in no word of the macro
    ],
)
def test_a_parameter_stays(said: list[Leaf], body: str) -> None:
    before = library(*({"relation": each} for each in said), body=body)
    after = without_constants(before)
    assert after.macros == before.macros and after.calls == before.calls


def test_a_condition_that_some_call_does_without_is_none_where_a_call_says_nothing() -> None:
    calls = (
        MacroCall("m", (("test", NO_CONDITION), ("word", Leaf("string", "x")))),
        MacroCall("m", (("test", Leaf("condition", "t.a > 0")), ("word", Leaf("string", "y")))),
    )
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(2)}
    body = parse_one("SELECT t.a, 'h__word__h' AS b FROM t WHERE t.c > 0 AND h__test__h")
    made = without_constants(Library(models, (Macro("m", ("test", "word"), body, "query"),), calls))
    assert made.macros[0].defaults == {"test": "TRUE"}
    assert [call.args for call in made.calls] == [
        (("word", Leaf("string", "x")),),
        (("test", Leaf("condition", "t.a > 0")), ("word", Leaf("string", "y"))),
    ]
    assert [call.unsaid for call in made.calls] == [(("test", NO_CONDITION),), ()]
    assert all(call.named for call in made.calls)  # by their places they would be others


def test_what_a_parameter_is_anyway_is_not_said() -> None:
    words = [{"word": Leaf("string", w), "sum": Leaf("condition", "SUM(t.a)")} for w in "xy"]
    found = library(*words, body="SELECT h__sum__h, 'h__word__h' AS b FROM t")
    said = tuple(replace(call, args=(*call.args, *call.unsaid), unsaid=()) for call in found.calls)
    made = without_constants(replace(found, calls=said))
    assert made.macros[0].defaults == {"sum": "SUM(t.a)"}
    assert [[name for name, _ in call.args] for call in made.calls] == [["word"], ["word"]]
    assert [call.unsaid for call in made.calls] == [call.unsaid for call in found.calls]
