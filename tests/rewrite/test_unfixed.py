"""Reports whose rows hang on an order that nothing fixes are not called proved.

The cases are files (fixtures/rewrite/unfixed): a report each, with what nothing fixes in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "unfixed"
SCHEMA = {
    "shop.customers": {"id": "INT", "name": "TEXT", "country": "TEXT"},
    "shop.orders": {"id": "INT", "customer_id": "INT", "amount": "INT"},
}
SAID = "the model says the same, but nothing says which rows that are: "


def _cases() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted(FOLDER.glob("*.sql")):
        for case in path.read_text().split("-- case: ")[1:]:
            told, _, sql = case.partition("\n")
            found.append((path.stem, told.partition(" (")[0], sql.strip()))
    return found


def _pile(dialect: str, **scripts: str) -> Pile:
    sources = [Source(f"{name}.sql", sql, dialect) for name, sql in scripts.items()]
    return load(sources, dialect, SCHEMA)


@pytest.mark.parametrize(("dialect", "told", "sql"), _cases())
def test_only_rows_that_something_fixes_are_proved(
    dialect: str, told: str, sql: str, tmp_path: Path
) -> None:
    pile = _pile(dialect, report=sql)
    made = refactor(pile, Request(out=tmp_path / "out")).verdicts
    found = verify(pile, VerifyRequest(tmp_path / "out"))
    wanted = ("proved", "") if told == "fixed" else ("order-dependent", SAID + told)
    assert [(each.outcome, each.reason) for each in made] == [wanted]
    assert [(each.verdict, each.reason) for each in found.reports] == [wanted]
    assert found.ok


def test_what_reads_such_rows_is_no_surer(tmp_path: Path) -> None:
    pile = _pile(
        "duckdb",
        some="CREATE TABLE some AS SELECT id, amount FROM shop.orders LIMIT 10;",
        total="CREATE TABLE total AS SELECT SUM(amount) AS total FROM some;",
        last="CREATE TABLE last AS SELECT total + 1 AS more FROM total;",
        other="CREATE TABLE other AS SELECT SUM(amount) AS total FROM shop.orders;",
    )
    made = refactor(pile, Request(out=tmp_path / "out")).verdicts
    found = verify(pile, VerifyRequest(tmp_path / "out")).reports
    wanted = {
        "some": ("order-dependent", SAID + "LIMIT or OFFSET without an ORDER BY"),
        "total": ("order-dependent", SAID + "it reads some"),
        "last": ("order-dependent", SAID + "it reads total"),
        "other": ("proved", ""),
    }
    assert {each.name: (each.outcome, each.reason) for each in made} == wanted
    assert {each.name: (each.verdict, each.reason) for each in found} == wanted
    told = (tmp_path / "out" / "MIGRATION.md").read_text()
    assert "### The old query has no firm answer (3)" in told
