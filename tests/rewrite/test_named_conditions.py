"""Conditions that stand in many places in the same words are a macro without parameters."""

from collections.abc import Sequence

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.named_conditions import with_named_conditions
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template
from unwet.tests.rewrite.laid_out import flat

RULE = "app <> 'Cart Functionality' AND app <> 'Google Analytics Enhanced eCommerce'"
SITES = "LOWER(category) = 'static site generator' OR app = 'Next.js' OR app = 'Nuxt.js'"


def queries(*conditions: str) -> Library:
    """A model for each of the conditions."""
    trees = (parse_one(f"SELECT url, app FROM t WHERE {each}") for each in conditions)
    models: dict[str, exp.Expr] = {f"r{at}": tree for at, tree in enumerate(trees)}
    return Library(models, (), ())


def each_beside(rule: str, many: int) -> list[str]:
    """The rule beside conditions that each query has of its own."""
    return [f"url <> '{at}' AND category <> 'y{at}' AND ({rule})" for at in range(many)]


def handed_on(conditions: Sequence[str], **defaults: str) -> Library:
    """A macro, and a model that calls it with each of the conditions and some more words."""
    long = Leaf("condition", "SUM(bytes) / 1024 / 1024")
    calls = tuple(
        MacroCall("m", (("kept", Leaf("condition", text)), ("value", long))) for text in conditions
    )
    if defaults:
        usual = tuple((name, Leaf("condition", text)) for name, text in defaults.items())
        calls += (MacroCall("m", (("value", long),), usual),)
    models: dict[str, exp.Expr] = {
        f"r{at}": exp.Var(this=f"call__{at}__call") for at in range(len(calls))
    }
    body = parse_one("SELECT h__value__h AS v FROM t WHERE h__kept__h")
    macro = Macro("m", ("kept", "value"), body, "query", defaults=defaults)
    return Library(models, (macro,), calls)


def named(library: Library, *taken: str, alone: Sequence[str] = ()) -> Library:
    return with_named_conditions(library, "bigquery", frozenset(taken), alone)


def said(library: Library) -> list[str]:
    return [template(tree, "bigquery", library.calls) for tree in library.models.values()]


def test_a_rule_that_queries_say_is_written_once() -> None:
    made = named(queries(*each_beside(RULE, 4)))
    [macro] = made.macros
    assert (macro.name, macro.params) == ("is_not_cart_functionality", ())
    assert template(macro.tree, "bigquery", made.calls, macro.kind) == f"({RULE})"
    assert [" ".join(text.rpartition("WHERE")[2].split()) for text in said(made)] == [
        f"url <> '{at}' AND category <> 'y{at}' AND {{{{ is_not_cart_functionality() }}}}"
        for at in range(4)
    ]


def test_it_is_found_among_conditions_beside_it_and_as_all_of_them() -> None:
    among = f"category = 'Ecommerce' AND {RULE} AND url <> 'y' AND app <> 'Another One of Them'"
    made = named(queries(*each_beside(RULE, 3), among, RULE))
    texts = [text.rpartition("WHERE")[2].split() for text in said(made)]
    assert all("{{ is_not_cart_functionality() }}" in " ".join(words) for words in texts)
    assert " ".join(texts[3]) == (
        "category = 'Ecommerce' AND {{ is_not_cart_functionality() }} AND url <> 'y' "
        "AND app <> 'Another One of Them'"
    )


def test_alternatives_stay_in_parentheses_beside_other_conditions() -> None:
    made = named(queries(*each_beside(SITES, 5)))
    [macro] = made.macros
    assert template(macro.tree, "bigquery", made.calls, macro.kind) == f"({SITES})"
    for tree in made.models.values():
        tests = [*tree.args["where"].this.flatten()]
        assert [test.name for test in tests if isinstance(test, exp.Var)] == ["call__0__call"]


def test_what_calls_hand_on_is_the_call_of_the_macro() -> None:
    made = named(handed_on([f"({RULE})"] * 5))
    assert [macro.name for macro in made.macros] == ["m", "is_not_cart_functionality"]
    assert call_text(made.calls[0], "bigquery", made.calls) == (
        "{{ m(kept=is_not_cart_functionality(), value='SUM(bytes) / 1024 / 1024') }}"
    )


