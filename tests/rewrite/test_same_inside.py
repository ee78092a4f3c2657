"""Queries inside of others that do what a macro does: what they read stands in front, and their
rows stay."""

from __future__ import annotations

import re
from typing import Literal

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.same_inside import with_same_inside
from unwet.rewrite.shapes import Leaf
from unwet.tests.rewrite.pages_and_sites import rows

BODY = (
    "SELECT place, kind, COUNT(*) AS n, SUM(bytes) AS bytes, MIN(bytes) AS least, "
    "MAX(bytes) AS most, SUM(bytes * 2) AS twice, COUNT(DISTINCT bytes) AS kinds "
    "FROM {pages} JOIN {sites} USING (site) WHERE place <> '{word}'{more} GROUP BY place, kind"
)
DERIVED = {
    "rows": "(SELECT site, place FROM sites WHERE site < 3)",
    "named": "(SELECT site, MAX(place) AS place FROM sites GROUP BY site) AS s",
    "united": "(SELECT * FROM sites UNION ALL SELECT * FROM sites WHERE site = 1)",
    "of a CTE": "(SELECT * FROM first_ones)",
}
HOSTS = {
    "CTE": "WITH first_ones AS (SELECT * FROM sites WHERE site < 2), rows AS ({query})"
    " SELECT place, SUM(n) AS n, SUM(bytes) AS bytes FROM rows GROUP BY place",
    "derived table": "WITH first_ones AS (SELECT * FROM sites WHERE site > 1)"
    " SELECT place, COUNT(kind) AS n, SUM(bytes) AS bytes FROM ({query}) AS p GROUP BY place",
}
SAID = {"relation": Leaf("name", "pages"), "word": Leaf("string", "x")}


def query(derived: str, host: str, word: str = "y", more: str = "") -> exp.Expr:
    inner = BODY.format(pages="pages", sites=DERIVED[derived], word=word, more=more)
    return sqlglot.parse_one(HOSTS[host].format(query=inner), read="duckdb")


def library(*trees: exp.Expr) -> Library:
    """A macro that reads what its callers have, one model that calls it, and others."""
    body = BODY.format(pages="h__relation__h", sites="some_sites", word="h__word__h", more="")
    macro = Macro("rows_of", ("relation", "word"), sqlglot.parse_one(body, read="duckdb"), "query")
    caller = sqlglot.parse_one("WITH some_sites AS (SELECT * FROM sites) SELECT call__0__call")
    caller.set("expressions", [exp.Var(this="call__0__call")])
    models = {"m": caller} | {f"m{at}": tree for at, tree in enumerate(trees)}
    return Library(models, (macro,), (MacroCall("rows_of", tuple(SAID.items())),))


def made_of(*trees: exp.Expr, limits: Limits = NO_LIMITS) -> Library:
    return with_same_inside(library(*trees), "duckdb", 5, frozenset(), limits=limits)


def written_out(made: Library, name: str) -> str:
    """The SQL of a model, with the macro's text where it is called."""
    [macro] = made.macros

    def put(found: re.Match[str]) -> str:
        call = made.calls[int(found[1])]
        said = {name: leaf.text for name, leaf in (*call.unsaid, *call.args)}
        return re.sub(r"h__(\w+?)__h", lambda hole: said[hole[1]], macro.tree.sql("duckdb"))

    text = made.models[name].sql("duckdb").replace("SELECT call__", "call__")
    return re.sub(r"call__(\d+)__call", put, text)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(DERIVED)),
    st.sampled_from(sorted(HOSTS)),
    st.sampled_from("xyz"),
    st.sampled_from(["", " AND bytes > 0", " AND kind = 'a'"]),
)
def test_the_rows_of_all_queries_stay(derived: str, host: str, word: str, more: str) -> None:
    tree = query(derived, host, word, more)
    before = tree.sql("duckdb"), written_out(library(), "m")
    made = made_of(tree)
    assert rows(written_out(made, "m0")) == rows(before[0])
    assert rows(written_out(made, "m")) == rows(before[1])


