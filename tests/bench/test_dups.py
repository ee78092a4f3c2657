"""The bench of families: its table, and what it says of piles that it does not know."""

import pytest

from bench import dups
from bench.process import Run

FAMILIES = [
    {"kind": "exact", "what": "query", "saves": 10},
    {"kind": "exact", "what": "expression", "saves": 5},
    {"kind": "near", "what": "branch", "saves": 1000},
]
FOUND = {"families": FAMILIES, "lines": 2000, "duplicated_lines": 500}


def test_a_row_counts_kinds_parts_and_lines() -> None:
    row = dups._row("pile", FOUND, Run((), 0, 1.0, 123.4, "", 2.34))
    assert row == ["pile", "2,000", "2", "0", "0", "1", "1", "0", "1", "25%", "1,015", "2.3", "123"]
    assert dups.table([row]).count("\n") == 2
    assert {line.count("|") for line in dups.table([row]).splitlines()} == {14}


def test_a_pile_that_nobody_knows_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert dups.main(["--piles", "nosuch"]) == 2
    error = capsys.readouterr().err
    assert "no such pile: nosuch" in error
    assert "achilles" in error
