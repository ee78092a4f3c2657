"""Which relations count as reports of a pile."""

import pytest

from unwet.lineage.pile import load
from unwet.lineage.reports import stem
from unwet.lineage.sources import Source


def names(text: str, dialect: str = "tsql", path: str = "sales.sql") -> list[tuple[str, int]]:
    pile = load([Source(path, text, dialect)], dialect=dialect)
    return [(report.name, report.line) for report in pile.reports]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1 a", [("sales", 1)]),
        ("select 1 a;\nselect 2 b", [("sales-1", 1), ("sales-2", 2)]),
        ("create view v as select 1 a", [("v", 1)]),
        ("select 1 a into s.t", [("s.t", 1)]),
        ("insert into t select 1;\ninsert into t select 2", [("t", 1)]),
        ("select 1 a into #t;\nselect a from #t", [("sales", 2)]),
        ("drop table t;\nselect 1 a into t", [("t", 2)]),
        ("select 1 a into t;\nselect a into u from t;\ndrop table t", [("u", 2)]),
        ("create table t (a int)", []),
        ("update t set a = 1", [("t", 1)]),
        ("select 1 a into @cdm.t", [("@cdm.t", 1)]),
    ],
)
def test_reports_of_a_script(text: str, expected: list[tuple[str, int]]) -> None:
    assert names(text) == expected


def test_ctas_is_a_report() -> None:
    assert names("create table s.t as select 1 a", "postgres") == [("s.t", 1)]


def test_a_relation_that_many_files_fill_is_one_report() -> None:
    sources = [Source(f"{n}.sql", f"insert into t select {n}", "tsql") for n in range(3)]
    assert len(load(sources, dialect="tsql").reports) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.sql", "b"),
        ("a/b.sql.jinja", "b"),
        ("b.v2.SQL", "b.v2"),
        ("log.csv#3", "log#3"),
        ("q", "q"),
    ],
)
def test_stem(path: str, expected: str) -> None:
    assert stem(path) == expected