@pytest.mark.parametrize("host", sorted(HOSTS))
@pytest.mark.parametrize("derived", sorted(DERIVED))
def test_what_is_read_stands_in_front_by_the_name_that_the_macro_knows(
    derived: str, host: str
) -> None:
    made = made_of(query(derived, host))
    tree = made.models["m0"]
    names = [cte.alias for cte in tree.args["with_"].expressions]
    assert names == (["first_ones", "some_sites"] + ["rows"] * (host == "CTE"))
    assert len(made.calls) == 2 and not tree.find(exp.Join)


def test_what_the_macro_is_told_is_told_the_name() -> None:
    body = BODY.format(pages="h__relation__h", sites="sites", word="h__word__h", more="")
    macro = Macro("rows_of", ("relation", "word"), sqlglot.parse_one(body, read="duckdb"), "query")
    text = query("rows", "CTE").sql("duckdb").replace("pages", "(SELECT * FROM pages)")
    text = text.replace(DERIVED["rows"], "sites")
    given_ = Library({"m": sqlglot.parse_one("SELECT call__0__call"),
                      "m0": sqlglot.parse_one(text, read="duckdb")}, (macro,),
                     (MacroCall("rows_of", tuple(SAID.items())),))  # fmt: skip
    given_.models["m"].set("expressions", [exp.Var(this="call__0__call")])
    made = with_same_inside(given_, "duckdb", 5, frozenset())
    name = dict(made.calls[1].args)["relation"].text
    assert name in [cte.alias for cte in made.models["m0"].args["with_"].expressions]
    assert rows(written_out(made, "m0")) == rows(text)


@pytest.mark.parametrize(
    "text",
    [
        "WITH some_sites AS (SELECT 1 AS a), rows AS ({query}) SELECT * FROM rows, some_sites",
        "WITH rows AS ({query}) SELECT * FROM rows AS some_sites",
        "WITH RECURSIVE rows AS ({query}) SELECT * FROM rows",
        "WITH rows AS ({query}), rest AS (SELECT * FROM some_sites) SELECT * FROM rows",
    ],
)
def test_a_name_that_means_something_else_is_given_to_nothing(text: str) -> None:
    inner = BODY.format(pages="pages", sites=DERIVED["rows"], word="x", more="")
    tree = sqlglot.parse_one(text.format(query=inner), read="duckdb")
    assert len(made_of(tree).calls) == 1


def test_nor_is_one_that_callers_say() -> None:
    host = Macro("host", ("other",), query("rows", "CTE"), "query")
    host.tree.args["from_"].this.replace(exp.to_table("h__other__h"))
    given_ = library()
    for name, many in (("some_sites", 1), ("others", 2)):
        call = MacroCall("host", (("other", Leaf("name", name)),))
        both = Library(given_.models, (*given_.macros, host), (*given_.calls, call))
        made = with_same_inside(both, "duckdb", 5, frozenset())
        assert sum(each.macro == "rows_of" for each in made.calls) == many


@pytest.mark.parametrize(("kind", "many"), [("query", 2), ("tail", 1)])
def test_a_tail_has_no_ctes_of_its_own(kind: Literal["query", "tail"], many: int) -> None:
    host = Macro("host", (), query("rows", "CTE"), kind)
    given_ = library()
    both = Library(given_.models, (*given_.macros, host), (*given_.calls, MacroCall("host", ())))
    made = with_same_inside(both, "duckdb", 5, frozenset())
    assert sum(each.macro == "rows_of" for each in made.calls) == many


def test_models_that_stay_keep_their_words() -> None:
    given_ = library(query("rows", "CTE"))
    assert with_same_inside(given_, "duckdb", 5, frozenset({"m0"})) is given_
    assert with_same_inside(given_, "duckdb", 5, frozenset({"m"})) is given_


def test_nothing_is_done_where_a_macro_is_forbidden() -> None:
    limits = Limits(forbidden=frozenset({"m"}))
    assert len(made_of(query("rows", "CTE"), limits=limits).calls) == 1
