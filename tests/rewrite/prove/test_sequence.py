"""The order that a query gives its rows, and what becomes of a report that has one."""

from datetime import datetime
from pathlib import Path

import pytest

from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.sequence import sequence_of
from unwet.rewrite.prove.tested import DataVerdict, run_tests


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("SELECT a, b FROM t", []),
        ("SELECT a, b FROM t ORDER BY b", [1]),
        ("SELECT a, b FROM t ORDER BY 2, 1", [1, 0]),
        ("SELECT a, x + 1 AS b FROM t ORDER BY x + 1", [1]),
        ("SELECT a, x AS b FROM t ORDER BY B, hidden, a", [1]),
        ("SELECT a, b FROM t ORDER BY hidden", []),
        ("SELECT t.a, b FROM t ORDER BY t.a", [0]),
        ("SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1", [0]),
        ("WITH w AS (SELECT a FROM t ORDER BY a) SELECT a FROM w", []),
        ("(SELECT a, b FROM t ORDER BY a)", [0]),
        ("SELECT * FROM t ORDER BY a", []),
        ("SELECT a, b FROM t ORDER BY 3", []),
    ],
)
def test_keys(sql: str, keys: list[int]) -> None:
    (statement,) = parse(verbatim(Source("q.sql", sql)), "duckdb").statements
    assert [place for place, *_ in sequence_of(statement.tree)] == keys  # type: ignore[arg-type]


def test_directions() -> None:
    def told(sql: str) -> object:
        (statement,) = parse(verbatim(Source("q.sql", sql)), "postgres").statements
        return sequence_of(statement.tree)  # type: ignore[arg-type]

    up, down = told("SELECT a FROM t ORDER BY a"), told("SELECT a FROM t ORDER BY a DESC")
    assert up != down
    assert told("SELECT a FROM t ORDER BY a NULLS FIRST") != up


def run(root: Path, model: str, legacy: str) -> DataVerdict:
    files = {
        "data/shop/orders.csv": "id,amount\n3,5\n1,5\n2,7\n4,\n",
        "project/dbt_project.yml": "name: p\n",
        "project/models/sources.yml": "sources: [{name: shop, tables: [{name: orders}]}]",
        "project/models/m.sql": model.replace("T", "{{ source('shop', 'orders') }}"),
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    script = parse(verbatim(Source("m.sql", legacy.replace("T", "shop.orders"))), "duckdb")
    refs = [ReportRef("m", "", "m", "m.sql", 1)]
    (found,) = run_tests([script], root / "project", refs, root / "data", "duckdb",
                         clock=datetime(2024, 2, 1))  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("legacy", "model", "verdict"),
    [
        ("select id, amount from T order by id", "select id, amount from T order by 1", True),
        ("select id, amount from T order by id", "select id, amount from T", False),
        (
            "select id, amount from T order by id",
            "select id, amount from T order by id desc",
            False,
        ),
        ("select id, amount from T", "select id, amount from T order by id desc", True),
        # rows that are equal in the keys may come in any order
        (
            "select id, amount from T order by amount nulls last, id",
            "select id, amount from T order by amount nulls last, id",
            True,
        ),
        (
            "select id, amount from T order by amount nulls last",
            "select id, amount from T order by amount nulls last, id desc",
            True,
        ),
        (
            "select id, amount from T order by amount nulls last",
            "select id, amount from T order by amount nulls first",
            False,
        ),
    ],
)
def test_a_report_with_an_order_keeps_it(
    tmp_path: Path, legacy: str, model: str, verdict: bool
) -> None:
    found = run(tmp_path, model, legacy)
    expected = ("identical", "") if verdict else ("different", "the same rows in another order")
    assert (found.verdict, found.reason) == expected
