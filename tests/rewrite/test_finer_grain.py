"""Reports that are rolled up from a model of a finer grain than theirs, proved, and on data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from unwet import Source, refactor, verify
from unwet.lineage.config import USUAL_SHARING
from unwet.lineage.pile import load
from unwet.rewrite.refactor import Request, Result
from unwet.rewrite.refactor import refactor as run
from unwet.tests.rewrite.test_rolled_up import data

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "rolled_up"
TEXTS = {p.stem: p.read_text(encoding="utf-8") for p in sorted((FOLDER / "finer").iterdir())}
REPORTS = TEXTS.keys() - {"schema"}
FINER = "int_orders_customers_by_month_segment_region"


def project(tmp_path: Path, target: str = "dbt", dialect: str = "duckdb", **more: str) -> Result:
    """The pile of the fixtures with other texts, or without those that are empty."""
    pile = tmp_path / "pile"
    pile.mkdir(parents=True)
    for name, text in (TEXTS | more).items():
        if text:
            (pile / f"{name}.sql").write_text(text, encoding="utf-8")
    result = refactor(pile, tmp_path / "project", dialect=dialect, target=target)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    return result


def models(result: Result) -> dict[str, str]:
    return {p.rpartition("/")[2][:-4]: t for p, t in result.files.items() if p.endswith(".sql")}


def readers(result: Result) -> set[str]:
    return {name for name, text in models(result).items() if FINER in text} & REPORTS


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_they_read_it(tmp_path: Path, target: str) -> None:
    result = project(tmp_path, target)
    assert readers(result) == REPORTS
    made = models(result)[FINER].lower()
    assert made.count("join") == 2 and "c.segment = 'b2b'" not in made
    assert "declared: shop.orders.amount is BIGINT" in result.assumptions
    assert "segment = 'b2b'" in models(result)["b2b_months"]
    again = verify(tmp_path / "pile", tmp_path / "project", dialect="duckdb", generated=False)
    assert {report.verdict for report in again.reports} == {"proved"}


def test_in_postgres_with_the_types_that_its_sums_have() -> None:
    """In these words macros save nearly as many lines, so that it has to be asked for."""
    sharing = replace(USUAL_SHARING, min_saved=0)
    sources = [Source(f"{name}.sql", text, "postgres") for name, text in TEXTS.items()]
    result = run(load(sources, "postgres"), Request(sharing=sharing))
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert readers(result) == REPORTS
    assert "cast(sum(o.orders) as bigint)" in models(result)["revenue_by_month"]


@pytest.mark.parametrize("seed", range(3))
def test_they_return_the_same_rows(tmp_path: Path, seed: int) -> None:
    project(tmp_path)
    there = data(tmp_path / "there.duckdb", seed)
    found = verify(tmp_path / "pile", tmp_path / "project", dialect="duckdb", data=there)
    assert {report.verdict for report in found.reports} == {"proved"}
    assert all(report.rows_before == report.rows_after for report in found.reports)


def test_floats_distinct_values_and_other_conditions_keep_their_joins(tmp_path: Path) -> None:
    months = TEXTS["b2b_months"]
    result = project(
        tmp_path,
        b2b_months=months.replace("SUM(o.pieces)", "SUM(o.rate)"),
        revenue_in_all=TEXTS["revenue_in_all"].replace("COUNT(*)", "COUNT(DISTINCT o.id)"),
        largest_regions=TEXTS["largest_regions"].replace("o.amount > 0", "o.amount > 1"),
        share_of_segments=TEXTS["share_of_segments"].replace("SUM(o.amount)", "AVG(o.amount)"),
    )
    assert not any("_by_" in name for name in models(result) if name.startswith("int_"))


def test_it_has_to_save_lines(tmp_path: Path) -> None:
    few = dict.fromkeys(REPORTS - {"revenue_by_month", "revenue_in_all"}, "")
    result = project(tmp_path, **few)
    assert not any("_by_" in name for name in models(result) if name.startswith("int_"))


def test_one_that_somebody_has_written_is_read_instead(tmp_path: Path) -> None:
    finest = TEXTS["b2b_months"].replace(" AND c.segment = 'b2b'", "").replace(
        "c.segment, MIN", "s.region, c.segment, SUM(o.amount) AS revenue, COUNT(*) AS orders, "
        "COUNT(o.pieces) AS counted, MAX(o.ordered_on) AS last_order, MIN"
    )  # fmt: skip
    finest = finest.replace("b2b_months", "finest").replace("1, 2", "1, 2, 3")
    result = project(tmp_path, finest=finest)
    assert FINER not in models(result)
    assert {n for n, text in models(result).items() if "ref('finest')" in text} >= {
        "revenue_by_month", "largest_regions"
    }  # fmt: skip


def test_a_forbidden_one_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "pile").mkdir()
    decisions = tmp_path / "decisions.toml"
    said = f'[[forbid]]\nname = "{FINER}"\ndate = 2026-01-01\nreason = "too wide"\n'
    decisions.write_text(said, encoding="utf-8")
    for name, text in TEXTS.items():
        (tmp_path / "pile" / f"{name}.sql").write_text(text, encoding="utf-8")
    result = refactor(tmp_path / "pile", dialect="duckdb", decisions=str(decisions))
    assert not any(FINER in text for text in models(result).values())
