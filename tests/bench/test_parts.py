"""The bench of random parts of piles: what a seed draws, and what counts as a fault."""

from pathlib import Path
from typing import Any

import pytest

from bench.refactor.parts import FILES, MOST, NEAR, TARGETS, Part, Told, drawn, faults, summary

RESULT: dict[str, Any] = {
    "before": {"lines": 90}, "after": {"lines": 40}, "rounds": [[]],
    "reports": [
        {"name": "report_1", "path": "1.sql", "verdict": "proved"},
        {"name": "b", "path": "b.sql", "verdict": "tested"},
    ],
}  # fmt: skip
SCANNED = {
    "reports": [{"name": n, "path": f"{n}.sql", "line": at} for n, at in (("1", 3), ("b", 1))]
}
PART = Part("achilles", 3, Path("/p"), (Path("/p/a.sql"), Path("/p/analyses/b.sql")))


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    for app in range(20):
        for name in ("daily", "weekly", "monthly"):
            path = tmp_path / f"app_{app:02}" / name / "query.sql"
            path.parent.mkdir(parents=True)
            path.write_text("select 1")
    return tmp_path


def test_a_seed_draws_the_same_part_each_time(pile: Path) -> None:
    assert drawn("mimic", 7, pile) == drawn("mimic", 7, pile)
    assert drawn("mimic", 7, pile).files != drawn("mimic", 8, pile).files
    parts = [drawn("mimic", seed, pile) for seed in range(40)]
    assert {len(part.files) for part in parts} == {*range(FILES[0], FILES[1] + 1)}
    assert {part.target for part in parts} == {*TARGETS}


def test_half_of_the_parts_are_files_beside_each_other_by_path_or_by_name(pile: Path) -> None:
    everywhere = sorted(pile.rglob("*.sql"))
    by_name = sorted(everywhere, key=lambda path: path.parts[::-1])
    parts = [drawn("mimic", seed, pile).files for seed in range(200)]
    near = [
        part
        for part in parts
        if any(_span(part, order) < 2 * NEAR for order in (everywhere, by_name))
    ]
    assert 90 <= len(near) <= 140


def _span(part: tuple[Path, ...], order: list[Path]) -> int:
    places = [order.index(path) for path in part]
    return max(places) - min(places)


def test_a_part_of_long_files_has_few_of_them(pile: Path) -> None:
    for path in pile.rglob("*.sql"):
        path.write_text("x" * (MOST // 3 + 1))
    assert {len(drawn("mimic", seed, pile).files) for seed in range(20)} == {2}


def test_a_part_of_which_all_is_told_has_no_fault() -> None:
    assert [*faults(RESULT, SCANNED)] == []


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({"rounds": [["a", "b"], []]}, "lost in round 1: a, b"),
        ({"reports": RESULT["reports"][:1]}, "not accounted for, of b.sql"),
        ({"after": {"lines": 93}}, "grown: 90 -> 93 lines"),
        (
            {"reports": [each | {"verdict": "failed"} for each in RESULT["reports"]]},
            "failed: report_1, b",
        ),
    ],
)
def test_each_fault_is_told(other: dict[str, object], fault: str) -> None:
    assert [*faults(RESULT | other, SCANNED)] == [fault]


def test_a_model_of_sqlmesh_has_a_head_that_counts() -> None:
    grown = RESULT | {"after": {"lines": 90 + 2 * 8}}
    assert [*faults(grown, SCANNED, "sqlmesh")] == []
    assert [*faults(grown, SCANNED, "views")] == ["grown: 90 -> 106 lines"]


def test_the_script_of_a_kept_report_stays_beside_the_models_of_others() -> None:
    reports = [RESULT["reports"][0], RESULT["reports"][1] | {"verdict": "kept"}]
    assert [*faults(RESULT | {"after": {"lines": 130}, "reports": reports}, SCANNED)] == []


def test_a_part_with_a_fault_has_a_row_and_the_others_are_counted() -> None:
    fine = Told(PART, 2, (90, 40), (), 1.0)
    text = summary([fine, Told(PART, 2, (90, 93), ("grown: 90 -> 93 lines",), 2.0)])
    assert "| achilles | 2 | 4 | 180 -> 133 | 1 | 3 |" in text
    assert "| achilles 3 dbt | a.sql, analyses/b.sql | grown: 90 -> 93 lines |" in text
    assert "| part |" not in summary([fine])
