"""Macros that nearly say the same are one macro, which says what both said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import duckdb
import jinja2
import pytest
import sqlglot
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.lineage.config import Sharing
from unwet.rewrite.deadline import never
from unwet.rewrite.library import Library, Macro, MacroCall, MacroKind, numbers_of
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.one_macro import with_branches_called, with_one_macro
from unwet.rewrite.shapes import ITEM, Leaf
from unwet.rewrite.side_by_side import Spares, side_by_side
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.jinja_values import argument, usual

Said = Mapping[str, Leaf]
LONG = (
    "SELECT client, {column} AS label, {more} COUNT(*) AS n, SUM(bytes) AS bytes, "
    "{formula} AS share, SUM(IF({test}, 1, 0)) AS hits, MIN(bytes) AS least, MAX(bytes) AS most "
    "FROM (SELECT {distinct} client, kind, place, bytes, day FROM {relation} {grouped}) AS t "
    "{join} WHERE t.day > '{day}' {condition} GROUP BY ALL {order}"
)
USUAL = {"test": "bytes > 1 AND kind = 'a'", "distinct": "", "order": "ORDER BY client",
         "column": "kind", "formula": "SUM(bytes) / COUNT(*)", "relation": "pages", "join": "",
         "day": "h__day__h", "condition": "", "more": "", "grouped": ""}  # fmt: skip
DAY = (("day", Leaf("string", "2024-01-02")),)


def tree(**words: str) -> exp.Expr:
    """A template; words in it are parameters where they are written as these are."""
    found = sqlglot.parse_one(LONG.format(**{**USUAL, **words}), read="duckdb")
    for column in list(found.find_all(exp.Column)):
        if not column.table and column.name.startswith("h__condition"):
            column.replace(exp.Var(this=column.name))
    return found


def library(*trees: exp.Expr, said: tuple[tuple[str, Leaf], ...] = DAY) -> Library:
    """A macro of each tree, called by two models; the first one by three."""
    names = [f"rows_{at}" for at in range(len(trees))]
    params = tuple(name for name, _ in said)
    macros = tuple(Macro(n, params, t, "query") for n, t in zip(names, trees, strict=True))
    calls = tuple(MacroCall(name, said) for name in (names[0], *names, *names))
    models: dict[str, exp.Expr] = {
        f"m{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    return Library(models, macros, calls)


def merged(*trees: exp.Expr, **how: tuple[tuple[str, Leaf], ...]) -> Library:
    return with_one_macro(library(*trees, **how), "duckdb", 5)


def written_out(made: Library, model: str) -> exp.Select:
    """What a model says, without the macro: its text with what the call says in it."""
    word = made.models[model]
    if not isinstance(word, exp.Var):
        assert isinstance(word, exp.Select)
        return word
    call = made.calls[int(word.name.split("__")[1])]
    said = {name: leaf.text for name, leaf in (*call.unsaid, *call.args)}
    found = sqlglot.parse_one(rendered(made, call.macro, said), read="duckdb")
    assert isinstance(found, exp.Select)
    return found


def rendered(made: Library, name: str, said: Mapping[str, str]) -> str:
    """The text of a call, and of those in it."""
    trees = {macro.name: macro for macro in made.macros}
    inner = {n: partial(_rendered_with, made, n) for n in trees if n != name}
    text = template(trees[name].tree, "duckdb", made.calls)
    return str(jinja2.Template(text).render({**inner, **trees[name].defaults, **said}))


def _rendered_with(made: Library, name: str, *args: str, **said: str) -> str:
    params = next(macro.params for macro in made.macros if macro.name == name)
    return rendered(made, name, {**dict(zip(params, args, strict=False)), **said})


def last(made: Library) -> Said:
    """What the last model's call says."""
    word = made.models[sorted(made.models)[-1]]
    return dict(made.calls[int(word.name.split("__")[1])].args)


@pytest.mark.parametrize(
    ("other", "more"),
    [
        ({"relation": "requests"}, {"relation": "requests"}),
        ({"column": "place"}, {"kind": "place"}),
        ({"formula": "SUM(bytes) * 1.0"}, {"share": "SUM(bytes) * 1.0"}),
        ({"condition": "AND t.bytes > 3"}, {"condition": "t.bytes > 3"}),
        ({"condition": "AND (t.bytes > 3 OR t.kind = 'a')"},
         {"condition": "(t.bytes > 3 OR t.kind = 'a')"}),
        ({"day": "2023-05-06"}, {"day": "2023-05-06"}),
        ({"order": ""}, {"sorted_by": ""}),
        ({"order": "ORDER BY client, n"}, {"sorted_by": "client, n"}),
        ({"distinct": "DISTINCT"}, {"group_by": "ALL"}),
        ({"distinct": "DISTINCT", "relation": "requests"},
         {"group_by": "ALL", "relation": "requests"}),
        ({"test": "kind = 'a' AND NOT place = 'x'"}, {"condition": "NOT place = 'x'"}),
        ({"test": "kind = 'a'"}, {"condition": "TRUE"}),
    ],
)  # fmt: skip
def test_what_is_different_is_an_argument(other: dict[str, str], more: dict[str, str]) -> None:
    said = DAY if other.get("day") is None else ()
    made = with_one_macro(
        Library(
            {"m1": exp.Var(this="call__0__call"), "m2": exp.Var(this="call__1__call"),
             "m3": exp.Var(this="call__2__call")},
            (Macro("one", ("day",), tree(), "query"),
             Macro("two", tuple(n for n, _ in said), tree(**other), "query")),
            (MacroCall("one", DAY), MacroCall("one", DAY), MacroCall("two", said)),
        ),
        "duckdb",
        5,
    )  # fmt: skip
    [macro] = made.macros
    assert macro.name == "one"
    said_now = {name: leaf.text for name, leaf in last(made).items()}
    assert said_now == {**{name: leaf.text for name, leaf in said}, **more}
    assert [call.args for call in made.calls[:2]] == [DAY, DAY]


def test_an_or_of_the_macro_stays_in_its_parentheses() -> None:
    either = "AND (t.kind = 'a' OR t.kind = 'b')"
    made = merged(tree(condition=either), tree(condition=f"{either} AND t.bytes > 3"))
    [macro] = made.macros
    where = macro.tree.args["where"].this.sql()
    assert where.endswith("AND (t.kind = 'a' OR t.kind = 'b') AND h__condition__h")


@pytest.mark.parametrize(
    ("mine", "others", "usual", "said"),
    [
        ("t.kind = 'a'", ["(t.bytes > 3 OR t.kind = 'a')"], "FALSE", ["t.bytes > 3"]),
        ("(t.bytes > 3 OR t.kind = 'a')", ["t.kind = 'a'"], "t.bytes > 3", ["FALSE"]),
        ("t.kind = 'a'", ["(t.kind = 'a' OR t.bytes > 3 AND is_new)"], "FALSE",
         ["t.bytes > 3 AND is_new"]),
        ("(t.kind = 'a' OR is_new)",
         ["(t.bytes > 3 OR t.kind = 'a' OR is_new OR t.bytes < 1)", "(t.kind = 'a' OR is_new)"],
         "FALSE", ["t.bytes > 3 OR t.bytes < 1", "FALSE"]),
    ],
)  # fmt: skip
def test_rows_that_one_lets_through_besides_are_an_argument(
    mine: str, others: list[str], usual: str, said: list[str]
) -> None:
    made = merged(*(tree(condition=f"AND {each}") for each in (mine, *others)))
    [macro] = made.macros
    assert macro.defaults == {"alternative": usual}
    where = macro.tree.args["where"].this.sql()
    assert "OR h__alternative__h)" in where and "((" not in where
    for at, text in enumerate(said, start=1):
        call = made.calls[int(made.models[f"m{at + 1}"].name.split("__")[1])]
        assert dict((*call.unsaid, *call.args))["alternative"].text == text


