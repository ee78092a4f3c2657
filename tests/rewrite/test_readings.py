"""Rows of one table that many queries read for themselves are a macro."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import duckdb
import jinja2
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.lineage.config import Sharing
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.readings import with_readings
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template

AROUND = "SELECT COUNT(*) AS n, MIN(t.client) AS c FROM ({0}) AS t JOIN pages AS p ON p.url = t.{1}"
YEARS = [f"src__technologies__{year}_07_01__src" for year in (2019, 2020, 2021)]
PAGES = ["url AS page", "url AS page, app AS cms", "app, url AS page"]
TESTS = ["category = 'CMS'", "category = 'Shop' AND app <> 'Cart'", "app <> 'x' AND category = 'A'"]


def query(items: str, table: str, test: str, distinct: str = "", first: str = "client") -> str:
    return f"SELECT {distinct} {first}, {items} FROM {table} WHERE {test}"


def all_of_them(distinct: Iterable[str] = ("", "DISTINCT")) -> list[str]:
    ways = itertools.product(PAGES, YEARS, TESTS, distinct)
    return [query(*way) for way in ways]


def parsed(text: str, key: str = "page") -> exp.Expr:
    """A model that reads such a query; parameters in it are words."""
    tree = sqlglot.parse_one(AROUND.format(text, key), read="duckdb")
    for column in list(tree.find_all(exp.Column)):
        if column.name.startswith("h__condition"):
            column.replace(exp.Var(this=column.name))
    return tree


def made(
    queries: Iterable[str],
    limits: Limits = NO_LIMITS,
    dialect: str = "duckdb",
    late: bool = False,
    **more: exp.Expr,
) -> Library:
    models = {f"m{at}": parsed(text) for at, text in enumerate(queries)}
    library = Library({**models, **more}, (), ())
    return with_readings(library, dialect, frozenset(), frozenset(), limits, late)


def rendered(library: Library, model: str) -> str:
    """What a model says, with what its calls write in it."""

    def writer(macro: Macro) -> object:
        text = jinja2.Template(template(macro.tree, "duckdb", library.calls))
        return lambda **said: text.render({**macro.defaults, **names, **said})

    names: dict[str, object] = {"source": lambda a, b: f"src__{a}__{b}__src"}
    names |= {macro.name: writer(macro) for macro in library.macros}
    text = template(library.models[model], "duckdb", library.calls)
    return str(jinja2.Template(text).render(names))


@pytest.fixture(scope="module")
def tables() -> Iterable[duckdb.DuckDBPyConnection]:
    """NULLs and rows that are there twice included."""
    with duckdb.connect() as world:
        world.execute("CREATE TABLE pages (url TEXT)")
        world.execute("INSERT INTO pages VALUES ('a'), ('b'), ('b'), (NULL)")
        for at, table in enumerate(YEARS):
            world.execute(f"CREATE TABLE {table} (client TEXT, url TEXT, app TEXT, category TEXT)")
            rows = itertools.product(
                ("desktop", "mobile", None), ("a", "b", None), ("x", "Cart", "y", None),
                ("CMS", "Shop", "A", None), range(1 + at % 2),
            )  # fmt: skip
            world.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", [r[:4] for r in rows])
        yield world


def test_each_model_reads_the_rows_that_it_read(tables: duckdb.DuckDBPyConnection) -> None:
    queries = all_of_them()
    library = made(queries)
    [macro] = library.macros
    assert macro.name == "technologies_rows"
    assert macro.params == ("group_by", "relation", "columns", "category", "condition")
    assert len(library.calls) == len(queries)
    counts = set()
    for at, text in enumerate(queries):
        old = tables.execute(AROUND.format(text, "page")).fetchall()
        new = rendered(library, f"m{at}")
        assert "category = " in new
        assert tables.execute(new).fetchall() == old
        counts.add(old[0][0])
    assert len(counts) > 3  # the arguments count


def test_where_nothing_is_grouped_by_all_a_word_says_distinct() -> None:
    [macro] = made(all_of_them(), dialect="tsql").macros
    assert macro.params == ("relation", "all_or_distinct", "columns", "category", "condition")


TOTALS = ["app AS page, COUNT(*) AS n", "url AS page, COUNT(DISTINCT app) AS n", "MAX(url) AS page"]
ROWS = [query(items, YEARS[1], test, distinct)
        for items in PAGES for test in TESTS for distinct in ("", "DISTINCT")]  # fmt: skip
GROUPS = [query(items, YEARS[1], f"{test} GROUP BY ALL") for items in TOTALS for test in TESTS]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([*ROWS, *GROUPS]), min_size=12, max_size=20), st.booleans())
def test_totals_and_rows_are_what_they_were(
    tables: duckdb.DuckDBPyConnection, queries: list[str], late: bool
) -> None:
    """SELECT DISTINCT a = SELECT a GROUP BY ALL, and totals beside them."""
    library = made(queries, late=late)
    for at, text in enumerate(queries):
        old, new = parsed(text).sql("duckdb"), rendered(library, f"m{at}")
        assert tables.execute(new).fetchall() == tables.execute(old).fetchall()


def test_totals_are_calls_of_what_rows_are_called_with() -> None:
    queries = [*ROWS[:10], *GROUPS[:4]]
    library = made(queries)
    [macro] = library.macros
    assert "group_by" in macro.params and len(library.calls) == len(queries)
    said = [dict((*call.args, *call.unsaid))["group_by"].text for call in library.calls]
    plain = [" DISTINCT " not in each and "GROUP BY" not in each for each in queries]
    assert sorted(said) == sorted("" if each else "ALL" for each in plain)
    assert {*said} == {"", "ALL"}


@pytest.mark.parametrize("item", ["RANDOM() AS r", "* EXCLUDE (url)", "h__condition__h AS flag"])
def test_what_is_not_known_to_be_rows_stays_beside_totals(item: str) -> None:
    odd = parsed(query(f"url AS page, {item}", YEARS[1], TESTS[0], "DISTINCT"))
    library = made([*ROWS[:10], *GROUPS[:4]], odd=odd)
    assert library.models["odd"] == odd
    assert len(library.macros) == 1


def test_late_ones_may_test_anything() -> None:
    tests = ["app = 'x'", "category <> 'A'", "url IS NULL", "app = 'y' OR url = 'a'"]
    queries = [query(items, YEARS[0], test) for items in PAGES for test in tests]
    assert made(queries).macros == ()
    [macro] = made(queries, late=True).macros
    assert macro.params == ("columns", "condition")
    assert made(queries[:7], late=True).macros == ()


def test_a_second_macro_of_a_table_is_called_after_its_first_column() -> None:
    queries = all_of_them(("",))
    other = [query(items, YEARS[0], test, first="app") for items in PAGES for test in TESTS] * 2
    names = [macro.name for macro in made([*queries, *other]).macros]
    assert names == ["technologies_rows", "technologies_by_app"]


def test_what_all_of_them_say_is_no_parameter() -> None:
    library = made(query(items, YEARS[0], "category = 'CMS'") for items in PAGES * 4)
    [macro] = library.macros
    assert macro.params == ("columns",)
    where = macro.tree.args["where"].this.sql()
    assert where == "category = 'CMS'"
    assert macro.defaults == {"columns": "app, url AS page"}


def test_one_more_test_that_all_make_stays_in_its_place() -> None:
    tests = [f"app = 'x' AND LOWER(url) = 'a' AND category = '{n}'" for n in range(12)]
    library = made(query("url AS page", YEARS[0], test) for test in tests)
    [macro] = library.macros
    said = {call.args for call in library.calls}
    assert len(said) == 12 and macro.params == ("category",)
    assert "app = 'x'" in macro.tree.sql() and "LOWER(url) = 'a'" in macro.tree.sql()


@pytest.mark.parametrize(
    "text",
    [
        query("url AS page", "later", TESTS[0]),  # a CTE is another one in each report
        query("url AS page", f"{YEARS[0]} AS t", TESTS[0]),
        query("url AS page", YEARS[0], f"{TESTS[0]} GROUP BY client, url"),
        query("url AS page", YEARS[0], f"{TESTS[0]} LIMIT 3"),
        query("url AS page", YEARS[0], f"{TESTS[0]} AND url IN (SELECT url FROM pages)"),
        query("(SELECT MAX(url) FROM pages) AS page", YEARS[0], TESTS[0]),
        query("url AS page", f"{YEARS[0]} CROSS JOIN pages AS p", TESTS[0]),
        query("url AS page", YEARS[0], TESTS[0], first="app"),  # begins with another column
        query("url AS page", YEARS[0], "app <> 'x'"),  # tests another one
        query("url AS page", YEARS[0], TESTS[0], distinct="DISTINCT ON (client)"),
        query("url AS page", "src__technologies__last__src", TESTS[0]),  # no date, another table
        query("url AS page", "src__pages__2021_07_01__src", TESTS[0]),
        query("client AS page", YEARS[0], "category = (app)"),
        query(", ".join(f"app || '{n}' AS c{n}" for n in range(9)) + ", url AS page", *(
            YEARS[0], TESTS[0])),
    ],
)  # fmt: skip
def test_what_is_something_else_stays(text: str) -> None:
    library = made(all_of_them(("",)), odd=parsed(text))
    assert library.models["odd"] == parsed(text)
    assert len(library.calls) == len(all_of_them(("",)))


def test_an_array_of_the_table_is_read_with_it() -> None:
    arrays = "src__crawl__pages__src CROSS JOIN UNNEST(technologies) AS t(app)"
    tests = [f"category = '{n}' AND app <> '{n}'" for n in range(5)]
    library = made(query("url AS page", arrays, test) for test in tests)
    [macro] = library.macros
    assert macro.params == ("category", "condition") and "UNNEST" in macro.tree.sql()


@pytest.mark.parametrize(("many", "macros"), [(11, 0), (12, 1)])
def test_a_filter_of_one_table_is_known_by_its_uses(many: int, macros: int) -> None:
    tests = [f"category = '{n}'" for n in range(many)]
    library = made(query("url AS page", YEARS[0], test) for test in tests)
    assert len(library.macros) == macros


def test_a_few_of_other_queries_are_enough() -> None:
    tests = [f"category = '{n}'" for n in range(5)]
    texts = [query("url AS page", YEARS[0], test, "DISTINCT") for test in tests]
    assert len(made(texts).macros) == 1
    assert not made(texts[:4]).macros
    plain = [query("url AS page", YEARS[0], test) for test in tests]
    library = made([*texts, *plain])  # those that nobody would look up are not asked
    assert len(library.macros) == 1 and len(library.calls) == 5


def test_a_parameter_is_handed_on() -> None:
    texts = all_of_them(("",))
    tree = parsed(
        query("url AS page", "h__table__h", "category = 'h__kind__h' AND h__condition__h")
    )
    macro = Macro("stats", ("table", "kind", "condition"), tree, "query")
    said = (("table", Leaf("name", YEARS[0])), ("kind", Leaf("string", "B")),
            ("condition", Leaf("condition", "app = 'x'")))  # fmt: skip
    models: Mapping[str, exp.Expr] = {f"m{at}": parsed(text) for at, text in enumerate(texts)}
    library = Library(
        {**models, "other": exp.Var(this="call__0__call")}, (macro,), (MacroCall("stats", said),)
    )
    found = with_readings(library, "duckdb", frozenset(), frozenset(), NO_LIMITS)
    stats = next(each for each in found.macros if each.name == "stats")
    number = next(w for w in stats.tree.find_all(exp.Var)).name.split("__")[1]
    args = {name: leaf.text for name, leaf in found.calls[int(number)].args}
    assert args["relation"] == "h__table__h"
    assert args["category"] == "h__kind__h"
    assert args["condition"] == "h__condition__h"


@pytest.mark.parametrize(
    ("first", "array"), [("client", "h__value__h"), ("h__value__h AS client", "technologies")]
)
def test_what_only_the_macro_around_knows_is_nothing_in_common(first: str, array: str) -> None:
    rows = "src__crawl__pages__src CROSS JOIN UNNEST({}) AS t(app)"
    tests = [f"category = '{n}' AND app <> '{n}'" for n in range(9)]
    trees = [parsed(query("url AS page", rows.format(array), test, first=first)) for test in tests]
    macros = tuple(Macro(f"m{n}", ("value",), tree, "query") for n, tree in enumerate(trees))
    calls = tuple(
        MacroCall(macro.name, (("value", Leaf("name", "technologies")),)) for macro in macros
    )
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    library = Library(models, macros, calls)
    found = with_readings(library, "duckdb", frozenset(), frozenset(), NO_LIMITS)
    # a macro of all nine would not know what the value is
    assert len(found.macros) == len(macros) and len(found.calls) == len(calls)


def test_models_that_keep_their_words_keep_these() -> None:
    models = {f"m{at}": parsed(text) for at, text in enumerate(all_of_them(("",)))}
    library = Library(models, (), ())
    found = with_readings(library, "duckdb", frozenset(), frozenset({"m0"}), NO_LIMITS)
    assert found.models["m0"] is models["m0"]
    assert isinstance(found.models["m1"].find(exp.Var), exp.Var)


def test_nothing_is_made_that_somebody_does_not_want() -> None:
    texts = all_of_them()
    assert not made(texts, Limits(forbidden=frozenset({"rows"}))).macros
    few = made(texts, Limits(sharing=Sharing(max_parameters=3)))
    assert few.macros and max(len(macro.params) for macro in few.macros) == 3
    assert not made(texts, Limits(sharing=Sharing(min_lines=9))).macros
    assert not made(texts, Limits(sharing=Sharing(min_uses=99))).macros
    assert not made(texts, Limits(sharing=Sharing(min_saved=9_999))).macros


def test_a_comment_stays_where_it_is() -> None:
    text = query("url AS page", YEARS[0], "category /* as of May */ = 'CMS'")
    library = made(all_of_them(("",)), odd=parsed(text))
    assert "as of May" in library.models["odd"].sql()
