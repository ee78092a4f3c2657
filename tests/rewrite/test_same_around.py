"""Queries that do the same with other rows: the rest of them is one macro, and their rows stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import jinja2
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.same_around import with_same_around
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.tests.rewrite.pages_and_sites import rows

RELATIONS = {  # what a query may read in the first of its places, and the CTE that it needs
    "table": ("", "pages"),
    "derived": ("", "(SELECT * FROM pages WHERE bytes > {n})"),
    "other derived": ("", "(SELECT DISTINCT site, kind, bytes FROM pages WHERE kind = 'a')"),
    "united": ("", "(SELECT * FROM pages UNION ALL SELECT * FROM pages WHERE bytes IS NULL)"),
    "CTE": ("picked AS (SELECT * FROM pages WHERE kind <> 'b' OR bytes = {n})", "picked"),
    "CTE of CTE": (
        "picked AS (SELECT * FROM pages), own_rows AS (SELECT * FROM picked WHERE bytes < {n})",
        "own_rows",
    ),
}
SITES = ("sites", "(SELECT site, MAX(place) AS place FROM sites GROUP BY site)")
BODY = (
    "SELECT place, kind, COUNT(*) AS n, SUM(bytes) AS bytes, MIN(bytes) AS least, "
    "MAX(bytes) AS most, SUM(bytes * 2) AS twice, COUNT(DISTINCT bytes) AS kinds "
    "FROM {pages} JOIN {sites} USING (site) WHERE place <> '{word}' GROUP BY ALL "
    "HAVING COUNT(*) > 0 ORDER BY place, kind"
)


def query(pages: str, sites: str, n: int = 1, word: str = "x") -> exp.Expr:
    front, read = RELATIONS[pages]
    body = BODY.format(pages=read, sites=sites, word=word)
    return sqlglot.parse_one(f"{'WITH ' if front else ''}{front} {body}".format(n=n), read="duckdb")


def library(*trees: exp.Expr) -> Library:
    return Library({f"m{at}": tree for at, tree in enumerate(trees)}, (), ())


def written_out(made: Library, tree: exp.Expr) -> str:
    """The SQL of a model, with the macro's text where it is called."""
    [*words] = tree.expressions if isinstance(tree, exp.Select) else [tree]
    number = re.fullmatch(r"call__(\d+)__call", words[0].name)
    if number is None:
        return tree.sql("duckdb")
    call = made.calls[int(number[1])]
    macro = next(each for each in made.macros if each.name == call.macro)
    said = {name: leaf.text for name, leaf in (*call.unsaid, *call.args)}
    body = jinja2.Template(template(macro.tree, "duckdb", made.calls)).render(said)
    front = tree.args.get("with_")
    return f"{front.sql('duckdb')} {body}" if front is not None else body


def joined(*trees: exp.Expr, limits: Limits = NO_LIMITS) -> Library:
    return with_same_around(library(*trees), "duckdb", 5, frozenset(), limits=limits)


READS = st.sampled_from(sorted(RELATIONS))
QUERIES = st.builds(query, READS, st.sampled_from(SITES), st.integers(0, 3), st.sampled_from("xy"))


@given(st.lists(QUERIES, min_size=2, max_size=3))
def test_the_rows_of_all_queries_stay(trees: list[exp.Expr]) -> None:
    before = [tree.sql("duckdb") for tree in trees]
    made = joined(*trees)
    for was, tree in zip(before, made.models.values(), strict=True):
        assert rows(written_out(made, tree)) == rows(was)


@pytest.mark.parametrize("two", sorted(RELATIONS.keys() - {"derived"}))
def test_what_is_read_stands_in_front_and_the_rest_is_one_macro(two: str) -> None:
    made = joined(query("derived", "sites"), query(two, "sites"))
    [macro] = made.macros
    assert macro.comment == "2 queries that differ in their arguments only: m0, m1"
    assert {call.macro for call in made.calls} == {macro.name}
    for tree in made.models.values():
        assert not tree.find(exp.Join)
    fronts = [tree.args.get("with_") for tree in made.models.values()]
    assert fronts[0] is not None
    assert (fronts[1] is None) == (two == "table")


def test_a_table_is_an_argument() -> None:
    made = joined(query("derived", "sites"), query("table", "sites"))
    said = [dict(call.args)["relation"].text for call in made.calls[-2:]]
    assert "pages" in said


def test_a_third_one_calls_the_same_macro() -> None:
    made = joined(query("derived", "sites"), query("CTE", "sites"), query("united", "sites"))
    assert len(made.macros) == 1


def test_names_of_a_query_are_not_given_to_what_stands_in_front() -> None:
    one, two = query("derived", "sites"), query("other derived", "sites")
    one.args["where"].this.replace(sqlglot.parse_one("place IN (SELECT place FROM pages_rows)"))
    made = joined(one, two)
    for tree in made.models.values():
        front = tree.args.get("with_")
        names = [cte.alias for cte in front.expressions] if front is not None else []
        assert "pages_rows" not in names


