"""NULLs that COALESCE never gives go, where the output keeps its name."""

import pytest
import sqlglot

from unwet.rewrite.idle_nulls import without_idle_nulls

CASES = [
    ("SELECT COALESCE(NULL, a, NULL, b) AS x", "SELECT COALESCE(a, b) AS x"),
    ("SELECT COALESCE(NULL, t.a, NULL) AS x, MAX(COALESCE(a, NULL)) AS y",
     "SELECT t.a AS x, MAX(a) AS y"),
    ("SELECT COALESCE(NULL, COALESCE(NULL, a)) AS x", "SELECT a AS x"),
    ("SELECT COALESCE(NULL, a)", "SELECT COALESCE(NULL, a)"),
    ("SELECT COALESCE(NULL, NULL) AS x", "SELECT COALESCE(NULL, NULL) AS x"),
    ("SELECT COALESCE(NULL, 1) AS x", "SELECT COALESCE(NULL, 1) AS x"),
    ("SELECT a AS x FROM t GROUP BY COALESCE(NULL, 1)",
     "SELECT a AS x FROM t GROUP BY COALESCE(NULL, 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), CASES)
def test_idle_nulls_go(written: str, said: str) -> None:
    tree = sqlglot.parse_one(written)
    without_idle_nulls(tree)
    assert tree.sql() == said