def test_so_is_what_a_parameter_is_where_a_call_says_nothing() -> None:
    made = named(handed_on([f"({RULE})"] * 5, kept=f"({RULE})"))
    word = "call__6__call"
    assert made.macros[0].defaults == {"kept": word}
    assert made.calls[5].unsaid == (("kept", Leaf("condition", word)),)


def test_a_long_rule_has_a_line_for_each_test() -> None:
    long = f"{SITES} OR app = 'Docusaurus (as it is called)'"
    made = named(queries(*each_beside(long, 4), *[f"NOT ({long})"] * 3))
    [macro] = made.macros
    assert template(macro.tree, "bigquery", made.calls, macro.kind).splitlines() == [
        "(",
        "  LOWER(category) = 'static site generator'",
        "  OR app = 'Next.js'",
        "  OR app = 'Nuxt.js'",
        "  OR app = 'Docusaurus (as it is called)'",
        ")",
    ]
    assert all("NOT {{ is_static_site_generator() }}" in text for text in said(made)[4:])


CACHED = (
    "(NOT age IS NULL AND age <> '' AND SAFE_CAST(age AS NUMERIC) > 0 OR NOT control IS NULL AND "
    "control <> '' AND control NOT LIKE 'no-store' AND control NOT LIKE 'no-cache' AND expires > 0)"
)


def test_a_rule_of_many_tests_is_named_in_two_places() -> None:
    made = named(queries(f"firstHtml AND {CACHED}", f"firstHtml AND {CACHED}"))
    [macro] = made.macros
    assert macro.name == "is_not_no_store"
    assert template(macro.tree, "bigquery", made.calls, macro.kind).splitlines() == [
        "(",
        "  firstHtml",
        "  AND (",
        "    NOT age IS NULL",
        "    AND age <> ''",
        "    AND SAFE_CAST(age AS NUMERIC) > 0",
        "    OR NOT control IS NULL",
        "    AND control <> ''",
        "    AND control NOT LIKE 'no-store'",
        "    AND control NOT LIKE 'no-cache'",
        "    AND expires > 0",
        "  )",
        ")",
    ]
    assert not named(queries(f"firstHtml AND {CACHED}", f"firstHtml AND {CACHED[:60]} > 1)")).macros


@pytest.mark.parametrize("word", ["", "x", "it''s", "''s", "s''", "''''", "a'' AND ''b"])
def test_law_the_rule_is_what_the_queries_said(word: str) -> None:
    rule = f"(kind <> '{word}' AND NOT (n > 1 OR kind = 'a (b) AND c' OR kind = 'another text'))"
    long = f"n < 99 AND kind <> 'something else' AND kind <> 'of them, all of these' AND {rule}"
    long = f"({long} AND kind <> 'and as much as nobody reads at a glance at all')"
    trees = {f"r{n}": parse_one(f"SELECT n FROM t WHERE {long} OR n = {n}") for n in range(2)}
    made = with_named_conditions(Library(dict(trees), (), ()), "duckdb", frozenset())
    assert bool(made.macros) == (word in ("", "x"))
    texts = {m.name: template(m.tree, "duckdb", made.calls, m.kind) for m in made.macros}
    rows = "(VALUES (0, ''), (1, 'x'), (1, 'a'), (2, 'a'), (0, NULL), (NULL, 'a')) AS t(n, kind)"
    for name, tree in made.models.items():
        after = template(tree, "duckdb", made.calls)
        for macro, text in texts.items():
            after = after.replace(f"{{{{ {macro}() }}}}", text)
        pair = [text.replace("FROM t", f"FROM {rows}") for text in (trees[name].sql(), after)]
        one, two = (duckdb.execute(f"{text} ORDER BY ALL").fetchall() for text in pair)
        assert one == two


def test_a_name_that_somebody_has_is_not_given_again() -> None:
    made = named(handed_on([f"({RULE})"] * 5), "is_not_cart_functionality")
    assert made.macros[-1].name == "is_not_cart_functionality_2"


def test_models_that_keep_their_words_do() -> None:
    found = handed_on([f"({RULE})"] * 6)
    made = named(found, alone=["r0"])
    assert made.calls[0] == found.calls[0]
    assert made.calls[1] != found.calls[1]
    shown = queries(*each_beside(RULE, 6))
    made = named(shown, alone=["r5"])
    assert made.models["r5"] is shown.models["r5"] and len(made.macros) == 1