@pytest.mark.parametrize(
    "other",
    [
        "(t.bytes > 3 OR t.kind = 'b' AND is_new)",  # nothing in common
        "(t.kind = 'a' OR t.bytes IN (SELECT n FROM numbers))",  # a query is no text
        f"(t.kind = 'a' OR t.{'b' * 160} > 3)",
    ],
)
def test_other_rows_are_a_condition_or_another_macro(other: str) -> None:
    made = merged(tree(condition="AND t.kind = 'a'"), tree(condition=f"AND {other}"))
    assert all("alternative" not in macro.params for macro in made.macros)


def test_a_model_that_stays_says_no_false() -> None:
    """It is compared as a text."""
    start = library(tree(condition="AND t.kind = 'a'"), tree(condition="AND (t.kind = 'a' OR t.x)"))
    made = with_one_macro(start, "duckdb", 5, alone={"m0"})
    assert len(made.macros) == 2


def test_a_row_more_is_none_in_words_of_each_dialect() -> None:
    said = {dialect: (usual("FALSE", dialect, ()), argument(Leaf("condition", "FALSE"), dialect))
            for dialect in ("duckdb", "tsql", "oracle")}  # fmt: skip
    assert said == {"duckdb": ("'FALSE'", "'FALSE'"), **dict.fromkeys(("tsql", "oracle"),
                    ("'1 = 0'", "'1 = 0'"))}  # fmt: skip


def test_other_names_of_relations_are_no_difference() -> None:
    other = LONG.format(**USUAL).replace(" AS t ", " AS pages ").replace("t.day", "pages.day")
    made = merged(tree(), sqlglot.parse_one(other, read="duckdb"))
    assert len(made.macros) == 1 and made.macros[0].params == ("day",)


def test_an_argument_that_says_such_a_name_keeps_its_macro() -> None:
    word = "h__condition__h"
    other = LONG.format(**{**USUAL, "condition": f"AND {word}"})
    other = other.replace(" AS t ", " AS pages ").replace("t.day", "pages.day")
    parsed = sqlglot.parse_one(other, read="duckdb")
    for column in list(parsed.find_all(exp.Column)):
        if column.name == word:
            column.replace(exp.Var(this=word))
    said = (*DAY, ("condition", Leaf("condition", "pages.bytes > 3")))
    start = library(tree(condition=f"AND {word}"), parsed, said=said)
    assert len(with_one_macro(start, "duckdb", 5).macros) == 2


def test_only_the_condition_that_is_none_goes_from_an_argument() -> None:
    word = "h__condition__h"
    more = "t.note = 'TRUE AND x AND TRUE' AND t.kept IS TRUE"
    said = (*DAY, ("condition", Leaf("condition", "TRUE")))
    trees = (tree(condition=f"AND {word}"), tree(condition=f"AND {more} AND {word}"))
    made = merged(*trees, said=said)
    assert len(made.macros) == 1
    assert last(made)["condition"].text == more


def test_a_template_that_would_say_nothing_itself_is_none() -> None:
    one, two = (sqlglot.parse_one(f"SELECT {c}, a FROM (SELECT a, {c} FROM {t} GROUP BY ALL) AS x")
                for c, t in (("b", "t"), ("c", "u")))  # fmt: skip
    assert len(with_one_macro(library(one, two, said=()), "duckdb", 5).macros) == 2


def test_no_macro_has_more_parameters_than_it_may() -> None:
    made = with_one_macro(library(tree(), tree(relation="requests")), "duckdb", 1)
    assert len(made.macros) == 2


@pytest.mark.parametrize(("most", "left"), [(1, 1), (2, 2)])
def test_rows_of_a_table_may_have_a_column_more(most: int, left: int) -> None:
    """Both have more parameters than a macro may have, so that their calls are a table already."""
    said = (*DAY, ("test", Leaf("condition", "bytes > 1")))
    one, two = tree(test="h__test__h"), tree(test="h__test__h", relation="requests")
    assert len(with_one_macro(library(one, two, said=said), "duckdb", most).macros) == left


def test_a_formula_inside_of_a_cast_is_an_argument() -> None:
    one, two = "CAST(SUM(bytes) AS FLOAT)", "CAST(SUM(bytes) / COUNT(*) * 1000 AS FLOAT)"
    made = merged(tree(formula=one), tree(formula=two))
    assert len(made.macros) == 1
    assert "CAST(h__" in made.macros[0].tree.sql("duckdb")


@pytest.mark.parametrize(
    ("other", "left"),
    [
        ({"relation": "requests"}, 1),
        ({"formula": "SUM(bytes) * 1.0"}, 1),
        ({"test": "bytes > 1 AND NOT place = 'x'"}, 1),  # words in their places
        ({"test": "kind = 'a' AND NOT place = 'x'"}, 2),
        ({"test": "kind = 'a' AND bytes > 1"}, 2),  # in another order
        ({"condition": "AND t.bytes > 3", "test": "kind = 'a' AND bytes > 1"}, 2),
    ],
)
def test_models_that_stay_keep_their_macros_where_their_text_would_be_another_one(
    other: dict[str, str], left: int
) -> None:
    start = library(tree(), tree(**other))
    for stay in ({"m4"}, {"m0"}, {"m0", "m4"}):
        made = with_one_macro(start, "duckdb", 5, alone=stay)
        assert len(made.macros) == left
        for model in stay:
            assert in_text(written_out(made, model)) == in_text(written_out(start, model))


def test_a_model_that_is_written_out_becomes_a_call() -> None:
    start = library(tree())
    model = tree(day="2024-03-04", relation="requests")
    made = with_one_macro(
        Library({**start.models, "m9": model}, start.macros, start.calls), "duckdb", 5
    )
    assert {name: leaf.text for name, leaf in last(made).items()} == {
        "day": "2024-03-04",
        "relation": "requests",
    }


