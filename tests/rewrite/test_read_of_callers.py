"""Names of CTEs that macros read of whoever calls them: such a CTE gets no other name."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from unwet.rewrite.library import Macro, MacroCall
from unwet.rewrite.may_merge import is_read
from unwet.rewrite.own_relations import read_of_callers
from unwet.rewrite.placed_calls import call_node
from unwet.rewrite.shapes import Leaf


def parsed(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="duckdb")


TREES = {
    "sums": parsed("SELECT k, SUM(n) AS n FROM hits JOIN Pages USING (k) GROUP BY k"),
    "around": exp.Var(this="call__0__call"),
    "alone": parsed("WITH pages AS (SELECT * FROM src__lake__pages__src) SELECT * FROM pages"),
}
MACROS = {name: Macro(name, (), tree, "query") for name, tree in TREES.items()}
CALLS = (
    MacroCall("sums", ()),
    MacroCall("around", ()),
    MacroCall("alone", ()),
    MacroCall("alone", (("part", Leaf("condition", "call__1__call")),)),
)


def test_a_macro_reads_what_it_has_no_query_for() -> None:
    assert read_of_callers(parsed("SELECT call__0__call"), TREES, CALLS) == {"hits", "pages"}


def test_a_macro_that_it_calls_reads_it_too() -> None:
    assert read_of_callers(parsed("SELECT call__1__call"), TREES, CALLS) == {"hits", "pages"}


def test_what_a_call_hands_on_reads_it_too() -> None:
    assert read_of_callers(parsed("SELECT call__3__call"), TREES, CALLS) == {"hits", "pages"}


def test_its_own_ctes_and_sources_are_not_the_callers() -> None:
    assert read_of_callers(parsed("SELECT call__2__call"), TREES, CALLS) == frozenset()


def test_a_call_without_a_number_counts() -> None:
    tree = exp.Select(expressions=[call_node("sums", ())])
    assert read_of_callers(tree, TREES, ()) == {"hits", "pages"}


def test_a_name_that_a_called_macro_reads_is_told() -> None:
    tree = parsed("WITH pages AS (SELECT 1 AS k) SELECT call__3__call")
    assert is_read(tree, frozenset({"pages"}), MACROS, CALLS)
    assert not is_read(tree, frozenset({"others"}), MACROS, CALLS)
    assert not is_read(parsed("SELECT * FROM pages"), frozenset({"pages"}), MACROS, CALLS)
