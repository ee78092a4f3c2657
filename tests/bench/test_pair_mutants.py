"""Mutants of the committed queries: no two with other rows share a fingerprint."""

import re
from collections import Counter
from pathlib import Path

import pytest
import sqlglot

from bench.pairs.judged import catalog_of
from bench.pairs.merged import Merged, QueryText, merged
from bench.pairs.mutants import OPERATORS, mutants
from bench.pairs.sets import Table

ROOT = Path(__file__).parents[2] / "fixtures"
TABLES = (
    Table("t", (("a", "INTEGER"), ("b", "INTEGER"), ("c", "VARCHAR"))),
    Table("u", (("a", "INTEGER"), ("k", "INTEGER"), ("d", "VARCHAR"))),
    Table("v", (("k", "INTEGER"), ("b", "INTEGER"), ("e", "BOOLEAN"))),
    Table("s", (("g", "INTEGER"), ("x", "DOUBLE"), ("y", "DATE"))),
)
EVERYTHING = """
select distinct t.a, b, coalesce(c, 'z') as z, count(distinct b) as n, max(b - 1) as m,
    case when b > 1 then 'x' when b = 1 then 'y' else 'q' end as w
from t left join u on u.a = t.a
where t.a > 1 and (c = 'a' or b in (1, 2)) and not u.d is null or d is null
group by t.a, b, c having count(*) > 1 limit 3
"""


def texts() -> list[str]:
    """The first text of each class of copies."""
    found = (ROOT / "rewrite" / "same" / "classes.sql").read_text("utf-8")
    blocks = re.split(r"(?m)^-- # .*\n", found)[1:]
    return [re.split(r"(?m)^-- (?:same|apart)\n", block)[0].strip() for block in blocks]


def judged(text: str) -> Merged:
    tree = sqlglot.parse_one(text, dialect="duckdb")
    query = QueryText(tree, "duckdb", catalog_of(TABLES))
    return merged("fixtures", [query], most=15, sampled=0)


def test_each_operator_makes_one_change_at_each_place() -> None:
    more = "select a, b, sum(b) over (partition by a) as s from t union select a, k, 1 from u"
    found = Counter(
        mutant.operator
        for text in (EVERYTHING, more, "select a from t group by a, b")
        for mutant in mutants(sqlglot.parse_one(text, dialect="duckdb"))
    )
    assert set(found) == set(OPERATORS)
    tree = sqlglot.parse_one(EVERYTHING, dialect="duckdb")
    assert all(m.tree.sql("duckdb") != tree.sql("duckdb") for m in mutants(tree))


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
        "comparison", "dropped predicate", "literal",
    }  # fmt: skip
