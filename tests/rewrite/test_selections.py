"""A report that takes some columns of a macro's says which; the macro has a list of them."""

from __future__ import annotations

import pytest
from jinja2 import Environment
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.selections import selected
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template

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


def test_columns_in_their_order_are_left_out_where_they_stand() -> None:
    made = selected(library(BODY, "id, day, b", "id, day"))
    [macro] = made.macros
    assert (macro.params, macro.defaults) == (("n", "without"), {"without": "[]"})
    assert macro.optional == ("without", ("a", "b"))
    assert macro.tree.sql() == BODY
    assert [dict(call.args).get("without") for call in made.calls] == [
        None,
        Leaf("names", "['a']"),
        Leaf("names", "['a', 'b']"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("SELECT", "SELECT DISTINCT"),
        BODY.replace("1, 2", "1, 3").replace("SUM(o.a)", "o.a"),
        BODY.replace("1, 2", "ALL"),
        f"{BODY} HAVING a > 3",
        BODY.replace("o.id, o.day", "MAX(o.id) AS id, 2 AS day").replace(" GROUP BY 1, 2", ""),
    ],
)
def test_where_rows_depend_on_a_column_the_query_stays_whole(body: str) -> None:
    [macro] = selected(library(body, "id, day, b", "id, b", "day, b")).macros
    assert macro.optional == ("", ())
    assert macro.tree.sql().startswith("SELECT h__columns__h FROM (")


def test_columns_that_are_left_out_take_their_commas_along() -> None:
    tree = parse_one("SELECT o.a AS a, o.b AS b, o.c AS c, o.d AS d, o.e AS e FROM s.o AS o")
    tests = {name: f"'{name}' not in without" for name in "acde"}
    text = template(tree, "duckdb", (), optional=tests)
    for without in ([], ["a"], ["c", "e"], ["a", "d"], ["e", "d"], ["a", "c", "d", "e"]):
        found = parse_one(Environment().from_string(text).render(without=without))
        assert isinstance(found, exp.Select)
        assert found.named_selects == [name for name in "abcde" if name not in without]


def test_no_report_and_no_list_is_worth_a_parameter() -> None:
    found = library(BODY)
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
