"""Two plans that share parts read the same rows there, and rows of their own beyond."""

from __future__ import annotations

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Rel
from unwet.rewrite.meaning import meaning_of
from unwet.rewrite.prove.synthetic.twins import Twins, TwinSymbols

PIVOT = """
SELECT o.k, SUM(CASE WHEN p.c = 1 THEN o.a ELSE 0 END) AS x,
  SUM(CASE WHEN p.c = 2 THEN o.a ELSE 0 END) AS y
FROM o JOIN p ON o.id = p.id {0} GROUP BY o.k
"""


def plan(sql: str) -> Rel:
    [report] = meaning_of(load([Source("r.sql", sql, "duckdb")], "duckdb")).state.reports
    assert report.definition.plan is not None
    return report.definition.plan.rel


def test_a_pivot_that_reads_a_table_twice_beside_one_that_reads_it_more_often() -> None:
    twins = Twins(TwinSymbols())
    first = twins.ways(plan(PIVOT.format("")))
    read = len(twins.symbols.scans)
    twins.other()
    more = PIVOT.format("JOIN o AS q ON q.id = o.id JOIN p AS r ON r.id = q.id")
    second = twins.ways(plan(more))
    assert first and second
    assert len(twins.symbols.scans) > read


def test_reads_that_a_shared_part_has_had_are_not_given_again() -> None:
    twins = Twins(TwinSymbols())
    rel = plan("SELECT o.a FROM o JOIN o AS q ON q.id = o.id")
    assert twins.ways(rel)
    twins.other()
    twins._turns["o"] = 5  # taken over with a part that was read more often
    known = len(twins.symbols.scans)
    assert twins._scanned("o") == len(twins.symbols.scans) - 1 >= known
