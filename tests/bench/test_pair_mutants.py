"""Mutants of the committed queries: no two with other rows share a fingerprint."""

import re
from pathlib import Path

import pytest
import sqlglot

from bench.pairs.judged import catalog_of
from bench.pairs.merged import Merged, QueryText, merged
from bench.pairs.sets import Table

ROOT = Path(__file__).parents[2] / "fixtures"
TABLES = (
    Table("t", (("a", "INTEGER"), ("b", "INTEGER"), ("c", "VARCHAR"))),
    Table("u", (("a", "INTEGER"), ("k", "INTEGER"), ("d", "VARCHAR"))),
    Table("v", (("k", "INTEGER"), ("b", "INTEGER"), ("e", "BOOLEAN"))),
    Table("s", (("g", "INTEGER"), ("x", "DOUBLE"), ("y", "DATE"))),
)


def texts() -> list[str]:
    """The first text of each class of copies."""
    found = (ROOT / "rewrite" / "same" / "classes.sql").read_text("utf-8")
    blocks = re.split(r"(?m)^-- # .*\n", found)[1:]
    return [re.split(r"(?m)^-- (?:same|apart)\n", block)[0].strip() for block in blocks]


def judged(text: str) -> Merged:
    tree = sqlglot.parse_one(text, dialect="duckdb")
    query = QueryText(tree, "duckdb", catalog_of(TABLES))
    return merged("fixtures", [query], most=15, sampled=0)


@pytest.mark.parametrize("text", texts())
def test_no_mutant_with_other_rows_shares_the_fingerprint(text: str) -> None:
    found = judged(text)
    assert found.queries == 1
    assert not found.false
    assert found.unproved == 0


def test_a_false_merge_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.pairs.merged.same", lambda first, second: True)
    found = judged("select a from t where b > 1 and c = 'a'")
    assert {text.partition(", ")[2].partition(":")[0] for text in found.false} >= {
        "comparison", "dropped predicate", "string literal",
    }  # fmt: skip
