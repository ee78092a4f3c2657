"""unwet lineage on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli

SQL = """create table m as select s.a, s.b from s where s.c > 0;
insert into n(x) select a from m;
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "q.sql").write_text(SQL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.main, ["lineage", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_json_has_indirect_edges(folder: Path) -> None:
    code, out, _ = run("q.sql", "--format", "json")
    types = {edge["type"] for edge in json.loads(out)["edges"]}
    assert (code, types) == (0, {"DIRECT", "INDIRECT"})


def test_one_column_upstream(folder: Path) -> None:
    code, out, _ = run("q.sql", "--column", "n.x", "--upstream")
    assert code == 0
    assert out.splitlines() == [
        "n.x",
        "  <- m.a  IDENTITY  q.sql:2:25",
        "    <- s.a  IDENTITY  q.sql:1:26",
    ]


def test_depth_and_kinds(folder: Path) -> None:
    code, out, _ = run("q.sql", "--column", "m.b", "--depth", "1", "--kinds", "all", "--upstream")
    assert code == 0
    assert "s.c  INDIRECT FILTER" in out


def test_a_column_under_conditions_only_is_no_dead_end(folder: Path) -> None:
    (folder / "c.sql").write_text("create table k as select case when s.a > 0 then 1 end y from s")
    hint = "no values of other columns go in, only conditions: --kinds all shows them\n"
    assert run("c.sql", "--column", "k.y", "--upstream") == (0, "k.y\n", hint)
    assert run("c.sql", "--column", "k.y", "--upstream", "-q")[2] == ""
    assert hint not in run("c.sql", "--column", "k.y", "--downstream")[2]
    assert run("c.sql", "--column", "k.y", "--kinds", "all")[2] == ""
    assert run("q.sql", "--column", "n.x")[2] == ""


def test_output_file(folder: Path) -> None:
    code, out, _ = run("q.sql", "--format", "dot", "-o", "lineage.dot")
    assert (code, out) == (0, "")
    assert (folder / "lineage.dot").read_text().startswith('digraph "Column lineage" {')


@pytest.mark.parametrize("name", ["x.pdf", "x.JPG", "x.yaml"])
def test_a_file_of_another_kind_is_wrong_use(folder: Path, name: str) -> None:
    code, _, told = run("q.sql", "-o", name)
    assert code == 2
    assert "is not made" in told and ".svg" in told
    assert not Path(name).exists()


def test_an_ending_that_says_no_format_is_said(folder: Path) -> None:
    code, out, told = run("q.sql", "-o", "x.foo")
    assert (code, out) == (0, "")
    assert told == "x.foo: .foo says no format, so text is written; --format NAME for another\n"
    assert (folder / "x.foo").read_text().startswith("m\n  a\n")
    for words in (["-o", "x"], ["-o", "x.txt"], ["-o", "x.foo", "--format", "dot"],
                  ["-o", "x.foo", "-q"]):  # fmt: skip
        assert run("q.sql", *words)[2] == ""


def test_a_table_stands_for_its_columns(folder: Path) -> None:
    code, out, _ = run("q.sql", "--table", "m", "--downstream")
    assert code == 0
    assert out.splitlines() == ["m.a", "  -> n.x  IDENTITY  q.sql:2:25", "m.b"]
    assert run("q.sql", "--column", "M", "--downstream") == (code, out, "")


def test_impact_of_a_condition(folder: Path) -> None:
    code, out, _ = run("q.sql", "--column", "s.c", "--downstream", "--kinds", "all")
    assert code == 0
    assert out.splitlines() == [
        "s.c",
        "  -> m.a  INDIRECT FILTER  q.sql:1:48",
        "    -> n.x  IDENTITY  q.sql:2:25",
        "  -> m.b  INDIRECT FILTER  q.sql:1:48",
    ]


def test_ambiguous_column_lists_its_candidates(folder: Path) -> None:
    code, _, err = run("q.sql", "--column", "a")
    assert code == 2
    assert "help: choose one of m.a, s.a" in err


def test_unknown_column_is_wrong_use(folder: Path) -> None:
    code, _, err = run("q.sql", "--column", "m.bb")
    assert code == 2
    assert "did you mean" in err


def test_directions_need_a_column(folder: Path) -> None:
    code, _, err = run("q.sql", "--upstream")
    assert code == 2
    assert "--column" in err


def test_a_column_that_is_declared_but_not_used_is_no_unknown_name(folder: Path) -> None:
    (folder / "ddl.sql").write_text("create table s(a int, b int, c int, spare int)")
    code, _, err = run("q.sql", "ddl.sql", "--column", "S.spare")
    assert code == 2
    assert "error: S.spare has no lineage" in err
    assert "help: s.spare is declared, but nothing reads or fills it" in err
    assert "more than one column is called a" in run("q.sql", "ddl.sql", "--column", "a")[2]
