"""Earlier states of Delta tables, written for short."""

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source

STATES = [
    ("rep.a@v3", "rep.a VERSION AS OF 3"),
    ("`rep`.`a`@v12", "`rep`.`a` VERSION AS OF 12"),
    ("rep.a@20240131235959123", "rep.a TIMESTAMP AS OF '2024-01-31 23:59:59.123'"),
]


def printed(sql: str, dialect: str) -> str:
    pile = load([Source("a.sql", sql, dialect)], dialect)
    return pile.scripts[0].statements[0].tree.sql(dialect)


@pytest.mark.parametrize(("short", "long"), STATES)
@pytest.mark.parametrize("dialect", ["databricks", "spark"])
def test_they_are_read_as_what_they_are_for_long(short: str, long: str, dialect: str) -> None:
    found, meant = (printed(f"SELECT a FROM {each}", dialect) for each in (short, long))
    assert found == meant
    assert " AS OF " in found


def test_what_is_a_placeholder_elsewhere_stays_one() -> None:
    assert "p__v3__p" in printed("SELECT a FROM rep.a@v3", "tsql")
    assert "p__cohort__p" in printed("SELECT a FROM rep.a WHERE k = @cohort", "databricks")
