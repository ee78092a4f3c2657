"""Tables by their names in calls, and what follows from a table looked up instead of said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.choose import choose
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.look_ups import with_look_ups
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.source_tables import table_parameters, with_tables
from unwet.tests.rewrite.test_choose import draft

EVENTS = ("visit", "drug", "death", "device", "procedure", "condition")
YEARS = """SELECT {number} AS id, YEAR(e.{kind}_start_date) AS year, COUNT(*) AS many
FROM cdm.{kind}_events AS e JOIN cdm.people AS p ON p.person = e.person
WHERE e.{date} >= '2020-01-01' GROUP BY YEAR(e.{kind}_start_date)"""
CONCEPTS = """SELECT {number} AS id, e.{kind}_concept AS concept, MIN(e.{date}) AS first_day,
MAX(e.{date}) AS last_day, COUNT(DISTINCT e.person) AS people FROM cdm.{kind}_events AS e
WHERE NOT e.{kind}_concept IS NULL GROUP BY e.{kind}_concept"""
ODD = "visit"  # one report counts by another day than others of its table


@pytest.fixture(scope="module")
def result() -> Result:
    texts = {
        f"{name}_{number}": body.format(
            number=number,
            kind=kind,
            date=f"{kind}_{'end' if body is YEARS and kind == ODD else 'start'}_date",
        )
        for at, (name, body) in enumerate((("years", YEARS), ("concepts", CONCEPTS)))
        for number, kind in enumerate(EVENTS, 6 * at)
    }
    sources = [Source(f"{name}.sql", text) for name, text in texts.items()]
    return refactor(load(sources, "duckdb"), Request())


def text(result: Result, place: str) -> str:
    return next(text for path, text in result.files.items() if Path(path).stem == place)


def test_every_report_is_proved(result: Result) -> None:
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}


def test_a_call_says_the_table_and_not_what_follows_from_it(result: Result) -> None:
    said = "{{ concepts(7, 'drug_concept', table='drug_events') }}\n"
    assert text(result, "concepts_7") == said


def test_a_call_that_wants_another_column_says_it(result: Result) -> None:
    assert "date='visit_end_date'" in text(result, "years_0").replace("\n", " ")
    assert "date=" not in text(result, "years_1")


def test_macros_read_the_table_of_their_schema(result: Result) -> None:
    macro = text(result, "concepts")
    assert "from {{ source('cdm', table) }} as e" in macro.lower()
    head = macro[: macro.index("%}")]
    assert head.index("table") < head.index("=start_date_of(table)")


def test_a_look_up_has_a_row_for_each_table(result: Result) -> None:
    made = text(result, "start_date_of")
    assert made.count("_events': '") == len(EVENTS)
    assert "'death_events': 'death_start_date'," in made
    assert made.endswith("{{ return(found[table]) }}\n{% endmacro %}\n")


def test_tables_of_two_schemas_are_relations() -> None:
    body = "SELECT {0} AS id, a, b, SUM(c) AS c, MAX(d) AS d FROM src__{1}__t{0}__src GROUP BY a, b"
    mixed = choose([draft(f"r{i}", body.format(i, f"s{i % 2}")) for i in range(6)], "duckdb")
    assert table_parameters(mixed) == {}
    same = choose([draft(f"r{i}", body.format(i, "s")) for i in range(6)], "duckdb")
    assert set(table_parameters(same).values()) == {"s"}
    [call, *_] = with_tables(same, table_parameters(same)).calls
    assert [leaf.text for _, leaf in call.args] == ["0", "t0"]


def test_a_table_of_another_schema_may_be_in_what_a_call_says() -> None:
    rows = Macro("rows", ("relation",), parse_one("SELECT a FROM h__relation__h"), "query")
    whole = Macro("whole", ("part",), parse_one("SELECT b FROM (SELECT h__part__h) AS p"), "query")
    said = [("relation", Leaf("name", f"src__{each}__t__src")) for each in ("s", "s", "other")]
    part = ("part", Leaf("condition", "call__2__call"))
    calls = (*(MacroCall("rows", (each,)) for each in said), MacroCall("whole", (part,)))
    models: dict[str, exp.Expr] = {f"r{n}": exp.Var(this=f"call__{n}__call") for n in (0, 1, 3)}
    assert table_parameters(Library(models, (rows, whole), calls)) == {}
    usual = replace(whole, defaults={"part": "call__2__call"})
    alone = (*calls[:3], MacroCall("whole", ()))
    assert table_parameters(Library(models, (rows, usual), alone)) == {}
    same = (*calls[:2], replace(calls[2], args=(said[0],)), calls[3])
    assert table_parameters(Library(models, (rows, whole), same)) == {("rows", "relation"): "s"}


def test_few_tables_are_not_looked_up() -> None:
    body = "SELECT {0} AS id, a, SUM(x{0}) AS c, MAX(d) AS d FROM src__s__t{0}__src GROUP BY a"
    library = choose([draft(f"r{i}", body.format(i)) for i in range(3)], "duckdb")
    assert library.macros
    assert with_look_ups(library, ()).macros == library.macros
