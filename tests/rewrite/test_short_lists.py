"""A list of columns that one argument or two are, and that is short, is their text."""

from __future__ import annotations

import re

import jinja2
import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall, MacroKind
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.short_lists import with_short_lists
from unwet.rewrite.targets.jinja import template

SHARES = "SUM(fast) / SUM(n) AS fast, SUM(slow) / SUM(n) AS slow"
LONG = ", ".join(f"SUM(column_number_{n}) AS column_number_{n}" for n in range(4))


def items(name: str, columns: str, kind: MacroKind = "items") -> Macro:
    query = sqlglot.parse_one(f"SELECT {columns}")
    for word in [*query.find_all(exp.Column)]:
        if word.name.startswith(("call__", "h__", "list__")):
            word.replace(exp.Var(this=word.name))
    return Macro(name, (), query, kind)


def library(columns: str, uses: int = 1, said: str = "call__0__call") -> Library:
    """A query that is told its columns, which are a macro; that calls another one."""
    body = sqlglot.parse_one("SELECT client, columns FROM pages GROUP BY client")
    next(c for c in body.find_all(exp.Column) if c.name == "columns").replace(
        exp.Var(this="h__columns__h")
    )
    vitals = Macro("vitals", ("columns",), body, "query")
    macros = items("origins_to_slow", columns), items("shares", SHARES), vitals
    calls = [MacroCall("origins_to_slow", ()), MacroCall("shares", ())]
    told = (("columns", Leaf("condition", said)),)
    calls += [MacroCall("vitals", told)] * uses
    models: dict[str, exp.Expr] = {
        f"m{n}": exp.Var(this=f"call__{n + 2}__call") for n in range(uses)
    }
    return Library(models, macros, tuple(calls))


def columns_of(made: Library) -> list[str]:
    return [dict(call.args)["columns"].text for call in made.calls if call.macro == "vitals"]


def names(made: Library) -> list[str]:
    return [macro.name for macro in made.macros]


def rendered(made: Library, name: str) -> str:
    def text(tree: exp.Expr, kind: MacroKind = "query") -> str:
        return template(tree, "duckdb", made.calls, kind)

    def written(macro: Macro, **words: str) -> str:
        said = {**{m.name: lambda m=m, **w: written(m, **w) for m in made.macros}, **words}
        return str(jinja2.Template(text(macro.tree, macro.kind)).render(said))

    said = written(Macro("model", (), made.models[name], "query"))
    return re.sub(r"\s+", " ", said)


LISTS = ["COUNT(*) AS n, call__1__call", "app, call__1__call, COUNT(*) AS n", "'it''s' AS a, b"]


@pytest.mark.parametrize("columns", LISTS)
@pytest.mark.parametrize("uses", [1, 2])
def test_law_the_argument_says_what_the_macro_wrote(columns: str, uses: int) -> None:
    before = library(columns, uses)
    made = with_short_lists(before, "duckdb")
    assert columns_of(made) == [columns] * uses
    assert names(made) == ["shares", "vitals"]
    for name in before.models:
        assert rendered(made, name) == rendered(before, name)


@pytest.mark.parametrize("before", [
    library("COUNT(*) AS n, call__1__call", uses=3),
    library("COUNT(*) AS n"),
    library(LONG),
    library("COUNT(*) AS n, /* of whom */ app"),
    library("COUNT(*) AS n, h__more__h"),
    library("COUNT(*) AS n, app", said="url, call__0__call"),
    library("call__1__call, app", uses=0),
])  # fmt: skip
def test_other_lists_stay(before: Library) -> None:
    made = with_short_lists(before, "duckdb")
    assert made.macros == before.macros and made.calls == before.calls


def test_a_list_that_a_query_says_stays() -> None:
    before = library("COUNT(*) AS n, app")
    tree = exp.Select(expressions=[exp.Var(this="call__0__call")]).from_("pages")
    made = with_short_lists(Library({**before.models, "m": tree}, before.macros, before.calls), "")
    assert made.macros == before.macros
