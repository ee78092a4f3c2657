"""A parameter for the table that another parameter says already is none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.library import Library, Macro, MacroCall, with_leading
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.same_tables import same_tables, without_these
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.source_tables import table_parameters, with_tables
from unwet.rewrite.targets.jinja import call_text

BODY = "SELECT COUNT(*) AS n FROM h__table__h AS t JOIN h__table_2__h AS u ON u.id = t.id"


def source(schema: str, table: str) -> Leaf:
    return Leaf("name", f"src__{schema}__{table}__src")


def call(macro: str, *said: Leaf) -> MacroCall:
    return MacroCall(macro, tuple(zip(("table", "table_2"), said, strict=True)))


def library(*calls: MacroCall, more: tuple[Macro, ...] = ()) -> Library:
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call")
                                   for n in range(len(calls))}  # fmt: skip
    return Library(
        models, (Macro("m", ("table", "table_2"), parse_one(BODY), "query"), *more), calls
    )


def same(made: Library) -> dict[tuple[str, str], str]:
    return dict(same_tables(made, table_parameters(made)))


ALIKE = [call("m", source("a", each), source("b", each)) for each in ("t2020", "t2021")]


def test_what_all_calls_say_of_both_schemas_is_said_once() -> None:
    made = library(*ALIKE)
    assert same(made) == {("m", "table_2"): "table"}
    shorter = without_these(made, same(made))
    assert shorter.macros[0].params == ("table",)
    assert [call.args for call in shorter.calls] == [call.args[:1] for call in made.calls]


@pytest.mark.parametrize(
    "other",
    [
        call("m", source("a", "t2020"), source("b", "t2021")),
        call("m", source("a", "t2020"), source("c", "t2020")),  # a relation, no table of one schema
        call("m", source("a", "t2020"), Leaf("name", "ref__t2020__ref")),
        MacroCall("m", (("table", source("a", "t2020")),)),
    ],
)
def test_one_call_that_says_something_else_needs_both(other: MacroCall) -> None:
    assert same(library(*ALIKE, other)) == {}


def test_what_a_default_or_a_text_says_stays() -> None:
    made = library(*ALIKE)
    macro = replace(made.macros[0], defaults={"table_2": "src__b__t2020__src"})
    assert same(replace(made, macros=(macro,))) == {}
    tree = parse_one(f"{BODY} WHERE t.day = 'of h__table_2__h'")
    assert same(replace(made, macros=(replace(made.macros[0], tree=tree),))) == {}


def test_what_is_one_table_where_calls_say_nothing_is_one_parameter() -> None:
    first = ("table", source("a", "t2020")), ("table_2", source("b", "t2020"))
    calls = (MacroCall("m", (), first), ALIKE[1])
    made = library(*calls)
    usual = {"table": "src__a__t2020__src", "table_2": "src__b__t2020__src"}
    alike = replace(made, macros=(replace(made.macros[0], defaults=usual),))
    assert same(alike) == {("m", "table_2"): "table"}
    shorter = without_these(alike, same(alike))
    assert shorter.macros[0].params == ("table",)
    assert shorter.macros[0].defaults == {"table": "src__a__t2020__src"}
    assert [each.args for each in shorter.calls] == [(), ALIKE[1].args[:1]]
    other = {**usual, "table_2": "src__b__t2021__src"}
    assert same(replace(made, macros=(replace(made.macros[0], defaults=other),))) == {}
    odd = MacroCall("m", (("table", source("a", "t2021")),), (("table_2", source("b", "t2020")),))
    assert same(replace(alike, calls=(calls[0], odd))) == {}


def around(second: str) -> Library:
    """A macro that hands on its tables, the second one as the parameter of this name."""
    outer = Macro(
        "w", ("table", "table_2"), parse_one("SELECT 1 FROM (call__2__call) AS q"), "query"
    )
    inner = call("m", Leaf("name", "h__table__h"), Leaf("name", f"h__{second}__h"))
    calls = [replace(each, macro="w") for each in ALIKE]
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(2)}
    return replace(library(*calls, inner, more=(outer,)), models=models)


def test_what_is_handed_on_is_followed() -> None:
    made = around("table_2")
    assert same(made) == {("m", "table_2"): "table", ("w", "table_2"): "table"}
    inner = without_these(made, same(made)).calls[2]
    assert inner.args == (("table", Leaf("name", "h__table__h")),)


def test_what_is_handed_on_to_a_macro_that_needs_both_is_said_as_the_first() -> None:
    made = around("table_2")
    other = call("m", source("a", "t2020"), source("b", "t2021"))
    models = {**made.models, "r3": exp.Var(this="call__3__call")}
    made = replace(made, models=models, calls=(*made.calls, other))
    assert same(made) == {("w", "table_2"): "table"}
    inner = without_these(made, same(made)).calls[2]
    assert [leaf.text for _, leaf in inner.args] == ["h__table__h", "h__table__h"]


REPORT = """CREATE TABLE r{0} AS
SELECT t.app, COUNT(DISTINCT t.url) AS pages, SUM(p.bytes) AS bytes, MIN(p.bytes) AS least,
  MAX(p.bytes) AS most, SUM(p.bytes) * 1.0 / COUNT(*) AS mean_bytes
