"""The bundled case, run as a user runs it: laid out, rewritten, verified, and left behind."""

import json
import re
import sys
import zipfile
from html import unescape
from pathlib import Path
from subprocess import run
from urllib.parse import unquote

import duckdb
import pytest
from click.testing import CliRunner

from unwet import cli, verify
from unwet.docs import walk
from unwet.fixtures.shop.case import case as shop_case
from unwet.lineage.codes import FAMILIES
from unwet.lineage.errors import OutputNotEmpty
from unwet.rewrite.demo import LAID_OUT, STAGES, Case, demo

ROOT = Path(__file__).resolve().parents[1]
SHOP = "unwet/fixtures/shop"
PACKAGED = (f"{SHOP}/case.py", f"{SHOP}/data.py", f"{SHOP}/schema.sql", f"{SHOP}/key.json",
            f"{SHOP}/truth/reports.sql", f"{SHOP}/undry/pile.py", "unwet/cli.py",
            "unwet/rewrite/overview/page.html.jinja", "unwet/rewrite/overview/page.js")  # fmt: skip
SMALL = "0"  # share of the copies: only what the pile cannot do without


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """The folder of one run in a path with spaces, what it printed, and what it told."""
    out = tmp_path_factory.mktemp("with space") / "new" / "demo dir"
    done = CliRunner().invoke(cli.main, ["demo", "-v", "--size", SMALL, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out, done.stdout, done.stderr


def test_everything_is_where_the_table_says(made: tuple[Path, str, str]) -> None:
    out, shown, _ = made
    for name in ("pile", "case.duckdb", "project", "lineage.html", "report.html"):
        place = out / name
        assert place.exists()
        assert str(place) in shown
    assert (out / "project" / "dbt_project.yml").is_file()
    wanted = shop_case(size=float(SMALL)).files
    laid_out = {p.relative_to(out / "pile").as_posix() for p in (out / "pile").rglob("*.sql")}
    assert laid_out == set(wanted)
    assert all((out / "pile" / name).read_text("utf-8") == wanted[name] for name in wanted)


def test_the_pages_lead_to_the_pile_and_to_each_other(made: tuple[Path, str, str]) -> None:
    out, _, _ = made
    text = (out / "report.html").read_text("utf-8")
    links = {unquote(unescape(link)) for link in re.findall(r'<a [^>]*href="([^"#]+)"', text)}
    assert {"lineage.html", "project/MIGRATION.md"} <= links
    assert len(links) > 50
    assert all((out / link).is_file() for link in links)
    assert "pile/crm/" in (out / "lineage.html").read_text("utf-8")


def test_the_table_says_what_came_of_it(made: tuple[Path, str, str]) -> None:
    lines = [line.split() for line in made[1].splitlines() if line.strip()]
    counts = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
    verdicts = {name: counts.get(name, 0) for name in ("proved", "tested", "kept", "failed")}
    assert sum(verdicts.values()) + counts.get("order-dependent", 0) == counts["reports"]
    assert verdicts["failed"] == 0
    assert verdicts["proved"] > counts["reports"] / 2
    assert 0 < counts["contradictions"] < 40
    before, after = (int(word.replace(",", "")) for word in lines[0][3::2])
    assert 0 < after < before


def test_progress_and_what_to_do_next_are_told(made: tuple[Path, str, str]) -> None:
    told = made[2].splitlines()
    assert [line for line in told if line in STAGES] == list(STAGES)
    assert "refactor: proving the models one to one" in told
    spent = [line.partition(": ") for line in told if line.endswith(" s CPU")]
    assert [stage for stage, _, _ in spent] == list(STAGES)
    assert "dbt build" in made[2]


def test_quiet_means_the_table_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Case({"q.sql": "select v from t where v > 1"}, build_one_table, "postgres")
    monkeypatch.setattr(cli, "_bundled", lambda seed, size: small)
    done = CliRunner().invoke(cli.main, ["demo", "-q", "--out", str(tmp_path / "out")])
    assert (done.exit_code, done.stderr) == (0, "")
    assert str(tmp_path / "out" / "project") in done.stdout


def test_more_than_the_whole_pile_is_no_size(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli.main, ["demo", "--size", "2", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_readme_shows_this_table(made: tuple[Path, str, str]) -> None:
    """Its figures are those of the whole case, which takes too long here: the labels are checked,
    and what has nothing to do with the rewriting."""
    text = (ROOT / "README.md").read_text("utf-8")
    shown = next(found[0] for found in walk.BLOCK.finditer(text) if found[1] == "demo")
    mine = walk.demo_block(made[1], str(made[0]))
    places = [line for line in mine.splitlines() if "build/demo" in line]
    assert [line for line in shown.splitlines() if "build/demo" in line] == places
    labels = [line.split("  ")[0] for line in mine.splitlines() if "  " in line.strip()]
    assert labels == [line.split("  ")[0] for line in shown.splitlines() if "  " in line.strip()]


def test_the_project_can_be_verified_again_and_a_change_is_noticed(
    made: tuple[Path, str, str],
) -> None:
    out, _, _ = made
    schema = str(out / "case.duckdb")
    params = shop_case(size=float(SMALL)).answers["placeholders"]

    def again() -> dict[str, str]:
        # its own data is enough here; made data takes a minute more
        found = verify(
            out / "pile", out / "project", "postgres", schema=schema, data=schema, params=params,
            generated=False,
        )  # fmt: skip
        assert found.ok == all(report.verdict != "failed" for report in found.reports)
        return {report.name: report.verdict for report in found.reports}

    (model,) = (out / "project" / "models" / "marts").rglob("mrr_by_plan.sql")
    text = model.read_text()
    assert again()["mrr_by_plan"] in ("proved", "tested")
    model.write_text(f"select * from (\n{text}\n) limit 1")
    verdicts = again()
    model.write_text(text)
    assert verdicts["mrr_by_plan"] == "failed"


def test_other_people_s_files_are_left_alone(made: tuple[Path, str, str], tmp_path: Path) -> None:
    out, _, _ = made
    done = CliRunner().invoke(cli.main, ["demo", "--size", SMALL, "--out", str(out)])
    assert done.exit_code == 2
    assert "output folder is not empty" in done.stderr
    mine = tmp_path / "pile" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    case = Case({"q.sql": "select v from t where v > 1"}, build_one_table, "postgres")
    with pytest.raises(OutputNotEmpty):
        demo(case, tmp_path, force=False)
    found = demo(case, tmp_path, force=True)
    assert [report.verdict for report in found.verified.reports] == ["proved"]
    assert mine.read_text() == "mine"
    other = Case({"other.sql": "select v from t"}, build_one_table, "postgres")
    demo(other, tmp_path, force=True)
    assert {path.name for path in (tmp_path / "pile").iterdir()} == {"mine.txt", "other.sql"}


def test_a_list_of_laid_out_files_leads_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside.sql"
    outside.write_text("mine")
    out = tmp_path / "out"
    (out / "pile").mkdir(parents=True)
    (out / LAID_OUT).write_text("../../outside.sql\nnot there.sql")
    demo(Case({"q.sql": "select v from t"}, build_one_table, "postgres"), out, force=True)
    assert outside.read_text() == "mine"


def build_one_table(file: Path) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute("create or replace table t as select unnest([1, 2, 3]) as v")


def test_the_record_names_the_dialect_and_what_is_kept(made: tuple[Path, str, str]) -> None:
    record = json.loads((made[0] / "project" / ".unwet" / "project.json").read_text())
    assert record["dialect"] == "duckdb"
    assert record["kept"]
    assert all(record["kept"].values())


def test_a_wheel_carries_the_case_and_stays_small(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    assert Path(wheel).stat().st_size < 5_000_000
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    assert set(PACKAGED) <= names
    assert sum(name.startswith(f"{SHOP}/pile/") for name in names) > 400
    assert {"page.html", "explorer.css", "main.js"} <= {
        name.removeprefix("unwet/lineage/exports/explorer/") for name in names
    }
    fixtures = {name.split("/")[2] for name in names if name.startswith("unwet/fixtures/")}
    assert fixtures == {"__init__.py", "shop"}
    assert {f"unwet/lineage/codes/{name}.md" for name in FAMILIES} <= set(names)
    assert not any(name.startswith(("unwet/tests", "unwet/bench", "unwet/.dev")) for name in names)
    code = (
        "import unwet.cli as cli; print(cli.__file__); "
        "print(len(cli._bundled(None, 1.0).files), len(cli._bundled(2, 0.0).files))"
    )
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, 'site'); {code}"]
    done = run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    place, counted = done.stdout.splitlines()
    assert (tmp_path / place).resolve().is_relative_to(tmp_path.resolve())
    bundled, other = map(int, counted.split())
    assert bundled > 400 > other > 50
