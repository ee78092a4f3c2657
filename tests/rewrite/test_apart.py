"""Pairs of queries that somebody might take for each other: none of them is proved equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Plan
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.script import end_state

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "apart" / "pairs.txt"
DECLARED = (
    "create table t (a int, b int, c varchar(20)); create table u (a int, k int, d varchar(20));"
    "create table v (k int, b int); create table v0 (a int);"
    "create table s (g int, x double precision, y timestamp, z timestamp);"
)


def pairs() -> dict[str, list[tuple[str, str]]]:
    """By dialect."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in FILE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            dialect, one, other = line.split(" | ", 2)
            found.setdefault(dialect, []).append((one, other))
    return found


PAIRS = pairs()


def plan(sql: str, dialect: str) -> Plan | None:
    pile = load([Source("a.sql", sql, dialect)], dialect)
    return end_state(pile.scripts, pile.resolved, pile.catalog).reports[-1].definition.plan


@pytest.mark.parametrize("declared", ["", DECLARED], ids=["undeclared", "declared"])
@pytest.mark.parametrize("dialect", PAIRS)
def test_queries_that_differ_are_not_proved_equal(dialect: str, declared: str) -> None:
    normalizer = Normalizer()
    met, read = list[tuple[str, str]](), 0
    for one, other in PAIRS[dialect]:
        old, new = plan(declared + one, dialect), plan(declared + other, dialect)
        if old is not None and new is not None:
            read += 1
            if proves(old, new, normalizer):
                met.append((one, other))
    assert met == []
    assert read >= 0.9 * len(PAIRS[dialect])


def test_there_are_enough_of_them() -> None:
    assert len(PAIRS) >= 10 and sum(map(len, PAIRS.values())) >= 450
