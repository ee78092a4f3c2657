"""The old side of a test is made once, and says the same to everybody who is compared with it."""

from datetime import datetime
from pathlib import Path

import pytest

from unwet.lineage.errors import PathNotFound
from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.engines import DuckEngine
from unwet.rewrite.prove.tested import NEW, DataVerdict, run_tests
from unwet.rewrite.prove.worlds import LEGACY, SHUFFLED, Worlds

SCRIPTS = {
    "first.sql": "create table rep.first as select v from t where v > {{ least }} limit 1",
    "all.sql": "create table rep.all_of_it as select v from t where v > {{ least }}",
}
REPORTS = (ReportRef("first", "rep.first", "first"), ReportRef("all", "rep.all_of_it", "all_of_it"))
RIGHT = "select v from {{ source('main', 't') }} where v > {{ var('least') }}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    data, models = tmp_path / "data", tmp_path / "project" / "models"
    data.mkdir()
    models.mkdir(parents=True)
    (data / "t.csv").write_text("v\n1\n2\n3\n4\n5\n")
    (models.parent / "dbt_project.yml").write_text("name: p\nvars: {least: 0}\n")
    (models / "sources.yml").write_text("sources: [{name: main, tables: [{name: t}]}]")
    (models / "first.sql").write_text(f"{RIGHT} limit 1")
    (models / "all_of_it.sql").write_text(RIGHT)
    return models.parent


@pytest.fixture
def scripts() -> list[Script]:
    return [parse(mask(Source(path, sql)), "postgres") for path, sql in SCRIPTS.items()]


def verdicts(
    project: Path, scripts: list[Script], worlds: Worlds | None, least: str = "1"
) -> tuple[DataVerdict, ...]:
    values = {"least": least}
    data = project.parent / "data"
    return run_tests(scripts, project, REPORTS, data, "duckdb", values, worlds=worlds)


def test_a_second_project_gets_the_verdicts_it_gets_alone(
    project: Path, scripts: list[Script]
) -> None:
    model = project / "models" / "all_of_it.sql"
    alone = verdicts(project, scripts, None)
    with Worlds(project.parent / "data") as worlds:
        assert verdicts(project, scripts, worlds) == alone
        model.write_text("select 7 as v")
        changed = verdicts(project, scripts, worlds)
        model.write_text(RIGHT)
        assert verdicts(project, scripts, worlds) == alone
    assert [verdict.verdict for verdict in alone] == ["order-dependent", "identical"]
    assert [verdict.verdict for verdict in changed] == ["order-dependent", "different"]


def test_the_old_scripts_run_once(
    project: Path, scripts: list[Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    real = DuckEngine.world

    def world(engine: DuckEngine, name: str, shuffle: int | None = None) -> None:
        ran.append(name)
        real(engine, name, shuffle)

    monkeypatch.setattr(DuckEngine, "world", world)
    with Worlds(project.parent / "data", clock=datetime(2024, 2, 1)) as worlds:
        verdicts(project, scripts, worlds)
        verdicts(project, scripts, worlds)
        assert ran == [LEGACY, NEW, SHUFFLED, NEW]
        found = verdicts(project, scripts, worlds, least="4")  # other values: other old rows
    assert ran[4:] == [LEGACY, NEW, SHUFFLED]
    assert [verdict.rows_before for verdict in found] == [1, 1]


def test_data_that_is_not_there_is_told_when_it_is_opened(
    project: Path, scripts: list[Script]
) -> None:
    with Worlds(project / "none") as worlds, pytest.raises(PathNotFound):
        verdicts(project, scripts, worlds)
