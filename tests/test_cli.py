"""The command line: exit codes, what goes to stdout and what to stderr."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from unwet import cli
from unwet.lineage.errors import UsageError


def run(*args: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args], input=stdin)


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    (tmp_path / "a.sql").write_text("create table t (a int);\ncreate view v as select a from t;\n")
    (tmp_path / "b.sql").write_text("select a from v where x = {{ day }};\n")
    return tmp_path


def test_scan_as_json(pile: Path) -> None:
    done = run("scan", pile, "--format", "json", "--dialect", "postgres")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["files"], found["lines"], found["statements"]) == (2, 3, 3)
    assert (found["opaque"], found["errors"]) == (0, [])
    assert found["reports"] == [
        {"name": "v", "path": str(pile / "a.sql"), "line": 2},
        {"name": "b", "path": str(pile / "b.sql"), "line": 1},
    ]


def test_scan_as_text(pile: Path) -> None:
    done = run("scan", pile)
    assert done.exit_code == 0, done.stderr
    assert ["statements", "3"] in [line.split() for line in done.stdout.splitlines()]
    assert "\x1b" not in done.stdout


def test_help_has_whole_sentences() -> None:
    shown = " ".join(run("--help").stdout.partition("Commands:")[2].split())
    assert shown and "..." not in shown
    for name, command in cli.main.commands.items():
        first = " ".join((command.help or "").partition("\n\n")[0].split()).rstrip(".")
        assert f"{name} {first}" in shown


def test_what_is_read_when_nobody_names_a_path(pile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pile / "in").mkdir()
    (pile / "in" / "c.sql").write_text("create view w as select a from v;\n")
    monkeypatch.chdir(pile)
    assert json.loads(run("scan", "--format", "json").stdout)["files"] == 3
    (pile / "unwet.toml").write_text('paths = ["in"]\n')
    assert json.loads(run("scan", "--format", "json").stdout)["files"] == 1
    assert json.loads(run("scan", ".", "--format", "json").stdout)["files"] == 3
    assert "in/c.sql:1:" in run("search", "a").stdout
    assert run("refactor", "--out", "p").exit_code == 0
    assert run("verify", "p").stdout == "proved  w\n1 report: 1 proved\n"
    outside = run("check", "a.sql")
    assert (outside.exit_code, "nothing was checked" in outside.stderr) == (0, True)
    (pile / "unwet.toml").write_text('paths = ["on"]\n')
    for command in ("scan", "dups", "drift", "check"):
        done = run(command)
        assert done.exit_code == 2
        assert f"no such file or folder: {pile / 'on'}" in done.stderr
        assert "the configuration names it in `paths`" in done.stderr


def test_output_is_the_same_on_every_run(pile: Path) -> None:
    assert (
        run("scan", pile, "--format", "json").stdout == run("scan", pile, "--format", "json").stdout
    )


def test_what_does_not_parse_is_exit_code_1_and_shown(pile: Path) -> None:
    (pile / "c.sql").write_text("select from where")
    done = run("scan", pile, "--format", "json")
    assert done.exit_code == 1
    assert f"{pile / 'c.sql'}:1:13: PARSE" in done.stderr
    error = json.loads(done.stdout)["errors"][0]
    assert {"path", "line", "column", "message"} <= set(error)
    assert run("scan", pile, "-q").stderr == ""


def test_errors_without_a_dialect_ask_for_one(pile: Path) -> None:
    (pile / "odd.sql").write_text("select a from b where;")
    asked = "no dialect was given: --dialect NAME may read more of it\n"
    assert run("scan", str(pile)).stderr.endswith(asked)
    assert asked not in run("scan", str(pile), "--dialect", "tsql").stderr
    assert run("scan", str(pile), "-q").stderr == ""


def test_standard_input() -> None:
    done = run("scan", "-", "--format", "json", stdin="select 1 a")
    assert json.loads(done.stdout)["statements"] == 1


def test_output_goes_to_a_file_in_one_piece(pile: Path) -> None:
    target = pile / "out.json"
    done = run("scan", pile, "--format", "json", "-o", target)
    assert done.stdout == ""
    assert json.loads(target.read_text())["files"] == 2
    assert sorted(path.name for path in pile.iterdir()) == ["a.sql", "b.sql", "out.json"]


def test_parameters_and_configuration(pile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pile)
    (pile / "unwet.toml").write_text('dialect = "tsql"\n[params]\ncdm = "main"\n')
    (pile / "b.sql").write_text("select 1 a into @cdm.@x\n")
    assert "main.y" in run("scan", "--param", "x=y", "--format", "json").stdout
    assert (
        "other.y" in run("scan", "--param", "x=y", "--param", "cdm=other", "--format=json").stdout
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "error: no such file or folder: nowhere"),
        (["--dialect", "postgress"], "help: did you mean postgres?"),
        (["--param", "x"], "error: --param x has no value"),
        (["--config", "nowhere.toml"], "error: no such file or folder: nowhere.toml"),
        (["--config", "nowhere.toml"], "help: --config wants a TOML file"),
        (["--schema", "nowhere.json"], "error: no such file or folder: nowhere.json"),
        (["--schema", "nowhere.json"], "help: give a YAML, JSON, DDL or DuckDB file"),
        (["--format", "xml"], "Invalid value for '--format'"),
        (["-o", "no/such/folder/x.json"], "error: cannot write to no/such/folder/x.json"),
        (["-o", "no/such/folder/x.json"], "help: make the folder no/such/folder first"),
        (["--format", "jsn"], "error: Invalid value for '--format': 'jsn' is not one of"),
        (["--format", "jsn"], "help: did you mean json?"),
        (["--nonsense"], "error: No such option"),
        (["--nonsense"], "scan --help says what it takes"),
    ],
)
def test_wrong_use_is_exit_code_2_with_help(
    pile: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    monkeypatch.chdir(pile)
    done = run("scan", *args)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_empty_folder_is_exit_code_2(tmp_path: Path) -> None:
    done = run("scan", tmp_path)
    assert done.exit_code == 2
    assert "no SQL files in" in done.stderr


@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        (UsageError("odd", "do better"), 2, "error: odd\nhelp: do better\n"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("x"), 2, "internal error"),
        (click.UsageError("odd"), 2, "error: odd\nhelp: "),
    ],
)
def test_every_failure_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException, code: int, message: str
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("unwet.lineage.sources.read_sources", fail)
    done = run("scan", ".")
    assert done.exit_code == code
    assert message in done.stderr


def test_a_reader_that_leaves_early_is_no_error(pile: Path) -> None:
    command = [sys.executable, "-m", "unwet", "scan", str(pile), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_interrupt_leaves_with_130_and_one_line(tmp_path: Path) -> None:
    fifo = tmp_path / "slow.sql"
    os.mkfifo(fifo)  # reading it waits for ever
    command = [sys.executable, "-m", "unwet", "scan", str(fifo)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        writer = _once_read(fifo)
        # one that comes just before the read begins is seen only after it: send it again
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(1)
        os.close(writer)
        assert process.stderr is not None
        assert process.stderr.read().strip() == "interrupted"
        assert process.returncode == 130


def _once_read(fifo: Path) -> int:
    """The writing end, as soon as somebody waits at the other."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert time.monotonic() < deadline, "nobody reads"
            time.sleep(0.05)