def test_a_parameter_of_a_part_that_becomes_an_argument_goes_with_it() -> None:
    """What the macro handed on to the part is said by its callers now, each in its own words."""
    around = (
        "SELECT x.client, COUNT(*) AS n, SUM(x.bytes) AS bytes, MIN(x.bytes) AS least, "
        "MAX(x.bytes) AS most FROM ({0}) AS x WHERE x.bytes > 1 GROUP BY ALL"
    )
    one, two = (sqlglot.parse_one(around.format("SELECT 1")) for _ in range(2))
    for number, each in enumerate((one, two)):
        next(iter(each.find_all(exp.Subquery))).set("this", exp.Var(this=f"call__{number}__call"))
    hole = Leaf("string", "h__day__h")
    macros = (
        Macro("one", ("day",), one, "query"),
        Macro("two", (), two, "query"),
        Macro("pages_of", ("day",), tree(), "query"),
        Macro("all_pages", (), sqlglot.parse_one("SELECT client, bytes FROM requests"), "query"),
    )  # fmt: skip
    calls = (
        MacroCall("pages_of", (("day", hole),)),
        MacroCall("all_pages", ()),
        MacroCall("one", DAY),
        MacroCall("one", (("day", Leaf("string", "2024-05-06")),)),
        MacroCall("two", ()),
    )
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in (2, 3, 4)}
    made = with_one_macro(Library(models, macros, calls), "duckdb", 5)
    macro = next(each for each in made.macros if each.name == "one")
    assert macro.params == ("part",) and not macro.defaults
    handed = [dict(made.calls[n].args)["part"].text for n in (2, 3, 4)]
    said = [made.calls[int(text.split("__")[1])] for text in handed]
    assert [(call.macro, [leaf.text for _, leaf in call.args]) for call in said] == [
        ("pages_of", ["2024-01-02"]),
        ("pages_of", ["2024-05-06"]),
        ("all_pages", []),
    ]


def _called(*says: Mapping[str, str], around: str) -> Library:
    """Models that read a macro between the same words, and each say other things to it."""
    calls, models = list[MacroCall](), dict[str, exp.Expr]()
    for number, said in enumerate(says):
        calls.append(MacroCall("of_day", tuple((n, Leaf("string", t)) for n, t in said.items())))
        models[f"rows_{number}"] = sqlglot.parse_one(around, read="duckdb")
        inner = next(iter(models[f"rows_{number}"].find_all(exp.Subquery)))
        inner.set("this", exp.Var(this=f"call__{number}__call"))
    macro = Macro(
        "of_day",
        ("day", "kind"),
        sqlglot.parse_one(
            "SELECT client, bytes FROM pages WHERE day = 'h__day__h' AND kind = 'h__kind__h'"
        ),
        "query",
    )
    return Library(models, (macro,), tuple(calls))  # fmt: skip


AROUND = (
    "SELECT x.client, COUNT(*) AS n, SUM(x.bytes) AS bytes, MIN(x.bytes) AS least, "
    "MAX(x.bytes) AS most FROM (SELECT 1) AS x WHERE x.bytes > 1 GROUP BY ALL"
)


def test_two_models_are_calls_of_one_macro_which_hands_on_what_they_say() -> None:
    said = ({"day": "2024-01-02", "kind": "a"}, {"day": "2024-05-06", "kind": "a"})
    start = _called(*said, around=AROUND)
    made = with_one_macro(start, "duckdb", 5, names={"rows"})
    [_, macro] = made.macros
    assert macro.name == "rows_2" and macro.params == ("day",)
    [number] = numbers_of(macro.tree)
    assert {name: leaf.text for name, leaf in made.calls[number].args} == {
        "day": "h__day__h",
        "kind": "a",
    }
    own = [made.calls[numbers_of(made.models[name])[0]] for name in ("rows_0", "rows_1")]
    texts = [leaf.text for call in own for _, leaf in (*call.args, *call.unsaid)]
    assert texts == ["2024-01-02", "2024-05-06"]
    assert (
        len(with_one_macro(start, "duckdb", 5, limits=Limits(sharing=Sharing(min_uses=3))).macros)
        == 1
    )
    assert len(with_one_macro(start, "duckdb", 5, alone={"rows_1"}).macros) == 1


def test_a_query_in_a_model_is_a_call_of_a_macro_that_nearly_says_it() -> None:
    start = library(tree())
    inner = tree(relation="requests", day="2024-03-04", order="")
    around = sqlglot.parse_one(
        "SELECT x.client, x.n FROM (SELECT 1) AS x JOIN places AS p ON p.n = x.n"
    )
    next(iter(around.find_all(exp.Subquery))).set("this", inner)
    made = with_one_macro(replace(start, models={**start.models, "m9": around}), "duckdb", 5)
    [macro] = made.macros
    [number] = numbers_of(made.models["m9"])
    assert macro.name == made.calls[number].macro == "rows_0"
    assert {name: leaf.text for name, leaf in made.calls[number].args} == {
        "day": "2024-03-04",
        "relation": "requests",
        "sorted_by": "",
    }


@pytest.mark.parametrize(
    ("around", "called"),
    [
        ("SELECT 'all', 1 FROM u UNION ALL {query}", True),
        ("{query} UNION ALL SELECT 'all', 1 FROM u ORDER BY 1", True),
        ("{query} UNION SELECT 'all', 1 FROM u UNION SELECT 'none', 0 FROM u", True),
        ("WITH x AS (SELECT 'all', 1 FROM u UNION ALL {query}) SELECT * FROM x", True),
        ("SELECT * FROM (SELECT 'all', 1 FROM u UNION ALL {query}) AS x", True),
        ("SELECT * FROM u WHERE u.n IN (SELECT 1 UNION ALL {query})", False),
        ("SELECT 'all', 1 FROM u UNION ALL (WITH x AS (SELECT 1) {query})", False),
        ("SELECT 'all', 1 FROM u EXCEPT {query}", False),
    ],
)
def test_a_branch_of_a_union_is_a_call_of_a_macro_that_nearly_says_it(
    around: str, called: bool
) -> None:
    """Not where it may read what is around it, nor where it has CTEs."""
    start = library(tree(order=""))
    query = tree(relation="requests", day="2024-03-04", order="").sql("duckdb")
    model = sqlglot.parse_one(around.format(query=query), read="duckdb")
    made = with_called(replace(start, models={**start.models, "m9": model}))
    said = [made.calls[number] for number in numbers_of(made.models["m9"])]
    assert [call.macro for call in said] == ["rows_0"] * called
    for call in said:
        assert {name: leaf.text for name, leaf in call.args} == {
            "day": "2024-03-04",
            "relation": "requests",
        }


def test_two_queries_in_macros_are_one_which_has_the_parameters_of_the_macros() -> None:
    start = library(tree())
    trees = []
    for relation in ("pages", "requests"):
        trees.append(sqlglot.parse_one("SELECT x.n FROM (SELECT 1) AS x JOIN u ON u.n = x.n"))
        inner = sqlglot.parse_one(
            "SELECT client, COUNT(*) AS n, SUM(bytes) AS bytes, MIN(bytes) AS least, MAX(bytes) AS "
            f"most, AVG(bytes) AS mean FROM {relation} WHERE day = 'h__day__h' GROUP BY client"
        )
        next(iter(trees[-1].find_all(exp.Subquery))).set("this", inner)
    trees[1].args["joins"][0].set("side", "LEFT")  # so that the macros are two
    macros = [Macro(f"rows_{n}", ("day",), each, "query") for n, each in enumerate(trees)]
    calls = tuple(MacroCall(name, DAY) for name in ("rows_0", "rows_1") for _ in range(2))
    models = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))}
    made = with_one_macro(replace(start, models=models, macros=tuple(macros), calls=calls),
                          "duckdb", 5)  # fmt: skip
    one, two, new = made.macros
    assert new.params == ("day", "relation") and new.defaults == {"relation": "pages"}
    said = [made.calls[numbers_of(each.tree)[0]] for each in (one, two)]
    assert [(call.macro, {n: leaf.text for n, leaf in call.args}) for call in said] == [
        (new.name, {"day": "h__day__h"}),
        (new.name, {"day": "h__day__h", "relation": "requests"}),
    ]


