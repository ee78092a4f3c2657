"""Plans over what no report makes: what is read through, and what stays a table."""

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Col, Filter, Lit, Plan, Project, Scan, Sort, SortKey
from unwet.rewrite.script import end_state
from unwet.rewrite.unfolding import Unfolding, both, in_order, is_definite, orders_rows

ORDERS = Scan("s.orders", ("id", "cents"))
CLEAN = Plan(("Id", "cents"), Filter(ORDERS, (Col(0),)))
FIRST = Plan(("id",), Sort(ORDERS, (SortKey(Col(1)),), Lit("number", "1")))


def reads(table: str, *columns: str) -> Plan:
    return Plan(columns, Scan(table, columns))


def test_a_table_becomes_its_query_with_the_columns_that_are_read() -> None:
    found = Unfolding({"r.clean": CLEAN}).plan(reads("r.clean", "cents", "id"))
    assert found.rel == Project(CLEAN.rel, (Col(1), Col(0)))


def test_tables_behind_tables_are_read_through() -> None:
    found = Unfolding({"r.more": reads("r.clean", "id"), "r.clean": CLEAN})
    assert found.plan(reads("r.more", "id")).rel == Project(
        Project(CLEAN.rel, (Col(0),)), (Col(0),)
    )


def test_an_unknown_column_leaves_the_table() -> None:
    plan = reads("r.clean", "email")
    assert Unfolding({"r.clean": CLEAN}).plan(plan) == plan


def test_tables_that_read_each_other_stay() -> None:
    circle = {"r.a": reads("r.b", "id"), "r.b": reads("r.a", "id"), "r.c": reads("r.a", "id")}
    assert Unfolding(circle).plan(reads("r.c", "id")) == reads("r.c", "id")
    assert in_order({"a": {"b"}, "b": {"a"}, "c": {"d"}, "d": {"t"}}) == ["d", "c"]


def test_rows_that_a_limit_chose_are_no_query_to_repeat() -> None:
    assert is_definite(CLEAN)
    assert not is_definite(FIRST)
    assert not is_definite(Plan(("id", "ID"), ORDERS))
    assert Unfolding({"r.first": FIRST}).plan(reads("r.first", "id")) == reads("r.first", "id")


def test_both_sides_read_the_same_tables_through() -> None:
    old, new = both({"r.clean": CLEAN, "r.first": CLEAN}, {"r.clean": CLEAN, "r.first": FIRST})
    for side in (old, new):
        assert side.plan(reads("r.first", "id")) == reads("r.first", "id")
        assert side.plan(reads("r.clean", "id")) != reads("r.clean", "id")


def plan_of(item: str) -> Plan:
    pile = load([Source("r.sql", f"CREATE TABLE r AS SELECT id, {item} AS x FROM s.t", "duckdb")])
    [report] = end_state(pile.scripts, pile.resolved, pile.catalog).reports
    assert report.definition.plan is not None
    return report.definition.plan


@pytest.mark.parametrize(
    ("item", "apart"),
    [
        ("ROW_NUMBER() OVER (ORDER BY k)", True),
        ("LAG(a) OVER (PARTITION BY b ORDER BY k)", True),
        ("SUM(a) OVER (ORDER BY k ROWS UNBOUNDED PRECEDING)", True),
        ("SUM(a) OVER (ORDER BY k)", False),
        ("RANK() OVER (ORDER BY k)", False),
        ("SUM(a) OVER (PARTITION BY b)", False),
        ("a + 1", False),
    ],
)
def test_queries_in_which_an_order_tells_equal_rows_apart(item: str, apart: bool) -> None:
    plan = plan_of(item)
    assert orders_rows(plan) is apart
    read = reads("r.more", "id")
    unfolding = Unfolding({"r.x": plan, "r.more": reads("r.x", "id")})
    assert unfolding.ordering(read) == ({"r.x"} if apart else set())