@pytest.mark.parametrize(
    "condition",
    [
        "app <> 'Cart' AND app <> 'Google'",  # read faster than it is looked up
        "category_of_the_one = category_of_the_other AND app_of_one = app_of_other",  # no rule
        "app <> 'Cart \\' Functionality' AND app <> 'Google Analytics Enhanced'",
        "app <> 'h__app__h' AND app <> 'Google Analytics Enhanced eCommerce'",  # of one macro
    ],
)
def test_what_is_no_rule_stays(condition: str) -> None:
    found = handed_on([f"({condition})"] * 9)
    made = named(found)
    assert [macro.name for macro in made.macros] == ["m"]
    assert made.calls == found.calls


def test_a_few_places_and_those_that_save_nothing_stay() -> None:
    few, short = handed_on([f"({RULE})"] * 3), queries(*[RULE] * 9)
    for found in (few, short):
        assert named(found).calls == found.calls


def test_words_with_a_comment_stay_where_they_are() -> None:
    assert named(queries(*each_beside(RULE, 6))).macros
    assert not named(queries(*each_beside(f"{RULE} /* not vendors */", 6))).macros


def test_reports_that_say_a_rule_in_many_ways_are_proved() -> None:
    pile = {
        "by_url": f"SELECT url, COUNT(*) AS n FROM t WHERE n > 1 AND ({RULE}) GROUP BY url",
        "apps": f"SELECT n, COUNT(app) AS apps, kind FROM t WHERE n > 0 OR ({RULE}) GROUP BY 1, 3",
        "others": f"SELECT app, url, day FROM t WHERE NOT ({RULE}) AND n > 0 AND day IS NULL",
        "some": f"SELECT DISTINCT url, day FROM t WHERE n > 3 AND {RULE} AND kind <> 'another'",
        "kinds": f"SELECT kind, SUM(n) AS n FROM t WHERE ({RULE}) AND day > 7 GROUP BY kind",
    }
    columns = {"app": "TEXT", "kind": "TEXT", "url": "TEXT", "n": "INT", "day": "INT"}
    sources = [
        Source(f"{n}.sql", f"CREATE TABLE {n} AS {sql}", "duckdb") for n, sql in pile.items()
    ]
    result = refactor(load(sources, "duckdb", {"t": columns}), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    models = [flat(result.files[f"models/marts/{name}.sql"]) for name in pile]
    assert all("{{ is_not_cart_functionality() }}" in text for text in models)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("NOT deleted IS NULL AND app = 'Shopping Cart'", "is_shopping_cart"),
        ("NOT (n > 1 OR day IS NULL) AND app = 'Cart'", "is_cart"),
        ("NOT (n > 1 AND app = 'Cart')", "is_not_cart"),
        ("NOT (n > 1 AND app <> 'Cart')", "is_cart"),
        ("NOT app IN ('Cart', 'Basket')", "is_not_cart"),
        ("day >= '2024-01-01' AND day < '2025-01-01'", "is_from_2024_01_01"),
        ("day < CAST('2024-01-01' AS DATE)", "is_before_2024_01_01"),
        ("kind = 'incremental'", "is_incremental_2"),  # dbt has a macro of that name
    ],
)
def test_a_name_says_what_the_first_test_says(rule: str, name: str) -> None:
    long = f"{rule} AND kind <> 'something else' AND kind <> 'another one of them'"
    [macro] = named(queries(*each_beside(long, 6))).macros
    assert macro.name == name


def test_no_name_is_one_that_dbt_gives() -> None:
    rule = "kind = 'incremental' AND app <> 'Cart Functionality' AND app <> 'Google Analytics'"
    sources = [
        Source(f"r{at}.sql", f"CREATE TABLE r{at} AS SELECT {at} AS c{at}, {said}", "duckdb")
        for at, said in enumerate([
            f"url FROM t WHERE n > 1 AND {rule}", f"day FROM t WHERE {rule} AND day IS NULL",
            f"COUNT(*) AS n FROM t WHERE {rule}", f"NOT ({rule}) AS b, n FROM t WHERE n < 3",
            f"SUM(n) AS n FROM t WHERE {rule} AND day > 7 GROUP BY url",
        ])
    ]  # fmt: skip
    columns = {"app": "TEXT", "kind": "TEXT", "url": "TEXT", "n": "INT", "day": "INT"}
    result = refactor(load(sources, "duckdb", {"t": columns}), Request())
    assert {report.outcome for report in result.verdicts} == {"proved"}
    assert "macros/is_incremental_2.sql" in result.files
