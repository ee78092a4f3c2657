"""Functions that nobody knows, as macros."""

from __future__ import annotations

import pytest

from unwet.lineage.parse import Script, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.prove.engines import open_duckdb
from unwet.rewrite.prove.synthetic.stubs import calls, macro, missing
from unwet.rewrite.prove.synthetic.types import TEXT, Kind, SqlType

TYPES: tuple[tuple[Kind, str], ...] = (
    ("boolean", "BOOLEAN"),
    ("integer", "BIGINT"),
    ("decimal", "DECIMAL(18,4)"),
    ("double", "DOUBLE"),
    ("text", "VARCHAR"),
    ("date", "DATE"),
    ("timestamp", "TIMESTAMP"),
    ("time", "TIME"),
    ("json", "JSON"),
    ("interval", "INTERVAL"),
    ("bytes", "BLOB"),
)


def script(sql: str) -> Script:
    return parse(mask(Source("s.sql", sql)), "bigquery")


def test_calls_are_found_with_their_arguments() -> None:
    sql = "SELECT a.b.f(x), f(x, y), upper(x), (a.b.f(x, g(y))).z FROM t"
    found = calls([script(sql)])
    assert found == {"a.b.f": frozenset({1, 2}), "f": frozenset({2}), "g": frozenset({1})}


@pytest.mark.parametrize(("kind", "duckdb"), TYPES)
def test_a_stub_has_its_type(kind: Kind, duckdb: str) -> None:
    with open_duckdb(None) as engine:
        engine.execute(macro("f", [1], SqlType(kind)))
        assert engine.describe("SELECT f(1) AS x") == (("x", duckdb),)


def test_structs_and_arrays() -> None:
    kind = SqlType("array", SqlType("struct", None, (("a b", SqlType("date")),)))
    with open_duckdb(None) as engine:
        engine.execute(macro("u.f", [0], kind))
        assert engine.describe('SELECT "u.f"() AS x') == (("x", 'STRUCT("a b" DATE)[]'),)


def test_equal_arguments_give_equal_results_and_others_mostly_do_not() -> None:
    with open_duckdb(None) as engine:
        engine.execute(macro("f", [1], SqlType("text")))
        engine.execute(macro("g", [1], SqlType("text")))
        sql = "SELECT count(*), count(DISTINCT f(n)), bool_or(f(n) = g(n)) FROM range(20) t(n)"
        ((rows, different, same),) = engine.rows(sql)
        assert rows == 20
        assert int(str(different)) > 15
        assert same is False


def test_only_what_is_missing_is_made() -> None:
    with open_duckdb(None) as engine:
        made = missing(engine, ["u.f", "lower"])
        for name in made:
            engine.execute(macro(name, [1, 2], TEXT))
        assert made == ("u.f",)
        assert engine.rows('SELECT "u.f"(1) = "u.f"(1, 2)') == [(False,)]