FROM technologies.t{0} AS t JOIN pages.t{0} AS p ON p.url = t.url
WHERE t.category = 'CMS' GROUP BY t.app"""


def test_a_project_reads_the_tables_of_one_release_by_one_word() -> None:
    schema = {f"technologies.t{year}": ["url", "app", "category"] for year in (2020, 2021, 2022)}
    schema |= {f"pages.t{year}": ["url", "bytes"] for year in (2020, 2021, 2022)}
    sources = [Source(f"r{year}.sql", REPORT.format(year), "duckdb") for year in (2020, 2021, 2022)]
    result = refactor(load(sources, "duckdb", schema), Request())
    assert {each.outcome for each in result.verdicts} == {"proved"}
    [macro] = [text for path, text in result.files.items()
               if path.startswith("macros/") and path.endswith(".sql")]  # fmt: skip
    assert "(table)" in macro
    assert "source('technologies', table)" in macro
    assert "source('pages', table)" in macro
    assert "('t2021')" in result.files["models/marts/r2021.sql"]


def test_a_table_that_is_handed_on_as_a_relation_is_said_once() -> None:
    tree = parse_one("SELECT COUNT(*) AS n FROM h__table__h AS t, (call__3__call) AS q")
    outer = Macro("w", ("table", "table_2"), tree, "query")
    inner = MacroCall("m", (("relation", Leaf("name", "h__table_2__h")),))
    other = MacroCall("m", (("relation", source("c", "all")),))
    calls = (*(replace(each, macro="w") for each in ALIKE), other, inner)
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(3)}
    rows = Macro("m", ("relation",), parse_one("SELECT id FROM h__relation__h"), "query")
    made = Library(models, (outer, rows), calls)
    tables = table_parameters(made)
    assert tables == {("w", "table"): "a", ("w", "table_2"): "b"}
    shorter = without_these(with_tables(made, tables), same_tables(made, tables))
    assert shorter.macros[0].params == ("table",)
    shorter = with_leading(shorter)
    assert call_text(shorter.calls[0], "duckdb") == "{{ w('t2020') }}"
    assert call_text(shorter.calls[2], "duckdb") == "{{ m(source('c', 'all')) }}"
    assert call_text(shorter.calls[3], "duckdb") == "{{ m(source('b', table)) }}"


def test_a_table_of_which_a_text_is_made_stays_a_relation() -> None:
    made = library(*ALIKE)
    told = MacroCall("n", (("text", Leaf("condition", "SELECT 1 FROM h__table__h")),))
    macro = replace(made.macros[0], tree=parse_one(f"{BODY}, (call__2__call) AS q"))
    asked = Library(made.models, (macro,), (*made.calls, told))
    assert table_parameters(asked) == {("m", "table_2"): "b"}