def test_no_macro_calls_itself() -> None:
    """The query in the macro that the other one calls is nearly the other one."""
    inside, outside = tree(relation="requests"), tree()
    around = sqlglot.parse_one("SELECT x.client FROM (SELECT 1) AS x JOIN (SELECT 2) AS y ON TRUE")
    one, two = around.find_all(exp.Subquery)
    one.set("this", inside)
    two.set("this", sqlglot.parse_one("SELECT client, MAX(bytes) AS most FROM pages GROUP BY 1"))
    next(iter(outside.find_all(exp.Subquery))).set("this", exp.Var(this="call__0__call"))
    macros = (
        Macro("inner", (), around, "query"),
        Macro("outer", ("day",), outside, "query"),
    )
    calls = (MacroCall("inner", ()), *(MacroCall("outer", DAY) for _ in range(3)))
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in (1, 2, 3)}
    made = with_one_macro(Library(models, macros, calls), "duckdb", 5)
    called = {m.name: {made.calls[n].macro for n in numbers_of(m.tree)} for m in made.macros}
    assert called["outer"] == {"inner"} and "outer" not in called["inner"]


def test_a_call_in_a_condition_is_handed_on_beside_words() -> None:
    word = "h__condition__h"
    said = (*DAY, ("condition", Leaf("condition", "t.bytes > 3")))
    more = tree(day="2024-03-04", condition=f"AND t.kind = 'b' AND {word}")
    [var] = [each for each in more.find_all(exp.Var) if each.name == word]
    var.set("this", "call__9__call")
    start = library(tree(condition=f"AND {word}"), said=said)
    kept = Macro("is_kept", ("least",), sqlglot.parse_one("bytes > h__least__h"), "expression")
    calls = [*start.calls]
    calls += [MacroCall("is_kept", (("least", Leaf("number", "2")),))] * (10 - len(calls))
    models = {**start.models, "m9": more}
    made = with_one_macro(Library(models, (*start.macros, kept), tuple(calls)), "duckdb", 5)
    said_now = last(made)["condition"].text
    assert said_now == "t.kind = 'b' AND call__9__call"
    text = argument(last(made)["condition"], "duckdb", made.calls)
    assert text == "\"t.kind = 'b' AND \" ~ is_kept(2)"


def test_an_argument_is_usual_with_the_call_in_it_unless_that_hands_on_a_parameter() -> None:
    made = _columns_beside_a_call("1")
    [said] = made.macros[0].defaults.values()
    assert said == "call__5__call AS more"
    assert usual(said, "duckdb", made.calls) == "sized(1) ~ ' AS more'"
    assert not _columns_beside_a_call("h__day__h").macros[0].defaults


def _columns_beside_a_call(said: str) -> Library:
    """Two macros, of which one has an output that calls a third one, saying that."""
    mine, other = tree(), tree()
    mine.expressions[-2].replace(exp.alias_(exp.Var(this="call__5__call"), "more"))
    other.expressions.pop(-2)
    start = library(mine, other)
    sized = Macro("sized", ("by",), sqlglot.parse_one("bytes * h__by__h"), "expression")
    calls = (*start.calls, MacroCall("sized", (("by", Leaf("number", said)),)))
    made = with_one_macro(Library(start.models, (*start.macros, sized), calls), "duckdb", 5)
    assert len(made.macros) == 2
    return made


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ("IF(a = 1 OR b = 1, x, NULL)", "IF(a = 1 OR b = 1 OR c = 1, x, NULL)"),
        ("f(a)", "g(a)"),
        ("DISTINCT a", "a"),
    ],
)
def test_what_an_aggregate_puts_in_order_is_no_word_less(mine: str, other: str) -> None:
    text = "SELECT k, ARRAY_AGG({} ORDER BY k LIMIT 1) AS x FROM t"
    trees = [sqlglot.parse_one(text.format(each), read="bigquery") for each in (mine, other)]
    found = side_by_side(trees[0], trees[1], (), "bigquery", 3)
    assert found is None or found.new
    assert side_by_side(trees[0], trees[0].copy(), (), "bigquery", 3) is not None


def test_names_of_outputs_that_calls_say_are_said_of_both() -> None:
    """A parameter of one name in both macros, for the name of an output of another formula."""
    called, said = "h__column__h", (("column", Leaf("name", "size")), *DAY)
    mine, other = (tree() for _ in range(2))
    for each, formula in ((mine, "MAX(bytes)"), (other, "ROUND(MAX(bytes) / 1024, 2)")):
        each.expressions[-1].replace(exp.alias_(sqlglot.parse_one(formula), called))
    start = library(mine, other, said=said)
    made = with_one_macro(start, "duckdb", 5)
    [macro] = made.macros
    assert macro.params == ("column", "day", "value")
    assert macro.tree.expressions[-1].sql() == "h__value__h AS h__column__h"
    for model, formula in (("m0", "MAX(bytes)"), ("m4", "ROUND(MAX(bytes) / 1024, 2)")):
        assert written_out(made, model).expressions[-1].sql() == f"{formula} AS size"


@pytest.mark.parametrize(("item", "same"), [("f({})", True), ("each__of({}, {})", False)])
def test_what_a_loop_goes_over_is_no_text(item: str, same: bool) -> None:
    trees = [tree(), tree()]
    for each, more in zip(trees, (["k"], ["kind AS kind", "m"]), strict=True):
        said = [sqlglot.parse_one(text) for text in (*more[:-1], item.format(more[-1], ITEM))]
        each.set("expressions", [*each.expressions[:3], *said, *each.expressions[3:]])
    found = side_by_side(trees[0], trees[1], (), "duckdb", 3)
    assert (found is not None) == same


def test_an_argument_that_speaks_of_a_relation_of_another_name_keeps_its_macro() -> None:
    said = ({"day": "2024-01-02", "kind": "a"}, {"day": "pages", "kind": "a"})
    start = _called(*said, around=AROUND)
    models = {**start.models}
    for column in models["rows_1"].find_all(exp.Column):
        column.set("table", exp.to_identifier("pages"))
    alias = next(iter(models["rows_1"].find_all(exp.Subquery)))
    alias.set("alias", exp.TableAlias(this=exp.to_identifier("pages")))
    assert len(with_one_macro(replace(start, models=models), "duckdb", 5).macros) == 1


def test_a_text_that_is_a_formula_elsewhere_is_an_argument_with_its_quotes(
    base: duckdb.DuckDBPyConnection,
) -> None:
    said = (("kind", Leaf("string", "of all")),)
    start = library(
        tree(column="'h__kind__h'", day="2024-01-02"),
        tree(column="UPPER(kind)", day="2024-01-02"), said=said,
    )  # fmt: skip
    made = with_one_macro(start, "duckdb", 5)
    assert len(made.macros) == 1
    for model in start.models:
        old, new = (written_out(each, model).sql("duckdb") for each in (start, made))
        assert base.sql(old).fetchall() == base.sql(new).fetchall()


