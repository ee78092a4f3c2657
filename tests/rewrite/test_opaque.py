"""Opaque queries: two that differ never meet; two that are the same do."""

from __future__ import annotations

from itertools import permutations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Opaque, Plan
from unwet.rewrite.script import end_state
from unwet.tests.rewrite.small_world import SCHEMA, Worlds, plan_of

R = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) "

SAMPLE = "SELECT a FROM t TABLESAMPLE ({})"


def opaque_of(sql: str, dialect: str = "duckdb") -> Plan:
    plan = plan_of(sql, dialect)
    assert isinstance(plan.rel, Opaque), sql
    return plan


DIFFERENT = [
    ("a literal", R + "SELECT i, 1 AS x FROM n", R + "SELECT i, 2 AS x FROM n"),
    ("a number and a string", R + "SELECT i, 1 AS x FROM n", R + "SELECT i, '1' AS x FROM n"),
    ("a table", R + "SELECT a FROM n, t", R + "SELECT a FROM n, u"),
    ("schemas", R + "SELECT x FROM n, s1.p", R + "SELECT x FROM n, s2.p"),
    (
        "a CTE that shadows a table",
        "WITH RECURSIVE u AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM u WHERE a < 2) "
        "SELECT a FROM u",
        "WITH RECURSIVE w AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM w WHERE a < 2) "
        "SELECT u.a FROM u, w",
    ),
    (
        "a CTE in scope and one that is not",
        "SELECT DISTINCT ON (a, 1) a FROM (WITH u AS (SELECT 1 AS a) SELECT a FROM u) x",
        "SELECT DISTINCT ON (a, 1) a FROM (WITH u AS (SELECT 2 AS a) SELECT a FROM u) x",
    ),
    (
        "a field of a column that is called like a CTE",
        "WITH x AS (SELECT 1 AS k) SELECT DISTINCT ON (a, 1) x.f FROM t, x AS q",
        "WITH z AS (SELECT 1 AS k) SELECT DISTINCT ON (a, 1) z.f FROM t, z AS q",
    ),
    (
        "a column that is called like a CTE",
        "WITH x AS (SELECT 1 AS k) SELECT DISTINCT ON (a, 1) x FROM t, x AS q",
        "WITH z AS (SELECT 1 AS k) SELECT DISTINCT ON (a, 1) z FROM t, z AS q",
    ),
    (
        "which of two CTEs is read",
        "WITH x AS (SELECT a FROM t), y AS (SELECT a FROM u) SELECT DISTINCT ON (a, 1) a FROM x",
        "WITH x AS (SELECT a FROM t), y AS (SELECT a FROM u) SELECT DISTINCT ON (a, 1) a FROM y",
    ),
    (
        "which of two CTEs of one name is read",
        "WITH x AS (SELECT a FROM t) SELECT DISTINCT ON (a, 1) a FROM "
        "(WITH x AS (SELECT a FROM u) SELECT a FROM x) y",
        "WITH x AS (SELECT a FROM u) SELECT DISTINCT ON (a, 1) a FROM "
        "(WITH x AS (SELECT a FROM t) SELECT a FROM x) y",
    ),
    (
        "conjuncts of another disjunction",
        "SELECT DISTINCT ON (a, 1) a FROM t WHERE a = 1 AND (b = 2 OR c = 'x') AND TRUE",
        "SELECT DISTINCT ON (a, 1) a FROM t WHERE (a = 1 AND b = 2 OR c = 'x') AND TRUE",
    ),
    (
        "the branch that names the columns",
        "SELECT DISTINCT ON (a, 1) a FROM (SELECT a, b FROM t UNION ALL SELECT b, a FROM t)",
        "SELECT DISTINCT ON (a, 1) a FROM (SELECT b, a FROM t UNION ALL SELECT a, b FROM t)",
    ),
    (
        "branches by name, which tell the order of the columns",
        "SELECT DISTINCT ON (a, 1) * FROM (SELECT a FROM t UNION ALL BY NAME SELECT b FROM t"
        " UNION ALL BY NAME SELECT c FROM t)",
        "SELECT DISTINCT ON (a, 1) * FROM (SELECT a FROM t UNION ALL BY NAME SELECT c FROM t"
        " UNION ALL BY NAME SELECT b FROM t)",
    ),
    (
        "branches of UNION",
        "SELECT DISTINCT ON (a, 1) a FROM (SELECT a FROM t UNION ALL SELECT 1 UNION SELECT 2)",
        "SELECT DISTINCT ON (a, 1) a FROM (SELECT a FROM t UNION ALL SELECT 2 UNION SELECT 1)",
    ),
    (
        "branches of a recursive query",
        R.replace("SELECT i + 1", "SELECT 9 UNION ALL SELECT i + 1") + "SELECT i FROM n",
        R.replace("WHERE i < 3", "WHERE i < 3 UNION ALL SELECT 9") + "SELECT i FROM n",
    ),
    (
        "order",
        "SELECT DISTINCT ON (a, 1) a, b FROM t ORDER BY a, b",
        "SELECT DISTINCT ON (a, 1) a, b FROM t ORDER BY a, b DESC",
    ),
    (
        "parentheses",
        "SELECT DISTINCT ON (a, 1) a FROM t WHERE (a = 1 OR b = 2) AND c = 'x'",
        "SELECT DISTINCT ON (a, 1) a FROM t WHERE a = 1 OR b = 2 AND c = 'x'",
    ),
    (
        "samples",
        "SELECT a FROM t TABLESAMPLE (1 PERCENT)",
        "SELECT a FROM t TABLESAMPLE (2 PERCENT)",
    ),
    (
        "one group of all rows",
        "SELECT DISTINCT ON (n, 1) n FROM (SELECT 1 AS n FROM t HAVING TRUE) AS q",
        "SELECT DISTINCT ON (n, 1) n FROM (SELECT 1 AS n FROM t) AS q",
    ),
    ("another test", R + "SELECT i FROM n WHERE 1 = 2", R + "SELECT i FROM n"),
    ("no test of rows", R + "SELECT i FROM n WHERE NULL", R + "SELECT i FROM n"),
    ("a sample", "SELECT a FROM t TABLESAMPLE (1 PERCENT)", "SELECT a FROM t TABLESAMPLE (1 ROWS)"),
]


