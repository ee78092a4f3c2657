"""What nearly all calls say is what a parameter is where a call says nothing."""

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.usual_values import with_usual_values


def library(branches: tuple[str, str]) -> Library:
    """Three models that call a macro with 48 hours, and one whose two branches do."""
    said = ("48", "48", "48", *branches)
    calls = tuple(MacroCall("m", (("hours", Leaf("number", each)),)) for each in said)
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(3)}
    models["all"] = exp.Union(
        this=exp.Var(this="call__3__call"), expression=exp.Var(this="call__4__call")
    )
    macro = Macro("m", ("hours",), parse_one("SELECT h__hours__h AS x"), "query")
    return Library(models, (macro,), calls)


def test_branches_that_all_say_it_need_not() -> None:
    made = with_usual_values(library(("48", "48")))
    assert made.macros[0].defaults == {"hours": "48"}
    assert [call.args for call in made.calls] == [()] * 5


def test_in_rows_of_a_table_every_cell_is_said() -> None:
    made = with_usual_values(library(("48", "24")))
    assert [len(call.args) for call in made.calls] == [0, 0, 0, 1, 1]


def with_expressions(name: str, *texts: str) -> Library:
    """Models that say an expression each."""
    calls = tuple(MacroCall("m", ((name, Leaf("condition", text)),)) for text in texts)
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(texts))
    }
    macro = Macro("m", (name,), parse_one(f"SELECT h__{name}__h AS x"), "query")
    return Library(models, (macro,), calls)


def test_an_expression_that_most_calls_say_is_usual() -> None:
    made = with_usual_values(with_expressions("d", *["CAST(NULL AS STRING)"] * 3, "m.id"))
    assert made.macros[0].defaults == {"d": "CAST(NULL AS STRING)"}
    assert [len(call.args) for call in made.calls] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("name", "text"),
    [("condition", "p.day > 4"), ("condition_2", "p.x"), ("d", "h__x__h"), ("d", "call__1__call"),
     ("d", "'DE'"), ("d", "a\\b"), ("d", "a\nb")],
)  # fmt: skip
def test_expressions_that_are_said(name: str, text: str) -> None:
    given = with_expressions(name, *[text] * 4)
    made = with_usual_values(given)
    assert made.macros[0].defaults == {}
    assert made.calls == given.calls