def test_two_names_are_not_one() -> None:
    """The inner t of the one is the outer one of the other."""
    one = sqlglot.parse_one("SELECT t.a FROM t AS t WHERE t.a IN (SELECT t.b FROM u AS t)")
    two = sqlglot.parse_one("SELECT t.a FROM t AS t WHERE t.a IN (SELECT t.b FROM u AS s)")
    assert side_by_side(one, two, (), "duckdb", 5) is None
    assert side_by_side(one, one, (), "duckdb", 5) is not None


def test_distinct_rows_and_rows_grouped_by_all_are_one_macro() -> None:
    [macro] = merged(tree(grouped="GROUP BY ALL"), tree(distinct="DISTINCT")).macros
    assert "group_by" not in macro.params and macro.tree.sql().count("GROUP BY ALL") == 2
    [macro] = merged(tree(distinct="DISTINCT"), tree(grouped="GROUP BY ALL")).macros
    assert "DISTINCT" not in macro.tree.sql()


def test_distinct_rows_of_a_model_that_stays_are_not_grouped() -> None:
    start = library(tree(distinct="DISTINCT"), tree(grouped="GROUP BY ALL"))
    assert len(with_one_macro(start, "duckdb", 5, alone={"m0"}).macros) == 2


# --- law: what each model returns is what it returned ---------------------------------------------

WORDS = st.fixed_dictionaries(
    {
        "column": st.sampled_from(["kind", "place", "UPPER(kind)"]),
        "formula": st.sampled_from(
            ["SUM(bytes) / COUNT(*)", "SUM(bytes)", "COUNT(DISTINCT place)", "SUM(bytes) / 2"]
        ),
        "relation": st.sampled_from(["pages", "requests"]),
        "join": st.sampled_from(["", "JOIN places USING (place)"]),
        "day": st.sampled_from(["h__day__h", "2024-01-01"]),
        "distinct": st.sampled_from(["", "DISTINCT"]),
        "grouped": st.sampled_from(["", "", "GROUP BY ALL"]),
        "more": st.sampled_from(
            ["", "place AS spot,", "place AS spot, kind AS sort,", "UPPER(place) AS spot,"]
        ),
        "order": st.sampled_from(["", "ORDER BY client", "ORDER BY client, n"]),
        "test": st.sampled_from(
            ["kind = 'a'", "bytes > 1 AND kind = 'a'", "kind = 'a' AND NOT place = 'x'",
             "(kind = 'a' OR bytes > 2) AND place = 'x'", "COALESCE(place, kind) = 'a'"]
        ),
        "condition": st.sampled_from(
            ["", "AND t.bytes > 3", "AND (t.bytes > 3 OR kind = 'a')",
             "AND kind <> 'b' AND t.bytes > 3", "AND NOT t.bytes = 4", "AND kind = 'a'",
             "AND (kind = 'a' OR bytes < 2 OR t.bytes > 3)", "AND NOT (kind = 'a' OR bytes < 2)"]
        ),
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def base() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE TABLE places AS SELECT * FROM (VALUES ('x'), ('y')) AS v (place)")
    for name, step in (("pages", 3), ("requests", 5)):
        made.execute(
            f"CREATE TABLE {name} AS SELECT 'c' || i % 2 AS client, "
            f"['a', 'b', 'c'][i % 3 + 1] AS kind, "
            f"['x', 'y', 'z'][i % {step} + 1] AS place, "
            "CASE WHEN i % 11 > 0 THEN i % 7 END AS bytes, "
            "'2024-01-0' || i % 5 AS day FROM range(40) AS r (i)"
        )
    return made


JOINED = {**USUAL, "join": "JOIN places USING (place)"}
SEVERAL_COLUMNS = [  # are one argument
    USUAL,
    {**JOINED, "formula": "SUM(bytes) / 2", "condition": "AND t.bytes > 3"},
    {**JOINED, "column": "place", "formula": "SUM(bytes)"},
]
CLAUSES = [  # that one of them does without
    {**USUAL, "distinct": "DISTINCT", "test": "kind = 'a'"},
    {**USUAL, "order": "", "test": "kind = 'a' AND NOT place = 'x'"},
]


# the last one without an order is taken by the third, and what these are then by the first
ORDERS = [{**JOINED, "test": "kind = 'a'", "order": each}
          for each in ("ORDER BY client",) * 3 + ("",)]  # fmt: skip

# columns before others, which the second and the fourth do without
MORE = [{**JOINED, "more": each} for each in ("place AS spot,", "", "kind AS sort, place AS spot,",
                                              "")]  # fmt: skip

# the first one has a parameter for what the second lets through, too; the third does without
ALTERNATIVES = [{**JOINED, "condition": f"AND {each}"}
                for each in ("NOT (bytes < 2)", "NOT (bytes < 2 OR kind = 'a')", "NOT (bytes < 2)",
                             "NOT (bytes < 2 OR kind = 'b' OR bytes > 3)")]  # fmt: skip


# the second lets through more and asks more, where the first has one condition alone
BOTH = [{**USUAL, "test": each}
        for each in ("kind = 'a'", "(kind = 'a' OR bytes > 2) AND place = 'x'")]  # fmt: skip


@settings(deadline=None, max_examples=60)
@example(ALTERNATIVES)
@example(BOTH)
@example(SEVERAL_COLUMNS)
@example(CLAUSES)
@example(ORDERS)
@example(MORE)
@example(MORE[::-1])
@example([*MORE, {**JOINED, "column": "place", "more": "kind AS sort,"}])
@given(st.lists(WORDS, min_size=2, max_size=4))
def test_each_model_returns_what_it_returned(
    base: duckdb.DuckDBPyConnection, words: list[dict[str, str]]
) -> None:
    start = library(*(tree(**each) for each in words))
    made = with_one_macro(start, "duckdb", 5)
    for model in start.models:
        old, new = (written_out(each, model).sql("duckdb") for each in (start, made))
        assert base.sql(f"({old}) EXCEPT ALL ({new})").fetchall() == []
        assert base.sql(f"({new}) EXCEPT ALL ({old})").fetchall() == []
        assert base.sql(old).columns == base.sql(new).columns


def with_called(library: Library) -> Library:
    return with_branches_called(library, "duckdb", 5, (), never, frozenset(), NO_LIMITS)


UNIONS = (
    "{one} UNION ALL {two}",
    "{one} UNION {two} ORDER BY n",
    "SELECT client, n + 1 AS n FROM ({one} UNION ALL {two}) AS u",
    "WITH u AS ({one} UNION ALL {two} UNION ALL {one}) SELECT client, bytes FROM u",
)


@settings(deadline=None, max_examples=60)
@example([USUAL, {**USUAL, "relation": "requests"}, JOINED], UNIONS[0])
@example([ORDERS[0], {**ORDERS[0], "day": "2024-01-01"}, MORE[1]], UNIONS[1])
@example([CLAUSES[1], CLAUSES[1], USUAL], UNIONS[3])
@given(st.lists(WORDS, min_size=3, max_size=3), st.sampled_from(UNIONS))
def test_each_union_returns_what_it_returned(
    base: duckdb.DuckDBPyConnection, words: list[dict[str, str]], union: str
) -> None:
    """Branches are calls of a macro that has an order where they have none."""
    first, *others = words
    alike = {"order": "", "more": others[0]["more"]}
    one, two = (tree(**{**each, **alike}).sql("duckdb") for each in others)
    around = sqlglot.parse_one(union.format(one=one, two=two), read="duckdb")
    start = library(tree(**first), around)
    made = with_called(start)
    for model in start.models:
        old, new = (_in_full(each, model) for each in (start, made))
        assert base.sql(f"({old}) EXCEPT ALL ({new})").fetchall() == []
        assert base.sql(f"({new}) EXCEPT ALL ({old})").fetchall() == []
        assert base.sql(old).columns == base.sql(new).columns


def _in_full(made: Library, model: str) -> str:
    """The text of a model."""
    word = made.models[model]
    assert isinstance(word, exp.Var)
    call = made.calls[int(word.name.split("__")[1])]
    return rendered(made, call.macro, {n: leaf.text for n, leaf in (*call.unsaid, *call.args)})


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, min_size=2, max_size=3), st.sets(st.integers(0, 6), min_size=1))
def test_models_that_stay_say_what_they_did(words: list[dict[str, str]], alone: set[int]) -> None:
    start = library(*(tree(**each) for each in words))
    stay = {f"m{n}" for n in alone} & start.models.keys()
    made = with_one_macro(start, "duckdb", 5, alone=stay)
    for model in stay:
        assert in_text(written_out(made, model)) == in_text(written_out(start, model))