@pytest.mark.parametrize(("what", "left", "right"), DIFFERENT)
def test_different_queries_never_meet(what: str, left: str, right: str) -> None:
    assert opaque_of(left).rel != opaque_of(right).rel, what


BY_DIALECT = [
    ("postgres", 'SELECT DISTINCT ON (a, 1) "A" FROM t', "SELECT DISTINCT ON (a, 1) a FROM t"),
    ("postgres", "SELECT DISTINCT ON (a, 1) a FROM t AS x",
     "SELECT DISTINCT ON (a, 1) x AS a FROM t AS x"),
    ("postgres", "SELECT DISTINCT ON (1, 1) x.* FROM t AS x, u AS y",
     "SELECT DISTINCT ON (1, 1) y.* FROM t AS x, u AS y"),
    ("postgres", "SELECT DISTINCT ON (a, 1) a FROM t AS x (a, b)",
     "SELECT DISTINCT ON (a, 1) a FROM t AS x (b, a)"),
    ("postgres", "SELECT DISTINCT ON (a, 1) to_json(x) AS a FROM t AS x",
     "SELECT DISTINCT ON (a, 1) to_json(y) AS a FROM t AS x, u AS y"),
    ("snowflake", 'SELECT "a", "A" FROM t', 'SELECT a, "A" FROM t'),
    ("snowflake", 'SELECT "a" FROM t', "SELECT a FROM t TABLESAMPLE (100)"),
    ("tsql", "SELECT TOP 5 PERCENT a FROM t", "SELECT TOP 5 PERCENT b FROM t"),
    ("tsql", "SELECT TOP 5 PERCENT a FROM t", "SELECT TOP 5 PERCENT WITH TIES a FROM t"),
    ("postgres", "SELECT DISTINCT ON (s1.p.a, 1) s1.p.a FROM s1.p, s2.p",
     "SELECT DISTINCT ON (p.a, 1) p.a FROM s1.p, s2.p"),
    ("postgres", "SELECT DISTINCT ON (s1.p.a, 1) s1.p.a FROM s1.p, t AS p",
     "SELECT DISTINCT ON (p.a, 1) p.a FROM s1.p, t AS p"),
    ("clickhouse", "SELECT DISTINCT ON (a, 1) Ab FROM t", "SELECT DISTINCT ON (a, 1) AB FROM t"),
    *((dialect, "WITH n AS (SELECT 1 AS i UNION ALL SELECT 9 UNION ALL SELECT i + 1 FROM n"
       " WHERE i < 3) SELECT i FROM n",
       "WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3 UNION ALL SELECT 9)"
       " SELECT i FROM n") for dialect in ("tsql", "snowflake", "oracle")),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "left", "right"), BY_DIALECT)
def test_names_are_told_apart_as_the_dialect_does(dialect: str, left: str, right: str) -> None:
    assert plan_of(left, dialect).rel != plan_of(right, dialect).rel


