"""Rules by example: queries that must meet, and queries that must not."""

from __future__ import annotations

import random
from collections import Counter

import duckdb
import pytest

from unwet.rewrite.algebra import Call, Col, Filter, Join, Lit, Outer, Project, Scan, Subquery
from unwet.rewrite.fingerprint import core, strict
from unwet.rewrite.normal import normalize
from unwet.rewrite.plan_sql import to_sql
from unwet.rewrite.references import columns_of, free_outers
from unwet.rewrite.rules import CASES
from unwet.rewrite.rules.refs import lift, map_refs, remap, substitute
from unwet.rewrite.rules.rollup import VALUE_CASES
from unwet.rewrite.rules.shapes import Case
from unwet.tests.rewrite.sql_plans import COLUMNS, TABLES, pairs, plan_of

DATABASES = 24


@pytest.fixture(scope="module")
def databases() -> duckdb.DuckDBPyConnection:
    """Schemas s0, s1 ... each with the three tables: few values, NULLs, duplicates."""
    connection = duckdb.connect(config={"threads": 1})
    rng = random.Random(7)
    for seed in range(DATABASES):
        connection.execute(f"CREATE SCHEMA s{seed}")
        for table in TABLES:
            columns = ", ".join(f"{c} INTEGER" for c in COLUMNS)
            connection.execute(f"CREATE TABLE s{seed}.{table} ({columns})")
            for _ in range(rng.randrange(8)):
                row = [rng.choice([None, 0, 1, 1, 2, 3]) for _ in COLUMNS]
                times = rng.choice([1, 1, 2])
                for _ in range(times):
                    connection.execute(f"INSERT INTO s{seed}.{table} VALUES (?, ?, ?)", row)
    return connection


def bags(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Counter[tuple[object, ...]]]:
    found = []
    for seed in range(DATABASES):
        connection.execute(f"USE memory.s{seed}")
        found.append(Counter(connection.execute(sql).fetchall()))
    return found


def normal_print(sql: str) -> str:
    return strict(normalize(plan_of(sql).rel)[0])


def titled(pair: tuple[str, str, str]) -> str:
    return pair[0]


EQUAL = pairs("equal.sql") + [(f"case {i}", c.before, c.after) for i, c in enumerate(CASES)]


@pytest.mark.parametrize("case", VALUE_CASES, ids=lambda case: case.before[:60])
def test_outputs_of_another_type_of_number_meet_by_value_only(
    case: Case, databases: duckdb.DuckDBPyConnection
) -> None:
    before, after = plan_of(case.before).rel, plan_of(case.after).rel
    assert strict(normalize(before)[0]) != strict(normalize(after)[0])
    assert strict(normalize(before, by_value=True)[0]) == strict(normalize(after, by_value=True)[0])
    assert bags(databases, case.before) == bags(databases, case.after)


@pytest.mark.parametrize("pair", EQUAL, ids=titled)
def test_equal_queries_share_a_fingerprint(
    pair: tuple[str, str, str], databases: duckdb.DuckDBPyConnection
) -> None:
    _, first, second = pair
    assert bags(databases, first) == bags(databases, second), "the case itself is wrong"
    one, two = (normalize(plan_of(q).rel)[0] for q in (first, second))
    assert strict(one) == strict(two), f"{to_sql(one)}\n{to_sql(two)}"
    assert bags(databases, to_sql(one)) == bags(databases, first)


@pytest.mark.parametrize("pair", pairs("different.sql"), ids=titled)
def test_different_queries_never_share_one(
    pair: tuple[str, str, str], databases: duckdb.DuckDBPyConnection
) -> None:
    _, first, second = pair
    assert bags(databases, first) != bags(databases, second), "the case itself is wrong"
    assert normal_print(first) != normal_print(second)
    for sql in (first, second):
        normal = normalize(plan_of(sql).rel)[0]
        assert bags(databases, to_sql(normal)) == bags(databases, sql)


def eq(left: object, right: object) -> Call:
    return Call("eq", (left, right), ("this", "expression"))  # type: ignore[arg-type]


