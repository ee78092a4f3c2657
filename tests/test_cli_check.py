"""unwet lineage --check on the command line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli

SQL = """create table m as select s.a, s.b from s where s.c > 0;
insert into n(x) select a from m;
"""
PAGE = """# Lineage
<!-- unwet lineage sql --column n.x --upstream -->
<!-- /unwet -->
<!-- unwet lineage sql --column m.b --format text -->
<!-- /unwet -->
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "q.sql").write_text(SQL)
    (tmp_path / "page.md").write_text(PAGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(folder: Path) -> None:
    (folder / "sql" / "q.sql").write_text(SQL.replace("select a from m", "select b from m"))


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.main, ["lineage", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("name", ["x.dot", "x.mmd", "x.json", "x.html", "x.txt"])
def test_a_file_is_true_then_out_of_date_then_updated(folder: Path, name: str) -> None:
    asked = ("sql", "--kinds", "direct")
    assert run(*asked, "-o", name) == (0, "", "")
    first = (folder / name).read_bytes()
    assert run(*asked, "--check", name) == (0, "", f"{name} is up to date\n")
    change(folder)
    code, out, err = run(*asked, "--check", name)
    assert code == 1
    count = 2 if name == "x.html" else 1  # the page has the line of SQL, too
    assert out.startswith(f"{name} is out of date: {count} added, {count} removed")
    assert "m.b" in out and "m.a" in out
    assert "--write brings it up to date" in err
    assert (folder / name).read_bytes() == first
    code, _, err = run(*asked, "--check", name, "--write")
    assert (code, err) == (0, f"{name} is updated\n")
    assert run(*asked, "--check", name, "-q") == (0, "", "")


def test_a_page_is_out_of_date_when_its_sql_says_something_else(folder: Path) -> None:
    assert run("sql", "-o", "x.html")[0] == 0
    (folder / "sql" / "q.sql").write_text(SQL.replace("c > 0", "c > 1"))
    code, out, _ = run("sql", "--check", "x.html")
    assert (code, "c > 1" in out, "c > 0" in out) == (1, True, True)
    assert run("sql", "--check", "x.html", "--kinds", "all")[0] == 1


def test_blocks_of_a_page_are_checked_and_written(folder: Path) -> None:
    code, out, _ = run("--check", "page.md")
    assert code == 1
    assert "page.md:2 is out of date: 2 added" in out
    assert "page.md:4 is out of date" in out
    assert run("--check", "page.md", "--write")[0] == 0
    text = (folder / "page.md").read_text()
    assert "```mermaid\nflowchart LR\n" in text
    assert "```text\nm.b\n  <- s.b  IDENTITY  sql/q.sql:1:31\n```\n" in text
    assert run("--check", "page.md") == (0, "", "page.md is up to date\n")
    change(folder)
    code, out, _ = run("--check", "page.md")
    assert code == 1
    assert out.splitlines()[:3] == [
        "page.md:2 is out of date: 2 added, 2 removed",
        "  - n.x <- m.a",
        "  - m.a <- s.a",
    ]


def test_o_updates_the_blocks_of_a_page_and_nothing_else(folder: Path) -> None:
    assert run("-o", "page.md")[0] == 0
    text = (folder / "page.md").read_text()
    assert (
        text.startswith("# Lineage\n<!-- unwet lineage sql --column n.x") and "```mermaid" in text
    )
    (folder / "plain.md").write_text("# No block\n")
    assert run("sql", "--format", "text", "-o", "plain.md")[0] == 0
    assert (folder / "plain.md").read_text().startswith("m\n")


def test_a_block_takes_from_the_command_line_what_it_does_not_say(folder: Path) -> None:
    page = "<!-- unwet lineage --format text -->\n<!-- /unwet -->\n"
    (folder / "page.md").write_text(page)
    assert run("sql", "--table", "n", "--upstream", "--check", "page.md", "--write")[0] == 0
    assert "```text\nn.x\n  <- m.a  IDENTITY" in (folder / "page.md").read_text()


def test_several_files(folder: Path) -> None:
    assert run("sql", "-o", "x.dot")[0] == 0
    assert run("sql", "--kinds", "direct", "-o", "x.json")[0] == 0
    both = ("--kinds", "direct", "--check", "x.dot", "--check", "x.json")
    assert run("sql", *both)[0] == 0
    change(folder)
    code, out, _ = run("sql", *both)
    assert code == 1
    assert "x.dot is out of date" in out and "x.json is out of date" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--check", "no.svg"), "no such file or folder: no.svg"),
        (("--check", "sql/q.sql"), "what format has sql/q.sql?"),
        (("--write",), "--write needs --check FILE"),
        (("--check", "page.md", "-o", "x.svg"), "--check and -o do not go together"),
        (("--check", "plain.md"), "plain.md has no block of unwet"),
        (("--check", "svg.md"), "svg.md:1: a block holds mermaid, text, json, dot, not svg"),
        (("--check", "column.md"), "column.md:1: no column or table zzz"),
        (("--check", "option.md"), "option.md:1: No such option"),
        (("--check", "output.md"), "output.md:1: a block cannot say --output"),
    ],
)
def test_wrong_use_is_explained(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    (folder / "plain.md").write_text("# No block\n")
    for name, words in (("svg", "--format svg"), ("column", "--column zzz"),
                        ("option", "--colunm x"), ("output", "-o x")):  # fmt: skip
        page = f"<!-- unwet lineage sql {words} -->\n<!-- /unwet -->\n"
        (folder / f"{name}.md").write_text(page)
    code, out, err = run("sql", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_the_ending_of_the_output_says_the_format(folder: Path) -> None:
    assert run("sql", "-o", "x.mmd")[0] == 0
    assert (folder / "x.mmd").read_text().startswith("flowchart LR")
    assert run("sql", "-o", "x.mmd", "--format", "text")[0] == 0
    assert (folder / "x.mmd").read_text().startswith("m\n")
