"""The classes of copies that a person would call the same query; see fixtures/rewrite/same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Plan
from unwet.rewrite.families import find_families
from unwet.rewrite.fingerprint import strict
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.plan_sql import to_sql
from unwet.tests.rewrite.small_world import Worlds
from unwet.tests.rewrite.test_script import state_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "same"


@dataclass(frozen=True)
class Text:
    """One text of a class; its last statement is what counts."""

    sql: str
    dialect: str

    def plan(self) -> Plan:
        """The normal form of the last statement, temporary relations read through."""
        last = [r for r in state_of({"a": self.sql}, self.dialect).reports][-1]
        assert last.definition.plan is not None, last.definition.doubt
        return normalize_plan(last.definition.plan)[0]


@dataclass(frozen=True)
class Class:
    """A query, texts that are the same one, and texts that are not."""

    title: str
    first: Text
    same: tuple[Text, ...]
    apart: tuple[Text, ...]


def read_text(text: str) -> Text:
    head, _, rest = text.strip().partition("\n")
    if head.startswith("-- dialect: "):
        return Text(rest.strip(), head.removeprefix("-- dialect: "))
    return Text(text.strip(), "duckdb")


def read_class(block: str) -> Class:
    title, _, rest = block.partition("\n")
    first, *others = re.split(r"(?m)^-- (same|apart)\n", rest)
    found = list(zip(others[::2], map(read_text, others[1::2]), strict=True))
    same, apart = (tuple(t for kind, t in found if kind == k) for k in ("same", "apart"))
    return Class(title.removeprefix("-- # ").strip(), read_text(first), same, apart)


CLASSES = [
    read_class(block)
    for path in sorted(FOLDER.glob("*.sql"))
    for block in re.split(r"(?m)^(?=-- # )", path.read_text(encoding="utf-8"))[1:]
]


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize("case", CLASSES, ids=lambda c: c.title)
def test_the_same_meet_and_the_others_do_not(case: Class, worlds: Worlds) -> None:
    first = case.first.plan()
    assert case.same and case.apart
    for text in case.same:
        assert strict(text.plan().rel) == strict(first.rel), (
            f"{text.sql}\n{to_sql(text.plan().rel)}"
        )
    for text in case.apart:
        other = text.plan()
        assert strict(other.rel) != strict(first.rel), text.sql
        assert worlds.difference(to_sql(first.rel), to_sql(other.rel)), "the case itself is wrong"


@pytest.mark.parametrize("case", CLASSES, ids=lambda c: c.title)
def test_the_normal_form_has_the_rows_of_each_text(case: Class, worlds: Worlds) -> None:
    names = [*case.first.plan().names]
    for text in (case.first, *case.same, *case.apart):
        if text.dialect == "duckdb" and ";" not in text.sql:
            plan = text.plan()
            form = to_sql(Plan(tuple(names), plan.rel))
            renamed = f"SELECT * FROM ({text.sql}) AS q({', '.join(names)})"
            assert not worlds.difference(renamed, form), text.sql


def test_a_view_and_the_query_that_has_it_inside() -> None:
    """Who reads a view has no copy of it; who has its text has one."""
    view = "select u.k, count(*) as n, max(u.a) as m\nfrom u join v on v.k = u.k\nwhere u.a > 1\ngroup by u.k"  # noqa: E501
    sources = [
        Source("view.sql", f"create view q as\n{view};", "duckdb"),
        Source("reader.sql", "select t.a, q.n from t join q on q.k = t.b", "duckdb"),
        Source(
            "copy.sql", f"select t.a, p.n, p.m from t join (\n{view}\n) p on p.k = t.b", "duckdb"
        ),
    ]
    [family] = find_families(sources, min_lines=3)
    assert family.kind == "exact"
    assert sorted(m.path for m in family.members) == ["copy.sql", "view.sql"]
