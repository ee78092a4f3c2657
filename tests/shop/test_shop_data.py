"""The rows: the same every time, and as dirty as promised."""

from pathlib import Path

import duckdb
import pytest

from unwet.fixtures.shop.data import build, tables


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("data") / "warehouse.duckdb"
    build(file, scale=0.3)
    return file


def test_the_same_seed_gives_the_same_rows() -> None:
    assert list(tables(3, 0.1)) == list(tables(3, 0.1))
    assert list(tables(3, 0.1)) != list(tables(4, 0.1))


def test_every_table_has_rows(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        names = connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables "
            "WHERE table_schema <> 'reporting'"  # made by hand, and never filled
        ).fetchall()
        assert len(names) == 27
        for (name,) in names:
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() != (0,), name


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM shop.orders GROUP BY ALL HAVING count(*) > 1",
        "SELECT order_id FROM shop.orders GROUP BY 1 HAVING count(DISTINCT _loaded_at) > 1",
        "SELECT 1 FROM shop.orders WHERE is_test",
        "SELECT 1 FROM shop.orders WHERE deleted_at IS NOT NULL",
        "SELECT 1 FROM shop.orders WHERE currency = 'CHF'",
        "SELECT 1 FROM shop.order_lines WHERE quantity IS NULL AND unit_price_cents IS NOT NULL",
        "SELECT 1 FROM shop.orders ANTI JOIN shop.customers USING (customer_id)",
        "SELECT 1 FROM shop.orders WHERE date_trunc('month', created_at) <> date_trunc('month', "
        "created_at AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin')",
        "SELECT 1 FROM stripe.charges WHERE (data ->> 'fee') IS NULL",
    ],
)
def test_what_breaks_careless_rewriting_is_there(warehouse: Path, sql: str) -> None:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert connection.execute(sql).fetchall()
