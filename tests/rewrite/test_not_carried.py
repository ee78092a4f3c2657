"""What no model can say of the scripts is listed, with its place and its first words."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.not_carried import not_carried

POSTGRES = """CREATE TABLE rep.h AS SELECT a FROM src.h;
GRANT SELECT ON rep.h TO bob;
GRANT clerk TO bob;
REVOKE ALL ON rep.h FROM eve;
CREATE UNIQUE INDEX CONCURRENTLY ix ON rep.h USING btree (a DESC);
COMMENT ON COLUMN rep.x.a IS 'what `it` is';
ANALYZE rep.h;
VACUUM rep.h;
CREATE POLICY p ON rep.h USING (a = 1);
"""


@pytest.mark.parametrize(
    ("dialect", "text", "what"),
    [
        *(("postgres", line, None) for line in POSTGRES.splitlines()[:1]),
        ("postgres", "GRANT clerk TO bob", "GRANT"),
        ("postgres", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x", "ALTER DEFAULT"),
        ("postgres", "DROP INDEX ix", "DROP INDEX"),
        ("tsql", "CREATE UNIQUE CLUSTERED INDEX ix ON rep.t (a)", "CREATE INDEX"),
        ("tsql", "DENY SELECT ON rep.t TO bob", "DENY"),
        ("tsql", "UPDATE STATISTICS rep.t", "UPDATE STATISTICS"),
        ("databricks", "OPTIMIZE rep.t ZORDER BY (a)", "OPTIMIZE"),
        ("tsql", "PRINT 'x'", None),
        ("tsql", "EXEC dbo.refresh", None),
        ("tsql", "UPDATE rep.t SET a = 1", None),
    ],
)
def test_what_it_is(dialect: str, text: str, what: str | None) -> None:
    found = not_carried(load([Source("a.sql", text, dialect)], dialect).scripts)
    assert [each.what for each in found] == ([] if what is None else [what])


@pytest.mark.parametrize(
    ("dialect", "text", "begins"),
    [
        ("tsql", "CREATE LOGIN joe WITH PASSWORD = 'pw9'", "CREATE LOGIN joe WITH PASSWORD ..."),
        ("tsql", "CREATE LOGIN j WITH PASSWORD=0xpw9 HASHED", "CREATE LOGIN j WITH PASSWORD ..."),
        ("postgres", "CREATE ROLE a LOGIN PASSWORD 'pw9'", "CREATE ROLE a LOGIN PASSWORD ..."),
        ("postgres", "ALTER USER a PASSWORD E'pw9'", "ALTER USER a PASSWORD ..."),
        ("oracle", "CREATE USER a IDENTIFIED BY pw9", "CREATE USER a IDENTIFIED BY ..."),
        ("mysql", "GRANT a TO b IDENTIFIED BY 'pw9'", "GRANT a TO b IDENTIFIED BY ..."),
        ("snowflake", "CREATE USER a PASSWORD='pw9'", "CREATE USER a PASSWORD ..."),
        ("postgres", "GRANT SELECT ON a.tokens TO b", "GRANT SELECT ON a.tokens TO b"),
        ("tsql", "CREATE INDEX i ON a (k) WHERE pwd = 1", "CREATE INDEX i ON a (k) WHERE pwd ..."),
    ],
)
def test_a_password_is_not_shown(dialect: str, text: str, begins: str) -> None:
    [found] = not_carried(load([Source("a.sql", text, dialect)], dialect).scripts)
    assert found.begins == begins


def run(*args: str | Path) -> str:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args]).stdout


def test_all_of_it_is_listed_once(tmp_path: Path) -> None:
    pile, out = tmp_path / "pile", tmp_path / "out"
    pile.mkdir()
    (pile / "h.sql").write_text(POSTGRES)
    (pile / "kept.sql").write_text("CREATE TABLE rep.k AS SELECT FROM;\nGRANT a TO b;\n")
    command = ("refactor", pile, "--dialect", "postgres", "--out", out, "--force", "--no-generated")
    said = run(*command)
    row = next(line for line in said.splitlines() if line.startswith("not carried over"))
    assert row.endswith(
        "3 GRANT, 1 REVOKE, 1 CREATE INDEX, 1 COMMENT, ...: MIGRATION.md lists them"
    )
    page = (out / "MIGRATION.md").read_text()
    section = page.partition("### What the project does not carry (9)\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line[:3] in ("- C", "- G", "  -")][:6] == [
        "  - `h.sql:7`: `ANALYZE rep.h`",
        "- COMMENT:",
        "  - `h.sql:6`: ``COMMENT ON COLUMN rep.x.a IS 'what `it` is'``",
        "- CREATE INDEX:",
        "  - `h.sql:5`: `CREATE UNIQUE INDEX CONCURRENTLY ix ON rep.h USING btree (a DESC)`",
        "- CREATE POLICY:",
    ]
    assert "h.sql" not in page.partition("### Statements that no model has")[2].partition("###")[0]
    found = json.loads(run(*command, "--format", "json"))
    assert [each["line"] for each in found["not_carried"]] == [2, 3, 4, 5, 6, 7, 8, 9, 2]
    assert found["not_carried"][0] == {
        "what": "GRANT", "path": f"{pile}/h.sql", "line": 2, "column": 1,
        "text": "GRANT SELECT ON rep.h TO bob",
    }  # fmt: skip
    assert [each["line"] for each in found["not_understood"]] == [1]