def test_a_macro_that_stays_says_what_it_did() -> None:
    """The models that call it are compared as texts: its text is the same in their calls."""
    start = library(tree(day="h__day__h"))
    same, other = tree(day="2024-03-04"), tree(day="2024-03-04", relation="requests")
    for taken in (same, other):
        models = {**start.models, "m9": taken}
        made = with_one_macro(
            Library(models, start.macros, start.calls), "duckdb", 5, alone={"m0", "m1"}
        )
        for name in models:
            said = taken if name == "m9" else written_out(start, name)
            assert in_text(written_out(made, name)) == in_text(said)


@pytest.mark.parametrize(
    ("other", "takes"),
    [
        ({"relation": "requests"}, True),
        ({"condition": "AND t.bytes > 3"}, True),
        ({"order": "ORDER BY n"}, True),
        ({}, True),
    ],
)
def test_a_query_inside_of_a_model_that_stays_is_called_in_its_own_words(
    other: dict[str, str], takes: bool
) -> None:
    start = library(tree(day="h__day__h"))
    inner = tree(**{"day": "2024-03-04", **other})
    model = sqlglot.parse_one("WITH rows_of AS (SELECT 1) SELECT n FROM rows_of ORDER BY least")
    model.find(exp.CTE).set("this", inner)  # type: ignore[union-attr]
    made = with_one_macro(
        Library({**start.models, "m9": model}, start.macros, start.calls), "duckdb", 5, alone={"m9"}
    )
    numbers = numbers_of(made.models["m9"])
    assert bool(numbers) is takes
    for number in numbers:
        own = Library({"m": exp.Var(this=f"call__{number}__call")}, made.macros, made.calls)
        assert in_text(written_out(own, "m")) == in_text(inner)


def in_text(query: exp.Expr) -> str:
    """What is compared of a query that stays: a condition that is always true says nothing."""
    return query.sql("duckdb").replace(" AND TRUE", "")


def test_a_query_that_calls_a_relation_otherwise_stays_with_its_model() -> None:
    start = library(tree(day="h__day__h"))
    inner = sqlglot.parse_one(
        tree(day="2024-03-04").sql("duckdb").replace("t.", "s."), read="duckdb"
    )
    inner.find(exp.Subquery).set("alias", exp.TableAlias(this=exp.to_identifier("s")))  # type: ignore[union-attr]
    model = sqlglot.parse_one("WITH rows_of AS (SELECT 1) SELECT n FROM rows_of ORDER BY least")
    model.find(exp.CTE).set("this", inner)  # type: ignore[union-attr]
    models = {**start.models, "m9": model}
    for alone, takes in (({"m9"}, False), (frozenset[str](), True)):
        made = with_one_macro(Library(models, start.macros, start.calls), "duckdb", 5, alone=alone)
        assert bool(numbers_of(made.models["m9"])) is takes


def test_a_macro_that_groups_needs_few_words_of_its_own() -> None:
    few = "SELECT client, {} AS n, 1 AS one FROM h__day__h GROUP BY ALL"
    trees = [sqlglot.parse_one(few.format(each), read="duckdb")
             for each in ("COUNT(*)", "COUNT(DISTINCT url)")]  # fmt: skip
    [macro] = merged(*trees, said=(("day", Leaf("name", "visits")),)).macros
    assert macro.params == ("day", "n")


def test_a_copy_that_an_attempt_left_as_it_was_is_used_again() -> None:
    one, other = (sqlglot.parse_one(f"select a.x from {name} as a where a.y > 1") for name in "tu")
    far = sqlglot.parse_one("select count(*) from v group by z")
    spares, said = Spares(), one.sql()
    assert side_by_side(one, far, (), "", 3, spares) is None
    spare = spares.take(one)
    assert spare is not one and spare.sql() == said
    spares.give_back(one, spare)
    found = side_by_side(one, other, (), "", 3, spares)
    assert found is not None and found.tree is spare
    for new in found.new:
        for put in new.puts:
            put("table")
    assert "h__table__h" in found.tree.sql()
    assert one.sql() == said and spares.take(one).sql() == said  # nobody else has what is changed


TAIL = (
    "WITH {0} AS (SELECT client, kind, SUM(bytes) AS bytes FROM {1} GROUP BY ALL) SELECT client, "
    "kind, bytes, bytes > 7 AS much FROM {0} JOIN given USING (client) WHERE kind <> 'x'"
)


@pytest.mark.parametrize(("kind", "left"), [("query", 1), ("tail", 2)])
def test_tails_with_other_names_of_their_own_are_two(kind: MacroKind, left: int) -> None:
    trees = [sqlglot.parse_one(TAIL.format(*each)) for each in (("one", "a"), ("two", "b"))]
    start = library(*trees, said=())
    start = replace(start, macros=tuple(replace(m, kind=kind) for m in start.macros))
    assert len(with_one_macro(start, "duckdb", 5).macros) == left


