"""MIGRATION.md: every report with what became of it."""

from __future__ import annotations

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import small_pile


def test_every_report_has_a_row() -> None:
    result = refactor(small_pile(), Request())
    text = result.files["MIGRATION.md"]
    table = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(table) == len(result.verdicts) == 10
    for line, verdict in zip(table, result.verdicts, strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[0] == (verdict.relation or verdict.name)
        assert cells[2:4] == [verdict.model, verdict.outcome]
    assert "- **7 proved**" in text and "- **3 kept**" in text


def test_bars_and_lines_do_not_break_the_table() -> None:
    text = "SELECT a || '|\n|' AS x FROM WHERE"
    result = refactor(load([Source("a|b.sql", text, "duckdb")], "duckdb"), Request())
    [row] = result.files["MIGRATION.md"].splitlines()[-1:]
    assert row.startswith("| ") and row.endswith(" |")
    assert row.replace("\\|", "").count("|") == 6
