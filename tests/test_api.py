"""`from unwet import ...`: the six names, called as the documentation calls them."""

import inspect
from pathlib import Path

import pytest

import unwet
from unwet import Source, refactor, trace, verify
from unwet.lineage.errors import OutputNotEmpty, PathNotFound

SUMS = "create table rep.{0} as select id, sum(v) as s from shop.o where r = '{0}' group by id"
PILE = (
    Source("n.sql", SUMS.format("n")),
    Source("s.sql", SUMS.format("s")),
    Source("top.sql", "select n.id from rep.n as n where n.s > 3"),
)
SCHEMA = {"shop.o": {"id": "INTEGER", "v": "INTEGER", "r": "VARCHAR"}}


def test_the_seven_names() -> None:
    names = {"Connected", "Source", "find_drift", "find_families", "refactor", "trace", "verify"}
    assert set(unwet.__all__) == names
    for name in ("refactor", "verify"):
        assert inspect.getdoc(getattr(unwet, name))


def test_trace_takes_sources_and_a_schema() -> None:
    graph = trace(PILE, dialect="duckdb", schema=SCHEMA)
    found = {(str(e.source.column), str(e.target.relation)) for e in graph.edges}
    assert ("v", "rep.n") in found


def test_refactor_without_a_place_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = refactor(PILE, dialect="duckdb", schema=SCHEMA)
    assert {v.name: v.outcome for v in result.verdicts} == dict.fromkeys(
        ("n", "s", "top"), "proved"
    )
    assert "dbt_project.yml" in result.files
    assert list(tmp_path.iterdir()) == []


def test_refactor_then_verify(tmp_path: Path) -> None:
    out = tmp_path / "project"
    data = tmp_path / "data" / "shop"
    data.mkdir(parents=True)
    (data / "o.csv").write_text("id,v,r\n1,5,n\n2,1,s\n3,,n\n")
    result = refactor(PILE, out, "duckdb", schema=SCHEMA, data=data.parent, name="mine")
    assert {v.name: v.rows for v in result.verdicts} == {"n": 2, "s": 1, "top": 1}
    assert "name: mine" in (out / "dbt_project.yml").read_text()
    found = verify(PILE, out, "duckdb", schema=SCHEMA, data=data.parent)
    assert found.ok
    assert {r.name: r.rows_after for r in found.reports} == {"n": 2, "s": 1, "top": 1}
    with pytest.raises(OutputNotEmpty):
        refactor(PILE, out, "duckdb", schema=SCHEMA)
    refactor(PILE, out, "duckdb", schema=SCHEMA, force=True)


def test_parameters_and_dialects(tmp_path: Path) -> None:
    source = Source("q.sql", "select top 3 [id] from @db.o order by [id]", "tsql")
    bound = refactor(source, tmp_path / "p", params={"db": "shop"}, to_dialect="duckdb")
    assert "limit" in bound.files["models/marts/q.sql"]
    assert "shop" in bound.files["models/sources.yml"]
    assert verify(source, tmp_path / "p", params={"db": "shop"}).ok


def test_failures_are_exceptions(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound):
        refactor(tmp_path / "nowhere")
    with pytest.raises(PathNotFound):
        verify(PILE, tmp_path / "nowhere")
