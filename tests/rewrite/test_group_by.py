"""GROUP BY said in a shorter way is the same GROUP BY; both are executed."""

from __future__ import annotations

from collections import Counter
from random import Random

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.algebra import Opaque
from unwet.rewrite.group_all import by_all, distinct_may_be_by_all
from unwet.rewrite.grouped_rows import group_by_all
from unwet.rewrite.grouping_sets import as_sets, factored, sets_of
from unwet.rewrite.normal import normalize_plan
from unwet.tests.rewrite.small_world import Worlds, plan_of

ALL = (
    "SELECT a, SUM(b) AS s FROM t GROUP BY a",
    "SELECT a + 1 AS x, 'k' AS k, c, SUM(b) AS s FROM t GROUP BY c, x",
    "SELECT c, COUNT(*) AS n, a + b AS x, SUM(b) / MAX(a) AS s FROM t GROUP BY 3, 1 HAVING n > 1",
    "SELECT a + 1 AS x, a % 2 AS y, COUNT(*) AS n FROM t GROUP BY x, y",  # neither is in the other
    "SELECT t.a, u.d, COUNT(*) AS n FROM t JOIN u ON t.a = u.a GROUP BY t.a, d ORDER BY n LIMIT 9",
)
ROWS = (
    "SELECT a, c FROM t GROUP BY a, c",
    "SELECT T.a AS x, 'k' AS k, B + 1 AS y FROM t WHERE a > 0 GROUP BY y, t.A",
    "SELECT a FROM (SELECT a, b + 1 AS c FROM t GROUP BY 2, 1) AS x GROUP BY a",
)
NOT_ALL = (
    "SELECT a, SUM(b) AS s FROM t GROUP BY a, c",  # a key that is not shown
    "SELECT a + 1 AS x, SUM(b) AS s FROM t GROUP BY a",  # another value than the key
    "SELECT a, a + 1 AS x, SUM(b) AS s FROM t GROUP BY a",
    "SELECT b AS a, b AS x, COUNT(*) AS n FROM t GROUP BY a, b",  # t.a and t.b
    "SELECT a + 1 AS b, COUNT(*) AS n FROM t GROUP BY b, a",  # t.b
    "SELECT a + 1 AS b, t.a, COUNT(*) AS n FROM t GROUP BY b, t.a",  # t.b
    "SELECT a + 1 AS x, 2 * (a + 1) AS c, COUNT(*) AS n FROM t GROUP BY x, c",  # t.c
    "SELECT 1 AS a, COUNT(*) AS n FROM t GROUP BY a",  # t.a, which tells rows apart
    "SELECT 'x' AS x, COUNT(*) AS n FROM t GROUP BY 1",
    "SELECT COUNT(*) AS n FROM t GROUP BY a",
    "SELECT a, SUM(COUNT(*)) OVER () AS n FROM t GROUP BY a",
    "SELECT a, (SELECT MAX(k) FROM u) AS k FROM t GROUP BY a",
    "SELECT a, c, COUNT(*) AS n FROM t GROUP BY ROLLUP (a, c)",
    "SELECT f(a) AS x, COUNT(*) AS n FROM t GROUP BY 1",
    "SELECT a, c FROM t GROUP BY a, b, c",
    "SELECT 1 AS x FROM t GROUP BY 1",
    "SELECT a, SUM(b) + a AS s FROM t GROUP BY a",  # DuckDB refuses it
)
SETS = (
    ("GROUPING SETS ((a, b, c), (a), (a, c), (a, b))", "a, CUBE (b, c)"),
    ("GROUPING SETS ((a, b), (), (c), (a, b, c))", "CUBE ((a, b), c)"),
    ("GROUPING SETS ((c, a), (c, a, b), (c), (c, b))", "c, CUBE (a, b)"),
    ("GROUPING SETS ((a, b, c))", "a, b, c"),
    ("GROUPING SETS ((a), (b), (a, c), (b, c))", "CUBE (c), GROUPING SETS (a, b)"),
    ("CUBE (a, b), GROUPING SETS (c)", "c, CUBE (a, b)"),
)
AS_THEY_ARE = (
    "GROUPING SETS (a, b, (a, c))",
    "GROUPING SETS ((a, b), (a), (a), (b), ())",  # a set twice is its rows twice
    "GROUPING SETS ((1, 2), (1), (2), ())",
)


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


