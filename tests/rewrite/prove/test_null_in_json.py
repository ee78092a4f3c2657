"""A null within JSON is no NULL, but compared with anything it is: both sides on DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as Checking
from unwet.rewrite.verify import verify
from unwet.tests.rewrite.small_pile import models

APART = [
    ("(v > 3) is null", "v is null"),
    ("(v > 3) is not null", "v is not null"),
    ("not coalesce(v = 1, false)", "v <> 1 or v is null"),
    ("(v > 3) is not true", "v <= 3 or v is null"),
]
MADE = {"duckdb": "JSON", "snowflake": "VARIANT", "redshift": "SUPER", "postgres": "INT"}


def pile(dialect: str, *conditions: str) -> Pile:
    made = f"create table t (id int, v {MADE[dialect]});"
    reports = (
        f"create table r{n} as select id from t where {c};" for n, c in enumerate(conditions)
    )
    return load([Source("a.sql", "\n".join((made, *reports)), dialect)])


@pytest.fixture
def engine() -> duckdb.DuckDBPyConnection:
    base = duckdb.connect()
    base.execute("create table t (id int, v json)")
    base.execute("insert into t values (1, 'null'), (2, '1'), (3, '5'), (4, null)")
    return base


def rows(engine: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return sorted(engine.sql(sql.replace("main.t", "t")).fetchall())


@pytest.mark.parametrize(("one", "other"), APART)
def test_the_models_have_their_rows(
    engine: duckdb.DuckDBPyConnection, one: str, other: str, tmp_path: Path
) -> None:
    queries = [f"select id from t where {each}" for each in (one, other)]
    assert rows(engine, queries[0]) != rows(engine, queries[1])
    found = refactor(pile("duckdb", one, other), Request(out=tmp_path, force=True)).verdicts
    assert {each.outcome for each in found} == {"proved"}
    made = models(tmp_path)
    for each, query in zip(("r0", "r1"), queries, strict=True):
        assert rows(engine, made[each].replace('"main"."t"', "t")) == rows(engine, query)


@pytest.mark.parametrize("dialect", MADE)
@pytest.mark.parametrize(("one", "other"), APART)
def test_one_is_not_proved_to_be_the_other(
    dialect: str, one: str, other: str, tmp_path: Path
) -> None:
    refactor(pile(dialect, other), Request(out=tmp_path, force=True))
    (checked,) = verify(pile(dialect, one), Checking(tmp_path)).reports
    assert (checked.verdict == "proved") is (dialect == "postgres")
