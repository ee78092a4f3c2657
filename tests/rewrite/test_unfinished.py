"""Runs over data that are stopped: what they found out is kept, and never for anything else."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet.cli import main
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.cache_folder import FOLDER
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.compare import Difference
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.unfinished import Run, Unfinished

FAST = ("a", "b", "c")
DONE = DataVerdict("north", "identical", 3, 3, (), "no rows on either side")
SOURCES = "sources: [{name: shop, schema: shop, tables: [{name: orders}]}]"


class Bench:
    """A pile, its project and data; the model `z` counts for hours."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("data/shop/orders.csv", "n,who\n" + "".join(f"{n},x{n}\n" for n in range(3000)))
        self.write("project/dbt_project.yml", "name: p\n")
        self.write("project/models/sources.yml", SOURCES)
        for name in FAST:
            query = f"SELECT n, '{name}' AS tag FROM {{}} WHERE n > 2990"
            self.write(f"pile/{name}.sql", query.format("shop.orders"))
            self.write(f"project/models/{name}.sql", query.format("{{ source('shop', 'orders') }}"))
        source = "{{ source('shop', 'orders') }}"
        self.write("pile/z.sql", "SELECT 1 AS many")
        self.write(
            "project/models/z.sql",
            "SELECT CAST(COUNT(*) > 0 AS INTEGER) AS many "
            f"FROM {source} a, {source} b, {source} c, {source} d WHERE a.n + b.n * c.n - d.n > 0",
        )

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def file(self) -> Path:
        return self.root / FOLDER / "unfinished-2.sqlite3"

    def kept(self) -> list[str]:
        """The reports that are known."""
        if not self.file.exists():
            return []
        try:
            with closing(sqlite3.connect(self.file)) as found:
                return [name for (name,) in found.execute("select name from verdict order by 1")]
        except sqlite3.OperationalError:  # the table is being made
            return []

    def words(self, *more: str) -> list[str]:
        words = ("pile", "project", "--dialect", "duckdb", "--data", "data", "--no-generated")
        return ["verify", *words, *more]

    def go_on(self, *more: str) -> Result:
        """The same command; the slow model has a second."""
        return CliRunner().invoke(main, self.words("--timeout", "1", *more))

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[str]"]:
        """The command, until all reports but the slow one are done."""
        command = [sys.executable, "-m", "unwet", *self.words()]
        with subprocess.Popen(command, cwd=self.root, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
            try:
                end = time.monotonic() + 60
                while len(self.kept()) < len(FAST):
                    assert process.poll() is None, process.communicate()
                    assert time.monotonic() < end
                    time.sleep(0.05)
                yield process
            finally:
                process.kill()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path)


# --- the command -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_run_that_is_stopped_goes_on(bench: Bench, stop: signal.Signals, code: int) -> None:
    with bench.running() as process:
        process.send_signal(stop)
        _, told = process.communicate(timeout=30)
    assert process.returncode == code
    if stop != signal.SIGKILL:
        assert "3 verdicts are kept: the same command goes on from there" in told
    assert "Traceback" not in told
    assert bench.kept() == list(FAST)
    with closing(sqlite3.connect(bench.file)) as file, file:  # a mark: nobody counts these anew
        file.execute("update verdict set value = replace(value, '9, 9', '77, 77')")
    done = bench.go_on()
    assert "which was stopped: 3 reports are done; --fresh begins anew" in done.stderr
    assert done.stdout.count("(77 rows)") == 3
    assert "stopped after 1 s" in done.stdout
    assert done.exit_code == 1
    assert bench.kept() == []
    assert "(9 rows)" in bench.go_on().stdout


def stopped(bench: Bench) -> None:
    """A run of which all but the slow report is done, with a mark on what is known."""
    with bench.running() as process:
        process.kill()
    with closing(sqlite3.connect(bench.file)) as file, file:
        file.execute("update verdict set value = replace(value, '9, 9', '77, 77')")


def test_fresh_begins_anew(bench: Bench) -> None:
    stopped(bench)
    done = bench.go_on("--fresh")
    assert "77" not in done.stdout
    assert done.stdout.count("(9 rows)") == 3
    assert "is done" not in done.stderr


def test_what_a_verdict_depends_on_changes(bench: Bench) -> None:
    stopped(bench)
    bench.write("project/models/a.sql", (bench.root / "project/models/a.sql").read_text() + "\n")
    assert "(77 rows)" not in bench.go_on().stdout


def test_refactor_goes_on_too(bench: Bench) -> None:
    stopped(bench)  # of verify: another project, another run
    words = ("refactor", "pile", "--dialect", "duckdb", "--data", "data", "--plan")
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0
    assert len(bench.kept()) == 3


