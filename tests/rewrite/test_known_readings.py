"""What a macro that is called everywhere says is a call of it also where it is a few lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import duckdb
import jinja2
import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.known_readings import with_known_readings
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template

YEARS = [f"src__technologies__{year}_07_01__src" for year in (2019, 2020)]
PAGES = "src__pages__2020_07_01__src"
AROUND = "SELECT p.url, COUNT(*) AS n FROM ({0}) AS t JOIN pages AS p ON p.url = t.url GROUP BY 1"
ITEMS = "client, url, app, category"
TEXT = f"SELECT {ITEMS} FROM {YEARS[0]} WHERE app = 'x' AND category = 'CMS'"


def macro() -> Macro:
    tree = sqlglot.parse_one(f"SELECT {ITEMS} FROM h__t__h WHERE app = 'h__app__h' AND x")
    tree.find(exp.And).expression.replace(exp.Var(this="h__condition__h"))  # type: ignore[union-attr]
    return Macro("known", ("t", "app", "condition"), tree, "query", defaults={"condition": "TRUE"})


def library(text: str, calls: int = 12) -> Library:
    """Models that call the macro, and one that says such a query itself."""
    apps = [f"app{at}" for at in range(calls)]
    said = [
        (("t", Leaf("name", YEARS[at % 2])), ("app", Leaf("string", app)),
         ("condition", Leaf("condition", "category = 'CMS'")))
        for at, app in enumerate(apps)
    ]  # fmt: skip
    models: dict[str, exp.Expr] = {
        app: sqlglot.parse_one(AROUND.format(f"SELECT {ITEMS} FROM call__{at}__call"))
        for at, app in enumerate(apps)
    }
    for tree in models.values():
        inner = next(each for each in tree.find_all(exp.Subquery))
        name = inner.this.args["from_"].this.name
        inner.set("this", exp.Var(this=name))
    models["odd"] = sqlglot.parse_one(AROUND.format(text), read="duckdb")
    return Library(models, (macro(),), tuple(MacroCall("known", args) for args in said))


def made(text: str, calls: int = 12, alone: Iterable[str] = ()) -> Library:
    found = library(text, calls)
    return with_known_readings(found, "duckdb", 8, [*alone], frozenset(), NO_LIMITS)


def rendered(found: Library, model: str) -> str:
    [known] = found.macros
    text = jinja2.Template(template(known.tree, "duckdb", found.calls))
    names: dict[str, object] = {"source": lambda a, b: f"src__{a}__{b}__src"}
    names["known"] = lambda **said: text.render({**known.defaults, **names, **said})
    return str(jinja2.Template(template(found.models[model], "duckdb", found.calls)).render(names))


@pytest.mark.parametrize("table", YEARS)
@pytest.mark.parametrize(
    "test",
    ["app = 'x' AND category = 'CMS'", "app = 'x'", "app = 'x' AND (url = 'a' OR client IS NULL)"],
)
def test_the_rows_are_those_that_it_read(table: str, test: str) -> None:
    text = f"SELECT {ITEMS} FROM {table} WHERE {test}"
    found = made(text)
    assert len(found.calls) == 13 and found.models["odd"] != library(text).models["odd"]
    with duckdb.connect() as world:
        world.execute("CREATE TABLE pages (url TEXT)")
        world.execute("INSERT INTO pages VALUES ('a'), ('b'), ('b'), (NULL)")
        for at, each in enumerate(YEARS):
            world.execute(f"CREATE TABLE {each} (client TEXT, url TEXT, app TEXT, category TEXT)")
            rows = itertools.product(
                ("desktop", None), ("a", "b", None), ("x", "y", None), ("CMS", None), range(1 + at)
            )
            world.executemany(f"INSERT INTO {each} VALUES (?, ?, ?, ?)", [r[:4] for r in rows])
        old = sorted(world.execute(AROUND.format(text)).fetchall())
        assert sorted(world.execute(rendered(found, "odd")).fetchall()) == old
        assert old


def test_a_macro_is_known_by_its_calls() -> None:
    assert len(made(TEXT, 11).calls) == 11
    assert len(made(TEXT, 12).calls) == 13


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(YEARS[0], PAGES),  # of another kind than what the macro is called after
        TEXT.replace(YEARS[0], "later"),  # a CTE is another one in each report
        TEXT.replace("app = 'x'", "app <> 'x'"),
        TEXT.replace("url, app", "app, url"),
        TEXT + " LIMIT 3",
        TEXT.replace("SELECT", "SELECT /* of the crawl */"),
    ],
)
def test_what_is_something_else_stays(text: str) -> None:
    found = made(text)
    assert found.models["odd"] == library(text).models["odd"]
    assert len(found.calls) == 12 and found.macros[0].params == macro().params


def test_models_that_keep_their_words_say_the_same_text() -> None:
    words = rendered(made(TEXT, alone=["odd"]), "odd")
    assert sqlglot.parse_one(words.replace(" AND TRUE", "")) == library(TEXT).models["odd"]
