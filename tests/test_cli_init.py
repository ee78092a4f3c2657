"""`unwet init`: a first configuration, which all commands can read."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet.cli import main
from unwet.lineage.config import read_config
from unwet.rewrite.check.baseline import NAME as BASELINE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pile").mkdir()
    return tmp_path


def init(*words: str) -> Result:
    return CliRunner().invoke(main, ["init", *words])


def test_it_says_which_dialect_reads_the_pile(folder: Path) -> None:
    (folder / "pile" / "a.sql").write_text("SELECT TOP 3 [a b], @x AS x INTO #t FROM dbo.t;")
    done = init("pile")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        f"unwet.toml written into the current folder, {folder}: tsql\nnext: unwet scan\n"
    )
    found = read_config(None, folder)
    assert (found.dialect, found.paths) == ("tsql", (str(folder / "pile"),))
    scanned = CliRunner().invoke(main, ["scan"])
    assert scanned.exit_code == 0 and "reports" in scanned.stdout


def test_what_many_dialects_read_is_nobody_s(folder: Path) -> None:
    (folder / "pile" / "a.sql").write_text("SELECT a FROM t")
    assert "nothing says which dialect it is" in init("pile").stderr
    text = (folder / "unwet.toml").read_text()
    assert tomllib.loads(text) == {"paths": ["pile"]} and "postgres, bigquery" in text


def test_what_no_dialect_reads_whole_is_told(folder: Path) -> None:
    (folder / "pile" / "a.sql").write_text("SELECT TOP 3 [a b], @x AS x INTO #t FROM dbo.t;")
    (folder / "pile" / "b.sql").write_text("SELECT FROM WHERE a b")
    init("pile", "-q")
    text = (folder / "unwet.toml").read_text()
    assert '# reads 1 of 2 files\ndialect = "tsql"' in text


_STRAY = """SET NOCOUNT ON;
SELECT TOP 10 c.[name], ISNULL(SUM(i.amount), 0) AS total INTO #t FROM dbo.invoices AS i;
SELECT TOP 10 c.[name] FROM #t AS c WHERE total > 100;
SELECT * FROM #t WHERE total > 100;
"""
_POSTGRES = (
    "SELECT DISTINCT ON (i.customer_id) i.customer_id, i.invoice_date FROM crm.invoices AS i "
    "WHERE i.note ~ '^a' ORDER BY i.customer_id, i.invoice_date DESC;",
    "SELECT d::date AS day, to_char(d, 'Day') AS nm FROM crm.days;",
    "SELECT DATE_TRUNC('month', invoice_date) AS month, STRING_AGG(note, ', ') FROM crm.invoices "
    "GROUP BY 1;",
)


def test_a_file_of_another_dialect_is_one_file_however_many_places_are_not_read(
    folder: Path,
) -> None:
    for at, text in enumerate((*_POSTGRES, _STRAY)):
        (folder / "pile" / f"{at}.sql").write_text(text)
    assert init("pile").stderr.startswith(
        f"unwet.toml written into the current folder, {folder}: postgres\n"
    )
    text = (folder / "unwet.toml").read_text()
    assert '# reads 3 of 4 files\ndialect = "postgres"' in text


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("SELECT d::date AS day, to_char(d, 'Day') AS nm, x::int4 FROM t WHERE b ILIKE 'a%';"
         "SELECT a FROM t WHERE m SIMILAR TO 'a|b' AND ARRAY_LENGTH(x, 1) = 2;", "postgres"),
        ("SELECT ISNULL(a, 0), DATEADD(day, 1, b), LEN(c) FROM dbo.t;"
         "UPDATE STATISTICS dbo.t;", "tsql"),
        ("SELECT SAFE_DIVIDE(a, b), FORMAT_DATE('%Y', c) FROM `p.d.t`;", "bigquery"),
    ],
)  # fmt: skip
def test_what_the_parser_reads_in_every_dialect_but_an_engine_has_not(
    folder: Path, text: str, dialect: str
) -> None:
    (folder / "pile" / "a.sql").write_text(text)
    assert f": {dialect}\n" in init("pile").stderr


def test_the_baseline_has_the_name_that_check_writes(folder: Path) -> None:
    (folder / "pile" / "a.sql").write_text("SELECT a FROM t")
    init("pile")
    assert f'# baseline = "{BASELINE}"' in (folder / "unwet.toml").read_text()


def test_a_file_that_is_there_is_left_alone(folder: Path) -> None:
    (folder / "pile" / "a.sql").write_text("SELECT a FROM t")
    (folder / "unwet.toml").write_text('dialect = "tsql"\n')
    done = init("pile")
    assert done.exit_code == 2 and "unwet.toml is there already" in done.stderr
    assert (folder / "unwet.toml").read_text() == 'dialect = "tsql"\n'


def test_a_table_of_pyproject_is_not_put_aside(folder: Path) -> None:
    (folder / "pile" / "a.sql").write_text("SELECT a FROM t")
    (folder / "pyproject.toml").write_text('[tool.unwet]\ndialect = "tsql"\n')
    done = init("pile")
    assert done.exit_code == 2 and "pyproject.toml has a table" in done.stderr
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert init("pile").exit_code == 0


def test_standard_input_is_no_place_of_a_pile(folder: Path) -> None:
    done = init("-")
    assert done.exit_code == 2 and "standard input" in done.stderr
    assert not (folder / "unwet.toml").exists()


def test_odd_paths_are_named_as_they_are_or_not_at_all(folder: Path) -> None:
    odd = 'a "q" \\ \x7f \n.sql'
    (folder / odd).write_text("SELECT a FROM t")
    assert init(odd).exit_code == 0
    assert tomllib.loads((folder / "unwet.toml").read_text("utf-8"))["paths"] == [odd]
    (folder / "unwet.toml").unlink()
    done = init("bad\udcff.sql")
    assert done.exit_code == 2 and "not UTF-8" in done.stderr
    assert not (folder / "unwet.toml").exists()


def test_without_sql_nothing_is_written(folder: Path) -> None:
    for words in ((), ("nosuch",)):
        done = init(*words)
        assert done.exit_code == 2 and "help:" in done.stderr
    assert not (folder / "unwet.toml").exists()
