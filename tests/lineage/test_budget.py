"""Statements that would take too much work: bounded by counting, told, and nothing else lost."""

import pytest

from unwet import Source
from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.findings import Finding
from unwet.lineage.graph import Graph
from unwet.lineage.pile import load


def graph_of(sql: str, budget: Budget | None = None) -> Graph:
    source = Source("a.sql", sql)
    return load(source, "duckdb", budget=budget or BUDGET).graph


def told(graph: Graph) -> list[Finding]:
    return [finding for finding in graph.unresolved if finding.code == "BUDGET"]


def shown(graph: Graph) -> set[str]:
    return {f"{e.source} -> {e.target} {e.subtype}" for e in graph.edges}


def chain(first: str, step: str, levels: int) -> str:
    """WITH q0 AS (first), q1 AS (step over q0), ..."""
    steps = (f"q{i} AS ({step.format(below=f'q{i - 1}')})" for i in range(1, levels + 1))
    return f"WITH q0 AS ({first}), {', '.join(steps)}"


# --- within the budget: what looks exponential is not


TWICE = [
    ("SELECT a, b FROM t", "SELECT x.a + y.a AS a, x.b FROM {below} x JOIN {below} y ON x.a = y.b"),
    ("SELECT * FROM t", "SELECT * FROM {below} UNION ALL SELECT * FROM {below}"),
    ("SELECT * FROM t", "SELECT * FROM {below} x, {below} y"),
    ("SELECT a, b FROM t", "SELECT count(*) AS a, max(x.b) AS b FROM {below} x, {below} y"),
    ("SELECT a, b FROM t", "SELECT a, b FROM {below} WHERE a IN (SELECT a FROM {below})"),
]


@pytest.mark.parametrize(("first", "step"), TWICE)
def test_two_to_the_fortieth_paths(first: str, step: str) -> None:
    graph = graph_of(f"CREATE TABLE o AS {chain(first, step, 40)} SELECT a FROM q40")
    assert any(e.source.relation == "t" and e.target.column == "a" for e in graph.edges)
    assert told(graph) == []


def test_a_recursive_query_may_read_itself_through_stars() -> None:
    sql = "WITH RECURSIVE r AS (SELECT * FROM t UNION ALL SELECT * FROM r) SELECT a FROM r"
    assert "t.a -> a IDENTITY" in shown(graph_of(sql))


# --- beyond it


def test_wide_stars_are_cut_and_still_traced() -> None:
    sql = (
        "CREATE TABLE t (a INT, b INT, c INT);"
        "CREATE TABLE o AS SELECT * FROM t x JOIN t y USING (a) JOIN u ON true;"
        "CREATE TABLE p AS SELECT c FROM (SELECT * FROM t) q;"
    )
    graph = graph_of(sql, Budget(columns=2))
    assert [(str(f.at), "more than 2 columns" in f.message) for f in told(graph)] == [
        ("a.sql:1:38", True),
        ("a.sql:1:108", True),
    ]
    assert {"t.a -> o.a IDENTITY", "t.* -> o.* IDENTITY", "u.* -> o.* IDENTITY"} <= shown(graph)
    assert "t.c -> p.c IDENTITY" in shown(graph)  # behind the cut, by name


def test_too_many_steps_leave_edges_by_table() -> None:
    many = ", ".join(f"a + b + c{i} AS x{i}" for i in range(20))
    sql = f"CREATE TABLE o AS SELECT {many} FROM t WHERE z IN (SELECT k FROM u); SELECT k FROM v"
    graph = graph_of(sql, Budget(steps=20))
    (finding,) = told(graph)
    assert (finding.at.line, finding.at.column) == (1, 1)
    assert "more than 20 steps" in finding.message
    found = shown(graph)
    assert "t.c0 -> o.x0 TRANSFORMATION" in found and "t.c19 -> o.x19 TRANSFORMATION" not in found
    assert "t.* -> o.* TRANSFORMATION" in found
    assert "v.k -> k IDENTITY" in found  # the next statement has a budget of its own


def test_conditions_that_would_reach_too_many_columns_reach_the_relation() -> None:
    sql = "CREATE TABLE o AS SELECT a, b, c FROM t WHERE d > e"
    assert "t.d -> o.b FILTER" in shown(graph_of(sql, Budget(edges=6)))
    graph = graph_of(sql, Budget(edges=5))
    assert shown(graph) == {
        "t.a -> o.a IDENTITY",
        "t.b -> o.b IDENTITY",
        "t.c -> o.c IDENTITY",
        "t.d -> o.* FILTER",
        "t.e -> o.* FILTER",
    }
    assert "read 2 columns and reach 3" in told(graph)[0].message


def test_results_do_not_depend_on_the_run() -> None:
    sql = f"CREATE TABLE o AS {chain(*TWICE[0], 6)} SELECT * FROM q6"
    one, other = (graph_of(sql, Budget(steps=15)) for _ in range(2))
    assert told(one) and one.edges == other.edges and one.unresolved == other.unresolved


# --- large but ordinary


@pytest.mark.parametrize(
    ("sql", "edge"),
    [
        pytest.param(
            f"CREATE TABLE t ({', '.join(f'c{i} INT' for i in range(2_000))});"
            f"CREATE TABLE o AS {chain('SELECT * FROM t', 'SELECT * FROM {below}', 20)}"
            " SELECT * FROM q20",
            "t.c1999 -> o.c1999 IDENTITY",
            id="stars over a wide table",
        ),
        pytest.param(
            "CREATE TABLE o AS "
            + " UNION ALL ".join(f"SELECT a, {i} AS n FROM t{i}" for i in range(1_000)),
            "t999.a -> o.a IDENTITY",
            id="a thousand branches",
        ),
        pytest.param(
            "CREATE TABLE o AS SELECT a FROM t WHERE "
            + " OR ".join(f"x{i % 7} = {i}" for i in range(5_000)),
            "t.x6 -> o.a FILTER",
            id="thousands of ORs",
        ),
        pytest.param(
            "SELECT a FROM (" * 300 + "SELECT a FROM t" + ") s" * 300,
            "t.a -> a IDENTITY",
            id="three hundred levels",
        ),
        pytest.param(
            "CREATE VIEW v AS SELECT a FROM w; CREATE VIEW w AS SELECT a FROM v",
            "v.a -> w.a IDENTITY",
            id="views in a circle",
        ),
        pytest.param(
            "SELECT\n" + ",\n".join(f"a{i} + {i} AS x{i}" for i in range(5_000)) + "\nFROM t",
            "t.a4999 -> x4999 TRANSFORMATION",
            id="five thousand lines",
        ),
    ],
)
def test_large_statements(sql: str, edge: str) -> None:
    graph = graph_of(sql)
    assert edge in shown(graph)
    assert told(graph) == []
