"""Queries that are written out although a macro says nearly the same become calls of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.adopted import adopted
from unwet.rewrite.alike import plainly
from unwet.rewrite.library import Library, Macro, MacroCall, calls_made
from unwet.rewrite.own_parts import part_macro
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.shapes import Leaf

SALES = """SELECT o.country, o.channel, COUNT(DISTINCT o.id) AS orders, SUM(o.net) AS net,
SUM(o.gross) / NULLIF(SUM(o.net), 0) AS share, MAX(o.day) AS last_day FROM shop.{table} AS o
JOIN shop.lines AS l ON l.id = o.id WHERE {where} GROUP BY o.country, o.channel"""
PILE = {
    **{f"sales_{name}": SALES.format(table="orders", where=f"o.country = '{name}'")
       for name in ("de", "fr", "at", "nl")},
    "sales_of_old": SALES.format(table="orders", where="o.day < '2020' AND o.channel = 'web'"),
    "sales": SALES.replace("WHERE {where}", "").format(table="orders"),
    "sales_old": """SELECT s.country, s.channel, COUNT(DISTINCT s.id) AS orders, SUM(s.net) AS net,
        SUM(s.gross) / NULLIF(SUM(s.net), 0) AS share, MAX(s.day) AS last_day FROM shop.lines AS k
        JOIN shop.old_orders AS s ON s.id = k.id WHERE '2020-01-01' <= s.day GROUP BY 1, 2""",
    "sales_by_channel": " UNION ALL ".join(
        SALES.format(table="orders", where=f"o.channel = '{name}'").replace(
            "SELECT ", f"SELECT '{name}' AS scope, ")
        for name in ("web", "app", "store")
    ),
}  # fmt: skip
SCHEMA = {
    f"shop.{table}": dict.fromkeys(("id", "net", "gross"), "INT")
    | dict.fromkeys(("country", "channel", "day"), "TEXT")
    for table in ("orders", "old_orders")
} | {"shop.lines": {"id": "INT"}}


@pytest.fixture(scope="module")
def result() -> Result:
    sources = [Source(f"{name}.sql", sql) for name, sql in PILE.items()]
    return refactor(load(sources, "duckdb", SCHEMA), Request())


def test_a_branch_with_a_constant_and_another_table_are_calls_and_proved(result: Result) -> None:
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    files = {path: text.lower() for path, text in result.files.items() if path.endswith(".sql")}
    [macro] = [text for path, text in files.items() if "macros/" in path and "sum(" in text]
    assert "{% if scope is not none %} '{{ scope }}' as scope,{% endif %}" in macro
    assert "scope=none" in macro[: macro.index("%}")]
    assert "source('shop', table)" in macro
    old = next(text for path, text in files.items() if path.endswith("sales_old.sql"))
    assert "table='old_orders'" in old
    assert "o.day >= '2020-01-01'" in old


BODY = """SELECT a.x, SUM(a.y) AS y, MAX(a.z) AS z, COUNT(*) AS n, MIN(a.w) AS w FROM t AS a
LEFT JOIN u AS b ON b.k = a.k WHERE a.v > 1 AND h__condition__h GROUP BY a.x"""


def library(model: str) -> Library:
    """A macro, three models that call it, and one that is written out."""
    tree = parse_one(BODY.replace("h__condition__h", "h__condition__h = 1"))
    test = tree.find(exp.And)
    assert test is not None
    test.set("expression", exp.Var(this="h__condition__h"))
    calls = tuple(MacroCall("m", (("condition", Leaf("condition", f"a.v = {n}")),))
                  for n in range(3))  # fmt: skip
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(3)}
    models["own"] = parse_one(model)
    return Library(models, (Macro("m", ("condition",), tree, "query"),), calls)


def call(model: str) -> MacroCall | None:
    made = adopted(library(model), "duckdb", 5)
    tree = made.models["own"]
    return made.calls[int(tree.name.split("__")[1])] if isinstance(tree, exp.Var) else None


OWN = BODY.replace("h__condition__h", "a.d = 7")


def test_conditions_that_the_macro_does_not_have_are_said() -> None:
    found = call(OWN)
    assert found is not None
    assert dict(found.args) == {"condition": Leaf("condition", "a.d = 7")}


def test_another_column_is_a_parameter_wherever_it_stands() -> None:
    found = call(OWN.replace("SUM(a.y)", "SUM(a.y2)").replace("a.d = 7", "1 < a.d"))
    assert found is not None
    assert dict(found.args) == {
        "condition": Leaf("condition", "a.d > 1"), "y": Leaf("name", "y2")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "limit"), [("5 < a.v", "5"), ("a.v > 5", "5"), ("5 > a.v", None), ("5 <= a.v", None)]
)
def test_another_limit_is_a_parameter_on_either_side(said: str, limit: str | None) -> None:
    found = call(OWN.replace("a.v > 1", said))
    assert (found and dict(found.args)["v_from"].text) == limit


def test_an_output_that_is_computed_otherwise_is_a_parameter() -> None:
    found = call(OWN.replace("COUNT(*)", "COUNT(DISTINCT b.k)"))
    assert found is not None
    assert dict(found.args)["n"] == Leaf("condition", "COUNT(DISTINCT b.k)")


def test_a_parameter_is_not_called_as_a_macro_that_it_would_hide() -> None:
    """`{% macro m(n=n()) %}` would call the parameter."""
    given = library(OWN.replace("COUNT(*)", "COUNT(DISTINCT b.k)"))
    other = Macro("n", (), parse_one("COUNT(DISTINCT b.k)"), "expression")
    made = adopted(replace(given, macros=(*given.macros, other)), "duckdb", 5)
    [macro, _] = made.macros
    assert macro.params == ("condition", "n_value")
    assert macro.defaults == {"n_value": "COUNT(*)"}
    assert macro.tree.sql().count("h__n_value__h AS n") == 1


def test_an_output_without_a_name_is_no_parameter() -> None:
    """`{% macro m(='* REPLACE (...)') %}` is no macro."""
    old = BODY.replace("SELECT a.x", "SELECT * REPLACE (UPPER(x) AS x), a.x")
    given = library(old.replace("UPPER", "TRIM").replace("h__condition__h", "a.d = 7"))
    tree = parse_one(old.replace("h__condition__h", "x = 1"))
    [test] = tree.args["where"].find_all(exp.EQ)
    test.replace(exp.Var(this="h__condition__h"))
    given = replace(given, macros=(replace(given.macros[0], tree=tree),))
    made = adopted(given, "duckdb", 5)
    assert made.macros == given.macros
    assert made.models["own"] == given.models["own"]
    same = {**given.models, "own": parse_one(old.replace("h__condition__h", "a.d = 7"))}
    made = adopted(replace(given, models=same), "duckdb", 5)
    assert isinstance(made.models["own"], exp.Var)


def test_a_macro_that_an_argument_calls_stays_when_it_is_a_call_of_another_one() -> None:
    given = library(BODY.replace("h__condition__h", "a.d = 7"))
    whole = parse_one("SELECT x, y FROM (SELECT 1) AS rows_of ORDER BY x")
    place = whole.find(exp.Subquery)
    assert place is not None
    place.set("this", exp.Var(this="h__part__h"))
    macros = (
        *given.macros,
        Macro("m_2", (), parse_one(OWN), "query"),
        Macro("whole", ("part",), whole, "query"),
    )
    calls = (
        *given.calls,
        MacroCall("m_2", ()),
        MacroCall("whole", (("part", Leaf("condition", "call__3__call")),)),
    )
    models = {**given.models, "own": exp.Var(this="call__4__call")}
    made = adopted(Library(models, macros, calls), "duckdb", 5)
    assert {made.calls[n].macro for n in calls_made(made)} <= {each.name for each in made.macros}
    assert isinstance(next(m.tree for m in made.macros if m.name == "m_2"), exp.Var)


def test_a_call_that_is_handed_on_says_what_a_parameter_is_in_each_call() -> None:
    """A macro that is a call of another one, where both say a part with a macro."""
    given = library(BODY.replace("h__condition__h", "a.d = 7"))
    columns = (("condition", Leaf("condition", "a.d = 7")),
               ("part", Leaf("condition", "MIN(a.w)")))  # fmt: skip
    tree = given.macros[0].tree.copy()
    tree.expressions[-1].set("this", exp.Var(this="h__part__h"))
    other = tree.copy()
    other.expressions[-1].set("this", exp.Var(this="call__5__call"))
    macros = (
        Macro("m", ("condition", "part"), tree, "query"),
        Macro("m_2", ("condition", "column"), other, "query"),
        Macro("least", ("of",), parse_one("MIN(h__of__h)"), "expression"),
    )
    own = [MacroCall("m_2", (columns[0], ("column", Leaf("name", each)))) for each in ("w", "u")]
    inner = MacroCall("least", (("of", Leaf("condition", "a.h__column__h")),))
    calls = (*(MacroCall("m", columns) for _ in range(3)), *own, inner)
    models = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(5)}
    made = adopted(Library(models, macros, calls), "duckdb", 5)
    assert [macro.name for macro in made.macros] == ["m", "least"]
    for name, column in (("r3", "a.w"), ("r4", "a.u")):
        call = made.calls[int(made.models[name].name.split("__")[1])]
        part = made.calls[int(dict(call.args)["part"].text.split("__")[1])]
        assert (call.macro, part.macro) == ("m", "least")
        assert part.args == (("of", Leaf("condition", column)),)


def with_a_name(model: str) -> tuple[Macro, MacroCall | None]:
    """A macro whose first output has the name that a call says, and the call that a model is."""
    given = library(model)
    tree = given.macros[0].tree.copy()
    tree.expressions[0].replace(exp.alias_(tree.expressions[0].copy(), "h__word__h"))
    tree.set("order", parse_one("SELECT 1 ORDER BY h__word__h").args["order"])
    said = (("word", Leaf("name", "shop")),)
    calls = tuple(replace(each, args=(*each.args, *said)) for each in given.calls)
    macro = replace(given.macros[0], params=("condition", "word"), tree=tree)
    made = adopted(replace(given, macros=(macro,), calls=calls), "duckdb", 5)
    own = made.models["own"]
    call = made.calls[int(own.name.split("__")[1])] if isinstance(own, exp.Var) else None
    return made.macros[0], call


def test_an_output_that_a_parameter_names_has_the_name_of_the_query() -> None:
    macro, found = with_a_name(
        OWN.replace("SELECT a.x", "SELECT a.x AS Region") + " ORDER BY region"
    )
    assert found is not None
    assert dict(found.args) == {
        "condition": Leaf("condition", "a.d = 7"), "word": Leaf("name", "region")
    }  # fmt: skip
    assert macro.tree.expressions[0].sql() == "a.x AS h__word__h"


@pytest.mark.parametrize(
    "own",
    [
        OWN.replace("SELECT a.x", "SELECT a.x AS region") + " ORDER BY z",
        OWN.replace("SELECT a.x", "SELECT a.x AS region, a.w AS other") + " ORDER BY region",
        OWN.replace("SELECT a.x", "SELECT a.x + 1 AS region") + " ORDER BY region",
    ],
)
def test_an_output_with_a_name_that_is_another_one_is_not_taken_for_it(own: str) -> None:
    macro, found = with_a_name(own)
    assert found is None
    assert macro.tree.expressions[0].sql() == "a.x AS h__word__h"


@pytest.mark.parametrize("other", ["'x'", "a.x2"])
def test_a_column_that_becomes_a_parameter_keeps_its_name(other: str) -> None:
    own = OWN.replace("SELECT a.x,", f"SELECT {other} AS x,").replace(" GROUP BY a.x", "")
    plain = BODY.replace(" GROUP BY a.x", "")
    given = library(own)
    tree = parse_one(plain.replace("h__condition__h", "h__condition__h = 1"))
    test = tree.find(exp.And)
    assert test is not None
    test.set("expression", exp.Var(this="h__condition__h"))
    macro = Macro("m", ("condition",), tree, "query")
    made = adopted(Library(given.models, (macro,), given.calls), "duckdb", 5)
    assert isinstance(made.models["own"], exp.Var)
    [found] = made.macros
    assert found.tree.expressions[0].alias == "x"


def test_a_text_around_a_call_is_no_argument() -> None:
    assert call(OWN.replace("COUNT(*)", "COUNT(*) + call__0__call")) is None


LONG = "STRUCT({})".format(
    ", ".join(f"COALESCE(col_{n}, 'nothing at all') AS c{n}" for n in range(12))
)


def test_a_long_output_is_a_macro_of_its_own_and_no_text() -> None:
    given = library(OWN.replace("COUNT(*)", LONG))
    made = adopted(given, "duckdb", 5)
    macro, part = made.macros
    assert (part.name, part.params, part.kind) == ("own_n", (), "expression")
    assert part.tree.sql("duckdb") == parse_one(LONG).sql("duckdb")
    own = made.calls[int(made.models["own"].name.split("__")[1])]
    assert made.calls[int(dict(own.args)["n"].text.split("__")[1])] == MacroCall(
        "own_n", (), named=True
    )
    assert macro.defaults == {"n": "COUNT(*)"}


def test_a_long_output_has_the_parameters_of_the_calls_in_it() -> None:
    """What a call in it hands on is a parameter of the macro around, which it is no part of."""
    inner = MacroCall("least", (("of", Leaf("condition", "x.h__column__h")),))
    long = parse_one(LONG.replace("col_0", "call__0__call").replace("col_1,", "col_h__of__h,"))
    macro = part_macro(long, "m_2", "n", (), [inner])
    assert (macro.name, macro.params) == ("m_n", ("of", "column"))


def test_the_same_long_output_is_one_macro() -> None:
    given = library(OWN.replace("COUNT(*)", LONG))
    more = parse_one(OWN.replace("COUNT(*)", LONG).replace("a.d = 7", "a.d = 8"))
    made = adopted(replace(given, models={**given.models, "other": more}), "duckdb", 5)
    assert [macro.name for macro in made.macros] == ["m", "other_n"]
    assert all(isinstance(made.models[name], exp.Var) for name in ("own", "other"))


@pytest.mark.parametrize("column", ["a.col_1", "(SELECT MAX(v.w) FROM v)"])
def test_a_long_output_of_the_relations_around_it_or_with_a_query_stays(column: str) -> None:
    """In a macro of its own nobody would see what `a` is."""
    assert call(OWN.replace("COUNT(*)", LONG.replace("col_1,", f"{column},"))) is None


def test_outputs_that_are_missing_are_left_out() -> None:
    found = call(OWN.replace("MAX(a.z) AS z, ", ""))
    assert found is not None
    assert dict(found.args)["without"] == Leaf("names", "['z']")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LEFT JOIN", "JOIN"),
        ("a.v > 1 AND ", ""),
        ("GROUP BY a.x", "GROUP BY a.x, a.w"),
        ("GROUP BY a.x", "GROUP BY a.x ORDER BY 1"),
        ("GROUP BY a.x", "GROUP BY a.x HAVING COUNT(*) > 1"),
        ("SUM(a.y) AS y, MAX(a.z) AS z", "MAX(a.z) AS z, SUM(a.y) AS y"),
        ("SELECT", "SELECT DISTINCT"),
        ("b.k = a.k", "b.k = a.k AND b.q = 1"),
        ("a.v > 1", "a.q > 1"),
        ("FROM t", "FROM t AS c, t"),
    ],
)
def test_what_is_another_query_stays(old: str, new: str) -> None:
    assert call(OWN.replace(old, new)) is None


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ("FROM (SELECT * FROM q WHERE q.ok) AS a", "t"),
        ("FROM good AS a", "good"),
    ],
)
def test_a_query_in_the_place_of_a_relation_is_in_front_of_the_call(own: str, name: str) -> None:
    found = library(OWN)
    macro = replace(found.macros[0], tree=found.macros[0].tree.copy())
    table = macro.tree.find(exp.Table)
    assert table is not None
    table.set("this", exp.to_identifier("ref__int_t__ref"))
    model = OWN.replace("FROM t AS a", own)
    if name == "good":
        model = f"WITH good AS (SELECT * FROM q WHERE q.ok) {model}"
    models = {**found.models, "own": parse_one(model)}
    made = adopted(replace(found, models=models, macros=(macro,)), "duckdb", 5)
    tree = made.models["own"]
    number = len(made.calls) - 1
    assert tree.sql() == (
        f"WITH {name} AS (SELECT * FROM q WHERE q.ok) SELECT call__{number}__call"
    )
    assert dict(made.calls[number].args)["relation"] == Leaf("name", name)
    assert made.macros[0].defaults["relation"] == "ref__int_t__ref"


def test_a_branch_does_not_begin_with_a_query_of_its_own() -> None:
    """A parser takes WITH behind UNION ALL; engines don't."""
    found = library(OWN)
    macro = replace(found.macros[0], tree=found.macros[0].tree.copy())
    table = macro.tree.find(exp.Table)
    assert table is not None
    table.set("this", exp.to_identifier("ref__int_t__ref"))
    own = OWN.replace("FROM t AS a", "FROM (SELECT * FROM q WHERE q.ok) AS a")
    models = {**found.models, "own": parse_one(f"SELECT 1 UNION ALL {own}")}
    made = adopted(replace(found, models=models, macros=(macro,)), "duckdb", 5)
    assert made.models["own"] == models["own"]