@pytest.mark.parametrize("sql", ALL)
def test_keys_that_are_the_outputs_are_all(sql: str, worlds: Worlds) -> None:
    tree = sqlglot.parse_one(sql, read="duckdb")
    by_all(tree, "duckdb")
    made = tree.sql("duckdb")
    assert "GROUP BY ALL" in made
    assert worlds.difference(sql, made) == ""
    assert normalize_plan(plan_of(made))[0].rel == normalize_plan(plan_of(sql))[0].rel


@pytest.mark.parametrize("sql", ROWS)
@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_groups_that_nothing_is_computed_of_are_distinct_rows(
    sql: str, dialect: str, worlds: Worlds
) -> None:
    tree = sqlglot.parse_one(sql, read=dialect)
    by_all(tree, dialect)
    made = tree.sql(dialect)
    assert "GROUP BY" not in made and made.count("DISTINCT") == sql.count("GROUP BY")
    assert worlds.difference(sql, made) == ""
    assert normalize_plan(plan_of(made))[0].rel == normalize_plan(plan_of(sql))[0].rel


DISTINCT = (
    "SELECT DISTINCT a, c FROM t",
    "SELECT DISTINCT T.a AS x, 'k' AS k, B + 1 AS y FROM t WHERE a > 0",
    "SELECT DISTINCT a, a + 1 AS x, NULL AS n FROM t",
    "SELECT DISTINCT t.c, CASE WHEN u.k > 1 THEN t.b END AS x FROM t JOIN u ON t.a = u.a",
    "SELECT DISTINCT b AS a, a AS b FROM t",
)
NOT_BY_ALL = (
    "SELECT a FROM t",
    "SELECT DISTINCT ON (a) a, c FROM t",
    "SELECT DISTINCT 1 AS x FROM t",  # no rows, or one
    "SELECT DISTINCT * FROM t",
    "SELECT DISTINCT a, SUM(b) OVER (PARTITION BY c) AS s FROM t",
    "SELECT DISTINCT SUM(b) AS s, a FROM t GROUP BY a",
    "SELECT DISTINCT MAX(a) AS a FROM t",
    "SELECT DISTINCT a, RANDOM() AS r FROM t",
    "SELECT DISTINCT a, f(c) AS x FROM t",
    "SELECT DISTINCT a, UNNEST([1, 2]) AS x FROM t",
    "SELECT DISTINCT a, (SELECT MAX(k) FROM u) AS k FROM t",
    "SELECT DISTINCT a FROM t LIMIT 3",
    "SELECT DISTINCT h__column__h, LENGTH(c) AS n FROM t",  # of a column that might be c
)


@pytest.mark.parametrize("sql", DISTINCT)
def test_distinct_rows_are_grouped_by_all(sql: str, worlds: Worlds) -> None:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Select) and distinct_may_be_by_all(tree, "duckdb")
    group_by_all(tree)
    made = tree.sql("duckdb")
    assert made == sql.replace("DISTINCT ", "") + " GROUP BY ALL"
    assert worlds.difference(sql, made) == ""
    assert normalize_plan(plan_of(made))[0].rel == normalize_plan(plan_of(sql))[0].rel


@pytest.mark.parametrize("sql", NOT_BY_ALL)
def test_other_distinct_rows_stay(sql: str) -> None:
    assert not distinct_may_be_by_all(sqlglot.parse_one(sql, read="duckdb"), "duckdb")


@pytest.mark.parametrize("dialect", ["postgres", "tsql", "spark"])
def test_distinct_rows_stay_where_nothing_is_grouped_by_all(dialect: str) -> None:
    tree = sqlglot.parse_one(DISTINCT[0], read=dialect)
    assert not distinct_may_be_by_all(tree, dialect)


def test_what_reads_other_keys_only_is_no_key_in_bigquery() -> None:
    tree = sqlglot.parse_one(DISTINCT[2], read="bigquery")
    assert not distinct_may_be_by_all(tree, "bigquery")


