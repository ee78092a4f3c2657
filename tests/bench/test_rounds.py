"""The bench of reports lost in a round: families and the table."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.process import Run
from bench.refactor.rounds import FEW, Family, families, row, summary, told_of

COST = Run((), 0, 2.0, 100.0, "", 1.5)
FAMILY = Family("daily_v1/query", Path("/p"), (Path("/p/a/daily_v1/query.sql"),) * 9)
RESULT = {
    "before": {"lines": 900}, "after": {"lines": 40}, "reports": [{}] * 9,
    "rounds": [["a_daily", "b_daily"], []],
}  # fmt: skip


def test_files_of_one_name_are_a_family_and_the_largest_is_first(tmp_path: Path) -> None:
    names = ["few"] * (FEW - 1) + ["some"] * FEW + ["many"] * (FEW + 1)
    for number, name in enumerate(names):
        folder = tmp_path / f"app_{number}" / name
        folder.mkdir(parents=True)
        (folder / "query.sql").write_text("select 1")
    found = families(tmp_path)
    assert [each.name for each in found] == ["many/query", "some/query"]
    assert [len(each.files) for each in found] == [FEW + 1, FEW]
    assert [each.name for each in families(tmp_path, ["som", "none"])] == ["some/query"]


def test_files_in_folders_of_one_name_are_a_family_too(tmp_path: Path) -> None:
    for year in ("2021", "2022"):
        for number in range(FEW):
            (folder := tmp_path / year / "css").mkdir(parents=True, exist_ok=True)
            (folder / f"report_{number}.sql").write_text("select 1")
    [family] = families(tmp_path, by="folder")
    assert (family.name, len(family.files)) == ("css", 2 * FEW)
    assert not families(tmp_path)


def test_a_row_says_which_reports_were_lost_in_which_round() -> None:
    told = told_of(FAMILY, RESULT, COST)
    assert row(told) == "| daily_v1/query | 9 | 9 | 900 -> 40 | a_daily, b_daily; - | 1.5 |"


def test_families_that_lose_nothing_are_only_counted() -> None:
    lost, fine = told_of(FAMILY, RESULT, COST), told_of(FAMILY, RESULT | {"rounds": [[]]}, COST)
    text = summary([fine, lost])
    assert text.startswith(
        "2 families, 18 reports, 1,800 -> 80 lines, 3 CPU s: 2 reports lost, in 1"
    )
    assert text.count("| daily_v1/query |") == 1
    assert "|" not in summary([fine])


def test_a_result_of_an_older_unwet_is_told() -> None:
    older = {key: value for key, value in RESULT.items() if key != "rounds"}
    with pytest.raises(BenchError, match="says no rounds"):
        told_of(FAMILY, older, COST)
