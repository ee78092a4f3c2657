"""Which relations count as reports of a pile."""

import pytest

from unwet.lineage import inventory
from unwet.lineage.pile import load
from unwet.lineage.reports import stem
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor


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


def test_queries_of_files_that_are_called_alike_are_reports_each() -> None:
    sources = [Source(f"{year}/sales.sql", f"select {year} as y", "tsql") for year in (2023, 2024)]
    pile = load(sources, dialect="tsql")
    assert [report.path for report in pile.reports] == ["2023/sales.sql", "2024/sales.sql"]


def test_what_does_not_parse_is_counted_as_refactor_counts_it() -> None:
    """A report that is kept, with the reason."""
    texts = ("select 1 as a;\nselect from where;", "create view v as select 2 as b;")
    pile = load([Source(f"{n}.sql", text, "duckdb") for n, text in enumerate(texts)], "duckdb")
    rows = dict(inventory.rows(inventory.scan(pile)))
    assert rows["reports"] == "3, 1 of which does not parse"
    assert len(refactor(pile, Request()).verdicts) == 3


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