def test_nothing_of_the_data_is_kept(bench: Bench) -> None:
    bench.write("project/models/a.sql", "SELECT n, who AS tag FROM {{ source('shop', 'orders') }}")
    bench.write("pile/b.sql", "SELECT CAST(who AS INTEGER) AS n, 'b' AS tag FROM shop.orders")
    with subprocess.Popen([sys.executable, "-m", "unwet", *bench.words()], cwd=bench.root,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # fmt: skip
        end = time.monotonic() + 60
        while bench.kept() != ["c"]:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        process.kill()
    for file in bench.file.parent.iterdir():
        assert b"x29" not in file.read_bytes()
    assert (bench.file.parent / ".gitignore").read_text() == "*\n"


def test_a_cache_that_cannot_be_written_stops_nobody(bench: Bench) -> None:
    (bench.root / FOLDER).write_text("no folder")
    done = bench.go_on()
    assert done.stdout.count("(9 rows)") == 3
    assert "cannot be resumed if it is stopped: " in done.stderr


def test_a_statement_over_its_time_ends_and_the_rest_goes_on(bench: Bench) -> None:
    done = bench.go_on()
    told = [line.split()[0] for line in done.stdout.splitlines() if "rows)" in line]
    assert told == ["proved"] * 3
    assert "model z: stopped after 1 s" in done.stdout


# --- what a run is known by ------------------------------------------------------------------


def begun(bench: Bench, engine: str = "1", **other: object) -> Run:
    pile = load([Source("a.sql", str(other.get("text", "SELECT 1")), "duckdb")])
    data = bench.root / str(other.get("data", "data"))
    store = Unfinished(bench.root, engine)
    made = store.run(
        pile.scripts,
        bench.root / "project",
        [ReportRef("north", str(other.get("relation", "")), "north")],
        data,
        str(other.get("dialect", "duckdb")),
        {"least": str(other.get("value", "1"))},
        600.0,
    )
    assert made is not None
    return made


def test_the_same_run_is_known_again_with_its_clock(bench: Bench) -> None:
    first = begun(bench)
    first.put(DONE)
    again = begun(bench)
    assert (again.get("north"), again.get("south"), again.clock) == (DONE, None, first.clock)


@pytest.mark.parametrize(
    "other",
    [
        {"text": "SELECT 1 "},
        {"engine": "2"},
        {"dialect": "postgres"},
        {"value": "2"},
        {"data": "data/shop"},
        {"relation": "rep.north"},
    ],
)
def test_another_run_knows_nothing(bench: Bench, other: dict[str, str]) -> None:
    begun(bench).put(DONE)
    assert begun(bench, **other).get("north") is None
    assert begun(bench).get("north") == DONE


@pytest.mark.parametrize("path", ["data/shop/orders.csv", "project/models/z.sql"])
def test_another_file_is_another_run(bench: Bench, path: str) -> None:
    begun(bench).put(DONE)
    bench.write(path, (bench.root / path).read_text().replace("n", "m", 1))
    os.utime(bench.root / path, ns=(1, 1))
    assert begun(bench).get("north") is None


def test_time_and_zone_of_the_data_count(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(bench).put(DONE)
    os.utime(bench.root / "data/shop/orders.csv", ns=(5, 5))
    assert begun(bench).get("north") is None
    begun(bench).put(DONE)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert begun(bench).get("north") is None


def test_what_shows_rows_or_quotes_the_engine_is_not_kept(bench: Bench) -> None:
    run = begun(bench)
    run.put(replace(DONE, verdict="different", sample=(Difference("added", ("1",), 1),)))
    run.put(replace(DONE, name="b", verdict="not run", reason="Could not convert 'Ada' to INT32"))
    run.put(replace(DONE, name="c", verdict="not run", reason="model c: stopped after 600 s"))
    again = begun(bench)
    assert set(again.found) == {"c"}
    assert again.get("c") is not None


def test_a_longer_limit_gives_what_was_stopped_another_try(bench: Bench) -> None:
    store = Unfinished(bench.root, "1")
    late = DataVerdict("c", "not run", None, None, (), "model c: stopped after 5 s")
    for seconds, known in ((5.0, None), (5.0, late), (600.0, None)):
        run = store.run((), bench.root / "project", (), bench.root / "data", "", {}, seconds)
        assert run is not None
        assert run.get("c") == known
        run.put(late)


def test_data_on_a_server_is_never_known_again(bench: Bench) -> None:
    store = Unfinished(bench.root, "1")
    assert store.run((), bench.root / "project", (), "postgresql://h/d", "", {}, None) is None
    assert store.run((), bench.root / "project", (), bench.root / "nowhere", "", {}, None) is None


def test_garbage_is_made_anew(bench: Bench) -> None:
    begun(bench).put(DONE)
    bench.file.write_bytes(b"no database" * 100)
    begun(bench).put(DONE)
    assert begun(bench).get("north") == DONE


def test_a_verdict_that_is_garbage_is_none(bench: Bench) -> None:
    begun(bench).put(DONE)
    with closing(sqlite3.connect(bench.file)) as file, file:
        file.execute("update verdict set value = 'x'")
    store = Unfinished(bench.root, "1")
    pile = load([Source("a.sql", "SELECT 1", "duckdb")])
    project, data = bench.root / "project", bench.root / "data"
    ref = ReportRef("north", "", "north")
    made = store.run(pile.scripts, project, [ref], data, "duckdb", {"least": "1"}, 600.0)
    assert made is None or made.get("north") is None
    assert store.trouble == ""


def test_what_has_waited_for_a_month_is_forgotten(bench: Bench) -> None:
    begun(bench).put(DONE)
    with closing(sqlite3.connect(bench.file)) as file, file:
        file.execute("update run set day = day - 31")
    assert begun(bench).get("north") is None
    assert bench.kept() == []
