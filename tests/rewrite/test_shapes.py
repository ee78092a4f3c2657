"""Shapes: trees without names and constants."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from unwet.rewrite.shapes import (
    Leaf,
    Shape,
    Survey,
    after_tables,
    as_leaf,
    leaf_nodes,
    local_names,
)


def tree(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="duckdb")


def shape(sql: str) -> Shape:
    node = tree(sql)
    return Survey(node).shape(node)


def test_names_and_constants_are_leaves() -> None:
    left, right = shape("SELECT a, 1 FROM t"), shape("SELECT b, 2 FROM u")
    assert left.digest == right.digest
    assert [leaf.text for leaf in left.leaves] == ["a", "1", "t"]
    assert [leaf.text for leaf in right.leaves] == ["b", "2", "u"]


def test_everything_else_is_the_shape() -> None:
    texts = [
        "SELECT a FROM t",
        "SELECT DISTINCT a FROM t",
        "SELECT a, b FROM t",
        "SELECT '1' FROM t",
        "SELECT 1 FROM t",
        "SELECT a FROM t LIMIT 1",
        "SELECT a FROM t ORDER BY a",
        "SELECT a FROM t ORDER BY a DESC",
        "SELECT a FROM t UNION SELECT a FROM t",
        "SELECT a FROM t UNION ALL SELECT a FROM t",
        "SELECT a FROM t WHERE a = 1",
        "SELECT a FROM t WHERE a <> 1",
        "SELECT CAST(a AS INT) FROM t",
        "SELECT CAST(a AS BIGINT) FROM t",
        "SELECT SUM(a) FROM t",
        "SELECT my_sum(a) FROM t",
        "SELECT my_avg(a) FROM t",
        "SELECT a FROM t JOIN t ON a = a",
        "SELECT a FROM t LEFT JOIN t ON a = a",
    ]
    assert len({shape(text).digest for text in texts}) == len(texts)


def test_a_subtree_has_the_shape_it_has_alone() -> None:
    whole = tree("SELECT a FROM (SELECT b, 'x' FROM u WHERE c > 3) AS s")
    inner = next(node for node in whole.find_all(exp.Select) if node is not whole)
    assert Survey(whole).shape(inner) == shape("SELECT b, 'x' FROM u WHERE c > 3")


def test_the_tail_of_a_query() -> None:
    left = tree("WITH x AS (SELECT a FROM t), y AS (SELECT b FROM x) SELECT b FROM y")
    right = tree("WITH x AS (SELECT a FROM t WHERE a > 1), y AS (SELECT b FROM x) SELECT b FROM y")
    assert Survey(left).tail(left, 1) == Survey(right).tail(right, 1)
    assert Survey(left).shape(left).digest != Survey(right).shape(right).digest


def test_leaf_nodes_stand_in_the_order_of_the_leaves() -> None:
    node = tree("WITH x AS (SELECT a, 'p' FROM t WHERE b IN (1, 2)) SELECT x.a AS q FROM x")
    leaves = [as_leaf(each) for each in leaf_nodes(node)]
    assert leaves == list(Survey(node).shape(node).leaves)


def test_quotes_count_and_case_does_not() -> None:
    assert as_leaf(exp.to_identifier("A")) == Leaf("name", "a")
    assert as_leaf(exp.to_identifier("A", quoted=True)) == Leaf("name", "A", True)
    assert as_leaf(exp.Literal.string("A")) == Leaf("string", "A")
    assert as_leaf(tree("SELECT 1")) is None


def test_private_names() -> None:
    node = tree("WITH x AS (SELECT a FROM t) SELECT q.a FROM x AS q, (SELECT 1) AS z")
    assert {"x", "q", "z"} <= local_names(node)
    assert "t" not in local_names(node)


def test_a_query_without_a_name_is_called_after_what_it_reads() -> None:
    tree = sqlglot.parse_one(
        "SELECT * FROM ref__int_net_orders__ref JOIN src__shop__visits__src USING (k)"
    )
    assert after_tables(tree) == "net_orders_visits_rows"
    assert after_tables(sqlglot.parse_one("SELECT 1 AS a")) == "shared_rows"