def test_numbers_that_are_constants_are_no_outputs() -> None:
    tree = sqlglot.parse_one("SELECT a FROM t GROUP BY 1", read="tsql")
    by_all(tree, "tsql")
    assert not tree.args.get("distinct")


@pytest.mark.parametrize("sql", NOT_ALL)
def test_other_keys_stay(sql: str) -> None:
    tree = sqlglot.parse_one(sql, read="duckdb")
    by_all(tree, "duckdb")
    assert tree == sqlglot.parse_one(sql, read="duckdb")


@pytest.mark.parametrize(("keys", "is_all"), [("e", False), ("e.e", True), ("1", True)])
def test_a_key_that_may_be_the_element_whose_field_is_an_output_stays(
    keys: str, is_all: bool
) -> None:
    sql = f"SELECT e.e, SUM(e.n) AS n FROM t, UNNEST(t.l) AS e GROUP BY {keys}"
    tree = sqlglot.parse_one(sql, read="bigquery")
    by_all(tree, "bigquery")
    assert ("GROUP BY ALL" in tree.sql("bigquery")) == is_all


@pytest.mark.parametrize(("dialect", "keys"), [("postgres", "a"), ("tsql", "a"), ("spark", "a"),
                                               ("bigquery", "a, a + 1")])  # fmt: skip
def test_where_it_is_not_there_or_means_less_keys_stay(dialect: str, keys: str) -> None:
    tree = sqlglot.parse_one(f"SELECT {keys}, COUNT(*) AS n FROM t GROUP BY {keys}", read=dialect)
    before = tree.copy()
    by_all(tree, dialect)
    assert tree == before


def test_windows_are_no_keys_in_bigquery() -> None:
    sql = "SELECT a, SUM(COUNT(*)) OVER (PARTITION BY a) AS n, MAX(b) + a AS m FROM t GROUP BY {}"
    tree = sqlglot.parse_one(sql.format("1"), read="bigquery")
    by_all(tree, "bigquery")
    assert tree == sqlglot.parse_one(sql.format("ALL"), read="bigquery")
    plans = [normalize_plan(plan_of(sql.format(keys), "bigquery"))[0] for keys in ("a", "ALL")]
    assert plans[0].rel == plans[1].rel


@pytest.mark.parametrize(
    ("shown", "keys"),
    [
        ("a, a + 1 AS x, COUNT(*) AS n", "a"),
        ("c, a, CASE a WHEN 1 THEN 'i' ELSE 'm' END AS x, a + LENGTH(c) AS y, SUM(b) AS s", "a, c"),
        ("T.a, a + b AS x, COUNT(*) AS n", "t.a, x"),
        ("a, LENGTH(A) AS x, 'k' AS k, COUNT(*) AS n", "1"),
    ],
)  # fmt: skip
def test_what_reads_other_keys_only_is_none_in_bigquery(shown: str, keys: str) -> None:
    sql = f"SELECT {shown} FROM t GROUP BY {{}}"
    tree = sqlglot.parse_one(sql.format(keys), read="bigquery")
    by_all(tree, "bigquery")
    assert tree == sqlglot.parse_one(sql.format("ALL"), read="bigquery")
    plans = [normalize_plan(plan_of(sql.format(said), "bigquery"))[0] for said in (keys, "ALL")]
    assert plans[0].rel == plans[1].rel


@pytest.mark.parametrize(
    ("shown", "keys", "dialect"),
    [
        ("a, a + 1 AS x, COUNT(*) AS n", "a, x", "bigquery"),  # -0.0 and 0.0 may be told apart
        ("a, a + 1 AS x", "a", "bigquery"),  # DISTINCT tells them apart
        ("a, a + b AS x, COUNT(*) AS n", "a", "bigquery"),  # an error, whatever it means
        ("a + 1 AS x, COUNT(*) AS n", "a", "bigquery"),  # a is no output
        ("a + 1 AS a, a + 2 AS x, COUNT(*) AS n", "a", "bigquery"),  # nor here
        ("a, b + 1 AS x, x + 1 AS y, COUNT(*) AS n", "a, b", "bigquery"),
        ("a, a + 1 AS x, COUNT(*) AS n", "a", "snowflake"),
        ("a, a + 1 AS x, COUNT(*) AS n", "a", "databricks"),
    ],
)
def test_other_keys_of_what_reads_keys_stay(shown: str, keys: str, dialect: str) -> None:
    tree = sqlglot.parse_one(f"SELECT {shown} FROM t GROUP BY {keys}", read=dialect)
    before = tree.copy()
    by_all(tree, dialect)
    assert tree == before


