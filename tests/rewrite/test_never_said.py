"""A relation that follows from another argument in every call is read where its parameter was."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.never_said import without_never_said
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template

FOLLOWS = "src__h__origin__h_stable__pings__src"
BODY = "SELECT d.a, d.b FROM h__table__h AS d"
APPS = ("fenix", "focus", "klar")


def call(app: str, **more: str) -> MacroCall:
    said = {"origin": Leaf("string", app)} | {n: Leaf("name", text) for n, text in more.items()}
    table = () if "table" in more else (("table", Leaf("name", f"src__{app}_stable__pings__src")),)
    return MacroCall("daily", tuple(said.items()), table)


def library(body: str, *calls: MacroCall, follows: str = FOLLOWS) -> Library:
    """A macro, and a model for each of its calls."""
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    macro = Macro("daily", ("origin", "table"), parse_one(body), "query",
                  defaults={"table": follows})  # fmt: skip
    return Library(models, (macro,), calls)


def test_what_no_call_says_is_read_where_the_parameter_was() -> None:
    given = library(BODY, *map(call, APPS))
    made = without_never_said(given)
    [macro] = made.macros
    assert macro.params == ("origin",)
    assert macro.defaults == {}
    text = " ".join(template(macro.tree, "bigquery", made.calls).split())
    assert text == "SELECT d.a, d.b FROM {{ source(origin ~ '_stable', 'pings') }} AS d"
    assert [each.unsaid for each in made.calls] == [()] * 3
    assert given.macros[0].tree.sql() == parse_one(BODY).sql()  # it is not worked on


@pytest.mark.parametrize(
    ("body", "more", "follows"),
    [
        (BODY, {"table": "ref__all__ref"}, FOLLOWS),
        (f"{BODY} JOIN h__table__h AS e ON e.a = d.b", {}, FOLLOWS),
        ("SELECT h__table__h.a FROM h__table__h", {}, FOLLOWS),
        ("SELECT d.h__table__h FROM pings AS d", {}, FOLLOWS),
        ("SELECT d.a FROM x.h__table__h AS d", {}, FOLLOWS),
        (BODY, {}, "call__0__call"),
    ],
    ids=["one call says it", "twice", "named by it", "a column", "of a schema", "a call"],
)
def test_what_stays_a_parameter(body: str, more: dict[str, str], follows: str) -> None:
    made = without_never_said(library(body, *map(call, APPS), call("x", **more), follows=follows))
    assert made.macros[0].params == ("origin", "table")
    assert made.macros[0].tree.sql() == parse_one(body).sql()


def handing_on(*texts: str) -> Library:
    """The macro puts calls of another one together, to which it hands relations on."""
    given = library(BODY, *map(call, APPS))
    inner = [MacroCall("rows", (("pings", Leaf("condition", text)),)) for text in texts]
    words: list[exp.Expr] = [exp.Var(this=f"call__{n + 3}__call") for n in range(len(texts))]
    tree = words[0]
    for word in words[1:]:
        tree = exp.Union(this=tree, expression=word, distinct=False)
    [macro] = given.macros
    outer = Macro(macro.name, macro.params, tree, "query", defaults=macro.defaults)
    rows = Macro("rows", ("pings",), parse_one("SELECT * FROM h__pings__h"), "query")
    return Library(given.models, (outer, rows), (*given.calls, *inner))


def test_what_is_handed_on_in_one_call_stands_in_that() -> None:
    made = without_never_said(handing_on("h__table__h", "ref__others__ref"))
    assert made.macros[0].params == ("origin",)
    assert call_text(made.calls[3], "bigquery") == (
        "{{ rows(pings=source(origin ~ '_stable', 'pings')) }}"
    )


def test_what_is_handed_on_twice_stays_a_parameter() -> None:
    given = handing_on("h__table__h", "h__table__h")
    made = without_never_said(given)
    assert made.macros[0].params == ("origin", "table")
    assert made.calls == given.calls


def test_reports_are_proved() -> None:
    query = """SELECT d.client_id, MIN(d.day) AS first_day, MAX(d.day) AS last_day, COUNT(*) AS n
    FROM {0}_stable.baseline_pings_v1 AS d LEFT JOIN {0}_derived.baseline_clients_first_seen_v1 AS o
    ON o.client_id = d.client_id WHERE o.client_id IS NULL AND d.sample < 5 GROUP BY d.client_id"""
    pile = [Source(f"{app}/first_seen.sql", query.format(f"{app}_android_app")) for app in APPS]
    result = refactor(load(pile, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    [macro] = [t for p, t in result.files.items() if p.startswith("macros/") and p.endswith("sql")]
    assert "(origin) %}" in macro.splitlines()[0]
    assert "source(origin ~ '_android_app_stable', 'baseline_pings_v1')" in macro
