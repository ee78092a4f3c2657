"""What nearly all calls say is what a parameter is where a call says nothing."""

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja_values import argument
from unwet.rewrite.targets.jinja_values import usual as as_default
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


def handed_on(name: str, said: list[Leaf], before: Leaf) -> Library:
    """Models that call a macro, and one that hands a call of it on, which says nothing."""
    calls = [MacroCall("m", ((name, leaf),)) for leaf in said]
    calls.append(MacroCall("m", (), unsaid=((name, before),)))
    calls.append(MacroCall("outer", (("part", Leaf("condition", f"call__{len(said)}__call")),)))
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(said))
    }
    models["last"] = exp.Var(this=f"call__{len(said) + 1}__call")
    inner = parse_one(f"SELECT h__{name}__h AS x")
    macros = (
        Macro("m", (name,), inner, "query", defaults={name: before.text}),
        Macro("outer", ("part",), parse_one("SELECT * FROM (h__part__h) AS t"), "query"),
    )
    return Library(models, macros, tuple(calls))


def test_a_call_that_is_handed_on_says_what_it_did_where_something_else_is_usual_now() -> None:
    day = Leaf("string", "2022-07-01")
    made = with_usual_values(handed_on("date", [Leaf("string", "2019-07-01")] * 4, day))
    assert made.macros[0].defaults == {"date": "2019-07-01"}
    assert [dict(call.args).get("date") for call in made.calls[:5]] == [None] * 4 + [day]


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


def in_branches(*said: tuple[str, str]) -> Library:
    """Models of two branches, each of which says hours."""
    hours = [Leaf("number", each) for pair in said for each in pair]
    calls = tuple(MacroCall("m", (("hours", each),)) for each in hours)
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Union(this=exp.Var(this=f"call__{2 * n}__call"),
                           expression=exp.Var(this=f"call__{2 * n + 1}__call"))
        for n in range(len(said))
    }  # fmt: skip
    return Library(
        models, (Macro("m", ("hours",), parse_one("SELECT h__hours__h AS x"), "query"),), calls
    )


def test_what_the_branches_of_nearly_all_queries_say_is_usual() -> None:
    made = with_usual_values(in_branches(("48", "48"), ("48", "48"), ("48", "48"), ("24", "48")))
    assert made.macros[0].defaults == {"hours": "48"}
    assert [len(call.args) for call in made.calls] == [0, 0, 0, 0, 0, 0, 1, 1]


def test_two_queries_are_not_nearly_all_however_many_branches_they_have() -> None:
    given = in_branches(("48", "48"), ("48", "48"), ("24", "48"))
    assert with_usual_values(given).calls == given.calls


def test_a_call_that_says_nothing_may_be_usual() -> None:
    given = with_expressions("d", *["call__4__call"] * 4)
    made = with_usual_values(
        Library(given.models, given.macros, (*given.calls, MacroCall("columns", ())))
    )
    assert made.macros[0].defaults == {"d": "call__4__call"}
    assert [len(call.args) for call in made.calls] == [0] * 5


@pytest.mark.parametrize(
    ("text", "usual"),
    [("id, day_2, name", "['id', 'day_2', 'name']"), ("1, 2", None), ("'a', 'b'", None),
     ("id", None), ("h__x__h, id", None), ("t.id, day", None)],
)  # fmt: skip
def test_a_list_of_columns_may_be_usual(text: str, usual: str | None) -> None:
    """As a list for a loop, which constants of an IN would not be."""
    given = with_expressions("d", "x")
    calls = (MacroCall("m", (("d", Leaf("list", text)),)),) * 4
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(4)}
    made = with_usual_values(Library(models, given.macros, calls))
    assert made.macros[0].defaults == ({"d": usual} if usual else {})
    if usual:
        assert as_default(usual, "duckdb", ()) == usual == argument(calls[0].args[0][1], "duckdb")


FORMULA = "ROUND(COUNT(DISTINCT page) * 100 / total, 2)"


@pytest.mark.parametrize(
    ("name", "texts", "usual"),
    [
        ("pct", [FORMULA] * 2 + ["COUNT(DISTINCT page) / total"] * 2, FORMULA),
        ("pct", [FORMULA, "a + b", "a", "b"], None),  # one call is not half of them
        ("pct", [FORMULA] * 2 + ["a", "b", "c"], None),
        ("pct", ["total"] * 2 + ["a", "b"], None),  # a column, which may be what a report is about
        ("condition", [FORMULA] * 2 + ["a", "b"], None),
        ("kbytes", ["APPROX_QUANTILES(bytes, 1000)[OFFSET(500)]"] * 2,
         "APPROX_QUANTILES(bytes, 1000)[OFFSET(500)]"),
    ],
)  # fmt: skip
def test_a_long_formula_of_half_of_the_calls_is_usual(
    name: str, texts: list[str], usual: str | None
) -> None:
    given = with_expressions(name, *texts)
    made = with_usual_values(given)
    assert made.macros[0].defaults == ({name: usual} if usual else {})
    assert [len(call.args) for call in made.calls] == [text != usual for text in texts]
    if usual:
        assert as_default(usual, "bigquery", ()) == argument(given.calls[0].args[0][1], "bigquery")
