"""Derived tables become CTEs in front of queries that are alike then; the same rows come out."""

from __future__ import annotations

import duckdb
import sqlglot
from sqlglot import exp

from unwet.rewrite.lifted import lift

ROWS = """
    CREATE TABLE visits AS SELECT 'p' || i % 7 AS person, 'r' || i % 3 AS region,
      NULLIF(i % 11, 4) AS minutes FROM range(60) AS t (i);
"""
INSIDE = (
    "SELECT person, region, minutes FROM visits WHERE minutes > 3",
    "SELECT person, MAX(region) AS region, SUM(minutes) AS minutes FROM visits GROUP BY person",
    "SELECT DISTINCT person, region, 1 AS minutes FROM visits",
)
AROUND = """SELECT q.region, COUNT(*) AS visits, COUNT(DISTINCT q.person) AS people,
  MIN(q.minutes) AS shortest, MAX(q.minutes) AS longest, SUM(q.minutes) AS minutes,
  COUNT(q.minutes) AS known, MAX(q.person) AS last_person
  FROM ({0}) AS q WHERE q.region <> 'r9' GROUP BY q.region"""


def lifted(*texts: str) -> dict[str, exp.Expr]:
    hosts = {f"r{n}": sqlglot.parse_one(text, dialect="duckdb") for n, text in enumerate(texts)}
    lift(hosts, "duckdb")
    return hosts


def ctes(tree: exp.Expr) -> list[str]:
    return [cte.alias for cte in tree.args["with_"].expressions]


def test_a_derived_table_has_one_name_in_all_hosts() -> None:
    hosts = lifted(*(AROUND.format(inside) for inside in INSIDE))
    assert [ctes(tree) for tree in hosts.values()] == [["final_input"]] * 3


def test_two_of_one_host_have_two_names() -> None:
    first, second, other = (AROUND.format(inside) for inside in INSIDE)
    both = f"""WITH a AS ({first}), b AS ({second})
      SELECT a.region, a.visits, b.visits AS others FROM a JOIN b USING (region)"""
    hosts = lifted(both, other)
    assert ctes(hosts["r0"]) == ["a_input", "a", "a_input_2", "b"]
    assert ctes(hosts["r1"]) == ["a_input"]
    base = duckdb.connect()
    base.execute(ROWS)
    for text, tree in zip((both, other), hosts.values(), strict=True):
        old, new = (
            sorted(base.execute(sql).fetchall(), key=repr) for sql in (text, tree.sql("duckdb"))
        )
        assert old and old == new
