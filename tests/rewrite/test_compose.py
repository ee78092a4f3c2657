"""Models in their authors' words: temporary tables as CTEs, relations as tokens."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.compose import Draft, NotComposable, Outside, compose
from unwet.rewrite.script import end_state
from unwet.tests.rewrite.small_world import SCHEMA


def composed(sql: str, name: str = "r", dialect: str = "duckdb") -> Draft:
    schema = {table: dict(columns) for table, columns in SCHEMA.items()}
    pile = load([Source("a.sql", sql, dialect)], dialect, schema)
    reports = end_state(pile.scripts, pile.resolved, pile.catalog).reports
    [report] = [each for each in reports if each.name == name]
    return compose(report, {each.relation: each.name for each in reports if each.relation})


def text(sql: str, name: str = "r", dialect: str = "duckdb") -> str:
    return composed(sql, name, dialect).tree.sql(dialect)


def test_sources_and_reports_are_tokens() -> None:
    draft = composed("CREATE TABLE x.r AS SELECT a FROM t JOIN s1.q USING (a)")
    assert draft.tree.sql() == ("SELECT a FROM src__main__t__src JOIN src__s1__q__src USING (a)")
    assert [each.relation for each in draft.outside] == ["t", "s1.q"]
    assert draft.refs == ()
    two = composed("CREATE TABLE q AS SELECT a FROM t; CREATE TABLE r AS SELECT a FROM q")
    assert two.tree.sql() == "SELECT a FROM ref__q__ref"
    assert two.refs == ("q",)


def test_a_table_that_qualifies_columns_keeps_its_name_as_an_alias() -> None:
    found = text("CREATE TABLE r AS SELECT t.a FROM t, u AS z WHERE z.a = t.a")
    assert found == (
        "SELECT t.a FROM src__main__t__src AS t, src__main__u__src AS z WHERE z.a = t.a"
    )


def test_a_path_in_quotes_leaves_none_in_front_of_a_column() -> None:
    sql = "SELECT `lake.s1.q`.a FROM `lake.s1.q` WHERE `lake.s1.q`.`two words` > 1"
    found = text(f"CREATE VIEW r AS {sql}", dialect="bigquery")
    assert "SELECT q.a FROM" in found and "AS q WHERE q.`two words` > 1" in found


def test_ctes_are_left_alone() -> None:
    sql = "CREATE TABLE r AS WITH t AS (SELECT a FROM t) SELECT a FROM t"
    assert text(sql) == "WITH t AS (SELECT a FROM src__main__t__src) SELECT a FROM t"


@pytest.mark.parametrize("dialect", ["tsql", "snowflake", "oracle"])
def test_a_cte_that_reads_itself_without_a_word_for_it_is_left_alone(dialect: str) -> None:
    query = "WITH n AS (SELECT a FROM {} UNION ALL SELECT a + 1 FROM n WHERE a < 9) SELECT a FROM n"
    found = text(f"CREATE VIEW r AS {query.format('t')}", dialect=dialect)
    assert found.lower() == query.format("src__main__t__src").lower()
    once = "WITH t AS (SELECT a FROM {} EXCEPT SELECT b FROM u) SELECT a FROM t"
    found = text(f"CREATE VIEW r AS {once.format('t')}", dialect=dialect)
    assert "from src__main__t__src" in found.lower()


def test_temporary_tables_are_the_first_ctes() -> None:
    sql = """CREATE TEMP TABLE x AS SELECT a FROM t;
CREATE TEMP TABLE y AS SELECT a FROM x;
CREATE TABLE r AS WITH z AS (SELECT a FROM y) SELECT z.a FROM z JOIN x ON x.a = z.a"""
    assert text(sql) == (
        "WITH x AS (SELECT a FROM src__main__t__src), y AS (SELECT a FROM x), "
        "z AS (SELECT a FROM y) SELECT z.a FROM z JOIN x AS x ON x.a = z.a"
    )


def test_sql_server_temporary_tables() -> None:
    sql = "SELECT a INTO #x FROM t; SELECT #x.a INTO r FROM #x"
    assert text(sql, dialect="tsql").startswith("WITH x AS (")
    assert "#" not in text(sql, dialect="tsql")


def test_inserts_are_one_union() -> None:
    sql = """CREATE TABLE r (x INTEGER, y VARCHAR);