def _query(keys: str) -> str:
    shown = ", ".join(key for key in "abc" if key in keys)
    return f"SELECT {shown}, COUNT(*) AS n FROM t GROUP BY {keys}"


@pytest.mark.parametrize(("before", "after"), SETS)
def test_sets_that_are_a_product_are_said_as_one(before: str, after: str, worlds: Worlds) -> None:
    tree = sqlglot.parse_one(_query(before), read="duckdb")
    factored(tree, "duckdb")
    assert tree == sqlglot.parse_one(_query(after), read="duckdb")
    assert worlds.difference(_query(before), _query(after)) == ""


@pytest.mark.parametrize("keys", AS_THEY_ARE)
def test_other_sets_stay(keys: str) -> None:
    tree = sqlglot.parse_one(_query(keys), read="duckdb")
    factored(tree, "duckdb")
    assert tree == sqlglot.parse_one(_query(keys), read="duckdb")


@pytest.mark.parametrize("keys", [*(pair[0] for pair in SETS), *(pair[1] for pair in SETS),
                                  "ROLLUP (a, (b, c))", "a, ROLLUP (b), CUBE (c)"])  # fmt: skip
def test_sets_written_out_are_the_same_rows(keys: str, worlds: Worlds) -> None:
    tree = sqlglot.parse_one(_query(keys), read="duckdb")
    as_sets(tree)
    assert "CUBE" not in tree.sql() and "ROLLUP" not in tree.sql()
    assert worlds.difference(_query(keys), tree.sql("duckdb")) == ""


@pytest.mark.parametrize(("before", "after"), SETS)
def test_opaque_queries_meet_whatever_way_they_say_their_sets(before: str, after: str) -> None:
    dialect = "databricks"
    found = [plan_of(f"{_query(keys)} ORDER BY RAND()", dialect).rel for keys in (before, after)]
    assert isinstance(found[0], Opaque) and found[0] == found[1]
    other = plan_of(f"{_query('CUBE (a, b, c)')} ORDER BY RAND()", dialect).rel
    assert other != found[0]


def test_where_keys_are_counted_by_their_places_nothing_is_read() -> None:
    sql = "SELECT a, GROUPING_ID() AS g FROM t GROUP BY CUBE (a, b)"
    assert sets_of(sqlglot.parse_one(sql, read="databricks")) is None


def test_a_random_list_of_sets_and_its_short_form_have_the_same_rows() -> None:
    engine = duckdb.connect(config={"threads": 1})
    engine.execute("CREATE TABLE t AS SELECT nullif(i % 3, 1) AS a, nullif(i % 5, 2) AS b, "
                   "i % 2 AS c, i % 4 AS d FROM range(40) AS r (i)")  # fmt: skip
    rng, changed = Random(5), 0
    for _ in range(80):
        first = [rng.sample("ab", rng.randrange(3)) for _ in range(2)]
        second = [rng.sample("cd", rng.randrange(3)) for _ in range(rng.randrange(1, 5))]
        sets = ", ".join(f"({', '.join([*x, *y])})" for x in first for y in second)
        sql = "SELECT {}, COUNT(*) AS n FROM t GROUP BY GROUPING SETS ({})"
        sql = sql.format(", ".join(x for x in "abcd" if x in sets) or "1", sets)
        tree = sqlglot.parse_one(sql, read="duckdb")
        factored(tree, "duckdb")
        changed += tree != sqlglot.parse_one(sql, read="duckdb")
        rows = [Counter(engine.execute(each).fetchall()) for each in (sql, tree.sql("duckdb"))]
        assert rows[0] == rows[1], tree.sql("duckdb")
    assert changed > 20