def test_tails_that_read_another_relation_are_one() -> None:
    trees = [sqlglot.parse_one(TAIL.format("one", each)) for each in ("a", "b")]
    start = library(*trees, said=())
    start = replace(start, macros=tuple(replace(m, kind="tail") for m in start.macros))
    [macro] = with_one_macro(start, "duckdb", 5).macros
    assert (macro.kind, macro.params) == ("tail", ("relation",))


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ([f"t.the_column_{n}" for n in range(9)], 1),  # a page of columns is read at a glance
        ([f"t.the_column_{n}" for n in range(20)], 2),
        ([f"t.the_column_{n} + 1 AS c{n}" for n in range(9)], 2),
    ],
)
def test_columns_that_one_macro_has_more_are_an_argument(more: list[str], left: int) -> None:
    sql = "SELECT client, kind, {0}place, bytes > 7 AS much, bytes < 1 AS few, COUNT(*) AS n "
    sql += "FROM pages AS t WHERE kind <> 'x' AND place > 'a' GROUP BY ALL"
    trees = [sqlglot.parse_one(sql.format(each)) for each in ("", f"{', '.join(more)}, ")]
    made = with_one_macro(library(*trees, said=()), "duckdb", 5)
    assert len(made.macros) == left
    if left == 1:
        said = {dict((*call.args, *call.unsaid))["columns"].text for call in made.calls}
        assert said == {"", ", ".join(more)}


def test_a_query_that_has_no_such_columns_says_nothing_for_them() -> None:
    """The parameter takes its comma with it, and is no part of another list."""
    sql = "SELECT client, h__year__h AS year, {0}place, COUNT(*) AS n, SUM(bytes) AS bytes "
    sql += "FROM pages AS t WHERE kind <> 'x' AND place > 'a' GROUP BY ALL"
    trees = [sqlglot.parse_one(sql.format(each)) for each in ("", "kind AS sort, ")]
    made = with_one_macro(library(*trees, said=(("year", Leaf("number", "2024")),)), "duckdb", 5)
    [macro] = made.macros
    text = template(macro.tree, "duckdb", made.calls)
    assert "AS year,\n  {% if columns %}{{ columns }},{% endif %}\n  place," in text
    assert (macro.params, macro.defaults) == (("year", "columns"), {"columns": ""})
    longer = sqlglot.parse_one(sql.format("bytes + 1 AS more, UPPER(kind) AS kind, "))
    assert side_by_side(macro.tree, longer, made.calls, "duckdb", 5) is not None
    assert side_by_side(longer, macro.tree, made.calls, "duckdb", 5) is None
    assert side_by_side(trees[1], macro.tree, made.calls, "duckdb", 5) is None


@pytest.mark.parametrize(
    ("formula", "macros"),
    [
        ("ROUND(SUM(bytes) * 100 / SUM(SUM(bytes)) OVER (PARTITION BY client, kind), 2) "
         "+ MIN(bytes) * 0 + 1.25", 1),
        ("ROUND(SUM(t.bytes) * 100 / SUM(SUM(bytes)) OVER (PARTITION BY client, kind), 2) "
         "+ MIN(bytes) * 0 + 1", 1),
        ("ROUND(SUM(bytes) * 100 / SUM(SUM(bytes)) OVER (PARTITION BY client, kind), 2) "
         "+ MIN(bytes) * 0 + MAX(bytes) * 0 + COUNT(*) * 0", 1),
        ("ROUND(SUM(bytes) * 100 / SUM(SUM(bytes)) OVER (PARTITION BY client, kind), 2) "
         "+ MIN(bytes) * 0 + MAX(bytes) * 0 + COUNT(*) * 0 + SUM(bytes) * 0 + AVG(bytes) * 0 "
         "+ 1.25", 2),
    ],
)  # fmt: skip
def test_a_formula_of_a_line_is_an_argument(formula: str, macros: int) -> None:
    """A longer one is not read at a glance."""
    made = merged(tree(), tree(formula=formula))
    assert len(made.macros) == macros
    wanted = tree(formula=formula, day="2024-01-02").sql("duckdb")
    assert written_out(made, "m2").sql("duckdb") == wanted


def said_within(mine: Leaf, other: Leaf) -> Said | None:
    """What parameters of a template are for another one, where calls in both say such texts."""
    calls = [MacroCall("year", (("columns", leaf),)) for leaf in (mine, other)]
    words = [exp.Var(this=f"call__{n}__call") for n in range(len(calls))]
    one, two = (sqlglot.parse_one("SELECT a FROM x") for _ in "ab")
    for each, word in ((one, words[0]), (two, words[1])):
        each.find(exp.From).set("this", exp.Subquery(this=word))  # type: ignore[union-attr]
    found = side_by_side(one, two, calls, "duckdb", 0)
    return found.said if found is not None else None


def text(words: str) -> Leaf:
    return Leaf("condition", words)


@pytest.mark.parametrize(
    ("mine", "other", "word"),
    [
        ("2024 AS year, t.name AS h__column__h", "2024 AS year, t.name AS vendor", "vendor"),
        ("t.name AS h__column__h, 2024 AS year", "t.name AS vendor, 2024 AS year", "vendor"),
        ("2024 AS year, t.name AS h__column__h", "2023 AS year, t.name AS vendor", None),
        ("t.name AS h__column__h", "t.name AS vendor, b", None),  # it is more than a word
        ("t.name AS h__column__h", "t.name AS a.b", None),
        ("t.name AS h__column__h", "t.name AS 12", None),
        ("t.name = 'is h__column__h", "t.name = 'is so", None),  # within a constant
        ("h__column__h AS name, h__column__h", "a AS name, b", None),
        ("t.name AS raw_h__column__h", "t.name AS raw_vendor", None),  # a part of a word
        ("t.name AS h__column__h", "t.name AS h__vendor__h", None),  # what is not known here
    ],
)  # fmt: skip
def test_a_word_inside_of_an_argument_is_what_a_parameter_is(
    mine: str, other: str, word: str | None
) -> None:
    said = said_within(text(mine), text(other))
    assert said == ({"column": Leaf("name", word)} if word else None)


@pytest.mark.parametrize(("test", "macros"), [("", 2), ("AND is_shop", 1)])
def test_a_template_says_three_words_besides_what_is_new(test: str, macros: int) -> None:
    """With fewer, calls say all that there is to know."""
    few = "SELECT DISTINCT client, {} FROM h__day__h WHERE bytes > 0 {}"
    trees = [sqlglot.parse_one(few.format(column, test), read="duckdb")
             for column in ("url AS page", "RTRIM(url, '/') AS origin")]  # fmt: skip
    made = merged(*trees, said=(("day", Leaf("name", "visits")),))
    assert len(made.macros) == macros
    if macros == 1:
        assert last(made)["columns"] == Leaf("condition", "RTRIM(url, '/') AS origin")


