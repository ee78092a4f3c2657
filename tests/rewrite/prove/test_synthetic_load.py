"""Generated tables are what the user's data would be."""

from __future__ import annotations

import pytest

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove.engines import DATA
from unwet.rewrite.prove.synthetic.database import Database, Table
from unwet.rewrite.prove.synthetic.load import fill, open_synthetic

ROWS = Database(
    {
        "db.sales.orders": Table(
            (("id", "BIGINT"), ('the "day"', "DATE"), ("items", 'STRUCT("sku" VARCHAR)[]')),
            (("1", "2024-02-29", "[{'sku': 'a'}]"), (None, None, None)),
        ),
        "plain": Table((), ((), (), ())),
        "notes": Table((("said", "VARCHAR"),), (("it's",), ("",))),
    }
)


def test_a_cell_is_a_value_of_its_column() -> None:
    with open_synthetic(ROWS) as engine:
        assert engine.tables(DATA) == (("main", "notes"), ("main", "plain"), ("sales", "orders"))
        (full, empty) = engine.rows(f"SELECT * FROM {DATA}.sales.orders ORDER BY id")
        assert [str(v) for v in full] == ["1", "2024-02-29", "[{'sku': 'a'}]"]
        assert empty == (None, None, None)
        assert engine.rows(f"SELECT said FROM {DATA}.main.notes") == [("it's",), ("",)]
        assert engine.rows(f"SELECT COUNT(*) FROM {DATA}.main.plain") == [(3,)]


def test_a_world_shows_what_was_filled_last() -> None:
    with open_synthetic(ROWS) as engine:
        fill(engine, Database({"notes": Table((("said", "VARCHAR"),), ())}))
        engine.world("w")
        assert engine.rows("SELECT said FROM w.main.notes") == []
        assert ROWS.rows == 7


def test_a_cell_of_another_type_is_refused() -> None:
    with pytest.raises(EngineError, match="tomorrow"):
        open_synthetic(Database({"t": Table((("d", "DATE"),), (("tomorrow",),))}))
