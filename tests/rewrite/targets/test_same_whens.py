"""CASEs over the same conditions go over one table, and read as they did."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unwet.rewrite.targets.jinja import template
from unwet.tests.rewrite.targets.test_jinja import rendered, tree

WORDS = ("IN ('A', 'B')", "IN ('C')", "IN ('D', 'E', 'F')", "IN ('G')", "IN ('H')", "IS NULL")
RANGES = ("< 0", "BETWEEN 0 AND 9", "BETWEEN 10 AND 99", "= 100", "> 100")


def case(tests: list[str], values: list[str], more: str = "") -> str:
    whens = (f"WHEN {test} THEN {value}" for test, value in zip(tests, values, strict=True))
    return f"CASE {' '.join(whens)} {more} END"


def texts(words: str, times: int) -> list[str]:
    return [f"'{words} {n}, said at length'" for n in range(times)]


def pair(tests: list[str], more: str = "", others: list[str] | None = None) -> str:
    numbers = [str(n) for n in range(len(tests))]
    one = case(tests, numbers)
    return (
        f"SELECT {one} AS n, {case(others or tests, texts('it is', len(tests)), more)} AS t FROM t"
    )


PAIRS = [
    pair([f"k = 'A{n}'" for n in range(6)]),
    pair([f"k = 'A{n}' AND v = {n}" for n in range(6)], "ELSE '?'"),
    pair([f"x.k {word}" for word in WORDS], "ELSE k"),
    pair([f"ABS(v) {word}" for word in RANGES]),
    pair([f"k = 'A' AND ABS(v) {word}" for word in RANGES]),
    pair([f"v + {n} {word}" for n, word in enumerate(RANGES)]).replace("v + ", "v + 1 + "),
]


@pytest.mark.parametrize("sql", PAIRS[:5])
def test_both_go_over_one_table(sql: str) -> None:
    text = template(tree(sql), "duckdb", (), tables=True)
    assert text.count("{% set ") == 1
    assert text.count("WHEN ") == 2
    assert tree(rendered(text)) == tree(sql)
    assert len(text.splitlines()) < len(tree(sql).sql("duckdb", pretty=True).splitlines())


def test_a_column_is_called_as_the_output_is() -> None:
    text = template(tree(PAIRS[2]), "duckdb", (), tables=True)
    assert "{% for comparison, n, t in comparison_rows %}" in text
    assert "WHEN x.k {{ comparison }} THEN {{ n }}" in text
    assert """    ("IN ('A', 'B')", 0, 'it is 0, said at length'),""" in text


@pytest.mark.parametrize(
    "sql",
    [
        pair([f"k = 'A{n}'" for n in range(3)]),  # too few
        pair([f"k = 'A{n}'" for n in range(6)], "", [f"k = 'B{n}'" for n in range(6)]),
        pair(["v < 1", "k > 2", "v > 3", "v > 4", "v > 5"]),  # of two columns
        pair(["v < 1", "v > 2 OR k > 7", "v > 3", "v > 4", "v > 5"]),
        pair(["v < 1", "NOT v > 2", "v > 3", "v > 4", "v > 5"]),
        pair([f"k = 'h__k__h{n}'" for n in range(6)]),  # a parameter
        pair([f"k = 'p__k__p{n}'" for n in range(6)]),  # a placeholder in what would be a row
        pair([f"k = (SELECT {n})" for n in range(6)]),
        pair([f"k = 'A\\{n}'" for n in range(6)]),
        PAIRS[5],
    ],
)
def test_others_stay(sql: str) -> None:
    assert "{% for" not in template(tree(sql), "duckdb", (), tables=True)


def test_a_comment_is_not_lost() -> None:
    tests = [f"v {word}" for word in RANGES]
    text = template(
        tree(pair([*tests[:3], "v /* full */ = 100", tests[4]])), "duckdb", (), tables=True
    )
    assert text.count("/* full */") == 2


def test_three_and_an_order_of_their_own() -> None:
    tests = [f"k = 'A{n}'" for n in range(5)]
    one = case(tests, texts("long", 5), "ELSE k")
    sql = pair(tests).replace(" FROM t", f" FROM t ORDER BY {one}")
    text = template(tree(sql), "duckdb", (), tables=True)
    assert text.count("{% set ") == 1
    assert text.count("{% for ") == 3
    assert tree(rendered(text)) == tree(sql)


TESTS = st.lists(
    st.sampled_from([f"{c} {w}" for c in ("v", "v + 1", "w") for w in (*RANGES, "IS NULL")]),
    min_size=3, max_size=9,
)  # fmt: skip


ONE = st.lists(st.sampled_from([f"v {w}" for w in (*RANGES, "IS NULL")]), min_size=4, max_size=9)
VALUES = ("'1'", "'one'", "'it''s'", "'a \"b\"'", "''", "'one'", "NULL", "v::TEXT", "(v + 2)::TEXT")


@settings(max_examples=60, deadline=None)
@given(st.one_of(TESTS, ONE), st.integers(1, 3), st.booleans(), st.data())
def test_the_law(tests: list[str], many: int, otherwise: bool, data: st.DataObject) -> None:
    """Whatever is shared: the template prints the query, which returns the same rows."""
    values = st.sampled_from(VALUES)
    kinds = st.lists(values, min_size=len(tests), max_size=len(tests))
    said = [data.draw(kinds) for _ in range(many)]
    more = "ELSE 'none'" if otherwise else ""
    cases = (f"{case(tests, each, more)} AS c{n}" for n, each in enumerate(said))
    sql = f"SELECT {', '.join(cases)} FROM t"
    text = rendered(template(tree(sql), "duckdb", (), tables=True))
    assert tree(text) == tree(sql)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT * FROM (VALUES (NULL, 1), (5, NULL), (-1, 100), "
                    "(100, 7), (120, 0), (5, NULL)) AS x(v, w)")  # fmt: skip
        assert con.execute(text).fetchall() == con.execute(sql).fetchall()
