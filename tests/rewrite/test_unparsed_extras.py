"""Files of a project that are no models of reports, and that nobody can run."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import refactor
from unwet.cli import main

PILE = "CREATE TABLE rep.north AS SELECT id, amount FROM shop.orders WHERE region = 'n';\n"
DDL = "CREATE TABLE shop.orders (id INTEGER, region VARCHAR, amount INTEGER);\n"
EXTRAS = {
    "dbt": ("models/marts/extra.sql", "select a\nform t\n", 2, "form"),
    "sqlmesh": ("models/extra.sql", "MODEL (name x.extra);\n\nselect a\nform t\n", 4, "form"),
    "views": ("views/marts/extra.sql", "create view extra as\nselect a form t;\n", 2, "form"),
}  # fmt: skip


def project(root: Path, target: str) -> Path:
    (root / "pile").mkdir()
    (root / "pile" / "north.sql").write_text(PILE)
    (root / "pile" / "ddl.sql").write_text(DDL)
    refactor(root / "pile", root / "out", dialect="postgres", target=target)
    return root / "out"


@pytest.mark.parametrize("target", EXTRAS)
def test_it_is_told_with_its_place(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, target)
    monkeypatch.chdir(tmp_path)
    ask = ["verify", "pile", "out", "--dialect", "postgres", "--no-generated", "-q"]
    assert CliRunner().invoke(main, ask).exit_code == 0
    path, text, line, said = EXTRAS[target]
    (root / path).write_text(text)
    result = CliRunner().invoke(main, ask)
    assert result.exit_code == 1
    assert f"beside the reports: out/{path}:{line}:" in result.stdout
    assert f"{said} for FROM?" in result.stdout
    assert "1 report: 1 proved; 1 file beside them not parsed" in result.stdout


def test_a_template_that_is_none_is_told_and_one_without_a_value_is_not(tmp_path: Path) -> None:
    root = project(tmp_path, "dbt")
    (root / "models" / "marts" / "value.sql").write_text("select {{ var('nobody') }} as a")
    ask = ["verify", str(tmp_path / "pile"), str(root), "--dialect", "postgres", "--no-generated"]
    assert CliRunner().invoke(main, ask).exit_code == 0
    (root / "models" / "marts" / "odd.sql").write_text("select 1 as a\n{{ config(x= }}")
    result = CliRunner().invoke(main, ask)
    assert result.exit_code == 1
    assert "odd.sql:2:1: PARSE odd: unexpected '}'" in result.stdout
