"""Data that are older or newer than the pile: told of the data, with what to do."""

from pathlib import Path

import pytest

from unwet import refactor, verify
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.lacking import lacking

PILE = {
    "ddl.sql": "CREATE TABLE shop.orders (id INTEGER, region VARCHAR, amount INTEGER);\n"
    "CREATE TABLE shop.lines (id INTEGER, order_id INTEGER);\n",
    "north.sql": "CREATE TABLE rep.north AS\nSELECT id, amount FROM shop.orders WHERE region = 'n'",
    "twice.sql": "CREATE TABLE rep.twice AS\nSELECT id, amount * 2 AS two FROM rep.north;\n",
    "lines.sql": "SELECT order_id, COUNT(*) AS n FROM shop.lines GROUP BY order_id;\n",
}
GOOD = "id,region,amount\n1,n,5\n2,n,7\n3,s,7\n"
STALE = "id,region,price\n1,n,5\n2,n,7\n3,s,7\n"
HELP = "  help: give --data as they were when the scripts ran"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in PILE.items():
        (tmp_path / "pile").mkdir(exist_ok=True)
        (tmp_path / "pile" / name).write_text(text)
    (tmp_path / "data" / "shop").mkdir(parents=True)
    (tmp_path / "data" / "shop" / "orders.csv").write_text(STALE)
    (tmp_path / "data" / "shop" / "lines.csv").write_text("id,order_id\n1,1\n")
    return tmp_path


def test_a_column_that_the_data_lack_is_told_and_what_is_proved_stays_proved(root: Path) -> None:
    result = refactor(root / "pile", root / "out", dialect="duckdb", data=root / "data")
    lack = "the data have no column amount in shop.orders"
    assert result.notes == (f"{lack}: 2 reports not run on them", HELP)
    found = {v.name: (v.outcome, v.reason) for v in result.verdicts}
    pile = root / "pile"
    assert found == {
        "lines": ("proved", ""),
        "north": ("proved", f"not run on the data: {pile}/north.sql:1: {lack}"),
        "twice": (
            "proved",
            f"not run on the data: {pile}/twice.sql:1: rep.north was not made: "
            f"{pile}/north.sql:1: {lack}",
        ),
    }


def test_what_is_not_proved_and_cannot_be_tested_is_kept_for_that_reason(root: Path) -> None:
    refactor(root / "pile", root / "out", dialect="duckdb")
    model = root / "out" / "models" / "marts" / "north.sql"
    model.write_text(model.read_text().replace("amount", "abs(-amount) as amount"))
    checked = verify(
        root / "pile", root / "out", dialect="duckdb", data=root / "data", generated=False
    )
    (north,) = (report for report in checked.reports if report.name == "north")
    assert north.verdict == "kept"
    assert north.reason.endswith("the data have no column amount in shop.orders")
    assert HELP in checked.notes


def test_a_table_that_the_data_lack(root: Path) -> None:
    (root / "data" / "shop" / "lines.csv").unlink()
    (root / "data" / "shop" / "orders.csv").write_text(GOOD)
    declared = refactor(root / "pile", root / "one", dialect="duckdb", data=root / "data")
    empty = (
        "the data have no table shop.lines, which the pile declares: it is taken for an empty one"
    )
    assert declared.notes == (empty, HELP)
    (root / "pile" / "ddl.sql").unlink()
    unknown = refactor(root / "pile", root / "two", dialect="duckdb", data=root / "data")
    assert unknown.notes == ("the data have no table shop.lines: 1 report not run on them", HELP)


@pytest.mark.parametrize(
    ("sql", "message", "said"),
    [
        (
            "WITH p AS (SELECT amount FROM shop.orders) SELECT amount FROM p, rep.x",
            'Referenced column "amount" not found in FROM clause!',
            "",  # p may be what lacks it
        ),
        (
            "SELECT c.id, o.amount FROM shop.customers c JOIN shop.orders o ON o.id = c.id",
            'Table "o" does not have a column named "amount"',
            "the data have no column amount in shop.orders",
        ),
        (
            "SELECT x.amount FROM rep.x AS x",
            'Table "x" does not have a column named "amount"',
            "",  # a script makes it
        ),
        ("SELECT 1 / 0", "division by zero", ""),
    ],
)
def test_only_what_the_data_lack_for_sure(sql: str, message: str, said: str) -> None:
    (statement,) = parse(verbatim(Source("q.sql", sql)), "postgres").statements
    made = ("rep", "x")
    given = lambda place: tuple(place) != made  # noqa: E731
    assert lacking(message, statement.tree, given, lambda place: place == made) == said
