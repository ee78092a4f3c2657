"""Names of CTEs that macros read of whoever calls them: such a CTE gets no other name."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from unwet.rewrite.library import MacroCall
from unwet.rewrite.own_relations import ReadOfCallers
from unwet.rewrite.placed_calls import call_node
from unwet.rewrite.shapes import Leaf


def parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="duckdb")


TREES = {
    "sums": parsed("SELECT k, SUM(n) AS n FROM hits JOIN Pages USING (k) GROUP BY k"),
    "around": exp.Var(this="call__0__call"),
    "alone": parsed("WITH pages AS (SELECT * FROM src__lake__pages__src) SELECT * FROM pages"),
}
CALLS = (
    MacroCall("sums", ()),
    MacroCall("around", ()),
    MacroCall("alone", ()),
    MacroCall("alone", (("part", Leaf("condition", "call__1__call")),)),
)


def read_in(tree: exp.Expr) -> frozenset[str]:
    return ReadOfCallers(TREES, CALLS).read_in(tree)


def test_a_macro_reads_what_it_has_no_query_for() -> None:
    assert read_in(parsed("SELECT call__0__call")) == {"hits", "pages"}


def test_a_macro_that_it_calls_reads_it_too() -> None:
    assert read_in(parsed("SELECT call__1__call")) == {"hits", "pages"}


def test_what_a_call_hands_on_reads_it_too() -> None:
    assert read_in(parsed("SELECT call__3__call")) == {"hits", "pages"}


def test_its_own_ctes_and_sources_are_not_the_callers() -> None:
    assert read_in(parsed("SELECT call__2__call")) == frozenset()


def test_a_call_without_a_number_counts() -> None:
    tree = exp.Select(expressions=[call_node("sums", ())])
    assert ReadOfCallers(TREES, ()).read_in(tree) == {"hits", "pages"}


def test_a_name_that_a_called_macro_reads_is_told() -> None:
    tree = parsed("WITH pages AS (SELECT 1 AS k) SELECT call__3__call")
    read = ReadOfCallers(TREES, CALLS)
    assert read.one_of(tree, {"pages"})
    assert not read.one_of(tree, {"others"})
    assert not read.one_of(parsed("SELECT * FROM pages"), {"pages"})


def test_only_those_that_are_called_are_asked() -> None:
    read = ReadOfCallers(TREES, CALLS)
    assert read.one_of(parsed("SELECT call__0__call"), {"pages", "x"})
    assert not read.one_of(parsed("SELECT call__2__call"), {"pages"})
    assert not read.one_of(parsed("SELECT call__0__call"), {"x"})
