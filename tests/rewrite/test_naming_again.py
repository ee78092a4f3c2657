"""A small change in the pile is a small change in the project: names stay what they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.decisions.file import read_decisions
from unwet.rewrite.naming_again import matched
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.targets.record import Sign
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify

DEDUP = """\
WITH latest AS (
  SELECT o.{0}_id, MAX(o.day) AS day, SUM(o.amount) AS amount
  FROM s.{0} AS o
  JOIN s.days AS d ON d.day = o.day
  WHERE o.loaded > DATE '2020-01-01' AND o.status IN ('paid', 'shipped')
  GROUP BY o.{0}_id
)
SELECT {1} AS x FROM latest AS l
"""
SUMS = ("SUM(l.amount)", "MAX(l.day)", "COUNT(*)")


def texts(*tables: str) -> dict[str, str]:
    """Three reports over each table, all with a CTE of the same name (over two tables, so that it
    is not called after one)."""
    return {
        f"{table}/report_{n}.sql": DEDUP.format(table, wanted)
        for table in tables
        for n, wanted in enumerate(SUMS)
    }


def pile(files: dict[str, str]) -> Pile:
    return load([Source(path, text, "duckdb") for path, text in sorted(files.items())], "duckdb")


def run(files: dict[str, str], out: Path, decisions: Path | None = None) -> Result:
    found = read_decisions(decisions)
    request = Request(out=out, before=out, force=True, decisions=found)
    result = refactor(pile(files), request)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    return result


def sql(result: Result) -> dict[str, str]:
    return {path: text for path, text in result.files.items() if path.endswith(".sql")}


def test_a_new_report_changes_no_other_file(tmp_path: Path) -> None:
    before = sql(run(texts("orders", "refunds"), tmp_path / "out"))
    shared = {f"models/intermediate/int_latest{of}.sql" for of in ("", "_refunds")}
    assert shared <= before.keys()
    after = sql(run(texts("accounts", "orders", "refunds"), tmp_path / "out"))
    assert {path: after.get(path) for path in before} == before
    assert len(after) == len(before) + 4  # three reports, and what they share
    fresh = sql(run(texts("accounts", "orders", "refunds"), tmp_path / "other"))
    assert fresh.keys() == {p.replace("accounts", "accounts") for p in fresh}
    assert any(fresh.get(path) != text for path, text in before.items())  # numbers would move


def test_what_goes_leaves_the_others_their_names(tmp_path: Path) -> None:
    all_of_it = texts("accounts", "orders", "refunds")
    before = sql(run(all_of_it, tmp_path / "out"))
    after = sql(run(texts("orders", "refunds"), tmp_path / "out"))
    assert {path: before[path] for path in after} == after


def test_an_edit_changes_what_it_is_about(tmp_path: Path) -> None:
    files = texts("orders", "refunds")
    before = sql(run(files, tmp_path / "out"))
    path = "orders/report_0.sql"
    after = sql(run({**files, path: files[path] + "WHERE l.amount > 0"}, tmp_path / "out"))
    changed = {each for each in {*before, *after} if before.get(each) != after.get(each)}
    assert changed == {"models/marts/orders/report_0.sql"}


def test_one_run_after_the_other_is_the_same(tmp_path: Path) -> None:
    first = run(texts("orders", "refunds"), tmp_path / "out")
    assert run(texts("orders", "refunds"), tmp_path / "out").files == first.files


def test_verify_looks_for_the_names_that_were_given(tmp_path: Path) -> None:
    run(texts("orders"), tmp_path / "out")
    files = texts("accounts", "orders")
    run(files, tmp_path / "out")
    found = verify(pile(files), VerifyRequest(tmp_path / "out")).reports
    assert {report.verdict for report in found} == {"proved"}
    places = {report.name: report.path for report in found}
    assert places["report_0"] == "orders/report_0.sql"
    assert places["report_0_accounts"] == "accounts/report_0.sql"


def test_a_decided_name_is_not_remembered(tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.toml"
    entry = '[[rename]]\nname = "{}"\nto = "{}"\ndate = 2026-01-01\nreason = "ours"\n'
    decisions.write_text(entry.format("int_latest", "newest") + entry.format("report_0", "sums"))
    before = run(texts("orders"), tmp_path / "out").files
    decided = run(texts("orders"), tmp_path / "out", decisions)
    assert "models/intermediate/newest.sql" in decided.files and not decided.notes
    again = run(texts("orders"), tmp_path / "out", decisions)
    assert again.files == decided.files and not again.notes
    assert run(texts("orders"), tmp_path / "out").files == before


def sign(words: str, *reports: str, kind: str = "macro") -> Sign:
    return Sign(kind, words, frozenset(reports))


@pytest.mark.parametrize(
    ("now", "before", "wanted"),
    [
        ({"a": sign("1", "x")}, {"b": sign("1", "y")}, {"a": "b"}),  # the same words
        ({"a": sign("1", "x", "y")}, {"b": sign("2", "x", "y", "z")}, {"a": "b"}),  # mostly
        ({"a": sign("1", "x")}, {"b": sign("2", "x", "y", "z")}, {}),
        ({"a": sign("1", "x")}, {"b": sign("1", "x", kind="model")}, {}),
        ({"a": sign("1", "x"), "b": sign("1", "x")}, {"b": sign("1", "x")}, {"b": "b"}),
        (
            {"a": sign("1", "x"), "a_2": sign("2", "y")},
            {"a": sign("2", "y"), "a_2": sign("1", "x")},
            {"a": "a_2", "a_2": "a"},
        ),
    ],
)
def test_what_is_called_what(
    now: dict[str, Sign], before: dict[str, Sign], wanted: dict[str, str]
) -> None:
    assert matched(now, before) == wanted


LOST = """\
WITH lost AS (
  SELECT DISTINCT o.customer_id, o.region, o.channel, '{0}' AS kind
  FROM s.{0} AS o
  WHERE o.status IN ('lost', 'returned') AND o.amount > {1} AND o.loaded > DATE '2020-01-01'
)
SELECT {2} AS x FROM lost AS l
"""


def test_models_that_are_one_call_each_are_told_apart(tmp_path: Path) -> None:
    """All that such a model says of its own is what it calls the macro with."""

    def files(*tables: str) -> dict[str, str]:
        items = ("COUNT(*)", "MAX(l.region)", "COUNT(DISTINCT l.customer_id)")
        return {
            f"{table}_{n}.sql": LOST.format(table, len(table), wanted)
            for table in tables
            for n, wanted in enumerate(items)
        }

    out = tmp_path / "out"
    first = sql(run(files("orders", "refunds", "claims"), out))
    assert "{{ " in first["models/staging/stg_s__claims.sql"]
    second = sql(run(files("visits", "tickets", "parcels"), out))
    names = {Path(path).stem for path in second if "/staging/" in path}
    assert names == {"stg_s__visits", "stg_s__tickets", "stg_s__parcels"}
