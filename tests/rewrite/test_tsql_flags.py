"""From dialects with BOOLEAN and NULLS FIRST to T-SQL, which has BIT and neither."""

from __future__ import annotations

import duckdb
import pytest

from unwet import Source
from unwet.lineage.pile import load
from unwet.rewrite.null_order import with_nulls_said
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.sql_plans import plan_of

DDL = "CREATE TABLE s.t (id INT PRIMARY KEY, b BOOLEAN, x INT, n VARCHAR);"


def refactored(sql: str, dialect: str = "postgres") -> Result:
    sources = [Source("ddl.sql", DDL, dialect), Source("r.sql", f"CREATE VIEW r AS {sql}", dialect)]
    return refactor(load(sources, dialect), Request(to_dialect="tsql", generated=None))


SAID = {
    "a flag": ("SELECT id FROM s.t WHERE b", "b <> 0"),
    "NOT": ("SELECT id FROM s.t WHERE NOT b", "not b <> 0"),
    "compared": ("SELECT id FROM s.t WHERE b = FALSE", "b = 0"),
    "with another value for NULL": ("SELECT id FROM s.t WHERE COALESCE(b, FALSE) = FALSE",
                                    "coalesce(b, cast(0 as bit)) = 0"),
    "IS NOT": ("SELECT id FROM s.t WHERE b IS NOT FALSE AND x > 1", "(b = 1 or b is null)"),
    "a value": ("SELECT id, TRUE AS known FROM s.t", "cast(1 as bit) as known"),
    "a value of CASE": ("SELECT id, CASE WHEN x > 1 THEN TRUE ELSE FALSE END AS large FROM s.t",
                        "case when x > 1 then cast(1 as bit) else cast(0 as bit) end"),
    "a window": ("SELECT id, ROW_NUMBER() OVER (PARTITION BY n ORDER BY x DESC) AS rn FROM s.t",
                 "order by case when x is null then 1 else 0 end desc, x desc"),
    "a limit": ("SELECT id, SUM(x) AS z FROM s.t GROUP BY id ORDER BY z DESC LIMIT 3",
                "order by case when sum(x) is null then 1 else 0 end desc, sum(x) desc"),
}  # fmt: skip


@pytest.mark.parametrize("title", SAID)
def test_it_is_said_and_proved(title: str) -> None:
    sql, said = SAID[title]
    result = refactored(sql)
    assert [v.outcome for v in result.verdicts] == ["proved"]
    assert said in " ".join(result.files["models/marts/r.sql"].split())


@pytest.mark.parametrize("target", ["tsql", "snowflake", "duckdb", "bigquery"])
def test_a_part_of_a_date_is_one_in_any_case(target: str) -> None:
    """The layout of models writes it small."""
    day = "CREATE TABLE s.t (d DATE);"
    sql = "CREATE VIEW r AS SELECT EXTRACT(YEAR FROM t.d) AS y FROM s.t AS t"
    sources = [Source("ddl.sql", day, "postgres"), Source("r.sql", sql, "postgres")]
    result = refactor(load(sources, "postgres"), Request(to_dialect=target, generated=None))
    assert [v.outcome for v in result.verdicts] == ["proved"]
    assert "year" in result.files["models/marts/r.sql"].lower()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, x > 1 AS large FROM s.t",
        "SELECT id, NOT b AS open FROM s.t",
        "SELECT id, BOOL_OR(b) AS some FROM s.t GROUP BY id",
        "SELECT id FROM s.t WHERE (x > 1) = b",
        "SELECT id, COALESCE(x > 1, FALSE) AS large FROM s.t",
        "SELECT id, CASE b WHEN x > 1 THEN 1 END AS one FROM s.t",
        "SELECT x > 1 AS large, COUNT(*) AS n FROM s.t GROUP BY x > 1",
    ],
)
def test_a_condition_is_no_value_there(sql: str) -> None:
    """Such models were called proved, and SQL Server reads none of them."""
    [verdict] = refactored(sql).verdicts
    assert verdict.outcome == "kept" and "a condition that is a value" in verdict.reason


