"""Numbers in ORDER BY, for an engine that cannot say where their NULLs stand."""

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.engines.numbered_orders import spelled
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.sql_plans import plan_of

MADE = "CREATE TABLE s.t (a INT, b INT, c TEXT)"
TABLE = """CREATE TABLE t AS SELECT * FROM (VALUES (1, NULL, 'x'), (NULL, 2, 'y'), (1, 2, NULL),
(3, 2, 'x'), (NULL, NULL, NULL), (2, 5, 'z')) AS v (a, b, c)"""


def written(sql: str, source: str = "postgres", target: str = "tsql") -> exp.Query:
    tree = parse_one(sql, read=source)
    assert isinstance(tree, exp.Query)
    spelled(tree, source, target)
    return tree


@pytest.mark.parametrize(
    ("sql", "order"),
    [
        ("SELECT a, b FROM t ORDER BY 1 NULLS LAST", "a"),
        ("SELECT t.a AS x, b FROM t ORDER BY 1 NULLS LAST, 2 DESC NULLS FIRST", "t.a, b DESC"),
        ("SELECT c, SUM(b) AS s FROM t GROUP BY c ORDER BY 2 NULLS LAST, c", "SUM(b), c"),
        ("SELECT UPPER(c) AS c, b FROM t ORDER BY 1, 2", "UPPER(c), b"),
        ("SELECT a FROM t UNION ALL SELECT b FROM t ORDER BY 1 NULLS LAST", "a"),
        ('SELECT a AS "X y" FROM t UNION ALL SELECT b FROM t ORDER BY 1', '"X y"'),
        # as it was
        ("SELECT a, b FROM t ORDER BY 1 NULLS FIRST", "1"),  # where they stand anyway
        ("SELECT a, b FROM t ORDER BY 1 DESC NULLS LAST", "1 DESC"),
        ("SELECT DISTINCT a FROM t ORDER BY 1 NULLS LAST", "1"),
        ("SELECT a AS x, b AS a FROM t ORDER BY 1 NULLS LAST", "1"),  # a is b there
        ("SELECT * FROM t ORDER BY 1 NULLS LAST", "1"),
        ("SELECT a FROM t ORDER BY 7 NULLS LAST", "7"),
    ],
)
def test_an_output_in_place_of_its_number(sql: str, order: str) -> None:
    tree = written(sql)
    items = tree.args["order"].expressions
    told = [f"{item.this.sql()}{' DESC' if item.args.get('desc') else ''}" for item in items]
    assert ", ".join(told) == order
    base = duckdb.connect()
    base.execute(TABLE)
    was, now = (parse_one(sql, read="postgres"), tree)
    if order != "7":
        first, second = (base.execute(each.sql("duckdb")).fetchall() for each in (was, now))
        assert [row[:1] for row in first] == [row[:1] for row in second] or "SUM" in order
        assert sorted(map(str, first)) == sorted(map(str, second))


@pytest.mark.parametrize(("source", "target"), [("tsql", "tsql"), ("postgres", "duckdb")])
def test_an_engine_with_words_for_it_gets_the_number(source: str, target: str) -> None:
    tree = written("SELECT a FROM t ORDER BY 1", source, target)
    assert tree.args["order"].expressions[0].this.sql() == "1"


def test_the_report_is_proved() -> None:
    sql = "CREATE TABLE s.t (a INT, b INT); SELECT a, SUM(b) AS s FROM s.t GROUP BY 1 ORDER BY 2, 1"
    pile = load([Source("a.sql", sql + " LIMIT 9", "postgres")], "postgres")
    [verdict] = refactor(pile, Request(to_dialect="tsql")).verdicts
    assert (verdict.outcome, verdict.reason) == ("proved", "")


ALL = [
    ("SELECT a, b FROM s.t ORDER BY ALL", "SELECT a, b FROM s.t ORDER BY 1, 2"),
    ("SELECT a, b FROM s.t ORDER BY ALL DESC LIMIT 3",
     "SELECT a, b FROM s.t ORDER BY a DESC, b DESC LIMIT 3"),
    ("SELECT a FROM s.t UNION SELECT b FROM s.t ORDER BY ALL LIMIT 3",
     "SELECT a FROM s.t UNION SELECT b FROM s.t ORDER BY 1 LIMIT 3"),
]  # fmt: skip


@pytest.mark.parametrize(("of_all", "in_numbers"), ALL)
def test_order_by_all_is_by_all_outputs(of_all: str, in_numbers: str) -> None:
    assert plan_of(of_all).rel == plan_of(in_numbers).rel
    assert plan_of(of_all).order == plan_of(in_numbers).order
    base = duckdb.connect()
    base.execute("CREATE SCHEMA s")
    base.execute(TABLE.replace("TABLE t", "TABLE s.t"))
    assert base.execute(of_all).fetchall() == base.execute(in_numbers).fetchall()


def test_another_order_than_by_all_is_another_plan() -> None:
    by_one = plan_of("SELECT a, b FROM s.t ORDER BY 1 LIMIT 3").rel
    by_both = plan_of("SELECT a, b FROM s.t ORDER BY ALL LIMIT 3").rel
    back = plan_of("SELECT a, b FROM s.t ORDER BY ALL DESC LIMIT 3").rel
    assert len({by_one.digest, by_both.digest, back.digest}) == 3


@pytest.mark.parametrize("target", ["duckdb", "postgres", "tsql"])
@pytest.mark.parametrize("sql", [sql for sql, _ in ALL])
def test_order_by_all_for_another_engine(target: str, sql: str) -> None:
    texts = [f"{MADE};\n{sql}", f"{MADE};\nCREATE VIEW s.v AS {sql}"]
    for text in texts:
        pile = load([Source("a.sql", text, "duckdb")], "duckdb")
        [verdict] = refactor(pile, Request(to_dialect=target)).verdicts
        assert (verdict.outcome, verdict.reason) == ("proved", "")


def test_a_cast_in_an_order_may_say_where_nulls_stand() -> None:
    sql = "SELECT a, ROW_NUMBER() OVER (PARTITION BY a ORDER BY CAST(b AS BIGINT)) AS n FROM s.t"
    pile = load([Source("a.sql", f"{MADE};\n{sql}", "duckdb")], "duckdb")
    [verdict] = refactor(pile, Request(to_dialect="tsql")).verdicts
    assert (verdict.outcome, verdict.reason) == ("proved", "")
