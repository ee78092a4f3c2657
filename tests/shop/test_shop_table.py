"""The table of the bench: rows that nobody asked for are left out."""

from collections.abc import Mapping

from bench.process import Run
from bench.shop.sizes import row
from bench.shop.table import Figures, text


def figures(seed: int, decided: Mapping[str, int] | None) -> Figures:
    sizes = {"lines": 40_000, "nodes": 9}
    share = {"recall": 0.5, "precision": 1.0}
    return Figures(seed, 2, 2, sizes, sizes, share, share, 1, {"proved": 2}, {}, 1.0, 2.0,
                   decided=decided)  # fmt: skip


def test_sizes_with_every_drift_decided_stand_beside_the_faithful_ones() -> None:
    decided = {"lines after": 1_900, "nodes after": 8, "changed": 1, "kept": 0, "failed": 0}
    rows = [[cell.strip() for cell in line.strip("| ").split("|")]
            for line in text([figures(1, decided), figures(11, None)]).splitlines()]  # fmt: skip
    assert ["lines after", "40,000", "40,000"] in rows
    assert ["drift decided: lines after", "1,900", "not asked"] in rows
    assert ["drift decided: changed", "1", "not asked"] in rows


def test_rows_that_nobody_asked_for_are_left_out() -> None:
    assert "decided" not in text([figures(1, None)])
    assert "built by dbt" not in text([figures(1, None)])


def test_a_row_of_sizes_counts_what_is_not_written_as_kept() -> None:
    verdicts = ("proved", "proved", "changed", "kept", "failed")
    result = {
        "before": {"lines": 40_000, "nodes": 9_000, "files": 5},
        "after": {"lines": 1_900, "nodes": 900, "files": 4},
        "macros": 3,
        "reports": [{"verdict": verdict} for verdict in verdicts],
    }
    assert row(1, "decided", Run((), 1, 9.0, 1.0, "", 8.04), result) == (
        "| 1 | decided | 40,000 -> 1,900 | 9,000 -> 900 | 5 -> 4 | 3 | 2 | 1 | 2 | 8.0 |"
    )
