"""Piles that nobody should give to dups, drift and check, and somebody will: an answer or a word.

Big ones are answered in the budget; what cannot be read is told and loses nothing else.
"""

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet import cli
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.drift import drift
from unwet.rewrite.families import duplicates
from unwet.tests.nobody import as_nobody, open_copy

COMMANDS = ("dups", "drift", "check")
REPORT = """CREATE VIEW buyers_{0} AS
SELECT c.id, COUNT(DISTINCT o.id) AS orders
FROM customers AS c JOIN orders AS o ON o.customer_id = c.id
WHERE c.country = '{0}' AND o.status = 'paid'
GROUP BY c.id;
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, where its `Result` cannot go."""

    exit_code: int
    stdout: str
    stderr: str


def said(*args: str) -> Said:
    done = run(*args)
    return Said(done.exit_code, done.stdout, done.stderr)


def run(*args: str | Path) -> Result:
    done = CliRunner().invoke(cli.main, [str(arg) for arg in args])
    assert "internal error" not in done.stderr, done.stderr
    assert done.exit_code in (0, 1, 2)
    return done


@pytest.fixture
def pile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "pile"
    folder.mkdir()
    for country in ("at", "ch", "de", "fr"):
        (folder / f"{country}.sql").write_text(REPORT.format(country))
    (folder / "fr.sql").write_text(REPORT.format("fr").replace("DISTINCT ", ""))
    monkeypatch.chdir(folder)
    return folder


def is_answered(command: str, done: Result | Said) -> bool:
    """Whether the four reports of the pile were read, whatever else is there."""
    wanted = {"dups": "parametric, 3 copies", "drift": "DRIFT_AGGREGATE", "check": "DUP_PARAMETRIC"}
    return wanted[command] in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_pile_has_something_to_tell(command: str, pile: Path) -> None:
    done = run(command)
    assert is_answered(command, done)
    assert done.exit_code == (1 if command == "check" else 0)
    noted = [line[:25] for line in done.stderr.splitlines()]
    unset = ["there is no configuration", "  help: unwet init writes"]
    assert noted == (unset if command == "check" else [])


# --- what cannot be read ------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_binary_file_is_told(command: str, pile: Path) -> None:
    (pile / "dump.sql").write_bytes(b"PGDMP\1\16\0" + bytes(range(256)) * 40)
    done = run(command)
    assert "dump.sql:1:1: BINARY skipped: it holds NUL bytes" in lines(command, done)
    assert is_answered(command, done)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_vanishes_after_it_was_listed_is_told(
    command: str, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = pile / "gone.sql"
    gone.write_text(REPORT.format("nl"))
    opened(monkeypatch, lambda path: gone.unlink(missing_ok=True) if path == gone.name else None)
    done = run(command)
    assert not gone.exists()
    why = "it disappeared while" if command == "check" else "cannot read: No such file or directory"
    assert f"gone.sql:1:1: UNREADABLE {why}" in lines(command, done)
    assert is_answered(command, done)


def opened(monkeypatch: pytest.MonkeyPatch, before: Callable[[str], object]) -> None:
    """Something happens each time before the bytes of a file are read."""
    read = Path.read_bytes

    def reading(self: Path) -> bytes:
        before(self.name)
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", reading)


def lines(command: str, done: Result | Said) -> str:
    """What is said of files: `path:line:column: CODE message`, in the forms of each command."""
    if command != "check":
        return done.stderr
    return re.sub(r"(?m)^(\w+ .*)\n *--> (.*)$", r"\2: \1", done.stdout)


@pytest.mark.skipif(os.name == "nt", reason="permissions")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_others_may_not_read_is_told(
    command: str, pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_copy(pile) as folder:
        (folder / "secret.sql").write_text(REPORT.format("nl"))
        (folder / "secret.sql").chmod(0)
        monkeypatch.chdir(folder)
        run(command)  # what it needs is loaded
        shutil.rmtree(folder / ".unwet_cache", ignore_errors=True)
        found = as_nobody(lambda: said(command))
    why = "UNREADABLE cannot read: Permission denied"
    assert f"secret.sql:1:1: {why}" in lines(command, found)
    assert is_answered(command, found)


@pytest.mark.skipif(os.name == "nt", reason="permissions")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_others_may_not_enter_is_told(command: str, pile: Path) -> None:
    run(command)
    pile.chmod(0)
    try:
        done = as_nobody(lambda: said(command, *(["--no-index"] if command == "check" else [])))
    finally:
        pile.chmod(0o755)
    assert (done.exit_code, done.stdout) == (2, ""), done.stdout
    why = "Permission denied" if command == "check" else "no such file or folder: ."
    assert done.stderr.startswith("error: ") and why in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_folder_is_an_answer_too(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(command)
    if command == "check":  # the folder of a project that begins
        assert (done.exit_code, done.stdout) == (0, "No problems found.\n")
    else:
        assert done.exit_code == 2
        assert done.stderr.startswith("error: no SQL files in .\nhelp: looked for *.sql")


# --- what is big --------------------------------------------------------------------------------

BRANCHES = 1_000


def union(first: int, sign: str = "UNION ALL") -> str:
    """A view of as many branches."""
    branch = (
        "SELECT country, SUM(total) AS revenue FROM orders WHERE country = '{}' GROUP BY country"
    )
    texts = (branch.format(f"c{number}") for number in range(first, first + BRANCHES))
    return f"CREATE VIEW v{first} AS\n" + f"\n{sign}\n".join(texts) + ";\n"


@pytest.mark.parametrize("sign", ["UNION ALL", "UNION"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_union_of_1000_branches(
    command: str, sign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "u.sql").write_text(union(0, sign))
    monkeypatch.chdir(tmp_path)
    done = run(command)
    told = {"dups": "parametric, 1000 branches, ", "drift": "0 contrad", "check": "DUP_PARAMETRIC "}
    assert done.stdout.startswith(told[command]), done.stdout[:200]


def test_a_family_of_5000_members() -> None:
    texts = [union(first) for first in range(0, 5 * BRANCHES, BRANCHES)]
    odd = "AS revenue FROM orders WHERE country = 'c3500'"
    texts[3] = texts[3].replace(f"SUM(total) {odd}", f"AVG(total) {odd}")
    read = load([Source(f"{n}.sql", text) for n, text in enumerate(texts)])
    family = max(duplicates(read).families, key=lambda each: each.size)
    assert family.size == 5 * BRANCHES - 1
    assert len({(m.path, m.line) for m in family.members}) == family.size
    (finding,) = drift(read).findings
    assert (finding.code, finding.votes, finding.against) == ("DRIFT_AGGREGATE", 4999, 1)
    assert [(o.path, o.line) for o in finding.outliers] == [("3.sql", 1002)]


@pytest.mark.parametrize("command", COMMANDS)
def test_more_rows_than_anybody_reads(command: str, pile: Path) -> None:
    rows = ",\n".join(f"({number}, '{'x' * 90}', NULL)" for number in range(12_000))
    (pile / "rows.sql").write_text(f"INSERT INTO countries VALUES\n{rows};\n")
    done = run(command)
    assert is_answered(command, done)
    if command != "check":
        assert "rows.sql:1:1: BUDGET only the first 1,000 of 12,000 rows are read" in done.stderr
