"""A search for data that shows a mistake: fixtures/rewrite/hunt.

Every case is two queries, of which the second is the first with a mistake in it.
"""

from __future__ import annotations

import re
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.bags import Runs
from unwet.rewrite.prove.engines import DATA
from unwet.rewrite.prove.generation import Generator
from unwet.rewrite.prove.hunt import Mistake, Steps, hunted
from unwet.rewrite.prove.strength import CLOCK
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.units import Unit, units
from unwet.rewrite.prove.synthetic.variation import varied

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "hunt"


def pairs(name: str) -> dict[str, tuple[str, str]]:
    """What a file of cases holds, by the name of each."""
    blocks = re.split(r"^-- case: ", (FOLDER / name).read_text("utf-8"), flags=re.M)[1:]
    found = {}
    for block in blocks:
        title, text = block.split("\n", 1)
        right, wrong = (each.strip() for each in text.strip().strip(";").split(";\n"))
        found[title] = (right, wrong)
    return found


APART = pairs("apart.sql")


def unit_of(query: str) -> tuple[Meaning, Unit]:
    meaning = Meaning(load(Source("q.sql", query, "duckdb"), "duckdb"))
    (unit,) = units(meaning)
    return meaning, unit


def mistake_of(unit: Unit, wrong: str) -> Mistake:
    _, other = unit_of(wrong)
    return Mistake(unit.scripts[0].statements[0], other.scripts[0].statements[0].tree)


def shows(unit: Unit, mistake: Mistake, database: Database) -> bool:
    with open_synthetic(database) as engine:
        runs = Runs(engine, unit, CLOCK)
        return runs.bag() != runs.bag({id(mistake.statement): mistake.tree})


@pytest.mark.parametrize("name", APART)
def test_where_two_plans_part_is_solved_for(name: str) -> None:
    right, wrong = APART[name]
    meaning, unit = unit_of(right)
    mistake = mistake_of(unit, wrong)
    with closing(Generator(meaning, CLOCK)) as generator:
        found = hunted(unit, [mistake], (), generator.apart, CLOCK, Steps(solved=30))
    assert found, "no database shows it"
    assert shows(unit, mistake, found[0])


@pytest.mark.parametrize("name", APART)
def test_what_is_solved_for_has_values_of_its_types(name: str) -> None:
    """Columns that one plan has where the other has those of another type are no values of one
    another: data that cannot be loaded shows nothing."""
    right, wrong = APART[name]
    meaning, unit = unit_of(f"{TYPED};\n{right}")
    _, other = unit_of(f"{TYPED};\n{wrong}")
    with closing(Generator(meaning, CLOCK)) as generator:
        plans = (generator.plan(unit), other.report.definition.plan)
        if plans[0] is None or plans[1] is None:
            pytest.skip("only one plan is known")
        for database in islice(generator.between(unit, plans[0], plans[1]), FIRST):
            with open_synthetic(database) as engine:
                assert engine.tables(DATA)


TYPED = "create table t (id int, k int, d date, v int, g text)"
FIRST = 12  # databases of each pair


def test_the_same_plan_parts_nowhere() -> None:
    meaning, unit = unit_of(APART["a partner that is missing"][0])
    with closing(Generator(meaning, CLOCK)) as generator:
        plan = unit.report.definition.plan
        assert plan is not None
        for database in generator.between(unit, plan, plan):
            assert database.aim == "a group"


T = "select t.g, max(t.n) as n from t group by t.g"


def rows_of(*rows: tuple[Cell, ...]) -> Database:
    return Database({"t": Table((("g", "VARCHAR"), ("n", "BIGINT")), rows)})


def test_a_change_of_the_data_shows_what_it_did_not() -> None:
    _, unit = unit_of(T)
    mistake = mistake_of(unit, T.replace("max", "min"))
    blind = rows_of(("x", "1"), ("y", "2"))
    assert not shows(unit, mistake, blind)
    found = hunted(unit, [mistake], [blind], lambda *_: iter(()), CLOCK)
    assert found and shows(unit, mistake, found[0])


def test_what_is_found_for_one_mistake_is_tried_on_the_others() -> None:
    _, unit = unit_of(T)
    mistakes = [mistake_of(unit, T.replace("max", other)) for other in ("min", "any_value")]
    seeing = rows_of(("x", "1"), ("x", "2"))
    found = hunted(unit, mistakes, (), lambda *_: iter([seeing]), CLOCK, Steps(1))
    assert found == {0: seeing, 1: seeing}


def test_no_mistake_is_shown_by_rows_that_depend_on_the_order() -> None:
    text = "select t.g, row_number() over (order by t.n) as r from t"
    _, unit = unit_of(text)
    mistake = mistake_of(unit, text.replace("t.n)", "t.n desc)"))
    tie = rows_of(("x", "1"), ("y", "1"), ("z", "1"), ("u", "1"), ("v", "0"))
    assert not hunted(unit, [mistake], (), lambda *_: iter([tie]), CLOCK, Steps(1))
    order = rows_of(("x", "1"), ("y", "2"))
    assert hunted(unit, [mistake], (), lambda *_: iter([order]), CLOCK, Steps(1))


def test_variations_are_the_same_on_every_run_and_of_the_types_of_the_columns() -> None:
    base = [rows_of(("x", "1"), ("y", "2"), (None, "-3"))]
    first = list(varied(base, {"n"}, 40))
    assert first == list(varied(base, {"n"}, 40))
    assert len({str(each.tables) for each in first}) > 20
    for database in first:
        with open_synthetic(database) as engine:  # every cell is a value of its column
            assert engine.tables(DATA)


def test_nothing_is_varied_without_rows() -> None:
    assert not list(varied([rows_of()], {"n"}, 40))
