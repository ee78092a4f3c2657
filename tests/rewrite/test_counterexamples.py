"""`--counterexamples DIR`: rows that differ as SQL, and nothing else is lost for them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from unwet.cli import main

PILE = """\
CREATE TABLE shop.a (id INT, x INT);
CREATE TABLE shop.b (id INT, y INT);
CREATE VIEW rep.sums AS
SELECT a.id, SUM(b.y) AS total FROM shop.a AS a LEFT JOIN shop.b AS b ON a.id = b.id GROUP BY a.id;
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A pile and a project beside it, in which a LEFT JOIN has become a JOIN."""
    (tmp_path / "pile").mkdir()
    (tmp_path / "pile" / "sums.sql").write_text(PILE)
    made = run("refactor", tmp_path / "pile", "--dialect", "duckdb", "--out", tmp_path / "project")
    assert made.exit_code == 0, made.output
    (model,) = (tmp_path / "project" / "models").rglob("sums.sql")
    model.write_text(model.read_text().lower().replace("left join", "join"))
    return tmp_path


def verify(root: Path, folder: Path) -> Result:
    return run("verify", root / "pile", root / "project", "--dialect", "duckdb",
               "--counterexamples", folder)  # fmt: skip


def test_the_file_shows_the_rows_that_differ(wrong: Path) -> None:
    told = verify(wrong, wrong / "shown")
    assert told.exit_code == 1
    assert f"rows that differ on generated data: {wrong / 'shown'}" in told.output
    (path,) = (wrong / "shown").iterdir()
    text = path.read_text("utf-8")
    assert path.name == "sums.sql" and text.startswith("-- rep.sums: old and new return other rows")
    with duckdb.connect() as connection:
        *made, old, new = connection.extract_statements(text)
        for statement in made:
            connection.execute(statement)
        only_old, only_new = (connection.execute(each).fetchall() for each in (old, new))
    assert only_old and not only_new
    assert {row[0] for row in only_old} == {"only old"}
    again = verify(wrong, wrong / "shown")
    assert again.exit_code == 1 and path.read_text("utf-8") == text


def test_sql_of_somebody_else_is_not_overwritten(wrong: Path) -> None:
    for command in (
        ("verify", wrong / "pile", wrong / "project"),
        ("refactor", wrong / "pile", "--out", wrong / "second"),
    ):
        told = run(*command, "--dialect", "duckdb", "--counterexamples", wrong / "pile")
        assert told.exit_code == 2
        assert "sums.sql is no counterexample, and could be overwritten" in told.output
        assert (wrong / "pile" / "sums.sql").read_text() == PILE
        assert not (wrong / "second").exists()


def test_a_file_is_no_folder_for_them(wrong: Path) -> None:
    told = verify(wrong, wrong / "pile" / "sums.sql")
    assert told.exit_code == 2
    assert "it is no folder\nhelp: choose a folder" in told.output
