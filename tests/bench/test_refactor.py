"""The bench of the main job: preparation, reasons and the table."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.process import Run
from bench.refactor import outcome, piles
from bench.refactor.table import section

RESULT = {
    "before": {"lines": 1000, "nodes": 5000, "files": 3},
    "after": {"lines": 400, "nodes": 2000, "files": 5, "parameter_lines": 20},
    "macros": 2,
    "reports": [
        {"verdict": "proved", "reason": ""},
        {"verdict": "kept", "reason": "created by two scripts: a/x.sql and b/y.sql"},
        {"verdict": "kept", "reason": "created by two scripts: c.sql and b/y.sql"},
        {"verdict": "kept", "reason": "line 7 does not parse"},
    ],
}
FAMILY = {
    "kind": "exact", "what": "query", "saves": 1200, "id": "a",
    "members": [{"path": "/p/models/a.sql", "line": 3}, {"path": "/p/models/b.sql", "line": 9}],
}  # fmt: skip


def test_reasons_are_counted_without_their_names() -> None:
    assert outcome.reasons(RESULT) == (
        ("created by two scripts: … and …", 2),
        ("line … does not parse", 1),
    )


def test_a_repeat_says_where_and_how_much() -> None:
    line = outcome._line(FAMILY, Path("/p"))
    assert line == "1,200 lines: 2 times query (exact), `models/a.sql:3`"


def test_the_section_has_a_row_and_reasons_per_pile() -> None:
    cost = Run((), 0, 2.0, 100.0, "", 1.5)
    found = outcome.Outcome("mimic", RESULT, cost, outcome.reasons(RESULT), ("1 line",))
    text = section(found)
    row = next(line for line in text.splitlines() if line.startswith("| mimic"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["mimic", "1,000 -> 400", "20", "6,379", "-", "5,000 -> 2,000", "3 -> 5",
                     "1 of 4", "0", "0", "3", "2", "1.5", "2.0", "100"]  # fmt: skip
    assert "- 2 x created by two scripts: … and …" in text
    assert text.startswith("### mimic, rewritten\n\n`python -m bench.refactor mimic --write`\n")
    other = section(replace(found, target="sqlmesh"))
    assert other.startswith("### mimic, rewritten for sqlmesh\n") and "--target sqlmesh" in other


def test_long_lines_count_for_what_they_hide(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "macros").mkdir()
    (tmp_path / "models" / "a.sql").write_text(f"{'x' * 100}\n{'y' * 101}\n-- {'z' * 300}\n\n")
    (tmp_path / "macros" / "b.sql").write_text(f"{'x' * 301}\n")
    (tmp_path / "macros" / "b.yml").write_text(f"{'x' * 301}\n")
    assert outcome.folds(tmp_path) == 1 + 3


def test_notebooks_become_sql_files(tmp_path: Path) -> None:
    folder = tmp_path / piles.NHS / "Restraints"
    folder.mkdir(parents=True)
    cells = "# Databricks notebook source\nimport os\n\n# COMMAND ----------\n\n# MAGIC %sql\n"
    (folder / "a.py").write_text(cells + "# MAGIC SELECT 1\n", "utf-8")
    (folder / "b.py").write_text("import os\n", "utf-8")
    found = dict(piles.PILES["nhs_restraints"].files(tmp_path))
    assert {path: text.strip() for path, text in found.items()} == {"a.sql": "SELECT 1"}


def test_a_pile_that_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no such pile: nosuch"):
        piles.prepared("nosuch", tmp_path, {})
