"""Lists that are one leaf: the columns of an UNPIVOT, which a macro has as a parameter."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.choose import choose
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_pile import models
from unwet.tests.rewrite.test_choose import draft

SQL = """SELECT day, shop, LOWER(metric) AS metric, amount, 'daily' AS grain, amount > 7 AS much
FROM sales UNPIVOT (amount FOR metric IN ({0})) WHERE day > '2024-01-01' AND shop <> 'closed'"""
SCHEMA: dict[str, object] = {
    "sales": {"day": "TEXT", "shop": "TEXT"} | dict.fromkeys(("a", "b", "c"), "INTEGER")
}


def test_queries_over_other_columns_are_one_macro_and_return_the_same_rows(tmp_path: Path) -> None:
    reports = {"of_two": SQL.format("a, b"), "of_all": SQL.format("c, b, a")}
    reports["of_one"] = SQL.format("b")
    sources = [Source(f"{name}.sql", sql) for name, sql in reports.items()]
    out = tmp_path / "project"
    result = refactor(load(sources, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    [macro] = (out / "macros").glob("*.sql")
    assert "in ({{ metrics | join(', ') }})" in flat(macro.read_text())
    base = duckdb.connect()
    base.execute(
        "CREATE TABLE sales AS SELECT '2024-01-0' || (i % 4) AS day, CASE WHEN i % 5 > 0 THEN 's' "
        "END AS shop, i AS a, CASE WHEN i % 3 > 0 THEN i % 9 END AS b, 7 AS c FROM range(40) r (i)"
    )
    made = models(out)
    for name, sql in reports.items():
        new, old = base.execute(made[name]).fetchall(), base.execute(sql).fetchall()
        assert sorted(new, key=str) == sorted(old, key=str), name
        assert old


@pytest.mark.parametrize(
    "lists",
    [
        ("a AS 'x', b", "a, b AS 'y', c"),  # with labels of their own
        ("a, b", 'a, b, "c d"'),  # a name that needs its quotes
        ("(a, b)", "(a, b), (c, d)"),  # several columns at once
    ],
)
def test_other_lists_are_no_list_of_names(lists: tuple[str, str]) -> None:
    drafts = [draft(f"r{i}", SQL.format(each)) for i, each in enumerate(lists)]
    said = [macro.tree.sql("duckdb") for macro in choose(drafts, "duckdb").macros]
    assert not any("list__" in text for text in said)