SAME = [
    ("conjuncts in another order", "postgres",
     "SELECT DISTINCT ON (a, 1) a FROM t WHERE a = 1 AND (b = 2 AND c = 'x') OR a > 3",
     "SELECT DISTINCT ON (a, 1) a FROM t WHERE (c = 'x' AND TRUE AND a = 1) AND b = 2 OR a > 3"),
    ("case of a function that the parser does not know", "postgres",
     "SELECT j.key FROM t, LATERAL jsonb_each_text(t.c) AS j",
     "SELECT j.key FROM t, LATERAL JSONB_EACH_TEXT(t.c) AS j"),
    ("case of names", "duckdb", R + "SELECT I FROM N, T", R + "select i from n, t"),
    ("needless parentheses", "postgres",
     "SELECT DISTINCT ON (a, 1) (a) AS a FROM t WHERE ((a = 1) OR (b = 2)) AND (a IN (1, 2))",
     "SELECT DISTINCT ON (a, 1) a AS a FROM t WHERE (a = 1 OR b = 2) AND a IN (1, 2)"),
    ("a cast and the function that is one", "databricks",
     "SELECT a, TO_TIMESTAMP(c) AS x FROM t TABLESAMPLE (1 PERCENT)",
     "SELECT a, CAST(c AS TIMESTAMP) AS x FROM t TABLESAMPLE (1 PERCENT)"),
    ("the words of a named frame", "postgres",
     "SELECT DISTINCT ON (a, 1) a, SUM(b) OVER w AS x FROM t WINDOW w AS "
     "(ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
     "SELECT DISTINCT ON (a, 1) a, SUM(b) OVER w AS x FROM t WINDOW w AS "
     "(ORDER BY a rows between 1 preceding and current row)"),
    ("needless quotes", "postgres",
     'SELECT DISTINCT ON ("a", 1) a FROM "t"', "SELECT DISTINCT ON (a, 1) a FROM t"),
    ("comments", "duckdb", R + "SELECT i /* x */ FROM n -- y", R + "SELECT i FROM n"),
    ("brackets", "tsql", "SELECT TOP 5 PERCENT [A] FROM [T]", "SELECT TOP 5 PERCENT a FROM t"),
    ("raw strings", "bigquery", r"SELECT a FROM t TABLESAMPLE SYSTEM (1 PERCENT) WHERE c = r'a\.b'",
     r"SELECT a FROM t TABLESAMPLE SYSTEM (1 PERCENT) WHERE c = 'a\\.b'"),
    ("a column with the schema of its table", "postgres",
     "SELECT DISTINCT ON (s1.p.a, 1) s1.p.a FROM s1.p",
     "SELECT DISTINCT ON (p.a, 1) p.a FROM s1.p"),
    (
        "qualified by the table's name",
        "postgres",
        "SELECT DISTINCT ON (t.a, 1) t.a FROM t",
        "SELECT DISTINCT ON (t.a, 1) t.a FROM t AS t",
    ),
    ("a test that every row stands", "duckdb",
     R + "SELECT i FROM n WHERE TRUE AND TRUE UNION ALL SELECT a FROM t WHERE 1 = 1 ORDER BY i + 1",
     R + "SELECT i FROM n UNION ALL SELECT a FROM t ORDER BY i + 1"),
    ("other names that nobody says", "postgres",
     "SELECT DISTINCT ON (a, 1) a FROM t AS x UNION ALL SELECT a FROM u AS x",
     "SELECT DISTINCT ON (a, 1) a FROM t AS y UNION ALL SELECT a FROM u"),
    ("other names of CTEs", "postgres",
     "WITH x AS (SELECT a FROM t), y AS (SELECT a FROM x) SELECT DISTINCT ON (a, 1) a FROM y, x q",
     "WITH y AS (SELECT a FROM t), w AS (SELECT a FROM y) SELECT DISTINCT ON (a, 1) a FROM w, y q"),
    ("branches behind the first", "duckdb",
     "SELECT DISTINCT ON (a, 1) a FROM (SELECT a FROM t UNION ALL SELECT b FROM t WHERE a = 1"
     " UNION ALL SELECT 3 UNION ALL SELECT a FROM t WHERE b = 2)",
     "SELECT DISTINCT ON (a, 1) a FROM (SELECT a FROM t UNION ALL SELECT a FROM t WHERE b = 2"
     " UNION ALL SELECT 3 UNION ALL SELECT b FROM t WHERE a = 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "dialect", "left", "right"), SAME)
def test_the_same_query_in_other_letters_is_one(
    what: str, dialect: str, left: str, right: str
) -> None:
    assert opaque_of(left, dialect).rel == opaque_of(right, dialect).rel, what


IDLE = [
    "SELECT {0} AS n FROM t {1}",
    "SELECT t.a AS n FROM t LEFT JOIN u ON t.a = u.k {1} ORDER BY n LIMIT 3",
    "SELECT {0} AS n FROM t {1} GROUP BY b HAVING COUNT(*) > 0",
    "SELECT a AS n FROM t WHERE EXISTS (SELECT 1 FROM u {1})",
]


@pytest.mark.parametrize("test", ["WHERE TRUE", "WHERE 1 = 1", "WHERE TRUE AND 1 = 1"])
@pytest.mark.parametrize("query", IDLE)
def test_a_test_that_every_row_stands_keeps_them_all(query: str, test: str, worlds: Worlds) -> None:
    texts = [query.format("MAX(a)" if "GROUP" in query else "a", each) for each in (test, "")]
    assert worlds.difference(*texts) == ""


BRANCHES = [
    ("SELECT a, b FROM t", "SELECT b, a FROM t WHERE a > 1", "(SELECT a, a FROM t LIMIT 0)"),
    ("SELECT a, c AS b FROM t", "SELECT 2.5, 'x'", "SELECT b, '05' FROM t", "SELECT NULL, NULL"),
    ("SELECT 1 AS a, NULL AS b", "SELECT 'y', TRUE", "SELECT 1e3, 2", "SELECT 2.50, '2.5'"),
    ("SELECT a, b FROM t", "(SELECT 2, 3 UNION ALL SELECT b, b FROM t UNION ALL SELECT 1.5, 'x')",
     "SELECT a, c FROM t INTERSECT SELECT b, c FROM t"),
]  # fmt: skip
AROUND = [
    "SELECT DISTINCT ON (a, b, 1) a, b FROM ({}) AS q",
    "WITH w AS ({} ORDER BY a, b LIMIT 3) SELECT DISTINCT ON (a, b, 1) * FROM w",
    "SELECT DISTINCT ON (x, y, 1) x, y FROM ({} UNION SELECT b, a FROM t) AS q (x, y)",
]


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("branches", BRANCHES)
def test_branches_behind_the_first_in_any_order_have_the_same_rows(
    branches: tuple[str, ...], around: str, worlds: Worlds
) -> None:
    """Their values too, whatever the types of the branches make of each other."""
    first, *rest = branches
    before = around.format(" UNION ALL ".join(branches))
    for other in permutations(rest):
        after = around.format(" UNION ALL ".join((first, *other)))
        assert opaque_of(before).rel == opaque_of(after).rel
        assert not worlds.difference(before, after)


def plans_of(dialect: str, **files: str) -> dict[str, Plan]:
    sources = [Source(f"{name}.sql", text, dialect) for name, text in files.items()]
    pile = load(sources, dialect, {name: dict(columns) for name, columns in SCHEMA.items()})
    state = end_state(pile.scripts, pile.resolved, pile.catalog)
    return {r.name: r.definition.plan for r in state.reports if r.definition.plan is not None}


QUERY = "SELECT TOP 5 PERCENT a, b INTO {0} FROM {1};"


def test_temporary_tables_of_one_name_are_told_apart() -> None:
    plans = plans_of(
        "tsql",
        one="SELECT a, b INTO #x FROM t;" + QUERY.format("r1", "#x"),
        two="SELECT a, k AS b INTO #x FROM u;" + QUERY.format("r2", "#x"),
        three="SELECT a, b INTO [#X] FROM [T];" + QUERY.format("r3", "[#x]"),
    )
    assert plans["r1"].rel != plans["r2"].rel
    assert plans["r1"].rel == plans["r3"].rel


def test_the_same_rows_under_other_names_are_another_input() -> None:
    plans = plans_of(
        "tsql",
        one="SELECT a, b INTO #x FROM t;" + QUERY.format("r1", "#x"),
        two="SELECT a AS b, b AS a INTO #x FROM t;" + QUERY.format("r2", "#x"),
    )
    assert plans["r1"].rel != plans["r2"].rel


def test_a_temporary_table_is_not_the_table_of_that_name() -> None:
    plans = plans_of(
        "duckdb",
        one="CREATE TEMP TABLE t AS SELECT a, b FROM main.t WHERE a > 1;"
        "CREATE TABLE r1 AS SELECT DISTINCT ON (a, 1) a, b FROM t",
        two="CREATE TABLE r2 AS SELECT DISTINCT ON (a, 1) a, b FROM t",
    )
    assert plans["r1"].rel != plans["r2"].rel
