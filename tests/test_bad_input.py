"""What nobody should give to unwet and somebody will: a message, an exit code, nothing lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet import cli
from unwet.tests.nobody import as_nobody, open_copy

GOOD = "create view v as select a, b from s.t where a > 1;\nselect a from v;\n"


def run(*args: str | Path) -> Result:
    done = CliRunner().invoke(cli.main, [str(arg) for arg in args])
    assert "internal error" not in done.stderr, done.stderr
    return done


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    folder = tmp_path / "pile"
    folder.mkdir()
    (folder / "a.sql").write_text(GOOD)
    return folder


@pytest.fixture
def project(pile: Path) -> Path:
    out = pile.parent / "project"
    assert run("refactor", pile, "--out", out).exit_code == 0
    return out


@pytest.mark.parametrize("command", ["scan", "lineage", "dups", "refactor"])
@pytest.mark.parametrize("sql", ["(" * 5000 + "a", "select 'abc", "/* x", "\0\1", "{{ x", ";;", ""])
def test_broken_files_are_findings(pile: Path, command: str, sql: str) -> None:
    (pile / "b.sql").write_text(sql)
    out = ["--out", str(pile.parent / "out")] if command == "refactor" else []
    done = run(command, pile, *out)
    assert done.exit_code == (1 if command == "scan" and "b.sql" in done.stderr else 0)
    if command == "refactor":
        assert (pile.parent / "out" / "models" / "marts" / "v.sql").is_file()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings(pile: Path, encoding: str) -> None:
    (pile / "a.sql").write_bytes(GOOD.encode(encoding))
    assert '"statements": 2' in run("scan", pile, "--format", "json").stdout


@pytest.mark.parametrize(
    "sql",
    [
        "select a from " + "(select a from " * 300 + "t" + ") q" * 300,
        "select a from " + "(select a from " * 4000 + "t" + ") q" * 4000,
        "select " + "coalesce(a, " * 600 + "1" + ")" * 600 + " x from t",
        "select " + " || ".join(["a"] * 3000) + " x from t",
    ],
)
def test_deep_queries_are_done_or_told(pile: Path, sql: str) -> None:
    (pile / "deep.sql").write_text(sql)
    done = run("refactor", pile, "--out", pile.parent / "out")
    assert done.exit_code == 0
    assert "| deep |" in (pile.parent / "out" / "MIGRATION.md").read_text()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--to-dialect", "duckdbb"], "help: did you mean duckdb?"),
        (["--name", "../x y"], "help: letters, digits and _ only: --name x_y"),
        (["--name", ""], "error: '' cannot be the name of a dbt project"),
        (["--data", "mysql://joe:geheim@db/x"], "error: cannot read data through mysql://"),
        (["--data", "md:?motherduck_token=geheim"], "error: no such file or folder: md:"),
        (["--data", "host=db password=geheim"], "error: no such file or folder: host=db"),
        (["--data", "."], "error: no data in ."),
        (["--schema", "."], "error: cannot read a schema from ."),
        (["--config", "."], "error: .: cannot read: Is a directory"),
        (["-o", "."], "help: -o names a file for what stdout would get"),
        (["-o", "../pile/../out"], "help: --out is the folder of the project, -o a file"),
    ],
)
def test_wrong_requests(
    pile: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(pile)
    done = run("refactor", ".", "--out", "../out", *args)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "geheim" not in done.stderr
    assert not (pile.parent / "out").exists()


def test_the_summary_is_no_project(pile: Path) -> None:
    done = run("refactor", pile, "-o", pile.parent / "out")
    assert done.exit_code == 2
    assert "help: add --out DIR, or --plan to only look; -o is the file of the" in done.stderr


def test_the_output_may_lie_deeper(pile: Path) -> None:
    assert run("refactor", pile, "--out", pile.parent / "a" / "b" / "c").exit_code == 0
    assert (pile.parent / "a" / "b" / "c" / "MIGRATION.md").is_file()


@pytest.mark.parametrize("name", ["", "."])
def test_a_folder_is_no_output_file(pile: Path, name: str) -> None:
    done = run("lineage", pile, "-o", name)
    assert done.exit_code == 2
    assert "it is a folder" in done.stderr


def test_links_in_circles_and_to_nowhere(pile: Path) -> None:
    (pile / "loop").symlink_to(".")
    (pile / "self.sql").symlink_to("self.sql")
    (pile / "gone.sql").symlink_to("nowhere")
    done = run("scan", pile)
    assert done.exit_code == 1
    assert done.stderr.count("UNREADABLE") == 2


def test_what_was_not_read_is_told_to_the_team(pile: Path) -> None:
    (pile / "b.sql").write_bytes(b"\0\1\2")
    run("refactor", pile, "--out", pile.parent / "out")
    assert "- b.sql: skipped" in (pile.parent / "out" / "MIGRATION.md").read_text()


@pytest.mark.skipif(os.name == "nt", reason="permissions")
def test_a_closed_folder_is_a_finding(pile: Path) -> None:
    with open_copy(pile) as folder:
        (folder / "closed").mkdir(mode=0)
        run("scan", folder)  # what it needs is loaded
        code, notes = as_nobody(lambda: _told(run("scan", folder)))
    assert (code, "closed:1:1: UNREADABLE" in notes) == (1, True)


def _told(done: Result) -> tuple[int, str]:
    return done.exit_code, done.stderr


def test_data_that_does_not_fit_is_told(pile: Path, project: Path) -> None:
    data = pile.parent / "data" / "s"
    data.mkdir(parents=True)
    (data / "t.csv").write_text("a,x\n1,2\n")
    done = run("verify", pile, project, "--data", data.parent)
    assert "not run on the data: " in done.stdout
    run("refactor", pile, "--out", project, "--force", "--data", data.parent)
    assert "| proved | not run on the data: " in (project / "MIGRATION.md").read_text()


def test_dbt_quotes_relations_itself(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("create table `p.d.x` as select a from `p.r.t`;")
    (tmp_path / "b.sql").write_text("select a from `p.d.x`")
    run("refactor", tmp_path, "--dialect", "bigquery", "--out", tmp_path / "out")
    text = (tmp_path / "out" / "models" / "marts" / "b.sql").read_text()
    assert "from {{ ref('x') }}\n" in text


def test_a_link_as_output_stays_a_link(pile: Path, tmp_path: Path) -> None:
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    result = run("lineage", str(pile), "-o", str(link))
    assert result.exit_code == 0, result.output
    assert link.is_symlink() and real.read_text(encoding="utf-8") != "old"


def test_a_pipe_as_output_stays_a_pipe(pile: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        result = run("lineage", str(pile), "-o", str(pipe))
        assert result.exit_code == 0, result.output
        assert pipe.is_fifo() and os.read(reader, 10)
    finally:
        os.close(reader)
    assert [path.name for path in tmp_path.glob(".*.part")] == []


def test_output_is_utf8_in_any_locale(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("select ü from t", encoding="utf-8")
    alone = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = unwet("lineage", tmp_path, env=alone)
    assert "t.ü" in done.communicate()[0].decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout(pile: Path) -> None:
    command = [sys.executable, "-m", "unwet", "scan", str(pile)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: cannot write to standard output")


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_demo_that_stops_leaves_nothing(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    inside = {**os.environ, "TMPDIR": str(tmp_path)}
    process = unwet("demo", "--size", "0", "--out", tmp_path / "demo", env=inside)
    while not (tmp_path / "demo" / "pile").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(sent)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


def unwet(*args: str | Path, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "unwet", *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