def test_a_file_that_stays_as_it_was_edited_is_an_error_for_strict_only(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("CREATE TABLE r AS SELECT a, b FROM s.t WHERE a > 1;\n")
    out = tmp_path / "out"
    command = ("refactor", tmp_path / "x.sql", "--dialect", "duckdb", "--out", out, "--force")
    assert "edited by hand" not in run(*command).stdout
    (model,) = out.rglob("r.sql")
    model.write_text(model.read_text("utf-8").replace("> 1", "> 2"), "utf-8")
    plain, strict = run(*command), run(*command, "--strict")
    assert "edited by hand" in plain.stdout and "1 file, left so" in plain.stdout
    assert strict.stderr.endswith("--strict: exit code 1, as 1 file is edited by hand\n")
    assert (plain.exit_code, strict.exit_code) == (0, 1)


def test_a_report_that_is_kept_is_an_error_for_strict_only(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("CREATE TABLE x (a int);\nINSERT INTO x EXEC dbo.p;\n")
    command = ("refactor", tmp_path, "--dialect", "tsql", "--plan", "--no-generated")
    plain, strict = run(*command), run(*command, "--strict")
    assert "1: 1 kept" in plain.stdout and plain.stdout == strict.stdout
    assert strict.stderr == f"{plain.stderr}--strict: exit code 1, as 1 report is kept\n"
    assert (plain.exit_code, strict.exit_code) == (0, 1)


def test_verify_takes_a_report_that_was_kept_for_an_error_only_with_strict(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("CREATE TABLE x (a int);\nINSERT INTO x EXEC dbo.p;\n")
    out = tmp_path / "out"
    run("refactor", tmp_path / "x.sql", "--dialect", "tsql", "--out", out, "--no-generated")
    command = ("verify", tmp_path / "x.sql", out, "--dialect", "tsql")
    plain, strict = run(*command), run(*command, "--strict")
    assert "1 report: 1 kept" in plain.stdout and plain.stdout == strict.stdout
    assert (plain.exit_code, strict.exit_code) == (0, 1)


def test_keys_that_nobody_checks_count_where_the_configuration_trusts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    (tmp_path / "pile" / "tables.sql").write_text(
        "CREATE TABLE s.a (id INT64, PRIMARY KEY (id) NOT ENFORCED);\n"
        "CREATE TABLE s.b (x INT64, a_id INT64 NOT NULL,\n"
        "  FOREIGN KEY (a_id) REFERENCES s.a (id) NOT ENFORCED);\n"
    )
    (tmp_path / "pile" / "r.sql").write_text(
        "CREATE VIEW s.r AS SELECT b.x FROM s.b JOIN s.a ON a.id = b.a_id;\n"
    )
    given = ["--dialect", "bigquery", "--no-generated"]
    made = ["refactor", "pile", "--target", "views", "--out", "project"]
    assert CliRunner().invoke(cli.main, [*made, *given]).exit_code == 0
    for name in ("all.sql", "views/marts/r.sql"):
        path = tmp_path / "project" / name
        text = path.read_text()
        path.write_text(text[: text.index("\nJOIN s.a")] + ";\n")
    said = ["verify", "pile", "project", *given]
    assert CliRunner().invoke(cli.main, said).exit_code == 1
    (tmp_path / "unwet.toml").write_text("trust_keys = true\n")
    result = CliRunner().invoke(cli.main, said)
    assert result.exit_code == 0, result.output
    assert "declared: s.b.a_id refers to s.a.id" in result.output


@pytest.mark.parametrize(
    ("command", "name", "begins", "told"),
    [
        ("scan", "x.json", "{", ""),
        ("dups", "x.JSON", "{", ""),
        ("check", "x.sarif", "{", ""),
        ("drift", "x.json", "{", ""),
        ("scan", "x.txt", "files", ""),
        ("scan", "x", "files", ""),
        ("scan", "x.csv", "files", ".csv says no format of this command, so text is written"),
        ("report", "x.html", "<!doctype", ""),
        ("report", "x.json", "<!doctype", ".json says no format of this command, so html is"),
    ],
)
def test_the_ending_of_a_file_says_its_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str, begins: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sql").write_text("SELECT a FROM t;\n")
    (tmp_path / "unwet.toml").write_text('paths = ["a.sql"]\n')
    done = CliRunner().invoke(cli.main, [command, "a.sql", "-o", name])
    assert (tmp_path / name).read_text().lower().startswith(begins)
    assert told in done.stderr and ("says no format" in done.stderr) is bool(told)
    asked = CliRunner().invoke(cli.main, ["scan", "a.sql", "-o", "y.json", "--format", "text"])
    assert (tmp_path / "y.json").read_text().startswith("files") and not asked.stderr
