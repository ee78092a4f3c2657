"""Copies of syntax trees are as sqlglot's own ones, whatever stands in the tree."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.trees import contents, copied, drop_test, found_in, in_line, texts

QUERIES = (
    "select a, b as c /* note */ from s.t as x where a in (1, 2) and b like 'x%' order by 1 desc",
    "with q as (select 1 as a union all select 2) select q.* from q join lateral (select a) l on 1",
    "create table t (a decimal(10, 2) not null, b varchar(max))",
    "select sum(a) over (partition by b order by c rows between 1 preceding and 1 following)",
    "select cast(a as timestamp), case when b then 1 else null end, a[1] from t group by cube (a)",
    "merge into t using s on t.a = s.a when matched then update set b = s.b",
)


def links(tree: exp.Expr) -> list[tuple[object, ...]]:
    return [
        (type(n), n.arg_key, n.index, type(n.parent), n.comments, n._meta, n._type)
        for n in tree.walk()
    ]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_copy_is_equal_and_shares_nothing(sql: str) -> None:
    tree = sqlglot.parse_one(sql)
    hash(tree)
    made, before = copied(tree), tree.sql()
    assert made == tree
    assert links(made) == links(tree.copy())
    assert {id(n) for n in made.walk()}.isdisjoint(id(n) for n in tree.walk())
    for node in list(made.walk()):
        node.meta["touched"] = True
        node.add_comments(["touched"])
        for key in list(node.args):
            node.set(key, None)
    assert tree.sql() == before


@pytest.mark.parametrize("sql", QUERIES)
def test_what_is_found_in_a_tree_is_what_sqlglot_finds(sql: str) -> None:
    tree = sqlglot.parse_one(sql)
    several = [(exp.Table, exp.Column), (exp.Func,), (exp.Query, exp.Star), (exp.JSON,)]
    kinds: list[tuple[type[exp.Expr], ...]] = [*((type(n),) for n in tree.walk()), *several]
    for asked in kinds:
        if any(issubclass(word, asked) for word in (exp.Identifier, exp.Literal)):
            with pytest.raises(AssertionError):  # they are not looked at
                found_in(tree, *asked)
        else:
            assert [*map(id, found_in(tree, *asked))] == [*map(id, tree.find_all(*asked))]


def test_a_copy_has_no_parent() -> None:
    tree = sqlglot.parse_one("select (select 1) from t")
    inner = tree.find(exp.Subquery)
    assert inner is not None
    made = copied(inner)
    assert (made.parent, made.arg_key) == (None, None)


def test_the_contents_are_what_is_said_wherever_it_stands() -> None:
    def said(sql: str) -> bytes:
        return contents(sqlglot.parse_one(sql))

    one = said("select a, 'x' from t where b = 1")
    assert said("SELECT a,  'x' -- all\nFROM t\nWHERE b = 1") == one
    others = ("select A, 'x' from t where b = 1", 'select "a", \'x\' from t where b = 1',
              "select a, 'X' from t where b = 1", "select a, 'x' from t where b = '1'",
              "select a, 'x' from t where (b = 1)", "select a, 'x' from t having b = 1",
    )  # fmt: skip
    assert len({one, *map(said, (*QUERIES, *others))}) == 1 + len(QUERIES) + len(others)


def test_notes_belong_to_the_contents_but_for_places() -> None:
    plain, noted = sqlglot.parse_one("select a"), sqlglot.parse_one("select a")
    column = next(noted.find_all(exp.Column))
    column.meta["line"] = 7
    assert contents(noted) == contents(plain)
    column.meta["bits"] = True
    assert contents(noted) != contents(plain)


@pytest.mark.parametrize("dialect", ["", "bigquery", "tsql", "databricks", "snowflake"])
def test_a_tree_in_line_reads_as_its_printer_has_it(dialect: str) -> None:
    sql = """SELECT a /* b */, CAST(c AS DATE), CASE WHEN d THEN 'e' END AS f, COALESCE(g, 1) FROM h
             WHERE i IN (SELECT MAX(j) OVER (PARTITION BY k) FROM l) AND m LIKE '%n'"""
    tree = sqlglot.parse_one(sql)
    before = repr(tree)
    for node in tree.walk():
        assert in_line(node, dialect) == node.sql(dialect=dialect or None, comments=False)
    assert repr(tree) == before


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("SELECT a FROM t WHERE TRUE", "SELECT a FROM t"),
        ("SELECT a FROM t WHERE TRUE AND a > 1", "SELECT a FROM t WHERE a > 1"),
        ("SELECT a FROM t GROUP BY a HAVING TRUE", "SELECT a FROM t GROUP BY a"),
        ("SELECT a FROM t GROUP BY a HAVING a > 1 AND TRUE",
         "SELECT a FROM t GROUP BY a HAVING a > 1"),
        ("SELECT 1 AS a FROM t HAVING TRUE", "SELECT 1 AS a FROM t HAVING TRUE"),  # one row of all
        ("SELECT a FROM t WHERE a OR TRUE", "SELECT a FROM t WHERE a OR TRUE"),
    ],
)  # fmt: skip
def test_a_condition_that_says_nothing_goes_where_it_does_nothing(sql: str, left: str) -> None:
    tree = sqlglot.parse_one(sql)
    test = tree.find(exp.Boolean)
    assert test is not None
    drop_test(test)
    assert tree.sql() == left


@pytest.mark.parametrize("sql", QUERIES)
def test_the_words_of_a_tree_come_in_the_order_of_its_nodes(sql: str) -> None:
    tree = sqlglot.parse_one(sql)
    parts = [(value if isinstance(value, list) else [value])
             for node in tree.walk() for value in node.args.values()]  # fmt: skip
    assert list(texts(tree)) == [each for part in parts for each in part if isinstance(each, str)]
