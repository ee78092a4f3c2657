"""Statements that nobody follows: told in the summary and in MIGRATION.md, with their places."""

import json
from pathlib import Path

from click.testing import CliRunner

from unwet import cli

PILE = {
    "bad.sql": "SELECT FROM WHERE;\n",
    "call.sql": "EXEC dbo.other\nGO\nCREATE VIEW rep.v AS SELECT id FROM shop.orders;\n",
    "proc.sql": "CREATE PROCEDURE dbo.refresh AS\nBEGIN\n"
    "    SELECT id INTO rep.big FROM shop.orders\nEND\nGO\nEXEC dbo.other\n",
}
PROCEDURE = "its statements are read as if it had run: CREATE PROCEDURE dbo.refresh AS"


def run(*args: str | Path) -> tuple[str, str]:
    done = CliRunner().invoke(cli.main, [str(arg) for arg in args])
    return done.stdout, done.stderr


def test_it_is_listed_with_path_and_line(tmp_path: Path) -> None:
    pile, out = tmp_path / "pile", tmp_path / "out"
    pile.mkdir()
    for name, text in PILE.items():
        (pile / name).write_text(text)
    command = ("refactor", pile, "--dialect", "tsql", "--out", out, "--force", "--no-generated")
    said, told = run(*command)
    row = next(line for line in said.splitlines() if line.startswith("not understood"))
    assert row.endswith(f"3 statements, in no model: first {pile}/bad.sql:1; MIGRATION.md has all")
    assert PROCEDURE in told  # its body is followed, and it is none of them
    plan, _ = run("refactor", pile, "--dialect", "tsql", "--plan", "--no-generated")
    assert "bad.sql:1; -v tells all" in plan  # there is no page
    page = (out / "MIGRATION.md").read_text()
    bad = "- line 1 does not parse: the name of a table is missing near WHERE: `bad` (bad.sql:1)"
    assert page.count("is missing near WHERE") == 1 and bad in page  # as a report that is kept
    section = page.partition("### Statements that no model has (2)")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("- ")] == [
        "- what it executes is not followed: `call.sql:1`, `proc.sql:6`",
    ]
    found = json.loads(run(*command, "--format", "json")[0])["not_understood"]
    assert [(each["code"], each["line"]) for each in found] == [
        ("PARSE", 1), ("OPAQUE", 1), ("OPAQUE", 6)
    ]  # fmt: skip


def test_where_all_is_followed_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("CREATE VIEW rep.v AS SELECT id FROM shop.orders;\n")
    out = tmp_path / "out"
    said, _ = run("refactor", tmp_path / "a.sql", "--out", out, "--no-generated")
    assert "not understood" not in said
    assert "no model has" not in (out / "MIGRATION.md").read_text()


def test_scan_says_how_its_notes_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("EXEC dbo.other\n")
    said, told = run("scan", tmp_path, "--dialect", "tsql")
    assert said.split()[-4:] == ["opaque", "1", "errors", "0"]
    assert told == "-v lists what is opaque, and all other notes\n"
    assert "what it executes" in run("scan", tmp_path, "--dialect", "tsql", "-v")[1]


COMMANDS = {
    "bulk.sql": "BULK INSERT rep.t FROM 'c:\\x.csv'\nGO\n",
    "fill.sql": "CREATE VIEW rep.v AS SELECT id FROM shop.orders;\nGO\n"
    "CREATE TABLE rep.t (id INT);\nINSERT INTO rep.t SELECT id FROM shop.orders;\n",
    "move.sql": "sp_rename 'rep.v', 'w'\nGO\nBACKUP DATABASE shop TO DISK = 'c:\\x.bak'\n",
}


def test_a_command_of_the_server_is_no_report_and_may_change_what_it_names(tmp_path: Path) -> None:
    for name, text in COMMANDS.items():
        (tmp_path / name).write_text(text)
    done = ("refactor", tmp_path, "--dialect", "tsql", "--plan", "--no-generated")
    found = json.loads(run(*done, "--format", "json")[0])
    assert [(each["relation"], each["verdict"]) for each in found["reports"]] == [
        ("rep.t", "kept"),
        ("rep.v", "kept"),
    ]
    assert [(each["code"], each["message"]) for each in found["not_understood"]] == [
        ("OPAQUE", "not followed: BULK INSERT"),
        ("OPAQUE", "what it executes is not followed"),
        ("OPAQUE", "not understood: BACKUP"),
    ]


def test_text_that_does_not_parse_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT FROM WHERE;\nDELETE FROM rep.t WHERE a = 1;\n")
    plan = ("refactor", tmp_path, "--dialect", "postgres", "--plan", "--no-generated")
    _, told = run(*plan)
    assert [line.split(": ", 1)[1] for line in told.splitlines() if ": " in line[:-1]][:3] == [
        "PARSE the name of a table is missing near WHERE",
        "mend the text; or it is SQL of another --dialect than this one",
        "KEPT rep.t: rep.t had rows before the first DELETE",
    ]
    assert "KEPT a: line 1 does not parse" in run(*plan, "-v")[1]
