"""A query over one that only filters and renames is one query."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp, parse_one

from unwet.rewrite.flat_queries import with_flat_queries
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf


def flat(sql: str, *stay: str, dialect: str = "duckdb") -> str:
    library = Library({"r": parse_one(sql, dialect=dialect)}, (), ())
    return with_flat_queries(library, {*stay}).models["r"].sql(dialect)


CASES = [
    ("SELECT c.id, c.day AS a FROM (SELECT v.id, v.d AS day FROM v WHERE p) AS c WHERE c.id > 1",
     "SELECT v.id, v.d AS a FROM v WHERE p AND v.id > 1"),
    ("SELECT id, day FROM (SELECT id, d AS day, k FROM v WHERE id = 1 OR k = 2) AS c ORDER BY day",
     "SELECT id, d AS day FROM v WHERE id = 1 OR k = 2 ORDER BY day"),
    ("SELECT id FROM (SELECT id FROM v WHERE id = 1 OR k = 2) AS c WHERE id > 0",
     "SELECT id FROM v WHERE (id = 1 OR k = 2) AND id > 0"),
    ("SELECT c.k, SUM(c.n) AS n FROM (SELECT k, id + d AS n FROM v) AS c GROUP BY c.k",
     "SELECT k, SUM(id + d) AS n FROM v GROUP BY k"),
    ("SELECT c.n * 2 AS n FROM (SELECT id + d AS n FROM v) AS c",
     "SELECT (id + d) * 2 AS n FROM v"),
    ("SELECT a FROM (SELECT b AS a FROM (SELECT c.id AS b FROM v AS c WHERE c.k > 1) AS x) AS y",
     "SELECT c.id AS a FROM v AS c WHERE c.k > 1"),
    # joins that keep its rows
    ("SELECT c.id, w.n FROM (SELECT v.id, v.k FROM v WHERE v.p) AS c LEFT JOIN w ON w.k = c.k"
     " WHERE c.id > 0",
     "SELECT v.id, w.n FROM v LEFT JOIN w ON w.k = v.k WHERE v.p AND v.id > 0"),
    ("SELECT c.id, w.n FROM (SELECT v.id, u.k FROM v JOIN w AS u ON u.k = v.k) AS c"
     " JOIN w ON w.k = c.k",
     "SELECT v.id, w.n FROM v JOIN w AS u ON u.k = v.k JOIN w ON w.k = u.k"),
    # groups and windows where the rows are taken as they are, windows that nobody reads
    ("SELECT k, n + 1 AS m FROM (SELECT k, COUNT(*) AS n FROM v GROUP BY k) AS c",
     "SELECT k, COUNT(*) + 1 AS m FROM v GROUP BY k"),
    ("SELECT n FROM (SELECT MAX(id) AS n, k FROM v GROUP BY k HAVING COUNT(*) > 1) AS c",
     "SELECT MAX(id) AS n FROM v GROUP BY k HAVING COUNT(*) > 1"),
    ("SELECT n FROM (SELECT MAX(id) AS n FROM v) AS c", "SELECT MAX(id) AS n FROM v"),
    ("SELECT k, n FROM (SELECT k, ROW_NUMBER() OVER (ORDER BY id, d, k, p) AS n FROM v) AS c",
     "SELECT k, ROW_NUMBER() OVER (ORDER BY id, d, k, p) AS n FROM v"),
    ("SELECT c.k FROM (SELECT k, ROW_NUMBER() OVER (ORDER BY id) AS n FROM v) AS c WHERE c.k > 1",
     "SELECT k FROM v WHERE k > 1"),
    ("SELECT n FROM (SELECT COUNT(*) AS n FROM v GROUP BY 1 + k) AS c",
     "SELECT COUNT(*) AS n FROM v GROUP BY 1 + k"),
    ("SELECT m FROM (SELECT k + 1 AS m, SUM(id) AS n FROM v GROUP BY k + 1) AS c",
     "SELECT k + 1 AS m FROM v GROUP BY k + 1"),
    ("SELECT k, n FROM (SELECT k, MAX(d) AS m, COUNT(*) AS n FROM v GROUP BY ALL) AS c",
     "SELECT k, COUNT(*) AS n FROM v GROUP BY ALL"),
    ("SELECT n FROM (SELECT k, COUNT(*) AS n FROM v GROUP BY ALL) AS c", None),
    ("SELECT k + 1 AS m, n FROM (SELECT k, COUNT(*) AS n FROM v GROUP BY ALL) AS c", None),
    # CTEs where the rows are taken as they are
    ("SELECT k FROM (WITH u AS (SELECT k, id FROM v WHERE p) SELECT u.k, SUM(u.id) AS n FROM u"
     " GROUP BY u.k) AS c",
     "WITH u AS (SELECT k, id FROM v WHERE p) SELECT u.k FROM u GROUP BY u.k"),
    ("SELECT k FROM (WITH u AS (SELECT k, id FROM v WHERE p) SELECT k, id FROM u) AS c WHERE k > 1",
     None),
    ("WITH w AS (SELECT 1 AS a) SELECT k FROM (WITH u AS (SELECT k FROM v) SELECT k FROM u) AS c",
     None),
    # what is one row of all, or the rows before a filter
    ("SELECT 1 AS n FROM (SELECT MAX(id) AS n FROM v) AS c", None),
    ("SELECT n FROM (SELECT MAX(id) AS n FROM v) AS c WHERE n > 1", None),
    ("SELECT 1 AS n FROM (SELECT foo(id) AS n FROM v) AS c", None),
    ("SELECT c.n FROM (SELECT k, ROW_NUMBER() OVER (ORDER BY id) AS n FROM v) AS c WHERE c.k > 1",
     None),
    ("SELECT SUM(c.n) AS n FROM (SELECT ROW_NUMBER() OVER (ORDER BY id) AS n FROM v) AS c", None),
    ("SELECT DISTINCT k FROM (SELECT k, COUNT(*) AS n FROM v GROUP BY k) AS c", None),
    ("SELECT n FROM (SELECT COUNT(*) AS n FROM v GROUP BY 1) AS c", None),
    ("SELECT k FROM (SELECT k, COUNT(*) AS n FROM v GROUP BY k HAVING n > 1) AS c", None),
    ("SELECT k FROM (SELECT d AS k, id, COUNT(*) AS n FROM v GROUP BY k + 1, id) AS c", None),
    ("SELECT k, id FROM (SELECT DISTINCT k, id FROM v) AS c", None),
    ("SELECT k FROM (SELECT k FROM v ORDER BY k LIMIT 3) AS c", None),
    # said twice, random, several rows of one
    ("SELECT n, n + 1 AS m FROM (SELECT id + d AS n FROM v) AS c", None),
    ("SELECT n FROM (SELECT RANDOM() AS n FROM v) AS c", None),
    ("SELECT n FROM (SELECT UNNEST([id, d]) AS n FROM v) AS c", None),
    # the side that an outer join fills with NULL; names of two
    ("SELECT c.k FROM w LEFT JOIN (SELECT v.k FROM v WHERE v.p) AS c ON c.k = w.k", None),
    ("SELECT c.k FROM (SELECT v.k FROM v WHERE v.p) AS c RIGHT JOIN w ON c.k = w.k", None),
    ("SELECT c.k FROM (SELECT v.k FROM v WHERE v.p) AS c JOIN w USING (k)", None),
    ("SELECT c.k FROM (SELECT w.k FROM w WHERE w.n > 1) AS c JOIN w ON c.k = w.k", None),
    ("SELECT c.k FROM (SELECT k FROM v WHERE p) AS c JOIN w ON c.k = w.k", None),
    ("SELECT c.k, n FROM (SELECT v.k FROM v) AS c JOIN w ON c.k = w.k", None),
    ("SELECT c.id AS k, COUNT(*) AS n FROM (SELECT k, id FROM v) AS c GROUP BY c.k, c.id", None),
    ("SELECT d AS id FROM (SELECT d FROM v WHERE id > 1) AS c", None),
    ("SELECT * FROM (SELECT k FROM v) AS c", None),
    ("SELECT k FROM (SELECT * FROM v) AS c", None),
    ("SELECT COUNT(c.*) AS n FROM (SELECT k FROM v) AS c", None),
    ("SELECT COUNT(*) AS n FROM (SELECT k FROM v WHERE p) AS c",
     "SELECT COUNT(*) AS n FROM v WHERE p"),
    ("SELECT k FROM (SELECT k FROM v) AS c WHERE EXISTS (SELECT 1 FROM w WHERE w.k = c.k)", None),
    ("SELECT x FROM (SELECT k FROM v) AS c(x)", None),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "wanted"), CASES)
def test_one_query_or_two(sql: str, wanted: str | None) -> None:
    assert flat(sql) == (wanted or parse_one(sql, dialect="duckdb").sql("duckdb"))


def test_a_model_that_stays_keeps_its_words() -> None:
    sql = CASES[0][0]
    assert flat(sql, "r") == parse_one(sql, dialect="duckdb").sql("duckdb")


def test_a_macro_that_such_a_model_calls_keeps_them_too() -> None:
    macro = Macro("m", (), parse_one(CASES[0][0], dialect="duckdb"), "query")
    models: dict[str, exp.Expr] = {name: exp.Var(this="call__0__call") for name in "ab"}
    library = Library(models, (macro,), (MacroCall("m", ()),))
    assert with_flat_queries(library, frozenset()).macros[0].tree != macro.tree
    assert with_flat_queries(library, {"b"}).macros[0].tree == macro.tree


ROW = st.tuples(*[st.none() | st.integers(0, 3)] * 3, st.none() | st.booleans())


@given(
    st.lists(ROW, max_size=6), st.lists(st.tuples(*[st.none() | st.integers(0, 3)] * 2), max_size=5)
)
def test_the_rows_are_the_same(
    rows: list[tuple[object, ...]], more: list[tuple[object, ...]]
) -> None:
    """Law: both sides on data with NULLs and duplicates, compared as bags."""
    base = duckdb.connect()
    base.execute("CREATE TABLE v (id INT, d INT, k INT, p BOOLEAN)")
    base.execute("CREATE TABLE w (k INT, n INT)")
    for table, values in (("v", rows), ("w", more)):
        for value in values:
            marks = ", ".join("?" * len(value))
            base.execute(f"INSERT INTO {table} VALUES ({marks})", value)
    for sql, wanted in CASES:
        if wanted is not None:
            old, new = (
                base.sql(f"FROM ({text}) ORDER BY ALL").fetchall() for text in (sql, flat(sql))
            )
            assert old == new, sql


def with_hole(body: str, *said: str) -> str:
    macro = Macro("m", ("x",), parse_one(body), "query")
    calls = tuple(MacroCall("m", (("x", Leaf("condition", text)),)) for text in said)
    models: dict[str, exp.Expr] = {
        f"r{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    return with_flat_queries(Library(models, (macro,), calls), frozenset()).macros[0].tree.sql()


def test_what_callers_say_names_nothing_of_the_inner_query() -> None:
    body = "SELECT c.k FROM (SELECT v.k FROM v WHERE {}) AS c WHERE {}"
    made = with_hole(body.format("h__x__h", "c.k > 1"), "v.p", "id > 2")
    assert made == "SELECT v.k FROM v WHERE h__x__h AND v.k > 1"
    assert with_hole(body.format("v.p", "h__x__h"), "TRUE", "1 = 0").endswith("v.p AND h__x__h")
    for said in ("c.k > 1", "k > 1", "NOT K IS NULL", "call__0__call"):
        assert with_hole(body.format("v.p", "h__x__h"), "TRUE", said).count("SELECT") == 2


def test_an_output_that_may_be_an_aggregate_stays_inside() -> None:
    body = "SELECT c.k FROM (SELECT v.k, h__x__h AS n FROM v) AS c"
    assert with_hole(body, "v.p", "1").count("SELECT") == 1
    assert with_hole(body, "v.p", "SUM(v.id)").count("SELECT") == 2


def test_comments_of_both_stay() -> None:
    sql = "/* all */ SELECT k FROM (/* those */ SELECT k FROM v WHERE p) AS c"
    made = flat(sql)
    assert "/* all */" in made and "/* those */" in made and made.count("SELECT") == 1


def test_a_condition_that_is_a_call_stands_in_parentheses() -> None:
    inner = Macro("p", (), parse_one("v.p OR v.k > 2"), "expression")
    tree = parse_one("SELECT c.k FROM (SELECT v.k FROM v WHERE v.p) AS c WHERE c.k > 1")
    where = next(tree.find_all(exp.Subquery)).this.args["where"]
    where.set("this", exp.Var(this="call__0__call"))
    library = Library({"r": tree}, (inner,), (MacroCall("p", ()),))
    made = with_flat_queries(library, frozenset()).models["r"].sql()
    assert made == "SELECT v.k FROM v WHERE (call__0__call) AND v.k > 1"
