"""What is tested of models holds on any data, and says what a reader would say of the query."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.rewrite.data_tests.gathered import Meant, of_models, of_sources
from unwet.rewrite.data_tests.values import Accepted, Check, DataTest, NotNull, Related, Unique
from unwet.rewrite.lower import trim
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.tests.rewrite.small_world import SCHEMA, WORLDS, Worlds

CASES_FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "data_tests" / "models.sql"
DDL = "CREATE TABLE o (id INTEGER PRIMARY KEY, c_id INTEGER, kind VARCHAR NOT NULL);" + (
    "CREATE TABLE c (id INTEGER PRIMARY KEY, name VARCHAR);"
)


@dataclass(frozen=True)
class Case:
    """A query and the lines that say what is tested of it."""

    title: str
    sql: str
    tests: tuple[str, ...]


def cases() -> list[Case]:
    found = []
    for text in re.split(r"^-- # ", CASES_FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        sql, _, tests = rest.partition("-- tests\n")
        lines = (line.removeprefix("-- ").strip() for line in tests.strip().splitlines())
        found.append(Case(title, sql.strip(), tuple(lines)))
    return found


CASES = cases()


def meant(sql: str, schema: dict[str, dict[str, str]] | None = SCHEMA) -> tuple[Meaning, Meant]:
    """The last report of a text."""
    meaning = meaning_of(load([Source("a.sql", sql, "duckdb")], "duckdb", schema))
    plan = meaning.state.reports[-1].definition.plan
    assert plan is not None
    return meaning, Meant(plan.names, meaning.normalizer.run(trim(plan))[0])


def checked(case: Case) -> tuple[DataTest, ...]:
    meaning, found = meant(case.sql)
    return of_models({"m": found}, {}, meaning.pile.catalog).get("m", ())


def said(check: Check) -> str:
    match check:
        case Unique(columns=columns):
            return f"unique {', '.join(columns)}"
        case NotNull(column=column):
            return f"not null {column}"
        case Accepted(column=column, values=values):
            return f"accepted {column}: {', '.join(values)}"
        case Related(column=column, relation=relation, field=field):
            return f"{column} in {relation}.{field}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_what_a_query_guarantees(case: Case) -> None:
    found = checked(case)
    assert [said(each.check) for each in found] == list(case.tests)
    assert all(each.certain for each in found)


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_it_holds_on_any_data(case: Case, worlds: Worlds) -> None:
    _, found = meant(case.sql)
    for world in range(WORLDS):
        rows = worlds.rows(case.sql, world)[1]
        for each in checked(case):
            assert not breaking(each.check, found.names, rows), (each, world)


def breaking(check: Check, names: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[object]:
    """The rows against a check, in the words of the check's docstring."""
    at = names.index
    match check:
        case Unique(columns=columns):
            keys = Counter(tuple(row[at(c)] for c in columns) for row in rows)
            return [key for key, n in keys.items() if n > 1]
        case NotNull(column=column):
            return [row for row in rows if row[at(column)] is None]
        case Accepted(column=column, values=values):
            return [row for row in rows if row[at(column)] not in (None, *values)]
        case Related():
            raise AssertionError("no plan guarantees one")


def test_declared_keys_are_assumed() -> None:
    meaning, found = meant(DDL + "select o.id, c.name from o left join c on c.id = o.c_id", None)
    tests = of_models({"m": found}, {}, meaning.pile.catalog)["m"]
    assert [said(t.check) for t in tests] == ["unique id", "not null id"]
    assert not any(t.certain for t in tests)


def test_a_model_is_known_to_those_that_read_it() -> None:
    _, below = meant("select a as k, count(*) as n from t group by a")
    meaning, above = meant("select r.k, r.n from q.r left join q.r as z on z.k = r.k",
                           {"q.r": {"k": "INTEGER", "n": "BIGINT"}})  # fmt: skip
    found = of_models({"r": below, "m": above}, {"r": "q.r"}, meaning.pile.catalog)
    assert [said(t.check) for t in found["m"]] == ["unique k"]
    assert found["m"][0].certain
    assert "m" not in of_models({"m": above}, {}, meaning.pile.catalog)


def test_texts_and_numbers_may_be_equal_in_several_ways() -> None:
    sql = "select q.c, r.k from (select distinct c from t) q left join "
    sql += "(select distinct k from v) r on {}"
    for condition, key in (("r.k = q.c", "c, k"), ("cast(r.k as varchar) = q.c", "c, k")):
        case = Case("", sql.format(condition), ())
        assert [said(t.check) for t in checked(case)] == [f"unique {key}"]


LOOKS = "select o.id, c.name from o {} join c on c.id = o.c_id where o.kind = '{}'"


def of_pile(*texts: str) -> dict[str, list[str]]:
    sources = [Source("ddl.sql", DDL, "duckdb")]
    sources += [Source(f"{i}.sql", text, "duckdb") for i, text in enumerate(texts)]
    meaning = meaning_of(load(sources, "duckdb"))
    plans = {r.name: meaning.normalizer.run(trim(r.definition.plan))[0]
             for r in meaning.state.reports if r.definition.plan is not None}  # fmt: skip
    found = of_sources(["o", "c"], plans, meaning.pile.catalog)
    assert not any(test.certain for tests in found.values() for test in tests)
    return {relation: [said(test.check) for test in tests] for relation, tests in found.items()}


def test_what_a_pile_takes_for_granted_of_its_sources() -> None:
    found = of_pile(*(LOOKS.format("left", kind) for kind in ("web", "app", "shop")))
    declared = ["unique id", "not null id", "not null kind"]
    assert found["o"] == [*declared, "c_id in c.id", "accepted kind: app, shop, web"]
    assert found["c"] == ["unique id", "not null id"]


def test_what_one_report_says_is_no_rule() -> None:
    found = of_pile(LOOKS.format("left", "web"), "select id from o where kind in ('a', 'b', 'c')")
    assert found["o"] == ["unique id", "not null id", "not null kind"]


def test_a_name_that_says_something_else_is_no_foreign_key() -> None:
    sql = "select o.id, c.name from o left join c on c.id = o.kind where o.id > "
    ways = [f"{sql}{n}" for n in (1, 2, 3)]
    assert "kind in c.id" not in of_pile(*ways)["o"]


def test_nothing_is_known_of_nothing() -> None:
    assert of_sources(["x"], {}, Catalog()) == {}