def test_conditions_stay_conditions() -> None:
    kept = "SELECT id FROM s.t WHERE (b OR x = ANY (SELECT 1)) AND EXISTS (SELECT 1 FROM s.t AS u)"
    [verdict] = refactored(kept).verdicts
    assert "a condition that is a value" not in verdict.reason


NULLS = "CASE WHEN a IS NULL THEN 1 ELSE 0 END"
ORDERS = [
    (f"{NULLS} DESC, a DESC", "a DESC NULLS FIRST"),
    (f"{NULLS}, a DESC", "a DESC NULLS LAST"),
    (f"b DESC NULLS LAST, {NULLS} DESC, a, c", "b DESC NULLS LAST, a NULLS FIRST, c"),
    (f"{NULLS}, a NULLS FIRST", "a NULLS LAST"),
]
OTHERS = [
    (f"{NULLS}, b", "b NULLS LAST"),  # of another column
    (f"a, {NULLS}", "a NULLS LAST"),  # behind it
    ("CASE WHEN a IS NULL THEN 0 ELSE 1 END, a", "a NULLS LAST"),
    ("CASE WHEN a IS NOT NULL THEN 1 ELSE 0 END, a", "a NULLS LAST"),
    ("CASE WHEN a IS NULL THEN 1 END, a", "a NULLS LAST"),
]


def ranked(order: str) -> str:
    return f"SELECT a, b, c, RANK() OVER (ORDER BY {order}) AS r FROM t"


@pytest.mark.parametrize(("one", "other"), ORDERS)
def test_the_law_of_nulls_in_orders(one: str, other: str) -> None:
    assert plan_of(ranked(one)).rel == plan_of(ranked(other)).rel
    limited = [f"SELECT a, b, c FROM t ORDER BY {order} LIMIT 5" for order in (one, other)]
    assert plan_of(limited[0]).rel == plan_of(limited[1]).rel
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (a INT, b INT, c INT)")
        connection.execute(
            "INSERT INTO t SELECT CASE WHEN i % 3 > 0 THEN i % 4 END, "
            "CASE WHEN i % 5 > 0 THEN i % 2 END, i // 2 FROM range(40) AS r (i)"
        )
        rows = [sorted(connection.execute(ranked(each)).fetchall(), key=repr)
                for each in (one, other)]  # fmt: skip
    assert rows[0] == rows[1]


def listed(order: str) -> str:
    lists = f"STRING_AGG(c, ',' ORDER BY {order}) AS s, LIST(a ORDER BY {order}) AS l"
    return f"SELECT b, {lists} FROM t GROUP BY b"


@pytest.mark.parametrize(("one", "other"), ORDERS)
def test_the_law_of_nulls_in_orders_of_aggregates(one: str, other: str) -> None:
    assert plan_of(listed(one)).rel == plan_of(listed(other)).rel
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (a INT, b INT, c INT)")
        connection.execute(  # c tells apart what is equal in a
            "INSERT INTO t SELECT CASE WHEN i % 3 > 0 THEN i % 40 END, i % 2, i "
            "FROM range(40) AS r (i)"
        )
        rows = [sorted(connection.execute(listed(f"{each}, c")).fetchall(), key=repr)
                for each in (one, other)]  # fmt: skip
    assert rows[0] == rows[1]


def test_an_order_inside_an_aggregate_is_proved_there() -> None:
    sql = "SELECT id, STRING_AGG(n, ', ' ORDER BY n DESC, x) AS names FROM s.t GROUP BY id"
    [verdict] = refactored(sql).verdicts
    assert (verdict.outcome, verdict.reason) == ("proved", "")


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_keys_are_others(one: str, other: str) -> None:
    assert plan_of(ranked(one)).rel != plan_of(ranked(other)).rel


def test_an_order_without_keys() -> None:
    assert with_nulls_said([]) == ()