@pytest.mark.parametrize(
    "text",
    [
        "WITH RECURSIVE picked AS (SELECT * FROM pages) {body}",
        "WITH picked AS (SELECT * FROM pages) {body} AND site IN (SELECT site FROM picked)",
    ],
)
def test_what_reads_its_ctes_elsewhere_stays(text: str) -> None:
    plain = BODY.format(pages="picked", sites="sites", word="x")
    where, rest = plain.split(" GROUP BY ")
    sql = text.format(body=where) + " GROUP BY " + rest
    odd = sqlglot.parse_one(sql, read="duckdb")
    assert not joined(odd, query("derived", "sites")).macros


def test_nothing_is_taken_apart_where_a_macro_is_forbidden() -> None:
    limits = Limits(forbidden=frozenset({"m"}))
    assert not joined(query("derived", "sites"), query("CTE", "sites"), limits=limits).macros


def test_models_that_stay_keep_their_words() -> None:
    trees = query("derived", "sites"), query("CTE", "sites")
    made = with_same_around(library(*trees), "duckdb", 5, frozenset({"m0"}))
    assert not made.macros
    assert made.models["m1"] is trees[1]


def test_a_cte_is_called_as_it_is_spelled() -> None:
    one, two = query("CTE", "sites"), query("derived", "sites")
    for node in one.find_all(exp.Identifier):
        if node.name == "picked":
            node.set("this", "PickedPages")
    two.args["where"].this.replace(sqlglot.parse_one("place > 'pickedpages'"))
    two.args["from_"].this.replace(
        sqlglot.parse_one("SELECT * FROM pickedpages").args["from_"].this
    )
    made = joined(one, two)
    [macro] = made.macros
    assert dict(made.calls[0].args)["relation"].text == "PickedPages"
    assert macro.tree.find(exp.Join) is not None


KEPT = Macro("kept", ("relation",), sqlglot.parse_one("SELECT * FROM h__relation__h"), "query")
CTES = {"pages": "", "picked": RELATIONS["CTE"][0], "own_rows": RELATIONS["CTE of CTE"][0]}


def calling(*names: str) -> Library:
    """Queries that read what a macro says of a table, or of a CTE."""
    models = {}
    for at, name in enumerate(names):
        sites = SITES[1] if at else "(SELECT DISTINCT site, place FROM sites)"
        front = f"WITH {CTES[name]} ".format(n=1) if CTES[name] else ""
        body = BODY.format(pages="called", sites=sites, word="x")
        models[f"m{at}"] = tree = sqlglot.parse_one(front + body, read="duckdb")
        call = exp.Subquery(this=exp.Var(this=f"call__{at}__call"))
        tree.args["from_"].this.replace(call)
    calls = (MacroCall("kept", (("relation", Leaf("name", name)),)) for name in names)
    return Library(models, (KEPT,), tuple(calls))


def rendered(made: Library, name: str) -> str:
    def said(macro: Macro) -> Callable[..., str]:
        def written(**words: str) -> str:
            said = {**context, **macro.defaults, **words}
            return str(jinja2.Template(text(macro.tree)).render(said))

        return written

    def text(tree: exp.Expr) -> str:
        return template(tree, "duckdb", made.calls)

    context = {macro.name: said(macro) for macro in made.macros}
    return str(jinja2.Template(text(made.models[name])).render(context))


@pytest.mark.parametrize("one", CTES)
@pytest.mark.parametrize("two", CTES)
def test_law_a_call_hands_the_name_of_a_cte_on(one: str, two: str) -> None:
    before = calling(one, two)
    made = with_same_around(before, "duckdb", 5, frozenset())
    for name in before.models:
        assert rows(rendered(made, name)) == rows(rendered(before, name))
    [macro] = [each for each in made.macros if each is not KEPT]
    assert {call.macro for call in made.calls} == {"kept", macro.name}
    assert one not in macro.tree.sql()


def test_what_a_call_within_a_call_says_of_a_cte_stays() -> None:
    before = calling("picked", "own_rows")
    calls = (MacroCall("kept", (("relation", Leaf("condition", f"call__{n}__call")),))
             for n in (2, 3))  # fmt: skip
    nested = Library(before.models, before.macros, (*calls, *before.calls))
    assert with_same_around(nested, "duckdb", 5, frozenset()).models == before.models


def test_a_call_that_says_two_ctes_stays() -> None:
    """A rest is told one name for each call."""
    before = calling("own_rows", "own_rows")
    said = (("relation", Leaf("name", "own_rows")), ("other", Leaf("name", "picked")))
    calls = tuple(replace(call, args=said) for call in before.calls)
    body = "SELECT * FROM h__relation__h SEMI JOIN h__other__h USING (site)"
    kept = replace(KEPT, params=("relation", "other"), tree=sqlglot.parse_one(body, read="duckdb"))
    made = with_same_around(Library(before.models, (kept,), calls), "duckdb", 5, frozenset())
    assert made.models == before.models
