"""Plans as SQL: each node means what the algebra says."""

from __future__ import annotations

import duckdb
import pytest

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Outer,
    Over,
    Plan,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Values,
    Window,
)
from unwet.rewrite.plan_sql import to_sql

T = Scan("t", ("a", "b"))
U = Scan("u", ("a",))
ONE, TWO = Lit("number", "1"), Lit("number", "2")
COUNT = Agg("count", (), ("this:*",))


def eq(left: Expr, right: Expr) -> Call:
    return Call("eq", (left, right), ("this", "expression"))


MATCH = (eq(Col(0), Col(2)),)


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute("CREATE TABLE t AS VALUES (1, 10), (1, 20), (2, NULL), (NULL, 30)")
    made.execute("ALTER TABLE t RENAME col0 TO a")
    made.execute("ALTER TABLE t RENAME col1 TO b")
    made.execute("CREATE TABLE u AS SELECT unnest([1, 3]) AS a")
    return made


@pytest.mark.parametrize(
    ("rel", "rows"),
    [
        (U, [(1,), (3,)]),
        (Filter(U, (eq(Col(0), ONE),)), [(1,)]),
        (Filter(U, ()), [(1,), (3,)]),
        (Project(Values(((),), 0), (ONE,)), [(1,)]),
        (Values(((ONE, TWO), (TWO, ONE)), 2), [(1, 2), (2, 1)]),
        (Values((), 2), []),
        (Join("inner", (T, U), MATCH), [(1, 10, 1), (1, 20, 1)]),
        (Join("inner", (U, U)), [(1, 1), (1, 3), (3, 1), (3, 3)]),
        (Join("left", (U, T), (eq(Col(0), Col(1)),)), [(1, 1, 10), (1, 1, 20), (3, None, None)]),
        (Join("semi", (U, T), (eq(Col(0), Col(1)),)), [(1,)]),
        (Join("anti", (U, T), (eq(Col(0), Col(1)),)), [(3,)]),
        (Aggregate(U, (), (COUNT,)), [(2,)]),
        (Aggregate(Filter(U, (eq(Col(0), TWO),)), (), (COUNT,)), [(0,)]),
        (Aggregate(T, (Lit("number", "7"),), (COUNT,)), [(7, 4)]),
        (Aggregate(T, (Col(0),), ()), [(1,), (2,), (None,)]),
        (Window(U, (Over(COUNT, (), ()),)), [(1, 2), (3, 2)]),
        (SetOp("union_all", (U, U)), [(1,), (1,), (3,), (3,)]),
        (Distinct(SetOp("union_all", (U, U))), [(1,), (3,)]),
        (SetOp("except", (U, Project(T, (Col(0),)))), [(3,)]),
        (Sort(U, (SortKey(Col(0), True),), ONE), [(3,)]),
        (Sort(U, (SortKey(Col(0)),), ONE, ONE), [(3,)]),
        (Sort(Project(T, (Col(0),)), (SortKey(Col(0)),), ONE, ties=True), [(1,), (1,)]),
        (Opaque("SELECT x + 1 FROM $0 AS q", (U,), (("x",),), 1), [(2,), (4,)]),
        (
            Filter(U, (Subquery("exists", Filter(T, (eq(Col(0), Outer(1, 0)),))),)),
            [(1,)],
        ),
        (Filter(U, (Subquery("in", Project(T, (Col(0),)), (Col(0),)),)), [(1,)]),
        (Project(U, (Subquery("scalar", Aggregate(T, (), (COUNT,))),)), [(4,), (4,)]),
    ],
)
def test_rows(
    rel: Rel, rows: list[tuple[object, ...]], connection: duckdb.DuckDBPyConnection
) -> None:
    found = connection.execute(to_sql(rel)).fetchall()
    assert sorted(found, key=repr) == sorted(rows, key=repr)


def test_a_relation_without_columns_has_its_rows(connection: duckdb.DuckDBPyConnection) -> None:
    bare: list[tuple[Rel, int]] = [
        (Scan("t", ()), 4),
        (Values(((),), 0), 1),
        (Aggregate(Scan("t", ()), (), ()), 1),
    ]
    for rel, rows in bare:
        assert len(connection.execute(to_sql(rel)).fetchall()) == rows


def test_a_plan_has_its_names_and_its_order(connection: duckdb.DuckDBPyConnection) -> None:
    plan = Plan(("Total",), Project(U, (Col(0),)), (SortKey(Col(0), True),))
    found = connection.execute(to_sql(plan))
    assert [d[0] for d in found.description or ()] == ["Total"]
    assert found.fetchall() == [(3,), (1,)]
