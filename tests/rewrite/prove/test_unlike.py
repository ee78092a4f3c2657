"""Where DuckDB cannot tell what another dialect computes, and where it can."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Plan
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import normal_forms
from unwet.rewrite.prove.unlike import untold, untold_texts
from unwet.rewrite.script import Report, end_state

FILE = Path(__file__).parents[3] / "fixtures" / "rewrite" / "unlike" / "pairs.txt"
TYPES = {
    "id": "int", "a": "int", "b": "int", "n": "numeric(10, 2)", "c": "varchar(20)", "h": "char(5)",
    "d": "date", "ts": "timestamp",
}  # fmt: skip
DECLARED = f"create table t ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())});"


def pairs(part: int) -> list[tuple[str, str, str]]:
    """0: those that are not told; 1: those that are."""
    lines = FILE.read_text("utf-8").split("# ===")[part].splitlines()
    found = (line.split(" | ", 2) for line in lines[part:] if not line.startswith("#"))
    return [(dialect, old, new) for dialect, old, new in found]


def report(sql: str, dialect: str) -> Report:
    pile = load([Source("a.sql", DECLARED + sql, dialect)], dialect)
    return end_state(pile.scripts, pile.resolved, pile.catalog).reports[-1]


def by_plans(old: Plan, new: Plan, dialect: str) -> str:
    ours, theirs = normal_forms(old, new, Normalizer())
    found = untold(ours, theirs, {dialect}, lambda _, column: TYPES.get(column, ""))
    return str(found or "")


def by_texts(old: Report, new: Report, dialect: str) -> str:
    ours, theirs = ([p.statement.tree for p in each.definition.parts] for each in (old, new))
    found = untold_texts(ours, theirs, {dialect}, lambda _, column: TYPES.get(column, ""))
    return str(found or "")


@pytest.mark.parametrize("dialect", sorted({dialect for dialect, _, _ in pairs(0)}))
def test_what_is_not_told(dialect: str) -> None:
    read, told = 0, list[tuple[str, str, str]]()
    for spoken, one, other in pairs(0):
        if spoken != dialect:
            continue
        old, new = report(one, dialect), report(other, dialect)
        ours, theirs = old.definition.plan, new.definition.plan
        if ours is not None and theirs is not None:
            read += 1
            if not by_plans(ours, theirs, dialect):
                told.append(("plans", one, other))
        if not by_texts(old, new, dialect):
            told.append(("texts", one, other))
    assert told == []
    assert read


def test_what_is_told() -> None:
    doubted = []
    for dialect, one, other in pairs(1):
        ours, theirs = (report(each, dialect).definition.plan for each in (one, other))
        assert ours is not None and theirs is not None
        if why := by_plans(ours, theirs, dialect):
            doubted.append((one, other, why))
    assert doubted == []


def test_of_duckdb_itself_all_is_told() -> None:
    for _, one, other in pairs(0):
        old, new = report("select a from t", "duckdb"), report("select b from t", "duckdb")
        assert one != other and not by_texts(old, new, "duckdb")


def test_what_a_translation_takes_for_granted() -> None:
    before = "select data ->> 'x' as x, cast(data ->> 'y' as date) as y from s.raw"
    after = "select data ->> '$.x' as x, cast(data ->> '$.y' as date) as y from s.raw"
    old, new = report(before, "postgres").definition.plan, report(after, "duckdb").definition.plan
    assert old is not None and new is not None
    ours, theirs = normal_forms(old, new, Normalizer())
    granted: set[str] = set()
    assert untold(ours, theirs, {"postgres", "duckdb"}, lambda *_: "") is not None
    assert untold(ours, theirs, {"postgres"}, lambda *_: "", granted=granted) is None
    assert granted == {
        "DuckDB reads the fields of JSON (-> and ->>) as postgres does",
        "DuckDB converts to days and times as postgres does",
    }
    for dialect, one, other in pairs(0):
        plans = [report(each, dialect).definition.plan for each in (one, other)]
        if dialect == "postgres" and plans[0] is not None and plans[1] is not None:
            forms = normal_forms(plans[0], plans[1], Normalizer())
            if untold(*forms, {dialect}, lambda _, c: TYPES.get(c, ""), granted=set()) is None:
                assert "->" in one or "json" in one, (one, other)
