"""Columns that are said by a macro's name are said one by one beside a query that says them so."""

from __future__ import annotations

from sqlglot import exp, parse_one

from unwet.rewrite.library import Macro, MacroCall
from unwet.rewrite.opened_items import opened
from unwet.rewrite.shapes import Leaf


def tree(sql: str) -> exp.Expr:
    """A query; words for calls are no columns."""
    found = parse_one(sql)
    for column in [*found.find_all(exp.Column)]:
        if column.name.startswith("call__"):
            column.replace(exp.Var(this=column.name))
    return found


MACROS = {
    "rest": Macro("rest", (), tree("SELECT call__1__call, c"), "items"),
    "a_to_b": Macro("a_to_b", (), tree("SELECT a, b AS b2"), "items"),
    "of": Macro("of", ("t",), tree("SELECT h__t__h.a"), "items"),
    "n": Macro("n", (), tree("COUNT(*)"), "expression"),
}
CALLS = (
    MacroCall("rest", ()),
    MacroCall("a_to_b", ()),
    MacroCall("of", (("t", Leaf("name", "t")),)),
    MacroCall("n", ()),
)


def said(one: str, two: str = "SELECT a, b FROM t") -> str:
    return opened(tree(one), tree(two), MACROS, CALLS).sql()


def test_columns_in_place_of_a_call_and_of_those_in_it() -> None:
    assert said("SELECT k, call__0__call, n FROM t") == "SELECT k, a, b AS b2, c, n FROM t"


def test_in_queries_inside_too() -> None:
    assert said("SELECT call__1__call FROM (SELECT call__1__call, k FROM t) AS x") == (
        "SELECT a, b AS b2 FROM (SELECT a, b AS b2, k FROM t) AS x"
    )


def test_calls_that_both_have_stay() -> None:
    one = tree("SELECT k, call__0__call FROM t")
    assert opened(one, tree("SELECT call__0__call, m FROM u"), MACROS, CALLS) is one
    assert said("SELECT call__0__call FROM t", "SELECT x, call__1__call FROM u") == (
        "SELECT call__1__call, c FROM t"
    )


def test_calls_with_arguments_and_of_other_kinds_stay() -> None:
    one = tree("SELECT call__2__call, call__3__call FROM t")
    assert opened(one, tree("SELECT a FROM u"), MACROS, CALLS) is one


def test_the_tree_that_was_given_is_as_it_was() -> None:
    one = tree("SELECT call__0__call FROM t")
    before = one.sql()
    assert opened(one, tree("SELECT a FROM u"), MACROS, CALLS) is not one
    assert one.sql() == before
