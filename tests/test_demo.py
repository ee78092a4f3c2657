"""The bundled case, run as a user runs it: laid out, rewritten, verified, and left behind."""

import json
import sys
import zipfile
from pathlib import Path
from subprocess import run

import duckdb
import pytest
from click.testing import CliRunner

from unwet import verify
from unwet.cli import main
from unwet.docs import walk
from unwet.lineage.errors import OutputNotEmpty
from unwet.rewrite.demo import Case, demo

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ("unwet/fixtures/demo/data.py", "unwet/fixtures/demo/schema.sql", "unwet/cli.py")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of one run in a path with spaces, and what it printed."""
    out = tmp_path_factory.mktemp("with space") / "new" / "demo dir"
    done = CliRunner().invoke(main, ["demo", "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out, done.output


def test_everything_is_where_the_table_says(made: tuple[Path, str]) -> None:
    out, shown = made
    for place in (out / "pile", out / "case.duckdb", out / "project"):
        assert place.exists()
        assert str(place) in shown
    assert (out / "project" / "dbt_project.yml").is_file()
    bundled = {path.name for path in (ROOT / "fixtures/demo/pile").iterdir()}
    assert {path.name for path in (out / "pile").iterdir()} == bundled


def test_the_table_says_what_came_of_it(made: tuple[Path, str]) -> None:
    lines = [line.split() for line in made[1].splitlines() if line.strip()]
    counts = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
    verdicts = {name: counts.get(name, 0) for name in ("proved", "tested", "kept", "failed")}
    assert sum(verdicts.values()) + counts.get("order-dependent", 0) == counts["reports"]
    assert verdicts["failed"] == 0
    assert verdicts["proved"] > counts["reports"] / 2
    before, after = (int(word.replace(",", "")) for word in lines[0][3::2])
    assert 0 < after < before
    assert "dbt build" in made[1]


def test_the_readme_shows_this_table(made: tuple[Path, str]) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    shown = next(found[0] for found in walk.BLOCK.finditer(text) if found[1] == "demo")
    table = made[1][made[1].index("lines of SQL") :].partition("\n \n")[0]
    assert walk.demo_block(table, str(made[0])) in shown, "run: python docs/walk.py --write"


def test_the_project_can_be_verified_again_and_a_change_is_noticed(made: tuple[Path, str]) -> None:
    out, _ = made
    schema = str(out / "case.duckdb")
    again = verify(out / "pile", out / "project", "postgres", schema=schema, data=schema)
    assert again.ok
    model = out / "project" / "models" / "marts" / "revenue_monthly.sql"
    text = model.read_text()
    assert "revenue" in text
    model.write_text(f"select * from (\n{text}\n) limit 3")
    again = verify(out / "pile", out / "project", "postgres", schema=schema, data=schema)
    verdicts = {report.name: report.verdict for report in again.reports}
    model.write_text(text)
    assert not again.ok
    assert verdicts["revenue_monthly"] == "failed"


def test_other_people_s_files_are_left_alone(made: tuple[Path, str], tmp_path: Path) -> None:
    out, _ = made
    done = CliRunner().invoke(main, ["demo", "--out", str(out)])
    assert done.exit_code == 2
    assert "output folder is not empty" in done.stderr
    mine = tmp_path / "pile" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    small = tmp_path / "bundle"
    small.mkdir()
    (small / "q.sql").write_text("select v from t where v > 1")
    case = Case(small, build_one_table, "postgres")
    with pytest.raises(OutputNotEmpty):
        demo(case, tmp_path, force=False)
    found = demo(case, tmp_path, force=True)
    assert [report.verdict for report in found.verified.reports] == ["proved"]
    assert mine.read_text() == "mine"


def build_one_table(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table t as select unnest([1, 2, 3]) as v")


def test_the_record_names_the_dialect_and_what_is_kept(made: tuple[Path, str]) -> None:
    record = json.loads((made[0] / "project" / ".unwet" / "project.json").read_text())
    assert record["dialect"] == "duckdb"
    assert all(record["kept"].values())


def test_a_wheel_carries_the_case_and_stays_small(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert Path(wheel).stat().st_size < 5_000_000
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    assert set(PACKAGED) <= names
    assert sum(name.startswith("unwet/fixtures/demo/pile/") for name in names) > 40
    assert {"page.html", "explorer.css", "main.js"} <= {
        name.removeprefix("unwet/lineage/exports/explorer/") for name in names
    }
    assert not any(name.startswith(("unwet/tests", "unwet/bench", "unwet/.dev")) for name in names)
    code = "import unwet.cli; print(unwet.cli.__file__); print(unwet.cli._bundled().pile.is_dir())"
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, 'site'); {code}"]
    done = run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    place, there = done.stdout.splitlines()
    assert (tmp_path / place).resolve().is_relative_to(tmp_path.resolve())
    assert there == "True"
