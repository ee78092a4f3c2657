"""The scorer, on a small case with an answer key of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bench.results import put
from bench.shop.case import Case
from bench.shop.drift import scored, table
from bench.shop.legacy import QUERIES, run_pile
from bench.shop.scoring import score_drift, score_families, score_places
from bench.shop.table import Figures, text, to_json, write


def report(letter: str, concept: str, shape: str) -> dict[str, str]:
    relation = f"reporting.{letter}"
    return {"path": f"{letter}.sql", "concept": concept, "shape": shape,
            "relation": relation, "name": relation}  # fmt: skip


KEY: dict[str, Any] = {
    "reports": [
        report("a", "revenue", "one"),
        report("b", "revenue", "one"),
        report("c", "revenue", "union"),
        report("d", "churn", "one"),
        report("e", "revenue", "rollup"),
    ],
    "drift": [{"path": "a.sql", "line": 10}, {"path": "d.sql", "line": 40}],
    "intended": [{"path": "b.sql", "line": 7}],
}
FIGURES = Figures(
    1, 5, 5, {"lines": 100, "nodes": 900}, {"lines": 40, "nodes": 300, "parameter_lines": 2},
    {"recall": 0.5, "precision": 1.0}, None, 2, {"proved": 4, "kept": 1},
    {"kept: it does not parse": 1}, 1.5, 90.0,
)  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(1, tmp_path, KEY)


def family(case: Case, *names: str, whole: bool = True) -> dict[str, Any]:
    members = [
        {"path": str(case.pile / name), "whole": whole, "relation": f"reporting.{name[0]}"}
        for name in names
    ]
    return {"members": members}


def finding(case: Case, *places: tuple[str, int]) -> dict[str, Any]:
    return {"outliers": [{"path": str(case.pile / name), "line": line} for name, line in places]}


@pytest.mark.parametrize(
    ("families", "recall", "precision"),
    [
        ([], 0.0, 1.0),
        ([("a.sql", "b.sql", "c.sql")], 1.0, 1.0),
        ([("a.sql", "b.sql")], 1 / 3, 1.0),
        ([("a.sql", "b.sql"), ("c.sql", "d.sql")], 1 / 3, 1 / 2),
        ([("a.sql", "e.sql")], 0.0, 1.0),  # roll-ups are no copies: not counted
    ],
)
def test_families(
    case: Case, families: list[tuple[str, ...]], recall: float, precision: float
) -> None:
    score = score_families(case, [family(case, *names) for names in families])
    assert (score.recall, score.precision) == pytest.approx((recall, precision))


def test_parts_of_statements_are_no_families_of_reports(case: Case) -> None:
    assert score_families(case, [family(case, "a.sql", "d.sql", whole=False)]).said == 0


def test_temporary_tables_are_no_reports(case: Case) -> None:
    found = family(case, "a.sql", "d.sql")
    for member in found["members"]:
        member["relation"] = "tmp_orders"
    assert score_families(case, [found]).said == 0


@pytest.mark.parametrize(
    ("findings", "recall", "precision"),
    [
        ([], 0.0, 1.0),
        ([[("a.sql", 12)]], 0.5, 1.0),
        ([[("a.sql", 16)]], 0.0, 0.0),
        ([[("b.sql", 7)]], 0.0, 0.0),  # meant, so wrong
        ([[("a.sql", 9), ("d.sql", 41)]], 1.0, 1.0),
        ([[("a.sql", 10)], [("a.sql", 10)], [("c.sql", 1)]], 0.5, 2 / 3),
    ],
)
def test_drift(
    case: Case, findings: list[list[tuple[str, int]]], recall: float, precision: float
) -> None:
    score = score_drift(case, [finding(case, *places) for places in findings])
    assert (score.recall, score.precision) == pytest.approx((recall, precision))


def test_the_table_says_what_is_not_there_yet() -> None:
    assert "| drift recall          | no command yet |" in text([FIGURES])
    assert '"drift": null' in to_json([FIGURES])


def test_writing_leaves_the_rest_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    put("startup", "## Start-up\n\nstays", file)
    write([FIGURES], file)
    write([FIGURES], file)
    assert file.read_text("utf-8").count("## The shop\n") == 1
    assert "\nstays\n" in file.read_text("utf-8")


def test_drift_by_places_and_kinds(case: Case) -> None:
    kinds = {"a.sql": "boundary", "d.sql": "lost_coalesce"}
    key = {**KEY, "drift": [{**place, "kind": kinds[place["path"]]} for place in KEY["drift"]]}
    known = Case(1, case.folder, key)
    said = [
        {"outliers": [outlier("a.sql", 12), outlier("c.sql", 1)]},
        {"outliers": [outlier("b.sql", 7)]},
    ]
    row = scored(known, said)
    assert (row.findings.right, row.findings.said, row.intended) == (1, 2, 1)
    assert score_places(known, said).precision == pytest.approx(1 / 3)
    assert row.kinds == {"boundary": (1, 1), "lost_coalesce": (0, 1)}
    assert "| 1 | 2 | 50.0% | 2 | 50.0% | 3 | 33.3% | 1 |" in table([row])
    assert "| lost_coalesce | 0 | 1 |" in table([row])


def outlier(path: str, line: int) -> dict[str, object]:
    return {"path": path, "line": line}


def test_tables_that_dbt_built_are_shown_when_it_did() -> None:
    assert "built by dbt" not in text([FIGURES])
    shown = text([FIGURES, replace(FIGURES, seed=2, built={"identical": 4, "kept": 1})])
    cells = {
        line.split("|")[1].strip(): line.split("|")[2:4]
        for line in shown.splitlines()
        if "|" in line
    }
    assert [cell.strip() for cell in cells["built by dbt: identical"]] == ["not built", "4"]
    assert [cell.strip() for cell in cells["built by dbt: different"]] == ["not built", "0"]


def test_the_old_scripts_run_as_they_are(tmp_path: Path) -> None:
    key = {"order": ["a.sql", "b.sql"], "broken": [{"path": "a.sql", "line": 2, "end_line": 2}],
           "placeholders": {"least": "1"}}  # fmt: skip
    case = Case(1, tmp_path, key)
    case.pile.mkdir()
    (case.pile / "a.sql").write_text(
        "create table a as select v from t where v > {{least}};\nselct"
    )
    (case.pile / "b.sql").write_text("select v from a; -- of a.sql")
    with duckdb.connect(str(case.warehouse)) as connection:
        connection.execute("create table t as select unnest([1, 2, 3]) as v")
    with duckdb.connect(str(run_pile(case)), read_only=True) as connection:
        rows = connection.execute(f'from {QUERIES}."b.sql" order by all').fetchall()
    assert rows == [(2,), (3,)]
