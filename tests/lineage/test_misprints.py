"""Words that are nearly those of SQL: told where they stand, in every statement."""

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.findings import Finding
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim


def found(text: str, dialect: str = "postgres") -> list[Finding]:
    return list(parse(verbatim(Source("q.sql", text)), dialect).findings)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("SELECT a,\n  b\nFORM t\nWHERE a > 1", 3, 1, "FORM for FROM?"),
        ("SELECT a, SUM(b) AS s\n  FORM t\nGROUP BY a", 2, 3, "FORM for FROM?"),
        ("-- a view\nCREATE VIEW v AS\nSELECT a,\n  b\nFORM t", 5, 1, "FORM for FROM?"),
        (
            "CREATE TABLE v AS\nWITH x AS (SELECT a FORM t)\nSELECT a FROM x",
            2,
            21,
            "FORM for FROM?",
        ),
        ("INSERT INTO v\nSELECT a\nFORM t", 3, 1, "FORM for FROM?"),
        ("SELECT a FROM t\nWEHRE a > 1", 2, 1, "WEHRE for WHERE?"),
        ("SELECT a, COUNT(*) FROM t\nGRUOP BY a", 2, 1, "GRUOP for GROUP?"),
        ("SELECT a FROM t\nLEFT JION u ON t.id = u.id", 2, 6, "JION for JOIN?"),
        ("SELCT a,\n b\nFROM t", 1, 1, "SELCT for SELECT?"),
    ],
)
def test_a_misprint_is_told_where_it_stands(text: str, line: int, column: int, said: str) -> None:
    (finding,) = found(text)
    assert (finding.code, finding.at.line, finding.at.column) == ("PARSE", line, column)
    assert finding.message.startswith(said)
    assert finding.help == f"write {said.split()[2].rstrip('?')}"


def test_another_mistake_in_a_view_is_told_where_the_parser_stopped() -> None:
    (finding,) = found("CREATE VIEW v AS\nSELECT a b c\nFROM t")
    assert (finding.code, finding.at.line, finding.at.column) == ("PARSE", 2, 12)
    assert "--dialect" in finding.help


def test_a_word_of_that_kind_is_a_name_where_the_statement_is_right() -> None:
    assert not found("SELECT a AS form, ordr, jion.b FROM t AS jion")


def test_what_the_parser_takes_for_text_for_another_reason_stays_that() -> None:
    (finding,) = found("CREATE TABLE t ORGANISED BY a AS SELECT a FROM u")
    assert finding.code == "OPAQUE"


def test_scan_and_check_tell_it_with_help(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "v.sql").write_text("CREATE VIEW v AS\nSELECT a\nFORM t;\n")
    monkeypatch.chdir(tmp_path)
    scan = CliRunner().invoke(cli.main, ["scan", ".", "--dialect", "postgres"])
    assert scan.exit_code == 1
    assert "v.sql:3:1: PARSE FORM for FROM?" in scan.stderr
    assert "  help: write FROM" in scan.stderr
    check = CliRunner().invoke(cli.main, ["check", ".", "--dialect", "postgres"])
    assert check.exit_code == 1
    assert "v.sql:3:1" in check.stdout and "help: write FROM" in check.stdout
