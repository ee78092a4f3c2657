"""What the engine complains of, and what is done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unwet.lineage.errors import EngineError
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.prove.engines import open_duckdb
from unwet.rewrite.prove.strength import CLOCK
from unwet.rewrite.prove.synthetic.database import Database, Table
from unwet.rewrite.prove.synthetic.diagnosis import (
    MissingColumn,
    MissingField,
    MissingFunction,
    Trouble,
    WrongType,
    diagnose,
)
from unwet.rewrite.prove.synthetic.infer import infer
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.repair import Repair
from unwet.rewrite.prove.synthetic.types import SqlType
from unwet.rewrite.prove.synthetic.units import units

TABLE = "CREATE TEMP TABLE t (a BIGINT, b VARCHAR, c DATE, s STRUCT(x INTEGER))"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT zz FROM t", MissingColumn("zz")),
        ("SELECT u.zz FROM t AS u", MissingColumn("zz", "u")),
        ("SELECT * EXCLUDE (zz) FROM t", MissingColumn("zz")),
        ("WITH q AS (SELECT a FROM t) SELECT q.zz FROM q", MissingColumn("zz", "q")),
        ("SELECT lax_thing(b) FROM t", MissingFunction("lax_thing")),
        ("SELECT sum(b) FROM t", WrongType(("sum", "b"), ("VARCHAR",), "double")),
        ("SELECT upper(a) FROM t", WrongType(("upper", "a"), ("BIGINT",), "text")),
        ("SELECT coalesce(a, c) FROM t",
         WrongType(("coalesce", "a", "c"), ("BIGINT", "DATE"), None)),
        ("SELECT unnest(b) FROM t", WrongType(("unnest", "b"), ("VARCHAR",), "array")),
        ("SELECT date_part('day', a) FROM t",
         WrongType(("date_part", "day", "a"), ("STRING_LITERAL", "BIGINT"), "timestamp")),
        ("SELECT CASE WHEN b BETWEEN 0 AND 9 THEN a END FROM t",
         WrongType(("b", "between", "and"), ("VARCHAR", "INTEGER_LITERAL"), None)),
        ("SELECT CASE WHEN a = 1 THEN {'x': a, 'y': b} ELSE {'y': c, 'x': a} END FROM t",
         WrongType(("y",), ("DATE", "VARCHAR"), None)),
        ("SELECT CASE WHEN a = 1 THEN {'o': {'x': b}} ELSE {'o': {'x': a}} END FROM t",
         WrongType(("x",), ("BIGINT", "VARCHAR"), None)),
        ("SELECT (t.b).city FROM t", MissingField("city", "", ("b",))),
        ("SELECT 1 FROM t WHERE c > a", WrongType(("c", "a"), ("DATE", "BIGINT"), None)),
    ],
)  # fmt: skip
def test_complaints_of_the_engine(sql: str, expected: Trouble) -> None:
    with open_duckdb(None) as engine:
        engine.execute(TABLE)
        with pytest.raises(EngineError) as raised:
            engine.rows(sql)
    assert diagnose(str(raised.value.__cause__)) == expected


def test_the_column_beside_the_sign_comes_first() -> None:
    with open_duckdb(None) as engine:
        engine.execute(TABLE)
        with pytest.raises(EngineError) as raised:
            engine.rows("SELECT b - INTERVAL 1 DAY FROM t")
    trouble = diagnose(str(raised.value.__cause__))
    assert isinstance(trouble, WrongType)
    assert trouble.columns[0] == "b"
    assert trouble.wanted == "timestamp"


def test_what_is_no_trouble_of_tables_is_none() -> None:
    assert diagnose('Parser Error: syntax error at or near ")"') is None


def pile(sql: str, dialect: str = "duckdb") -> Meaning:
    return meaning_of(load([Source("case.sql", sql)], dialect))


def test_a_unit_that_runs_needs_nothing() -> None:
    inferred = infer(pile("SELECT t.a FROM t WHERE t.b > 3"))
    repair = Repair(inferred, CLOCK)
    (unit,) = units(inferred.meaning)
    assert repair.fit(unit).failure == ""
    assert repair.fit(unit).notes == ()
    assert repair.inferred is inferred


def test_wrong_types_and_missing_columns_are_mended_and_told() -> None:
    inferred = infer(pile("SELECT t.a + 1 AS n, upper(t.b) AS m, t.c FROM t"))
    wrong = {"a": SqlType("boolean"), "b": SqlType("integer")}
    repair = Repair(replace(inferred, tables={"t": wrong}), CLOCK)
    (unit,) = units(inferred.meaning)
    fit = repair.fit(unit)
    assert fit.failure == ""
    assert repair.inferred.tables["t"]["b"].kind == "text"
    assert sorted(repair.inferred.tables["t"]) == ["a", "b", "c"]
    assert "t has a column c" in fit.notes
    assert "t.b is VARCHAR, not BIGINT" in fit.notes


def test_declared_types_are_not_touched() -> None:
    inferred = infer(pile("SELECT upper(t.b) AS m FROM t"))
    declared = {"t": {"b": SqlType("integer", evidence="declared")}}
    (unit,) = units(inferred.meaning)
    fit = Repair(replace(inferred, tables=declared), CLOCK).fit(unit)
    assert "upper(BIGINT)" in fit.failure
    assert fit.notes == ()


def test_functions_that_the_engine_lacks_become_macros_of_the_database() -> None:
    inferred = infer(pile("SELECT udf.f(t.a) AS x, LAX_BOOL(t.j) AS y FROM t", "bigquery"))
    (unit,) = units(inferred.meaning)
    fit = Repair(inferred, CLOCK).fit(unit)
    assert fit.failure == ""
    assert fit.notes == ("the function lax_bool is a stub",)
    table = Table((("a", "BIGINT"),), (("1",),))
    with open_synthetic(Database({"t": table}, macros=fit.macros)) as engine:
        assert engine.describe('SELECT "udf.f"(1) AS x') == (("x", "VARCHAR"),)
        assert engine.describe("SELECT lax_bool('1') AS y") == (("y", "BOOLEAN"),)


@pytest.mark.parametrize(
    ("dialect", "name", "rest", "kind"),
    [
        ("postgres", "width_bucket", ", 0, 10, 5", "BIGINT"),
        ("bigquery", "safe_add", ", 1", "DOUBLE"),
        ("bigquery", "parse_numeric", "", "DECIMAL(18,4)"),
        ("mysql", "substring_index", ", ',', 1", "VARCHAR"),
    ],
)
def test_what_only_the_parser_knows_is_of_its_type(
    dialect: str, name: str, rest: str, kind: str
) -> None:
    call = f"{name}(t.a{rest})"
    inferred = infer(pile(f"SELECT {call} AS x FROM t WHERE {call} IS NOT NULL", dialect))
    (unit,) = units(inferred.meaning)
    fit = Repair(inferred, CLOCK).fit(unit)
    assert (fit.failure, fit.notes) == ("", (f"the function {name} is a stub",))
    with open_synthetic(Database({}, macros=fit.macros)) as engine:
        assert engine.describe(f"SELECT {name}(1{rest}) AS x") == (("x", kind),)


@pytest.mark.parametrize(
    ("sql", "note"),
    [
        ("SELECT IF(q.n BETWEEN 0 AND 9, q.n, 0) AS n FROM (SELECT udf.f(t.a) AS n FROM t) AS q",
         "the function udf.f returns BIGINT"),
        ("SELECT udf.f(t.a).major AS x, udf.f(t.a).minor AS y FROM t",
         'the function udf.f returns STRUCT("major" VARCHAR, "minor" VARCHAR)'),
        ("SELECT q.geo.city, q.geo.country FROM (SELECT udf.f(t.a) AS geo FROM t) AS q",
         'the function udf.f returns STRUCT("city" VARCHAR, "country" VARCHAR)'),
    ],
)  # fmt: skip
def test_what_a_stub_returns_is_what_is_read_of_it(sql: str, note: str) -> None:
    inferred = infer(pile(sql, "bigquery"))
    blank = replace(inferred, functions={})
    (unit,) = units(inferred.meaning)
    fit = Repair(blank, CLOCK).fit(unit)
    assert fit.failure == ""
    assert fit.notes == (note,)


def test_two_structs_have_fields_of_one_type() -> None:
    text = (
        "SELECT IF(u.k IS NOT NULL, u, w).* FROM (SELECT t.k, udf.f(t.a) AS n FROM t) AS u "
        "FULL JOIN (SELECT s.k, s.n FROM s WHERE s.n > 3) AS w ON u.k = w.k"
    )
    inferred = infer(pile(text, "bigquery"))
    (unit,) = units(inferred.meaning)
    fit = Repair(replace(inferred, functions={}), CLOCK).fit(unit)
    assert fit.failure == ""
    assert fit.notes


def test_what_cannot_be_mended_is_told() -> None:
    inferred = infer(pile("SELECT t.a FROM t WHERE t.a IN (SELECT u.b, u.c FROM u)"))
    (unit,) = units(inferred.meaning)
    fit = Repair(inferred, CLOCK).fit(unit)
    assert fit.failure.startswith("case.sql:1: ")
