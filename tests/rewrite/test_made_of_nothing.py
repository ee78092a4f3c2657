"""What is made of no rows has columns with types: another such table is not the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import difference, proves
from unwet.rewrite.prove.render import render_project
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_world import plan_of

PAGES = "CREATE TABLE shop.pages (kind VARCHAR, bytes INTEGER, day DATE)"
EMPTY = (
    "SELECT kind AS k, COUNT(*) AS n FROM shop.pages WHERE 1 = 0 GROUP BY kind",
    "SELECT bytes AS k, kind AS n FROM shop.pages LIMIT 0",
    "SELECT day AS k, SUM(bytes) AS n FROM shop.pages WHERE FALSE GROUP BY day",
)
NOTHING = (
    "SELECT MAX(day) AS d, COUNT(*) AS n, SUM(bytes) AS s FROM shop.pages WHERE 1 = 0",
    "SELECT MAX(kind) AS d, COUNT(*) AS n, SUM(bytes) AS s FROM shop.pages WHERE FALSE",
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SELECT a, b FROM t WHERE FALSE", "SELECT c AS a, b FROM t WHERE 1 = 2"),
        ("SELECT a FROM t LIMIT 0", "SELECT a FROM u WHERE FALSE"),
        ("SELECT MAX(a) AS m FROM t WHERE FALSE", "SELECT MAX(c) AS m FROM t WHERE FALSE"),
        ("SELECT MAX(a) AS m FROM t WHERE FALSE", "SELECT NULL AS m"),
    ],
)
def test_of_other_columns_it_is_not_proved(old: str, new: str) -> None:
    said = difference(plan_of(old), plan_of(new), Normalizer())
    assert said == "not proved: it is made of no rows, and its columns may be of other types"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SELECT a, b FROM t WHERE FALSE", "SELECT a, b FROM (SELECT * FROM t) AS x WHERE 1 = 0"),
        ("SELECT a, b FROM t WHERE b = 1 AND 1 = 2", "SELECT a, b FROM t WHERE 2 = 1 AND 1 = b"),
        ("SELECT MAX(a) AS m FROM t WHERE FALSE", "SELECT MAX(t.a) AS m FROM t WHERE 1 > 2"),
        ("SELECT NULL AS a, 1 AS b", "SELECT * FROM (SELECT NULL AS a, 1 AS b) AS x"),
        ("SELECT a FROM t WHERE b > 1 AND b <= 1", "SELECT a FROM t WHERE NOT b > 1 AND 1 < b"),
    ],
)
def test_of_the_same_columns_it_is(old: str, new: str) -> None:
    assert proves(plan_of(old), plan_of(new), Normalizer())


@pytest.mark.parametrize("queries", [EMPTY, NOTHING])
def test_such_tables_keep_their_types(queries: tuple[str, ...], tmp_path: Path) -> None:
    scripts = [f"CREATE TABLE rep.r{n} AS {query}" for n, query in enumerate(queries)]
    sources = [Source(f"r{n}.sql", text, "duckdb") for n, text in enumerate(scripts)]
    pile = load([Source("pages.sql", PAGES, "duckdb"), *sources], "duckdb")
    result = refactor(pile, Request(out=tmp_path / "out", target="dbt"))
    assert [each.outcome for each in result.verdicts] == ["proved"] * len(queries)
    engine = duckdb.connect()
    for statement in ("CREATE SCHEMA shop", "CREATE SCHEMA rep", PAGES, *scripts):
        engine.execute(statement)
    _same_shapes(engine, tmp_path / "out")


def test_a_temporary_table_that_stays_empty_has_the_declared_types(tmp_path: Path) -> None:
    kinds = ("BIGINT", "INTEGER", "DATE")
    scripts = [f"CREATE TEMP TABLE x{n} (k {kind}, n INTEGER);\n"
               f"CREATE TABLE rep.r{n} AS SELECT k, n FROM x{n} WHERE k IS NOT NULL"
               for n, kind in enumerate(kinds)]  # fmt: skip
    pile = load([Source(f"r{n}.sql", text, "duckdb") for n, text in enumerate(scripts)], "duckdb")
    result = refactor(pile, Request(out=tmp_path / "out", target="dbt"))
    assert [each.outcome for each in result.verdicts] == ["proved"] * len(scripts)
    engine = duckdb.connect()
    for statement in ("CREATE SCHEMA rep", *scripts):
        engine.execute(statement)
    _same_shapes(engine, tmp_path / "out")


def _same_shapes(engine: duckdb.DuckDBPyConnection, project: Path) -> None:
    for model in render_project(project, {}).models:
        shapes = [[column[:2] for column in engine.execute(sql).description or ()]
                  for sql in (f"SELECT * FROM rep.{model.name}", model.sql)]  # fmt: skip
        assert shapes[0] == shapes[1]