@pytest.mark.parametrize(
    ("said", "is_taken"),
    [("bytes > 3", True), ("own.bytes > 3", False), ("call__3__call", False),
     ("call__4__call AND bytes > 3", True), ("NOT h__test__h", False)],
)  # fmt: skip
def test_what_callers_of_the_macro_around_say_of_a_relation_keeps_its_name(
    said: str, is_taken: bool
) -> None:
    """The query in it would be a call of a macro in which that relation is called otherwise."""
    query = (
        "SELECT {0}.client, COUNT(*) AS n, SUM({0}.bytes) AS bytes, MIN({0}.bytes) AS least, "
        "MAX({0}.bytes) AS most, AVG({0}.bytes) AS mean FROM pages AS {0} "
        "WHERE {0}.kind = 'a' AND {1} GROUP BY {0}.client"
    )
    around = sqlglot.parse_one("SELECT x.n FROM (SELECT 1) AS x JOIN u ON u.n = x.n")
    inner = sqlglot.parse_one(query.format("own", "h__test__h"))
    for column in [c for c in inner.find_all(exp.Column) if c.name == "h__test__h"]:
        column.replace(exp.Var(this="h__test__h"))
    next(iter(around.find_all(exp.Subquery))).set("this", inner)
    calling = sqlglot.parse_one("SELECT y.n FROM (SELECT 1) AS y")
    next(iter(calling.find_all(exp.Subquery))).set("this", exp.Var(this="call__5__call"))
    macros = (
        Macro("rows_of_all", ("test",), around, "query"),
        Macro("within", ("column",), sqlglot.parse_one("SELECT h__column__h > 1"), "expression"),
        Macro("other", ("test",), calling, "query"),
    )
    direct, handed = ("TRUE", said) if "h__" in said else (said, "TRUE")

    def test(text: str) -> tuple[tuple[str, Leaf], ...]:
        return (("test", Leaf("condition", text)),)

    calls = (
        MacroCall("rows_of_all", test(direct)),
        MacroCall("rows_of_all", test(direct)),
        MacroCall("other", test("own.bytes > 3")),
        MacroCall("within", (("column", Leaf("condition", "own.bytes")),)),
        MacroCall("within", (("column", Leaf("condition", "bytes")),)),
        MacroCall("rows_of_all", test(handed)),
    )
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in (0, 1, 2)}
    models["plain"] = sqlglot.parse_one(query.format("net", "net.day > 1"))
    made = with_one_macro(Library(models, macros, calls), "duckdb", 5)
    assert (len(made.macros) > len(macros)) is is_taken


@pytest.mark.parametrize(("other", "macros"), [("2021", 1), ("2022", 2)])
def test_tables_that_are_called_alike_count_once(other: str, macros: int) -> None:
    """In the end one parameter says both: `source('pages', table)`, `source('requests', table)`."""
    joined = {"join": "JOIN h__second__h AS r USING (day)", "relation": "h__first__h"}
    said = (*DAY, ("first", Leaf("name", "src__pages__2021__src")),
            ("second", Leaf("name", f"src__requests__{other}__src")))  # fmt: skip
    one = tree(**joined)
    two = tree(**joined, formula="SUM(bytes) * 1.0", column="place")
    made = with_one_macro(library(one, two, said=said), "duckdb", 4)
    assert len(made.macros) == macros
    assert with_one_macro(library(one, two, said=said), "duckdb", 5).macros[0].params[3:] == (
        "kind", "share")  # fmt: skip


# --- twins of many branches

ROWS = "SELECT '{}' AS year, kind, COUNT(*) AS n FROM h__relation__h WHERE bytes > {} GROUP BY kind"
RELATION = ("relation", Leaf("condition", "h__relation__h"))


def twins_of(many: int, other: int, part: str) -> Library:
    """Two macros of the same branches, each called by two models: the second one says other years
    in the first ``other`` of them, and its last branch is what its parameter ``part`` says."""
    calls: list[MacroCall] = []
    macros: list[Macro] = [
        Macro("rows_of", ("year", "least", "relation"),
              sqlglot.parse_one(ROWS.format("h__year__h", "h__least__h")), "query")
    ]  # fmt: skip
    models: dict[str, exp.Expr] = {}

    def called(macro: str, *said: tuple[str, Leaf]) -> str:
        calls.append(MacroCall(macro, said))
        return f"call__{len(calls) - 1}__call"

    def rows(year: str, least: int, relation: tuple[str, Leaf]) -> str:
        said = Leaf("number", str(least))
        return called("rows_of", ("year", Leaf("string", year)), ("least", said), relation)

    for twin in range(2):
        years = [f"{n}{'x' * n if twin and n <= other else ''}" for n in range(1, many + 1)]
        words = [rows(year, n % 7, RELATION) for n, year in enumerate(years)]
        own = part if twin else ""
        whole: exp.Expr = exp.Var(this=words[0])
        for word in [*words[1:-1], f"h__{own}__h" if own else words[-1]]:
            whole = exp.Union(this=whole, expression=exp.Var(this=word), distinct=False)
        macros.append(
            Macro(f"years_{twin}", ("relation", own) if own else ("relation",), whole, "query")
        )
        for relation in ("pages", "requests"):
            read = ("relation", Leaf("condition", relation))
            last = [(own, Leaf("condition", rows("last", 2, read)))] if own else []
            models[f"m{len(models)}"] = exp.Var(this=called(f"years_{twin}", read, *last))
    return Library(models, tuple(macros), tuple(calls))


def texts_of(made: Library) -> dict[str, str]:
    """What each model says in the end."""
    macros = ""
    for macro in made.macros:
        words = [name + (f"={usual(macro.defaults[name], 'duckdb', made.calls)}"
                         if name in macro.defaults else "") for name in macro.params]  # fmt: skip
        words.sort(key=lambda word: "=" in word)
        body = template(macro.tree, "duckdb", made.calls)
        macros += f"{{% macro {macro.name}({', '.join(words)}) %}}{body}{{% endmacro %}}"
    return {
        name: jinja2.Template(macros + template(tree, "duckdb", made.calls)).render()
        for name, tree in made.models.items()
    }


@pytest.mark.parametrize(
    ("many", "other", "part", "params"),
    [
        (30, 3, "", ["relation", "year", "year_2", "year_3"]),
        (30, 4, "", ["relation", "year", "year_2", "year_3", "year_4"]),  # ten lines for each
        (12, 4, "", []),  # fewer lines for each
        (30, 5, "", []),  # more than a macro may have
        (30, 0, "part", ["part", "relation"]),
        (30, 2, "part", ["part", "relation", "year", "year_2"]),
    ],
)
def test_a_long_macro_has_a_parameter_more_for_ten_lines_that_each_saves(
    base: duckdb.DuckDBPyConnection, many: int, other: int, part: str, params: list[str]
) -> None:
    start = twins_of(many, other, part)
    made = with_one_macro(start, "duckdb", 5)
    twins = [macro for macro in made.macros if macro.name.startswith("years")]
    assert [sorted(macro.params) for macro in twins] == ([params] if params else [["relation"]] * 2)
    new = texts_of(made)
    for model, text in texts_of(start).items():
        assert base.sql(f"({text}) EXCEPT ALL ({new[model]})").fetchall() == []
        assert base.sql(f"({new[model]}) EXCEPT ALL ({text})").fetchall() == []


def test_a_query_that_is_not_a_branch_is_no_parameter_where_the_other_one_calls() -> None:
    around = "SELECT client, COUNT(*) AS n FROM {} AS t WHERE day > '2024-01-01' GROUP BY client"
    one, two = (sqlglot.parse_one(around.format("(SELECT 1)")) for _ in range(2))
    for query, word in ((one, "call__0__call"), (two, "h__rows__h")):
        next(iter(query.find_all(exp.Subquery))).set("this", exp.Var(this=word))
    assert side_by_side(one, two, (MacroCall("m", ()),), "duckdb", 5) is None
