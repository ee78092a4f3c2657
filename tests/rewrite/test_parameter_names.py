"""Parameters whose names say nothing are called after where they stand, or what is said."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.parameter_names import with_telling_names
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text

Said = dict[str, str]


def macro(name: str, params: str, body: str, **defaults: str) -> Macro:
    return Macro(name, tuple(params.split()), _tree(body), "query", defaults=defaults)


def _tree(body: str) -> exp.Expr:
    """A hole or a call that stands alone in brackets or in a list is a word, as in real trees."""
    tree = parse_one(body, "bigquery")
    for column in [*tree.find_all(exp.Column)]:
        if not column.table and "__" in column.name:
            column.replace(exp.Var(this=column.name))
    return tree


def called(*macros: Macro, **said: Said) -> Library:
    """Models that call the first macro; ``said``: what each says."""
    calls = tuple(
        MacroCall(macros[0].name, tuple((n, Leaf("condition", v)) for n, v in each.items()))
        for each in said.values()
    )
    models: dict[str, exp.Expr] = {
        name: exp.Var(this=f"call__{n}__call") for n, name in enumerate(said)
    }
    return Library(models, macros, calls)


@pytest.mark.parametrize(
    ("param", "body", "to"),
    [
        ("part", "SELECT k FROM t JOIN (SELECT h__part__h) AS cost USING (k)", "part"),
        ("relation_2", "SELECT k FROM t JOIN h__relation_2__h AS cost USING (k)", "cost"),
        ("relation_2", "SELECT k FROM t JOIN h__relation_2__h AS c USING (k)", "relation"),
        ("relation_2", "SELECT k FROM t JOIN h__relation_2__h AS cost_2 USING (k)", "relation"),
        ("taken_2", "SELECT k FROM t WHERE a > h__taken_2__h + h__taken__h", "taken_2"),
        ("other_2", "SELECT k FROM t WHERE a > h__other_2__h", "other_value"),
        ("least_2", "SELECT k FROM t WHERE a > h__least_2__h", "least"),
        ("value", "SELECT k FROM t CROSS JOIN UNNEST(h__value__h) AS decile", "deciles"),
        ("value", "SELECT k FROM t CROSS JOIN UNNEST(h__value__h) AS bins", "bins"),
        ("value", "SELECT k FROM t WHERE yyyymm = h__value__h", "yyyymm"),
        ("value", "SELECT k FROM t WHERE h__value__h = date", "date"),
        ("value", "SELECT k FROM t WHERE a = h__value__h AND b_b = h__value__h", "value"),
        ("value", "SELECT k FROM t WHERE bbb = h__value__h AND ccc = h__value__h", "value"),
        ("value", "SELECT k FROM t WHERE h__column__h = h__value__h", "value"),
        ("value", "SELECT k FROM t WHERE kind = h__value__h + h__value__h", "value"),
        ("value", "SELECT k FROM t ORDER BY h__value__h DESC", "sorted_by"),
        ("value", "SELECT k FROM t WHERE taken = h__value__h", "value"),
        ("value", "SELECT k FROM t WHERE other = h__value__h", "value"),
        ("value", "SELECT k FROM t WHERE `select` = h__value__h", "value"),
        ("amount", "SELECT k FROM t WHERE yyyymm = h__amount__h", "amount"),
        (
            "column_2",
            "SELECT CAST(h__column_2__h AS STRING) AS level_two FROM t GROUP BY h__column_2__h",
            "level_two",
        ),
        ("column", "SELECT h__column__h AS a_b, h__column__h AS c_d FROM t", "column"),
        ("column", "SELECT k AS h__column__h FROM t", "column"),
        ("column", "SELECT h__column__h AS kind FROM t ORDER BY h__column__h", "kind"),
        ("column_2", "SELECT COUNT(h__column_2__h.k) AS n FROM t", "alias"),
        ("column", "SELECT h__column__h.k FROM t AS h__column__h", "alias"),
        ("paid_value", "SELECT h__paid_value__h AS paid FROM t", "paid"),
        ("paid_value", "SELECT h__paid_value__h AS spent FROM t", "paid_value"),
        ("m_value", "SELECT MAX(h__m_value__h) FROM t", "m_value"),
        ("other_value", "SELECT h__other_value__h AS other FROM t", "other_value"),
    ],
)
def test_a_parameter_is_called_after_where_it_stands(param: str, body: str, to: str) -> None:
    found = macro("m", f"{param} taken", body, **{param: "1"})
    made = with_telling_names(called(found, macro("other", "", "SELECT 1"), r={param: "2"}))
    assert made.macros[0].params == (to, "taken")
    assert made.macros[0].tree.sql() == found.tree.sql().replace(f"h__{param}__h", f"h__{to}__h")
    assert made.macros[0].defaults == {to: "1"}
    assert call_text(made.calls[0], "bigquery") == f"{{{{ m({to}='2') }}}}"


TWO = "JOIN (SELECT k FROM {0} WHERE b AND h__condition_2__h) AS {1} USING (k) WHERE a AND "
ON = "JOIN {0} AS {1} ON {1}.k = t.k AND h__condition_2__h WHERE a AND "


@pytest.mark.parametrize(
    ("body", "to"),
    [
        (TWO.format("u", "spend"), "spend_condition"),
        (TWO.format("spend", "s"), "spend_condition"),
        (TWO.format("src__ads__spend__src", "s_2"), "spend_condition"),
        (TWO.format("src__spend__h__table__h__src", "s"), "spend_condition"),
        (TWO.format("ref__int_spend__ref", "s"), "spend_condition"),
        (TWO.format("u", "s"), "condition_2"),
        ("WHERE h__condition_2__h AND ", "condition_2"),
        ("WHERE IF(h__condition_2__h, 1, 2) > 1 AND ", "condition_2"),
        (ON.format("u", "spend"), "spend_condition"),
        (ON.format("ref__stg_spend__ref", "s"), "spend_condition"),
    ],
)
def test_one_of_two_conditions_is_called_after_what_it_chooses(body: str, to: str) -> None:
    found = macro("m", "condition condition_2", f"SELECT k FROM t {body} h__condition__h")
    made = with_telling_names(called(found, r={"condition": "x", "condition_2": "y"}))
    assert made.macros[0].params == ("condition", to)


def test_a_condition_of_groups_and_the_only_condition() -> None:
    sql = "SELECT k FROM t WHERE h__condition__h GROUP BY k HAVING h__condition_2__h"
    made = with_telling_names(called(macro("m", "condition condition_2", sql),
                                     r={"condition": "x", "condition_2": "y"}))  # fmt: skip
    assert made.macros[0].params == ("condition", "having_condition")
    alone = macro(
        "m", "condition", "SELECT k FROM (SELECT k FROM u WHERE h__condition__h) AS spend"
    )
    assert with_telling_names(called(alone, r={"condition": "x"})).macros[0].params == (
        "condition",
    )


@pytest.mark.parametrize(
    ("name", "params", "to"),
    [
        ("paid", "paid_value", "paid"),
        ("paid", "paid_value paid", "paid_value"),
        ("paid_2", "paid_2_value", "paid_2_value"),
        ("other", "paid_value", "paid_value"),
    ],
)
def test_a_macro_may_have_a_parameter_of_its_own_name(name: str, params: str, to: str) -> None:
    said = dict.fromkeys(params.split(), "x")
    found = macro(name, params, f"SELECT MAX(h__{params.split()[0]}__h) FROM t")
    made = with_telling_names(called(found, r=said))
    assert made.macros[0].params[0] == to
    assert call_text(made.calls[0], "bigquery").startswith(f"{{{{ {name}({to}=")


def test_no_row_of_a_loop_hides_the_macro_that_it_calls() -> None:
    """Its rows are called as the parameters are: `for health in [..]: health(health=health)`."""
    found = macro("health", "health_value", "SELECT MAX(h__health_value__h) FROM t")
    given = called(found, r={"health_value": "x"}, s={"health_value": "y"})
    both = exp.union(*(parse_one(f"SELECT call__{n}__call") for n in (0, 1)), distinct=False)
    looped = Library({"r": both}, given.macros, given.calls)
    assert with_telling_names(given).macros[0].params == ("health",)
    assert with_telling_names(looped).macros[0].params == ("health_value",)


def test_what_is_divided_is_called_so() -> None:
    body = "SELECT CASE WHEN h__n__h <> 0 THEN 1.0 * h__n_2__h / h__n__h END AS share_2 FROM t"
    made = with_telling_names(called(macro("m", "n n_2", body), r={"n": "x", "n_2": "y"}))
    assert made.macros[0].params == ("denominator", "numerator")


def test_an_author_s_own_number_stays() -> None:
    found = macro("m", "stratum stratum_3", "SELECT h__stratum__h, h__stratum_3__h AS stratum_3")
    made = with_telling_names(called(found, r={"stratum": "x", "stratum_3": "y"}))
    assert made.macros[0].params == ("stratum", "stratum_3")


def test_two_aliases_have_a_number() -> None:
    found = macro("m", "column column_2", "SELECT h__column__h.a, h__column_2__h.b FROM t")
    made = with_telling_names(called(found, r={"column": "x", "column_2": "y"}))
    assert made.macros[0].params == ("alias", "alias_2")


def test_a_query_is_called_after_its_alias() -> None:
    tree = parse_one("SELECT k FROM t JOIN (SELECT 1) AS cost USING (k)")
    derived = tree.find(exp.Subquery)
    assert derived is not None
    derived.set("this", exp.Var(this="h__part__h"))
    made = with_telling_names(called(Macro("m", ("part",), tree, "query"), r={"part": "x"}))
    assert made.macros[0].params == ("cost",)
    tree = parse_one("WITH own AS (SELECT 1) SELECT * FROM own")
    cte = tree.find(exp.CTE)
    assert cte is not None
    cte.set("this", exp.Var(this="h__part_2__h"))
    made = with_telling_names(called(Macro("m", ("part_2",), tree, "query"), r={"part_2": "x"}))
    assert made.macros[0].params == ("own",)


def test_a_parameter_is_called_as_what_it_is_handed_on_for() -> None:
    """Through two macros; and not where it is handed on for several."""
    inner = macro("inner", "value", "SELECT k FROM t CROSS JOIN UNNEST(h__value__h) AS decile")
    middle = macro("middle", "value_2", "SELECT call__0__call")
    outer = macro("outer", "value", "SELECT call__1__call")
    both = macro("both", "value", "SELECT call__1__call, x FROM t WHERE yyyymm = h__value__h")
    calls = (
        MacroCall("inner", (("value", Leaf("condition", "h__value_2__h")),)),
        MacroCall("middle", (("value_2", Leaf("condition", "h__value__h")),)),
        MacroCall("outer", (("value", Leaf("condition", "[1, 2]")),)),
    )
    models: dict[str, exp.Expr] = {"r": exp.Var(this="call__2__call")}
    made = with_telling_names(Library(models, (both, outer, middle, inner), calls))
    assert [each.params for each in made.macros] == [
        ("value",), ("deciles",), ("deciles",), ("deciles",),
    ]  # fmt: skip
    assert made.calls[1].args == (("deciles", Leaf("condition", "h__deciles__h")),)


def test_queries_are_called_after_the_words_that_all_calls_say() -> None:
    names = ("sales_late", "sales_late_by_day", "sales_gone", "sales_gone_2")
    every = [macro(name, "", "SELECT 1") for name in names]
    found = macro("sales", "part part_2", "SELECT h__part__h, h__part_2__h")
    said = {
        "one": {"part": "call__2__call", "part_2": "call__4__call"},
        "two": {"part": "call__3__call", "part_2": "call__5__call"},
    }
    made = called(found, *every, **said)
    library = Library(made.models, made.macros, (*made.calls, *(MacroCall(n, ()) for n in names)))
    assert with_telling_names(library).macros[0].params == ("late", "gone")


def test_relations_are_called_after_the_words_that_are_theirs() -> None:
    body = "SELECT * FROM h__relation__h AS a JOIN h__relation_2__h AS b USING (k)"
    said = {
        each: {"relation": f"ref__{each}_people_build__ref",
               "relation_2": f"ref__int_{each}_beds_build__ref"}
        for each in ("age", "sex")
    }  # fmt: skip
    made = with_telling_names(called(macro("m", "relation relation_2", body), **said))
    assert made.macros[0].params == ("people", "beds")
    # one model that all calls say has the name that it has for one call
    alone = {each: {"relation": "ref__people__ref"} for each in ("age", "sex")}
    body = "SELECT * FROM h__relation__h AS a"
    made = with_telling_names(called(macro("m", "relation", body), **alone))
    assert made.macros[0].params == ("relation",)


def test_a_table_of_one_schema_is_called_table() -> None:
    body = "SELECT * FROM h__relation__h AS a"
    said = {each: {"relation": f"src__shop__{each}__src"} for each in ("orders", "items")}
    made = with_telling_names(called(macro("m", "relation", body), **said))
    assert made.macros[0].params == ("table",)
    made = with_telling_names(called(macro("m", "relation table", body), **said))
    assert made.macros[0].params == ("source_table", "table")
    more = {**said, "third": {"relation": "src__crm__items__src"}}
    made = with_telling_names(called(macro("m", "relation", body), **more))
    assert made.macros[0].params == ("relation",)


ROWS = "SELECT CAST(vd.h__first_year__h AS INT64) AS y FROM t AS vd"
TESTED = "SELECT n FROM t AS a WHERE a.h__column__h = 'h__day__h'"


@pytest.mark.parametrize(
    ("body", "said", "params"),
    [
        (ROWS, [{"first_year": "first_year"}, {"first_year": "death_year"}], "year"),
        (ROWS, [{"first_year": "my_first_year"}, {"first_year": "periods"}], "column"),
        (ROWS, [{"first_year": "first_year"}, {"first_year": "first_year_2"}], "first_year"),
        (ROWS, [{"first_year": "periods"}, {"first_year": "death"}], "first_year"),  # its own word
        (ROWS, [{"first_year": "first_year"}, {"first_year": "a + b"}], "first_year"),
        (ROWS, [{"first_year": "first_year"}, {"first_year": "h__other__h"}], "first_year"),
        (TESTED, [{"column": "day", "day": "2024-01-01"}, {"column": "type", "day": "image"}],
         "column, value"),
        (TESTED, [{"column": "day", "day": "2024-01-01"}, {"column": "day", "day": "2024-01-02"},
                  {"column": "type", "day": "image"}], "column, day"),
        (TESTED, [{"column": "kind", "day": "a"}, {"column": "type", "day": "image"}],
         "column, day"),
    ],
)  # fmt: skip
def test_a_name_is_true_of_what_all_calls_say(body: str, said: list[Said], params: str) -> None:
    own = macro("rows", " ".join(said[0]), body)
    made = with_telling_names(called(own, **{f"m{n}": each for n, each in enumerate(said)}))
    assert ", ".join(made.macros[0].params) == params
    assert {name for call in made.calls for name, _ in call.args} == {*params.split(", ")}


@pytest.mark.parametrize(
    ("name", "body", "said", "to"),
    [
        ("topic", "SELECT k FROM t WHERE h__topic__h AND a > 1", "topic = 'x'", "topic_condition"),
        ("topic", "SELECT k FROM t WHERE NOT (h__topic__h)", "topic = 'x'", "topic_condition"),
        ("topic", "SELECT k FROM t JOIN u ON h__topic__h", "t.k = u.k", "topic_condition"),
        ("source_value", "SELECT k FROM t WHERE h__source_value__h", "s > 1", "source_condition"),
        ("part_2", "SELECT k FROM t WHERE h__part_2__h", "s > 1", "condition"),
        ("topic", "SELECT k FROM t WHERE h__topic__h AND a > 1", "t.is_open", "topic"),
        ("topic", "SELECT k FROM t WHERE kind = h__topic__h AND h__topic__h", "x > 1", "topic"),
        ("topic", "SELECT h__topic__h AS k FROM t", "x > 1", "topic"),
        ("paid_filter", "SELECT k FROM t WHERE h__paid_filter__h", "x > 1", "paid_filter"),
    ],
)
def test_a_condition_is_called_one(name: str, body: str, said: str, to: str) -> None:
    library = called(macro("rows", name, body), one={name: said}, two={name: "TRUE"})
    [made] = with_telling_names(library).macros
    assert made.params == (to,)


def test_a_default_that_is_a_condition_counts() -> None:
    made = macro("rows", "topic", "SELECT k FROM t WHERE h__topic__h", topic="topic = 'x'")
    [found] = with_telling_names(called(made, one={})).macros
    assert (found.params, found.defaults) == (
        ("topic_condition",), {"topic_condition": "topic = 'x'"}
    )  # fmt: skip