def test_the_design_case_as_plans() -> None:
    """(1, 0), (2, NULL) stays (1, 0), (2, NULL): COALESCE is not pulled over the outer join."""
    left, right = Scan("a", ("x",)), Scan("b1", ("k", "v"))
    zero = Call("coalesce", (Col(1), Lit("number", "0")), ("this", "expressions*1"))
    honest = Project(
        Join("left", (left, Project(right, (Col(0), zero))), (eq(Col(0), Col(1)),)),
        (Col(0), Col(2)),
    )
    above = Call("coalesce", (Col(2), Lit("number", "0")), ("this", "expressions*1"))
    merged = Project(Join("left", (left, right), (eq(Col(0), Col(1)),)), (Col(0), above))
    assert normalize(honest)[0] != normalize(merged)[0]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE a AS SELECT unnest([1, 2]) AS x")
    connection.execute("CREATE TABLE b1 AS SELECT 1 AS k, NULL::INTEGER AS v")
    for plan, rows in ((honest, [(1, 0), (2, None)]), (merged, [(1, 0), (2, 0)])):
        for form in (plan, normalize(plan)[0]):
            assert sorted(connection.execute(to_sql(form)).fetchall()) == rows


def test_moving_columns_moves_what_a_subquery_reads_from_outside() -> None:
    inner = Filter(
        Scan("u", ("a",)),
        (
            eq(Col(0), Outer(1, 2)),
            Subquery("exists", Filter(Scan("v", ("a",)), (eq(Outer(1, 0), Outer(2, 3)),))),
        ),
    )
    test = Subquery("exists", inner)
    assert columns_of(test) == {2, 3}
    moved = remap(test, {2: 7, 3: 8}.__getitem__)
    assert columns_of(moved) == {7, 8}
    assert isinstance(moved, Subquery)
    assert free_outers(moved.rel) == {(1, 7), (1, 8)}
    # the reference of the innermost plan to the row of u is bound and stays
    nested = next(e for e in moved.rel.conjuncts if isinstance(e, Subquery))  # type: ignore[union-attr]
    assert free_outers(nested.rel) == {(1, 0), (2, 8)}


def test_substituting_an_expression_lifts_it_into_the_subquery() -> None:
    test = Subquery("exists", Filter(Scan("u", ("a",)), (eq(Col(0), Outer(1, 0)),)))
    made = substitute(test, [eq(Col(4), Outer(1, 9))])
    assert isinstance(made, Subquery) and isinstance(made.rel, Filter)
    assert made.rel.conjuncts == (eq(Col(0), eq(Outer(1, 4), Outer(2, 9))),)


def test_lifting_is_undone_by_mapping_back() -> None:
    test = Subquery("exists", Filter(Scan("u", ("a",)), (eq(Col(0), Outer(1, 0)),)))
    back = map_refs(lift(test), lambda level, i: Col(i) if level == 1 else Outer(level - 1, i))
    assert back == test


@pytest.mark.parametrize("call", ["random()", "uuid()", "nextval('s')", "my_function(a)"])
def test_volatile_functions_are_not_moved_copied_or_dropped(call: str) -> None:
    twice = f"select x, x as y from (select {call} as x, a from t) q where a = 1"
    copied = f"select {call} as x, {call} as y from t where a = 1"
    assert normal_print(twice) != normal_print(copied)
    unused = f"select a from (select a, {call} as x from t) q"
    assert normal_print(unused) != normal_print("select a from t")
    filtered = f"select a from (select distinct a from t) q where {call} = 1"
    assert normal_print(filtered) != normal_print(f"select distinct a from t where {call} = 1")


def test_core_ignores_columns_filters_and_grain() -> None:
    first = "select t.a, sum(u.b) as s from t join u on t.a = u.a where t.c = 1 group by t.a"
    second = "select u.c from u, t where u.a = t.a and u.b > 2"
    other = "select u.c from u, t where u.a = t.b"
    prints = [core(normalize(plan_of(q).rel)[0]) for q in (first, second, other)]
    assert prints[0] == prints[1] != prints[2]
