"""A statement that is not understood as a whole: what differs may be, by itself."""

from __future__ import annotations

import pytest
import sqlglot

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.changed_part import changed_part
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.synthetic.units import units

ROLLUP = """WITH a AS (SELECT t.k, COUNT(*) AS n FROM t GROUP BY t.k),
b AS (SELECT u.k, COUNT(*) AS n FROM u GROUP BY u.k)
SELECT q.c, q.k, SUM(q.n) AS n FROM (SELECT 'one' AS c, 'o' || a.k AS k, a.n FROM a
{0} SELECT '{1}' AS c, b.k, b.n FROM b) AS q GROUP BY ROLLUP (q.c, q.k)"""


@pytest.mark.parametrize(("constant", "is_same"), [("two", True), ("one", False)])
def test_a_union_below_a_rollup(constant: str, is_same: bool) -> None:
    every, once = (ROLLUP.format(each, constant) for each in ("UNION ALL", "UNION"))
    meaning = Meaning(load(Source("q.sql", every, "duckdb"), "duckdb"))
    (unit,) = units(meaning)
    statement = unit.scripts[0].statements[0]
    tree = sqlglot.parse_one(once, dialect="duckdb")
    assert Meant(meaning).same(unit, statement, tree) is is_same


CTES = "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a {}), c AS (SELECT 2 AS y) SELECT x FROM b"


@pytest.mark.parametrize(
    ("one", "other", "part"),
    [
        (CTES.format("WHERE x = 1"), CTES.format("WHERE x = 2"),
         "WITH a AS (SELECT 1 AS x) SELECT x FROM a WHERE x = 2"),
        ("SELECT x FROM t WHERE x = 1", "SELECT x FROM t WHERE x = 2", None),
        ("SELECT (SELECT MAX(u.x) FROM u WHERE u.y = t.y) FROM t",
         "SELECT (SELECT MIN(u.x) FROM u WHERE u.y = t.y) FROM t", None),
        ("SELECT q.x FROM (SELECT x, y FROM t) q", "SELECT q.y FROM (SELECT x FROM t) q", None),
        ("WITH RECURSIVE a AS (SELECT 1 AS x UNION SELECT x + 1 FROM a) SELECT * FROM a",
         "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a) SELECT * FROM a", None),
    ],
)  # fmt: skip
def test_the_smallest_query_by_itself(one: str, other: str, part: str | None) -> None:
    found = changed_part(*(sqlglot.parse_one(each, dialect="duckdb") for each in (one, other)))
    assert (found[1].sql("duckdb") if found else None) == part
