"""An alias that only one of two queries has for a table keeps them no two macros."""

from __future__ import annotations

import duckdb
import jinja2
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.one_macro import with_one_macro
from unwet.rewrite.qualifiers import qualifiers, renamed_in
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.side_by_side import side_by_side
from unwet.rewrite.targets.jinja import template

QUERY = (
    "SELECT client, COUNT(*) AS n, SUM(bytes) AS bytes, MIN(bytes) AS least, MAX(kind) AS most "
    "FROM {one} JOIN {two} ON place = owner WHERE {test} GROUP BY client ORDER BY client"
)


def query(one: str, two: str, test: str) -> exp.Expr:
    return sqlglot.parse_one(QUERY.format(one=one, two=two, test=test), read="duckdb")


def library(*trees: exp.Expr) -> Library:
    """A macro of each tree, called by two models, the first one by three."""
    names = [f"rows_{at}" for at in range(len(trees))]
    macros = tuple(Macro(n, (), t, "query") for n, t in zip(names, trees, strict=True))
    calls = tuple(MacroCall(name, ()) for name in (names[0], *names, *names))
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call")
                                   for n in range(len(calls))}  # fmt: skip
    return Library(models, macros, calls)


def written_out(made: Library, model: str) -> str:
    word = made.models[model]
    call = made.calls[int(word.name.split("__")[1])]
    macro = next(each for each in made.macros if each.name == call.macro)
    said = {name: leaf.text for name, leaf in (*call.unsaid, *call.args)}
    return str(jinja2.Template(template(macro.tree, "duckdb", made.calls)).render(said))


@pytest.mark.parametrize(
    ("mine", "other", "one"),
    [
        (("pages", "places AS p", "p.x > 1"), ("pages", "places", "x > 1"), True),
        (("pages", "places", "x > 1"), ("pages", "places AS p", "x > 1"), True),
        (("pages AS g", "places", "g.bytes > 1"), ("pages", "places AS p", "p.x > 1"), True),
        (("pages AS g", "places", "g.bytes > 1"), ("pages AS h", "places AS p", "h.bytes > 1"),
         True),
        # p is a column of the other one
        (("pages", "places", "p > 1"), ("pages", "places AS p", "x > 1"), False),
        (("pages", "places AS p", "x > 1"), ("pages", "places", "p > 1"), False),
        # or a table, or what a table is called that gets an alias
        (("pages AS p", "places", "x > 1"), ("pages AS g", "places AS p", "x > 1"), False),
        (("pages", "places AS p", "x > 1"), ("p", "places", "x > 1"), False),
        (("pages", "places", "places.x > 1"), ("pages", "places AS p", "p.x > 1"), False),
        (("pages", "places AS p", "p.x > 1"), ("pages", "places", "places.x > 1"), False),
    ],
)  # fmt: skip
def test_when_the_alias_may_be_had(
    mine: tuple[str, str, str], other: tuple[str, str, str], one: bool
) -> None:
    found = side_by_side(query(*mine), query(*other), (), "duckdb", 3)
    assert (found is not None) == one
    if found is not None:
        aliases = {table.alias for table in found.tree.find_all(exp.Table)} - {""}
        assert aliases >= {words.partition(" AS ")[2] for words in mine[:2]} - {""}


PAGES = st.sampled_from(["pages", "pages AS g", "pages AS p"])
PLACES = st.sampled_from(["places", "places AS p", "places AS g", "places AS kind"])
TESTS = st.sampled_from(
    ["bytes > 1", "p.x > 1", "g.x > 1", "g.bytes > 1 AND x > 0", "kind = 'a'", "x = 2"]
)
PLAIN = ("pages", "places", "bytes > 1")


@pytest.fixture(scope="module")
def base() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE TABLE places AS SELECT i % 4 AS owner, i AS x FROM range(9) AS r (i)")
    made.execute(
        "CREATE TABLE pages AS SELECT 'c' || i % 2 AS client, ['a', NULL, 'c'][i % 3 + 1] AS kind, "
        "i % 5 AS place, i % 7 AS bytes FROM range(40) AS r (i)"
    )
    return made


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(PAGES, PLACES, TESTS), min_size=2, max_size=4))
# one calls the other's second table as that one calls its first, or both swap their names
@example([PLAIN, PLAIN, ("pages AS g", "places AS p", "p.x > 1"), ("pages AS p", *PLAIN[1:])])
@example([("pages AS g", "places AS p", "p.x > 1"), ("pages AS p", "places AS g", "bytes > 1")])
@example([("pages AS p", "places AS g", "g.x > 1"), ("pages AS g", "places AS p", "p.x > 3")])
def test_each_model_returns_what_it_returned(
    base: duckdb.DuckDBPyConnection, words: list[tuple[str, str, str]]
) -> None:
    start = library(*(query(*each) for each in words))
    made = with_one_macro(start, "duckdb", 5)
    for model in start.models:
        old, new = written_out(start, model), written_out(made, model)
        try:
            rows = base.sql(old).fetchall()
        except duckdb.Error:  # an alias that it does not have
            continue
        assert base.sql(new).fetchall() == rows


def test_a_parameter_that_is_an_alias_is_said_in_the_other_ones_words() -> None:
    """`rows(of='sr')` is `rows(of='requests')` where the macro calls that table so."""
    tree = sqlglot.parse_one("SELECT 1 FROM t AS sr JOIN u AS tp ON a = b WHERE h__of__h.day = 2")
    assert qualifiers(tree, ()) == {"of"}
    call = MacroCall("rows", (("of", Leaf("name", "sr")), ("n", Leaf("name", "sr"))))
    found = renamed_in(call, {"of"}, {"sr": "requests", "tp": "tp"})
    assert found is not None
    assert [leaf.text for _, leaf in found.args] == ["requests", "sr"]
    handed_on = MacroCall("rows", (("of", Leaf("condition", "h__of__h")),))
    assert renamed_in(handed_on, {"of"}, {"sr": "requests"}) is None
    said_twice = sqlglot.parse_one("SELECT h__of__h FROM t AS sr WHERE h__of__h.day = 2")
    assert qualifiers(said_twice, ()) == frozenset()