def test_models_that_stay_as_they_are() -> None:
    found = library(OWN)
    assert adopted(found, "duckdb", 5, {"own"}).models["own"] == found.models["own"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("COALESCE(a, 0)", "CASE WHEN a IS NULL THEN 0 ELSE a END"),
        ("a = b", "b = a"),
        ("a > 1", "(1 < a)"),
        ("a IN ('x')", "a = 'x'"),
        ("NOT a", "a = FALSE"),
        ("COUNT(DISTINCT a) FILTER(WHERE b > 1)", "COUNT(DISTINCT CASE WHEN b > 1 THEN a END)"),
    ],
)
def test_ways_of_writing(one: str, other: str) -> None:
    assert plainly(parse_one(one)) == plainly(parse_one(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("COALESCE(a, 0)", "CASE WHEN a IS NULL THEN 0 ELSE b END"),
        ("a > 1", "a < 1"),
        ("a - b", "b - a"),
        ("COUNT(*) FILTER(WHERE b > 1)", "COUNT(*)"),
        ("a IN ('x', 'y')", "a = 'x'"),
    ],
)
def test_what_is_not_the_same(one: str, other: str) -> None:
    assert plainly(parse_one(one)) != plainly(parse_one(other))


def test_a_macro_with_few_calls_is_taken_apart_where_all_are_calls_of_another() -> None:
    known = library("SELECT 1 AS x")
    [m] = known.macros
    text = BODY.replace("h__condition__h", "a.d = 0").replace(
        "COUNT(*) AS n, MIN(a.w) AS w", "h__value__h AS h__column__h"
    )
    tree = parse_one(text)
    for node in [*tree.find_all(exp.Column)]:
        if node.name == "h__value__h":
            node.replace(exp.Var(this="h__value__h"))
    test = tree.find(exp.EQ)
    assert test is not None
    [test] = [each for each in tree.find_all(exp.EQ) if each.this.name == "d"]
    test.replace(exp.Var(this="h__condition__h"))
    other = Macro("m_rows", ("column", "value", "condition"), tree, "query",
                  defaults={"condition": "TRUE"})  # fmt: skip

    def said(column: str, value: str, *condition: str) -> MacroCall:
        own = tuple(("condition", Leaf("condition", each)) for each in condition)
        args = ("column", Leaf("name", column)), ("value", Leaf("condition", value)), *own
        usual = () if condition else (("condition", Leaf("condition", "TRUE")),)
        return MacroCall("m_rows", args, usual)

    calls = (*known.calls, said("n", "COUNT(*)"), said("w", "MIN(a.w)", "a.d = 4 OR a.d = 5"))
    models = {**known.models, "few": exp.Var(this="call__3__call"),
              "fewer": exp.Var(this="call__4__call")}  # fmt: skip
    made = adopted(Library(models, (m, other), calls), "duckdb", 5)
    assert [macro.name for macro in made.macros] == ["m"]
    assert made.macros[0].optional == ("without", ("n", "w"))
    few, fewer = (made.calls[int(made.models[n].name.split("__")[1])] for n in ("few", "fewer"))
    assert dict(few.args)["without"].text == "['w']"
    assert dict(fewer.args)["without"].text == "['n']"
    assert dict(fewer.args)["condition"].text == "(a.d = 4 OR a.d = 5)"
    wrong = (*calls[:4], said("w", "MIN(a.u)", "a.d = 4"))
    stays = adopted(Library(models, (m, other), wrong), "duckdb", len(m.params))
    assert [macro.name for macro in stays.macros] == ["m", "m_rows"]
    assert stays.models == models
