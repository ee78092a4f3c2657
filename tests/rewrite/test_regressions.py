"""False proofs that were found once: queries with different rows never share a normal form."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Rel
from unwet.rewrite.compose import NotComposable, compose
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import normalize
from unwet.rewrite.script import end_state
from unwet.tests.rewrite.small_world import Worlds, as_duckdb, pile_of, plan_of

DIFFERENT = {
    "a cast sees the type that a union gives": (
        "duckdb",
        "select cast(x as varchar) as y from (select a as x from t union all select x from s) q",
        "select cast(a as varchar) as y from t union all select cast(x as varchar) from s",
    ),
    "a division sees the type that a union gives": (
        "duckdb",
        "select x // 2 as y from (select a as x from t union all select x from s) q",
        "select a // 2 as y from t union all select x // 2 from s",
    ),
    "a comparison with text sees the type that a union gives": (
        "duckdb",
        "select x from (select a as x from t union all select d from u) q where x > '05'",
        "select a as x from t where a > '05' union all select d from u where d > '05'",
    ),
    "a field of a struct is called as the column in it": (
        "duckdb",
        "select struct_pack(a) as s from (select b as a from t) q",
        "select struct_pack(b) as s from t",
    ),
    "a row as text has the names of its columns": (
        "duckdb",
        "select q::varchar as s from (select b as a from t) q",
        "select q::varchar as s from (select b from t) q",
    ),
    "and the letters of its names": (
        "duckdb",
        "select to_json(q)::varchar as s from (select a as x from t) q",
        "select to_json(q)::varchar as s from (select a as X from t) q",
    ),
    "the two largest values may be the same one": (
        "duckdb",
        "select max(a, 2) as x from (select distinct a from t) q",
        "select max(a, 2) as x from t",
    ),
    "and so may the two smallest, of groups": (
        "duckdb",
        "select b, min(a, 2) as x from (select a, b, count(*) as n from t group by a, b) q "
        "group by b",
        "select b, min(a, 2) as x from t group by b",
    ),
    "the default frame of last_value ends at the current row": (
        "duckdb",
        "select last_value(a) over (partition by b order by a) as x from t",
        "select last_value(a) over (partition by b order by a rows between unbounded preceding "
        "and unbounded following) as x from t",
    ),
}

# The engine does not run these.
NEVER_EQUAL = {
    "BigQuery: a field of STRUCT is called as the column in it": (
        "bigquery",
        "select struct(a) as s from (select b as a from t) q",
        "select struct(b) as s from t",
    ),
    "BigQuery: also inside an array": (
        "bigquery",
        "select array_agg(struct(a)) as s from (select b as a from t) q",
        "select array_agg(struct(b)) as s from t",
    ),
    "BigQuery: a field of another name with the same value": (
        "bigquery",
        "select struct(q.y) as s from (select s.x as y from t) q",
        "select struct(t.s.x) as s from t",
    ),
    "BigQuery: SELECT AS STRUCT keeps the letters of a name": (
        "bigquery",
        "select (select as struct a as x) as s from t",
        "select (select as struct a as X) as s from t",
    ),
    "BigQuery: an array of them does": (
        "bigquery",
        "select array(select as struct k as x from u) as s from t",
        "select array(select as struct k as X from u) as s from t",
    ),
    "BigQuery: a row as JSON has the letters of its names": (
        "bigquery",
        "select to_json_string(q) as s from (select a as x from t) q",
        "select to_json_string(q) as s from (select a as X from t) q",
    ),
    "ClickHouse: elements of a tuple may be called as columns": (
        "clickhouse",
        "select tuple(a) as s from (select b as a from t) q",
        "select tuple(b) as s from t",
    ),
    "Postgres: XMLFOREST calls elements as columns": (
        "postgres",
        "select xmlforest(a) as s from (select b as a from t) q",
        "select xmlforest(b) as s from t",
    ),
    "Postgres: XMLATTRIBUTES calls attributes as columns": (
        "postgres",
        "select xmlelement(name foo, xmlattributes(a)) as s from (select b as a from t) q",
        "select xmlelement(name foo, xmlattributes(b)) as s from t",
    ),
    "Postgres: NULLIF of an INT and a fraction is a NUMERIC": (
        "postgres",
        "select nullif(a, 0.0) / 2 as x from t",
        "select case when a = 0.0 then null else a end / 2 as x from t",
    ),
    "Oracle: what DECODE gives is a text where it may be NULL first": (
        "oracle",
        "select max(decode(a, 0, null, b)) as x from t",
        "select max(case when a = 0 then null else b end) as x from t",
    ),
    "T-SQL: a decided arm of more than ten digits is a DECIMAL": (
        "tsql",
        "select case when 1 = 2 then 10000000000 when a = 1 then 5 else 7 end / 2 as x from t",
        "select case when a = 1 then 5 else 7 end / 2 as x from t",
    ),
    "an outer join by (+)": (
        "oracle",
        "select t.a, u.k from t, u where t.a = u.a (+)",
        "select t.a, u.k from t, u where t.a = u.a",
    ),
    "ClickHouse: an alias that hides the column it is made of": (
        "clickhouse",
        "select upper(c) as c, concat(c, 'x') as y from t",
        "select upper(t.c) as c, concat(t.c, 'x') as y from t",
    ),
    "ClickHouse: an alias further to the right": (
        "clickhouse",
        "select b + 1 as x, a as b from t",
        "select t.b + 1 as x, t.a as b from t",
    ),
    "Oracle: the empty string is NULL": (
        "oracle",
        "select a from t where '' is null",
        "select a from t where 1 = 2",
    ),
    "Oracle: the empty string is not equal to itself": (
        "oracle",
        "select a from t where '' = ''",
        "select a from t",
    ),
    "Oracle: an empty string is not counted": (
        "oracle",
        "select count('') as n from t",
        "select count(*) as n from t",
    ),
    "a row is not NULL when all of it is not": (
        "postgres",
        "select a from t where row(a, b) is not null",
        "select a from t where not (row(a, b) is null)",
    ),
    "a row in parentheses is not NULL when all of it is not": (
        "postgres",
        "select a from t where (a, b) is not null",
        "select a from t where not ((a, b) is null)",
    ),
    "a row is NULL, or not NULL, or neither": (
        "postgres",
        "select a from t where (a, b) is null or (a, b) is not null",
        "select a from t",
    ),
    "ClickHouse: a row without a partner is found by 0": (
        "clickhouse",
        "select t.a, u.k from t left join u on t.a = u.a where u.k = 0",
        "select t.a, u.k from t join u on t.a = u.a where u.k = 0",
    ),
    "ClickHouse: what is made of a default is no default": (
        "clickhouse",
        "select t.a, q.x from t left join (select a, k + 2 as x from u) q on t.a = q.a",
        "select t.a, u.k + 2 as x from t left join u on t.a = u.a",
    ),
    "ClickHouse: the side before a RIGHT JOIN has defaults, too": (
        "clickhouse",
        "select t.b, u.k from t right join u on t.a = u.a where t.b = 0",
        "select t.b, u.k from t join u on t.a = u.a where t.b = 0",
    ),
    "ClickHouse: both sides of a FULL JOIN have defaults": (
        "clickhouse",
        "select t.b from t full join u on t.a = u.a where t.b = 0",
        "select t.b from t left join u on t.a = u.a where t.b = 0",
    ),
    "ClickHouse: a join further to the right sees defaults": (
        "clickhouse",
        "select t.a, v.e from t left join u on t.a = u.a join v on v.k = u.k",
        "select t.a, v.e from t join u on t.a = u.a join v on v.k = u.k",
    ),
    "FINAL, which only its dialect can print": (
        "clickhouse",
        "select a from t final",
        "select a from t",
    ),
}


@pytest.mark.parametrize("title", NEVER_EQUAL)
def test_clauses_of_one_dialect_count(title: str) -> None:
    dialect, first, second = NEVER_EQUAL[title]
    one, two = (normalize(plan_of(sql, dialect).rel)[0] for sql in (first, second))
    assert one != two


@pytest.mark.parametrize("title", DIFFERENT)
def test_different_rows_have_different_normal_forms(title: str) -> None:
    dialect, first, second = DIFFERENT[title]
    before, after = (as_duckdb(sql, dialect) for sql in (first, second))
    assert Worlds().difference(before, after) != "", "the case itself is wrong"
    one, two = (normalize(plan_of(sql, dialect).rel)[0] for sql in (first, second))
    assert one != two


def test_a_comment_of_jinja_in_a_string_is_not_silently_dropped() -> None:
    sql = "select a from t where c = '{# x #}'"
    assert [f.code for f in pile_of(sql).findings] == ["PLACEHOLDER"]
    assert not pile_of("select a from t {# it's x #} where c = 'a'").findings


@pytest.mark.parametrize("word", ["ref__t__ref", "p__x__p", "h__a__h", "call__0__call"])
def test_words_that_look_like_tokens_keep_their_report(word: str) -> None:
    pile = pile_of(f"select a from t where c = '{word}'")
    [report] = end_state(pile.scripts, pile.resolved, pile.catalog).reports
    with pytest.raises(NotComposable, match=word):
        compose(report, {})


def _scans(sql: str, declared: str) -> Rel:
    pile = load([Source("ddl.sql", declared, "duckdb"), Source("q.sql", sql, "duckdb")], "duckdb")
    query = pile.resolved[-1].query
    assert query is not None
    return lower(query, Env(pile.catalog)).rel


@pytest.mark.parametrize(
    ("declared", "first", "second"),
    [
        ("create table t (a int); create table s1.t (a int)", "t", "s1.t"),
        ("create table t as select 1 as a; create table s1.t as select 2 as a", "t", "s1.t"),
        ("create table t (a int); select a from x.t; select a from y.t", "x.t", "y.t"),
        ('create table "T" (a int); create table x."T" (a int)', '"T"', 'x."T"'),
    ],
)
def test_tables_of_two_schemas_are_two(declared: str, first: str, second: str) -> None:
    one, two = (_scans(f"select a from {name}", declared) for name in (first, second))
    assert one != two


@pytest.mark.parametrize(
    ("dialect", "declared", "columns"),
    [
        ("hive", "create table t (a int) partitioned by (d string)", "a"),
        ("athena", "create external table t (a int) partitioned by (d string) location 's3://x'",
         "a"),
        ("postgres", "create table t (a int) inherits (u)", "a"),
        ("postgres", "create table t (a int, like u including all)", "a"),
        ("clickhouse", "create table t (a Int32, b Int32 materialized a + 1) engine = Log", "a, b"),
        ("clickhouse", "create table t (a Int32, b Int32 ephemeral 1) engine = Log", "a, b"),
        ("mysql", "create table t (a int, b int invisible)", "a, b"),
        ("tsql", "create table t (a int, b datetime2 generated always as row start hidden)",
         "a, b"),
    ],
)  # fmt: skip
def test_a_star_is_not_the_columns_in_parentheses(
    dialect: str, declared: str, columns: str
) -> None:
    sql = f"{declared}; select * from t; select {columns} from t"
    pile = load(Source("a.sql", sql, dialect), dialect)
    one, two = (lower(each.query, Env(pile.catalog)).rel for each in pile.resolved if each.query)
    assert normalize(one)[0] != normalize(two)[0]


def test_columns_of_partitions_are_the_last_ones() -> None:
    sql = "create table t (a int) partitioned by (d string, h int); select * from t"
    pile = load(Source("a.sql", sql, "hive"), "hive")
    [query] = [each.query for each in pile.resolved if each.query]
    assert lower(query, Env(pile.catalog)).names == ("a", "d", "h")


def test_a_quoted_name_is_not_the_given_name_of_another_case() -> None:
    sql = 'create table q as select "Id" as x from t; create table r as select id as x from t'
    pile = load(Source("a.sql", sql), "postgres", {"t": ["Id", "id"]})
    one, two = (lower(each.query, Env(pile.catalog)).rel for each in pile.resolved if each.query)
    assert normalize(one)[0] != normalize(two)[0]
