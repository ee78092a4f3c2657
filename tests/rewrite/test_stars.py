"""Stars over relations that nobody describes.

Queries are lowered without any schema. What they mean then must hold for the columns the tables
really have: each plan is filled in with these, run, and compared with the query itself.
"""

from __future__ import annotations

import pytest
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Call, Plan, expressions, parts, walk
from unwet.rewrite.decoding import decode
from unwet.rewrite.fingerprint import strict
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import normalize_plan
from unwet.rewrite.plan_sql import to_sql
from unwet.tests.rewrite.expanding import expanded
from unwet.tests.rewrite.small_world import SCHEMA, Worlds, plan_of, reason

COLUMNS = {table: tuple(columns) for table, columns in SCHEMA.items()}

MEANT = (
    "select * from t",
    "select * from t where a > 1 and c is not null",
    "select *, a + 1 as p from t",
    "select t.*, u.k from t join u on t.a = u.a",
    "select * from t join u on t.a = u.a where u.k > 1",
    "select u.*, t.* from t, u where t.a = u.a",
    "select * exclude (b) from t",
    "select t.* exclude (b, c), b as last from t",
    "select * replace (a + 1 as a) from t",
    "select q.a, q.b from (select * from t) q where q.c = 'a'",
    "with q as (select * from t where a > 0) select a, count(*) as n from q group by a",
    "with q as (select * from t), r as (select * from q where b > 1) select * from r where a > 0",
    "select * from (select * exclude (c) from t) q where a > 1",
    "select a from (select * replace (b as a) from t) q",
    "select a, p from (select *, b + 1 as p from t) q",
    "select distinct * from t",
    "select distinct t.* exclude (a) from t join u on t.a = u.a",
    "select * from t union all select * from t where a = 1",
    "select * from t union select * from t where a = 1",
    "select * from t except select * from t where a = 1",
    "select x.a, y.* from t x left join (select *, 1 as one from u) y on x.a = y.a",
    "select x.a, y.* from t x left join (select * replace (1 as a) from u) y on x.a = y.a",
    "select x.* from (select * from t) x left join u on x.a = u.a where u.a is null",
    "select * from t where exists (select * from u where u.a = t.a)",
    "select * from t semi join u on t.a = u.a",
    "select * from t order by a, b, c limit 3",
    "select *, row_number() over (partition by a order by b, c) as r from t where a > 1",
    "select b, k from t join u on t.a = u.a",
    "select d, count(*) as n from t left join u on t.a = u.a where b > 1 or k is null group by d",
    "select t.a, max(k + b) as m from t left join u on t.a = u.a and d = c group by t.a",
    "select x.a from (select * from t where b > 0) x left join u on x.a = u.a where k is null",
    "select x.a, e from (select * exclude (b) from t) x, u, v where u.k = v.k and c = d and b < 2",
)

# Read as Postgres, where the column of USING comes first; in DuckDB it does, too, in these.
USING = tuple(
    f"select * from t {j} u using (a)" for j in ("join", "left join", "right join", "full join")
)

REFUSED = {
    "select * from t join u using (a)": "USING",
    "select * from t where a in (select * from u)": "star",
    "select * from t order by 1 limit 2": "star",
    "select b from (select distinct * from t) q": "not known",
    "select * from t union all select *, 1 as one from u": "width",
    "select *, a from t union all select a, * from t": "star",
    "select x.p from (select * rename (a as p) from t) x": "star",
    "select * from (select * from t) as q(x)": "not known",
    "select columns('a.*') from t": "COLUMNS",
    "select a from (select * from t union all select * from u) q": "not known",
    "select t.a from t where exists (select 1 from u join v on u.k = v.k where b = 1)": "ambiguous",
}

APART = (
    ("select * from t", "select a, b, c from t"),
    ("select * from t", "select * exclude (a) from t"),
    ("select * exclude (b) from t", "select * exclude (a) from t"),
    ("select * replace (b as a) from t", "select * replace (a as b) from t"),
    ("select * replace (b as a) from t", "select * replace (c as a) from t"),
    ("select * from t, u", "select * from u, t"),
    ("select * from t join u using (a)", "select * from t join u on t.a = u.a"),
    ("select * from t join u using (a)", "select * from t join u using (b)"),
    ("select * from t", "select distinct * from t"),
    ("select * from t union all select * from t", "select * from t union select * from t"),
    ("select a from (select * from t) q", "select a from (select * replace (b as a) from t) q"),
    ("select t from t", "select * from t"),
    ("select distinct t from t", "select distinct * from t"),
    ("select x from t as x", "select y from t as y"),  # t may have a column x, and no y
    ("select b from t join u on t.a = u.a", "select t.b from t join u on t.a = u.a"),
    ("select b from t join u on t.a = u.a", "select c from t join u on t.a = u.a"),
)

