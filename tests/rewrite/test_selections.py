"""A report that takes some columns of a macro's says which; the macro has a list of them."""

from __future__ import annotations

from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.selections import selected
from unwet.rewrite.shapes import Leaf

BODY = "SELECT o.id, o.day, SUM(o.a) AS a, SUM(o.b) AS b FROM s.o AS o GROUP BY 1, 2"
AROUND = "SELECT {} FROM (call__{}__call) AS every"


def library(body: str, *columns: str) -> Library:
    """A macro, a model that calls it, and one model more for each of these lists of columns."""
    calls = tuple(MacroCall("m", (("n", Leaf("number", str(n))),)) for n in range(len(columns) + 1))
    models: dict[str, exp.Expr] = {"all": exp.Var(this="call__0__call")}
    for number, names in enumerate(columns, 1):
        tree = parse_one(AROUND.format(names, number))
        table = tree.find(exp.Subquery)
        assert table is not None
        table.set("this", exp.Var(this=f"call__{number}__call"))
        models[f"some{number}"] = tree
    return Library(models, (Macro("m", ("n",), parse_one(body), "query"),), calls)


def test_lists_of_columns_are_arguments() -> None:
    made = selected(library(BODY, "id, day, b", "b, id, a"))
    [macro] = made.macros
    assert (macro.params, macro.defaults) == (("n", "columns"), {"columns": "id, day, a, b"})
    assert macro.tree.sql().startswith("SELECT h__columns__h FROM (SELECT o.id, o.day,")
    assert [dict(call.args).get("columns") for call in made.calls] == [
        None,
        Leaf("condition", "id, day, b"),
        Leaf("condition", "b, id, a"),
    ]
    assert {tree.name for tree in made.models.values()} == {f"call__{n}__call" for n in range(3)}


def test_one_short_list_is_not_worth_a_parameter() -> None:
    found = library(BODY, "id, day")
    assert selected(found) is found


def test_the_order_of_the_rows_and_names_in_quotes_stay() -> None:
    for body in (f"{BODY} ORDER BY 1", BODY.replace("AS a", 'AS "A"')):
        found = library(body, "id, day, b", "b, id, day")
        assert selected(found) is found


def test_what_does_more_than_take_columns_stays() -> None:
    found = library(BODY, "id, day, b", "b, id + 1 AS a, day")
    made = selected(library(BODY, "id, day, b", "b, id + 1 AS a, day"))
    assert made.models["some2"] == found.models["some2"]


def test_a_macro_of_calls_has_no_columns_that_can_be_listed() -> None:
    found = library(BODY, "id, day, b", "b, id, day")
    branches = (exp.Var(this="call__0__call"), exp.Var(this="call__0__call"))
    body = exp.Union(this=branches[0], expression=branches[1], distinct=False)
    calls = Library(found.models, (Macro("m", ("n",), body, "query"),), found.calls)
    assert selected(calls) is calls
