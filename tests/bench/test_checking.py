"""A small result project, made by hand, is held against three legacy tables."""

import json
from pathlib import Path

import duckdb
import pytest

from bench.achilles import dbt, engine, table
from bench.achilles.checking import KEPT, LOST, UNBUILT, check
from bench.achilles.legacy import Outcome
from bench.errors import BenchError
from bench.parity import DIFFERENT, IDENTICAL, MISSING

LEGACY = """
    CREATE SCHEMA scratch;
    CREATE TABLE scratch.r1 AS SELECT * FROM (VALUES (1, 'a'), (1, 'a'), (2, NULL)) t(n, s);
    CREATE TABLE scratch.r2 AS SELECT 5 AS n;
    CREATE TABLE scratch.r3 AS SELECT 6 AS n;
"""
BUILT = """
    CREATE VIEW int_base AS SELECT * FROM (VALUES (2, NULL), (1, 'a')) t(n, s);
    CREATE VIEW r1 AS SELECT * FROM int_base UNION ALL SELECT 1, 'a';
    CREATE VIEW r2 AS SELECT count(*) AS n FROM int_base;
    CREATE VIEW broken AS SELECT s::INTEGER AS n FROM (VALUES ('x')) t(s);
"""
OUTCOMES = tuple(
    Outcome(f"{n}.sql", ((f"scratch.r{n}", rows),)) for n, rows in ((1, 3), (2, 1), (3, 1))
)


def report(name: str, model: str, verdict: str = "tested", reason: str = "") -> dict[str, object]:
    return {"name": name, "path": "1.sql", "line": 1, "model": model, "verdict": verdict,
            "reason": reason}  # fmt: skip


def node(name: str, *reads: str) -> dict[str, object]:
    depends = {"nodes": [f"model.p.{read}" for read in reads] + ["source.p.cdm.person"]}
    return {"resource_type": "model", "name": name, "relation_name": f'"main"."{name}"',
            "depends_on": depends}  # fmt: skip


@pytest.fixture
def databases(tmp_path: Path) -> tuple[Path, Path]:
    for name, sql in (("legacy", LEGACY), ("built", BUILT)):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            connection.execute(sql)
    return tmp_path / "legacy.duckdb", tmp_path / "built.duckdb"


@pytest.fixture
def models(tmp_path: Path) -> dict[str, dbt.Model]:
    nodes = [node("int_base"), node("r1", "int_base"), node("r2", "int_base"), node("gone")]
    nodes += [node("broken")]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"nodes": {f"model.p.{n['name']}": n for n in nodes}}))
    return dbt.read_models(manifest)


def result(tmp_path: Path, *reports: dict[str, object]) -> engine.Result:
    file = tmp_path / "result.json"
    size = {"lines": 10, "nodes": 100, "files": 3}
    file.write_text(json.dumps(
        {"before": size, "after": {**size, "parameter_lines": 0}, "reports": reports,
         "assumptions": [], "drift": []}
    ))  # fmt: skip
    return engine.read_result(file)


@pytest.mark.parametrize(
    ("third", "status"),
    [
        ((), LOST),
        ((report("r3", "", "kept", "a loop"),), KEPT),
        ((report("r3", "", "proved"),), UNBUILT),
        ((report("scratch.R3", "gone"),), MISSING),
        ((report("r3", "broken"),), MISSING),
    ],
)
def test_every_way_to_end(
    tmp_path: Path,
    databases: tuple[Path, Path],
    models: dict[str, dbt.Model],
    third: tuple[dict[str, object], ...],
    status: str,
) -> None:
    done = result(
        tmp_path, report("scratch.r1", "r1", "proved"), report("scratch.r2", "r2"), *third
    )
    checks = check(*databases, OUTCOMES, done.reports, models)
    assert [check.status for check in checks] == [IDENTICAL, DIFFERENT, status]
    assert [check.relation for check in checks] == ["scratch.r1", "scratch.r2", "scratch.r3"]


def test_a_schema_tells_equal_names_apart() -> None:
    reports = [engine.Report(name, "", 1, name, "", "") for name in ("results.t", "scratch.t")]
    found = engine.find(reports, "scratch.t")
    assert found is not None and found.name == "scratch.t"


def test_a_result_without_its_parts_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(BenchError, match="not a refactor result"):
        engine.read_result(tmp_path / "result.json")


def test_reports_through_shared_code_are_those_that_say_so(tmp_path: Path) -> None:
    rows = [{**report("r1", "r1"), "shared": True}, report("r2", "r2")]
    assert [r.shared for r in result(tmp_path, *rows).reports] == [True, False]


def test_the_table_says_what_is_wrong_and_is_written_once(
    tmp_path: Path, databases: tuple[Path, Path], models: dict[str, dbt.Model]
) -> None:
    done = result(tmp_path, report("scratch.r1", "r1"), report("scratch.r2", "r2"))
    checks = check(*databases, OUTCOMES, done.reports, models)
    legacy = table.tally_legacy([*OUTCOMES, Outcome("4.sql", (), "BinderException: no")])
    parity = table.tally_parity(checks, {"model success": 4}, 1.0)
    figures = table.Figures({}, {"mini": legacy}, None, {"mini": parity})
    shown = table.text(figures)
    assert not figures.fine
    assert "- scratch.r2: different: 2 rows differ" in shown
    assert "- 4.sql: BinderException: no" in shown
    assert json.loads(table.to_json(figures))["parity"]["mini"]["statuses"] == {
        DIFFERENT: 1, IDENTICAL: 1, LOST: 1}  # fmt: skip
    file = tmp_path / "RESULTS.md"
    table.write(figures, file, "dbt")
    table.write(figures, file, "dbt")
    assert file.read_text().count("## OHDSI Achilles") == 1