SAME = (
    ("select * from t where a > 1", "with q as (select * from t) select * from q where a > 1"),
    ("select a from (select * from t) q", "select a from t"),
    ("select p.a from (select * from t where b = 1) p join u on u.a = p.a",
     "select t.a from u join t on t.a = u.a and t.b = 1"),
    ("select x from (select *, a + 1 as x from t) q where x > 2",
     "select a + 1 as x from t where a + 1 > 2"),
    ("select q.c from (select * exclude (b) from t) q", "select c from t"),
    ("with q as (select * from t) select q.a from q join u on q.a = u.a where k > 1",
     "select t.a from t join u on u.a = t.a and k > 1"),
)  # fmt: skip


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


def open_plan(sql: str, dialect: str = "duckdb") -> Plan:
    """The plan of a query over tables of which nothing is known."""
    pile = load([Source("a.sql", sql, dialect)], dialect)
    [resolved] = pile.resolved
    assert resolved.query is not None
    return lower(resolved.query, Env(pile.catalog))


@pytest.mark.parametrize("sql", (*MEANT, *USING))
def test_the_plan_says_what_the_query_does_whatever_the_columns_are(
    sql: str, worlds: Worlds
) -> None:
    plan = open_plan(sql, "postgres" if sql in USING else "duckdb")
    assert reason(plan) == ""
    normal, _ = normalize_plan(plan)  # without the columns that only may be there
    assert worlds.difference(sql, to_sql(expanded(normal, COLUMNS))) == ""


@pytest.mark.parametrize("join", ["join", "left join", "right join", "full join"])
def test_a_column_of_using_stands_where_the_dialect_shows_it(join: str, worlds: Worlds) -> None:
    sql = f"select * from u {join} v using (k)"
    shown, _ = worlds.rows(sql, 0)
    assert plan_of(sql).names == tuple(shown) == ("a", "k", "d", "b", "e")
    assert worlds.difference(sql, to_sql(plan_of(sql))) == ""
    assert plan_of(sql, "postgres").names == ("k", "a", "d", "b", "e")


@pytest.mark.parametrize("sql", REFUSED)
def test_what_needs_the_list_of_columns_is_refused(sql: str) -> None:
    assert REFUSED[sql] in reason(open_plan(sql))


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("snowflake", "select * ilike '%id%' from {t}"),
        ("snowflake", "select x.* ilike '%id%' from {t} as x"),
        ("clickhouse", "select * except('a.*') from {t}"),
    ],
)
@pytest.mark.parametrize("table", ["nobody_knows", "t"])
def test_columns_chosen_by_a_pattern_are_refused(dialect: str, sql: str, table: str) -> None:
    assert "star" in reason(plan_of(sql.format(t=table), dialect))


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_may_differ_stays_apart(one: str, other: str) -> None:
    assert _normal(one) != _normal(other)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_a_star_is_no_wall_between_two_ways_to_write_it(one: str, other: str) -> None:
    assert _normal(one) == _normal(other)


def _normal(sql: str) -> str:
    plan = open_plan(sql, "postgres" if "using" in sql else "duckdb")
    assert reason(plan) == ""
    return strict(normalize_plan(plan)[0].rel)


@pytest.mark.parametrize(
    "sql",
    [
        "select * except (a) from t",
        "select * replace (b as a) from t",
        "select (select as struct s.* except (p)) as s from t",
        "select a from t, unnest(t.items) as i where i.sku = 'x'",
    ],
)
def test_what_no_parser_has_a_node_for_can_be_told_to_readers(sql: str) -> None:
    plan = open_plan(sql, "bigquery")
    assert reason(plan) == ""
    for rel in walk(plan.rel):
        for expr in expressions(rel):
            told = decode(expr, lambda ref: exp.column(f"c{ref.index}"), lambda _: exp.select("1"))
            assert told.sql("bigquery")


@pytest.mark.parametrize("alias", ["", " AS p"])
def test_a_column_may_be_a_field_of_an_element_in_bigquery(alias: str) -> None:
    sql = f"SELECT key FROM t JOIN u ON t.a = u.a, UNNEST(t.params){alias}"
    plan = open_plan(sql, "bigquery")
    assert reason(plan) == ""
    [key] = (p for n in walk(plan.rel) for e in expressions(n) for p in parts(e)
             if isinstance(p, Call) and p.op == "of_one")  # fmt: skip
    assert len(key.args) == 3  # the rows of both tables, and the element
