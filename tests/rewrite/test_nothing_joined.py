"""LEFT JOINs of a CTE that never has rows."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot

from unwet.rewrite.nothing_joined import without_nothing_joined

EMPTY = "e AS (SELECT CAST(NULL AS INT) AS k, CAST(NULL AS INT) AS n WHERE 1 = 0)"
GONE = [
    (f"WITH {EMPTY} SELECT t.a, e.n FROM t LEFT JOIN e ON e.k = t.k",
     "SELECT t.a, CAST(NULL AS INT) AS n FROM t"),
    (f"WITH {EMPTY} SELECT t.a, COUNT(*) AS c, COUNT(x.n) AS d FROM t "
     "LEFT JOIN e AS x ON x.k = t.k GROUP BY t.a",
     "SELECT t.a, COUNT(*) AS c, COUNT(CAST(NULL AS INT)) AS d FROM t GROUP BY t.a"),
    (f"WITH {EMPTY} SELECT m.a FROM (SELECT t.a, t.k, SUM(COALESCE(e.n, 0)) AS s FROM t "
     "LEFT JOIN e ON e.k = t.k GROUP BY t.a, t.k) AS m",
     "SELECT m.a FROM (SELECT t.a, t.k FROM t GROUP BY t.a, t.k) AS m"),
    (f"WITH {EMPTY} SELECT m.a, m.s FROM (SELECT t.a, SUM(COALESCE(e.n, 0)) AS s FROM t "
     "LEFT JOIN e ON e.k = t.k GROUP BY t.a) AS m",
     "SELECT m.a, m.s FROM (SELECT t.a, SUM(COALESCE(CAST(NULL AS INT), 0)) AS s FROM t "
     "GROUP BY t.a) AS m"),
    (f"WITH {EMPTY} SELECT m.a FROM (SELECT t.a, SUM(COALESCE(e.n, 0)) AS s FROM t "
     "LEFT JOIN e ON e.k = t.k) AS m" .replace("t.a,", "MIN(t.a) AS a,"),
     "SELECT m.a FROM (SELECT MIN(t.a) AS a, SUM(COALESCE(CAST(NULL AS INT), 0)) AS s "
     "FROM t) AS m"),
    (f"WITH {EMPTY}, f AS (SELECT t.a FROM t LEFT OUTER JOIN e ON e.k = t.k AND t.a > 1 "
     "WHERE e.n IS NULL) SELECT f.a FROM f",
     "WITH f AS (SELECT t.a FROM t WHERE CAST(NULL AS INT) IS NULL) SELECT f.a FROM f"),
    (f"WITH {EMPTY} SELECT t.a FROM t LEFT JOIN e ON e.k = t.k LEFT JOIN u ON u.k = e.n",
     "SELECT t.a FROM t LEFT JOIN u ON u.k = CAST(NULL AS INT)"),
    (f"WITH {EMPTY} SELECT m.s FROM (SELECT t.a, SUM(COALESCE(e.n, 0)) AS s FROM t "
     "LEFT JOIN e ON e.k = t.k GROUP BY t.a HAVING SUM(COALESCE(e.n, 0)) = 0) AS m",
     "SELECT m.s FROM (SELECT t.a, SUM(COALESCE(CAST(NULL AS INT), 0)) AS s FROM t GROUP BY t.a "
     "HAVING SUM(COALESCE(CAST(NULL AS INT), 0)) = 0) AS m"),
]  # fmt: skip
STAYS = [
    f"WITH {EMPTY} SELECT t.a FROM t JOIN e ON e.k = t.k",
    f"WITH {EMPTY} SELECT t.a FROM t RIGHT JOIN e ON e.k = t.k",
    f"WITH {EMPTY} SELECT * FROM t LEFT JOIN e ON e.k = t.k",
    f"WITH {EMPTY} SELECT t.a, n FROM t LEFT JOIN e ON e.k = t.k",
    f"WITH {EMPTY} SELECT t.a FROM t LEFT JOIN e USING (k)",
    f"WITH {EMPTY} SELECT e.n, COUNT(*) AS c FROM t LEFT JOIN e ON e.k = t.k GROUP BY e.n",
    f"WITH {EMPTY} SELECT t.a FROM t LEFT JOIN e ON e.k = t.k ORDER BY e.n, t.a",
    f"WITH {EMPTY} SELECT SUM(t.a) OVER (PARTITION BY e.n) AS s FROM t LEFT JOIN e ON e.k = t.k",
    f"WITH {EMPTY} SELECT t.a FROM t LEFT JOIN e ON e.k = t.k "
    "WHERE EXISTS (SELECT 1 FROM u AS e WHERE e.k = 1)",
    "WITH e AS (SELECT CAST(NULL AS INT) AS k, 1 AS n WHERE 1 = 0) "
    "SELECT t.a, e.n FROM t LEFT JOIN e ON e.k = t.k",
    "WITH e AS (SELECT CAST(NULL AS INT) AS k, CAST(NULL AS INT) AS n WHERE 1 = 1) "
    "SELECT t.a, e.n FROM t LEFT JOIN e ON e.k = t.k",
    "WITH e AS (SELECT CAST(NULL AS INT) AS k, CAST(NULL AS INT) AS n) "
    "SELECT t.a, e.n FROM t LEFT JOIN e ON e.k = t.k",
    "WITH e AS (SELECT NULL AS k, CAST(NULL AS INT) AS n FROM u WHERE 1 = 0 GROUP BY 1) "
    "SELECT t.a, e.n FROM t LEFT JOIN e ON e.k = t.k",
    "WITH e AS (SELECT NULL AS k, MAX(u.k) AS n FROM u WHERE 1 = 0) "
    "SELECT t.a, e.n FROM t LEFT JOIN e ON t.k = t.k",
]


def said(query: str) -> str:
    tree = sqlglot.parse_one(query, read="duckdb")
    without_nothing_joined(tree)
    return tree.sql("duckdb")


@pytest.mark.parametrize(("query", "left"), GONE)
def test_what_goes_gives_the_same_rows(query: str, left: str) -> None:
    assert said(query) == left
    with duckdb.connect() as base:
        base.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, 1), (1, 2), (2, NULL), "
                     "(NULL, 1), (NULL, NULL), (1, 1)) AS v (a, k)")  # fmt: skip
        base.execute("CREATE TABLE u AS SELECT k, k AS b FROM t")
        old, new = (base.sql(text).fetchall() for text in (query, left))
        assert sorted(old, key=str) == sorted(new, key=str) != []


@pytest.mark.parametrize("query", STAYS)
def test_what_stays(query: str) -> None:
    assert said(query) == sqlglot.parse_one(query, read="duckdb").sql("duckdb")