INSERT INTO r SELECT a, c FROM t; INSERT INTO r SELECT k, d FROM u"""
    assert text(sql) == (
        "SELECT CAST(a AS INT) AS x, CAST(c AS TEXT) AS y FROM src__main__t__src UNION ALL "
        "SELECT CAST(k AS INT) AS x, CAST(d AS TEXT) AS y FROM src__main__u__src"
    )


def test_a_column_list_renames() -> None:
    assert text("CREATE VIEW r (p, b) AS SELECT a, b FROM t") == (
        "SELECT a AS p, b FROM src__main__t__src"
    )


def test_leading_comments_are_the_models() -> None:
    draft = composed("-- what it is\n/* and why */\nCREATE TABLE r AS SELECT a /* a */ FROM t")
    assert draft.comments == ("what it is", "and why")
    assert "what it is" not in draft.tree.sql()
    assert "/* a */" in draft.tree.sql()


REFUSED = [
    ("UPDATE", "CREATE TABLE r AS SELECT a / 2 AS a FROM t; UPDATE r SET a = 1", "duckdb"),
    ("before it is made", "CREATE TABLE r AS SELECT a FROM q; CREATE TABLE q AS SELECT 1 AS a",
     "duckdb"),
    ("already called", "CREATE TEMP TABLE x AS SELECT a FROM t; CREATE TABLE r AS "
     "SELECT a FROM x UNION ALL SELECT a FROM (WITH x AS (SELECT a FROM u) SELECT a FROM x) y",
     "duckdb"),
    ("the variable @d", "DECLARE @d INT = 1; SET @d = 2; SELECT a INTO r FROM t WHERE a = @d",
     "tsql"),
    ("not followed", "CREATE TABLE r AS SELECT x.i FROM "
     "GENERATE_SERIES((SELECT MIN(q) FROM q9), 2) AS x(i)", "duckdb"),
    ("at two times", "CREATE TABLE r (x INTEGER); CREATE TEMP TABLE p AS SELECT a FROM t; "
     "INSERT INTO r SELECT a FROM p; DROP TABLE p; CREATE TEMP TABLE p AS SELECT k AS a FROM u; "
     "INSERT INTO r SELECT a FROM p", "duckdb"),
    ("range__1__9__range means", "CREATE TABLE r AS SELECT a AS range__1__9__range FROM t",
     "duckdb"),
    ("DEFAULT", "CREATE TABLE r (x INTEGER DEFAULT 9); INSERT INTO r VALUES (1), (DEFAULT)",
     "duckdb"),
    ("told apart", "CREATE TABLE r AS SELECT x.a FROM s1.t_t AS x, \"s1\".\"t t\" AS y", "duckdb"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "sql", "dialect"), REFUSED)
def test_what_no_single_query_can_say_is_refused(why: str, sql: str, dialect: str) -> None:
    with pytest.raises(NotComposable, match=why):
        composed(sql, dialect=dialect)


def test_schemas_that_are_placeholders_are_sources_of_their_names() -> None:
    cdm = Outside("p__cdm__p.person", "p__cdm__p", "person")
    words = Outside("p__words__p.person", "p__words__p", "person")
    assert (cdm.token, words.token) == ("src__cdm__person__src", "src__words__person__src")
    assert Outside("a__b.c__d", "a__b", "c__d").token == "src__a_b__c__d__src"


@pytest.mark.parametrize("keys", ["1", "ALL", "k", "1, k"])
def test_what_is_cast_by_an_insert_is_grouped_before_it_is_cast(keys: str) -> None:
    made = "CREATE TABLE r (a BIGINT, n INT); "
    rows = f"SELECT t.b + 1 AS k, COUNT(*) FROM t GROUP BY {keys}"
    assert text(f"{made}INSERT INTO r {rows}") == (
        "SELECT CAST(filled.k AS BIGINT) AS a, CAST(filled.n AS INT) AS n FROM ("
        f"SELECT t.b + 1 AS k, COUNT(*) AS n FROM src__main__t__src AS t GROUP BY {keys}"
        ") AS filled"
    )
    plain = "INSERT INTO r SELECT a, COUNT(*) AS a FROM t GROUP BY a"
    assert text(made + plain).endswith(
        "CAST(COUNT(*) AS INT) AS n FROM src__main__t__src GROUP BY a"
    )


@pytest.mark.parametrize(
    ("read", "query"),
    [
        ("least", "SELECT a, d FROM s1.open WHERE d > least"),
        ("Least", "SELECT a + Least AS a FROM t"),
        ("least", "SELECT x.least FROM (SELECT least AS least FROM t) AS x"),
        ("least", "SELECT a AS n FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a > least)"),
        ("", "SELECT t.a AS least FROM t ORDER BY least LIMIT 3"),
        ("", "SELECT x.least FROM (SELECT a AS least FROM t) AS x WHERE least > 3"),
        ("", "SELECT x.a FROM (SELECT a, b AS least FROM t) AS x WHERE EXISTS "
             "(SELECT 1 FROM u WHERE u.a > least)"),
        ("", "SELECT t.a FROM t"),
    ],
)  # fmt: skip
def test_a_model_has_no_variables_of_a_script(read: str, query: str) -> None:
    sql = f"DECLARE least INT64 DEFAULT 3; SET least = 4; CREATE TABLE r AS {query}"
    if not read:
        assert composed(sql, dialect="bigquery").tree
        return
    with pytest.raises(NotComposable, match=f"it reads the variable {read} of its script"):
        composed(sql, dialect="bigquery")
