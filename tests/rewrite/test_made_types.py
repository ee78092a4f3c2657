"""The types of columns that queries make: those of DuckDB and PostgreSQL; what rests on them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from unwet import refactor
from unwet.lineage.catalog import build_catalog
from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.made_types import made_types
from unwet.tests.rewrite.prove.servers import postgres_server, run_sql

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "made_types"
TABLE = ("CREATE TABLE t (i INTEGER, b BIGINT, s SMALLINT, n DECIMAL(10, 2), v VARCHAR(20), "
         "x TEXT, d DATE, ts TIMESTAMP, f BOOLEAN, r DOUBLE PRECISION, c CHAR(5))")  # fmt: skip
LINES = (FOLDER / "expressions.sql").read_text(encoding="utf-8").splitlines()
EXPRESSIONS = [line for line in LINES if not line.startswith("--")]
SCRIPT = re.compile(r"^-- (.+)\n(create .+)$", re.MULTILINE)
SCRIPTS = SCRIPT.findall((FOLDER / "scripts.sql").read_text(encoding="utf-8"))
SCHEMA = (
    "CREATE TABLE shop.o (id INTEGER, customer INTEGER, status VARCHAR, amount DECIMAL(10, 2), "
    "day DATE); CREATE TABLE shop.n (id INTEGER, status VARCHAR, amount DECIMAL(14, 4), "
    "qty INTEGER);"
)


def said(item: str, dialect: str, table: str = TABLE) -> str:
    """What is said of the one column that a query makes."""
    made = f"CREATE TABLE made AS SELECT {item} AS a FROM t"
    source = Source("x.sql", f"{table}; {made}", dialect)
    script = parse(mask(source), dialect)
    catalog, _ = build_catalog([script])
    query = resolve(script.statements[-1], catalog).query
    assert query is not None
    return next(iter(made_types(query)), "")


UNIONS = [("i", "b"), ("b", "i"), ("s", "i"), ("s", "s"), ("n", "CAST(i AS DECIMAL(14, 4))"),
          ("n", "n"), ("CAST(i AS DECIMAL(38, 2))", "CAST(i AS DECIMAL(38, 4))"), ("i", "1"),
          ("s", "1"), ("1", "s"), ("n", "i"), ("i", "n"), ("i", "r"), ("v", "x"),
          ("i", "NULL"), ("i + 1", "b")]  # fmt: skip


def same(one: str, other: str, dialect: str) -> bool:
    """Whether two names are those of one type."""
    both = [exp.DataType.build(each, dialect=dialect) for each in (one, other)]
    return both[0] == both[1] or {each.this for each in both} == {exp.DType.TEXT, exp.DType.VARCHAR}


def kind_of(query: str, database: duckdb.DuckDBPyConnection) -> str:
    """The type of the column of a table that the query, without its SELECT, makes."""
    database.execute(f"CREATE OR REPLACE TABLE made AS SELECT {query}")
    [(kind,)] = database.execute("SELECT column_type FROM (DESCRIBE made)").fetchall()
    return str(kind)


def test_as_duckdb_makes_them() -> None:
    known = 0
    with duckdb.connect() as made:
        made.execute(TABLE)
        for item in EXPRESSIONS:
            kind = kind_of(f"{item} AS a FROM t", made)
            kind = "DECIMAL(38, 0)" if kind == "HUGEINT" else kind
            told = said(item, "duckdb")
            assert not told or same(told, kind, "duckdb"), (item, told, kind)
            known += bool(told)
    assert known > 50


def union(pair: tuple[str, str]) -> str:
    """The second branch of a query, as the end of the first one's."""
    return f"{pair[0]} AS a FROM t UNION ALL SELECT {pair[1]}"


def test_unions_as_duckdb_makes_them() -> None:
    known = 0
    with duckdb.connect() as made:
        made.execute(TABLE)
        for pair in UNIONS:
            kind = kind_of(f"{union(pair)} AS a FROM t", made)
            told = said(union(pair), "duckdb")
            assert not told or same(told, kind, "duckdb"), (pair, told, kind)
            known += bool(told)
    assert known >= 7


def test_as_postgres_makes_them() -> None:
    from adbc_driver_postgresql.dbapi import connect

    known = 0
    items = [*(item for item in EXPRESSIONS if "d + 1" not in item), *map(union, UNIONS[:-3])]
    with postgres_server() as dsn:
        run_sql(dsn, TABLE, *(f"CREATE TABLE made_{number} AS SELECT {item} AS a FROM t"
                              for number, item in enumerate(items)))  # fmt: skip
        with connect(dsn) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT attrelid::regclass::text, format_type(atttypid, atttypmod) "
                           "FROM pg_attribute WHERE attname = 'a'")  # fmt: skip
            kinds = {str(name): str(kind) for name, kind in cursor.fetchall()}
    for number, item in enumerate(items):
        told, kind = said(item, "postgres"), kinds[f"made_{number}"]
        assert not told or same(told, kind, "postgres"), (item, told, kind)
        known += bool(told)
    assert known > 50


@pytest.mark.parametrize(
    ("dialect", "item", "kind"),
    [
        ("tsql", "'abc'", "VARCHAR(3)"),
        ("tsql", "CASE WHEN i > 1 THEN 'a' ELSE 'bcd' END", "VARCHAR(3)"),
        ("tsql", "N'ab'", "NVARCHAR(2)"),
        ("tsql", "COUNT(*)", "INT"),
        ("tsql", "COUNT_BIG(*)", "BIGINT"),
        ("tsql", "SUM(i)", "INT"),
        ("tsql", "v", "VARCHAR(20)"),
        ("tsql", "ISNULL(v, 'none at all, of any kind')", ""),
        ("tsql", "v + 'x'", ""),
        ("snowflake", "COUNT(*)", "DECIMAL(18, 0)"),
        ("snowflake", "10", "DECIMAL(2, 0)"),
        ("bigquery", "COUNT(*)", "INT64"),
        ("bigquery", "n", "NUMERIC"),
        ("databricks", "x", "STRING"),
        ("databricks", "v", ""),
        ("databricks", "SUM(n)", "DECIMAL(20, 2)"),
        ("tsql", "i + 1", "INTEGER"),
        ("tsql", "s + s", "SMALLINT"),
        ("tsql", "n * n", "DECIMAL(21, 4)"),
        ("tsql", "n + CAST(i AS DECIMAL(14, 4))", "DECIMAL(15, 4)"),
        ("tsql", "n * i", ""),
        ("tsql", "CAST(i AS DECIMAL(30, 2)) * n", ""),
        ("tsql", union(("i", "b")), "BIGINT"),
        ("tsql", union(("n", "CAST(i AS DECIMAL(14, 4))")), "DECIMAL(14, 4)"),
        ("trino", "n * n", "DECIMAL(20, 4)"),
        ("trino", "n + n", "DECIMAL(11, 2)"),
        ("databricks", "n * n", "DECIMAL(21, 4)"),
        ("spark", "i * b", "BIGINT"),
        ("redshift", "i + s", "INTEGER"),
        ("redshift", "n + n", ""),
        ("bigquery", "i + 1", "INT64"),
        ("bigquery", "n * i", "NUMERIC"),
        ("snowflake", "i + 1", ""),
        ("mysql", "i + 1", ""),
        ("mysql", "i", ""),
        ("oracle", "i", ""),
    ],
)
def test_in_other_dialects(dialect: str, item: str, kind: str) -> None:
    table = TABLE.replace("BOOLEAN", "BIT") if dialect == "tsql" else TABLE
    assert said(item, dialect, table) == kind


def test_not_of_a_table_that_changes_its_types() -> None:
    assert said("i", "postgres", f"{TABLE}; ALTER TABLE t ALTER COLUMN i TYPE BIGINT") == ""


def data(path: Path, seed: int) -> str:
    """A DuckDB file with NULLs and numbers of many digits; MERGE meets each row once."""
    rng = random.Random(seed)
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE SCHEMA shop")
        made.execute(SCHEMA)
        for number in rng.sample(range(9), 6):
            row = [number, rng.choice([None, 1, 2]), rng.choice([None, "a", "b"]),
                   rng.choice([None, 1, 20.25, 7.77]),
                   rng.choice([None, "2024-01-01"])]  # fmt: skip
            made.execute("INSERT INTO shop.o VALUES (?, ?, ?, ?, ?)", row)
        for number in rng.sample(range(9), 6):
            row = [number, rng.choice([None, "a"]), rng.choice([None, 1.2345, 3.3333, 0.005]),
                   rng.choice([None, 1, 2])]  # fmt: skip
            made.execute("INSERT INTO shop.n VALUES (?, ?, ?, ?)", row)
    return str(path)


@pytest.mark.parametrize(("title", "script"), SCRIPTS, ids=[title for title, _ in SCRIPTS])
def test_what_is_changed_later_has_the_types_of_the_query(
    tmp_path: Path, title: str, script: str
) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    (pile / "schema.sql").write_text(SCHEMA, encoding="utf-8")
    (pile / "r.sql").write_text(script, encoding="utf-8")
    for seed in range(3):
        rows = data(tmp_path / f"{seed}.duckdb", seed)
        result = refactor(pile, tmp_path / "out", dialect="duckdb", data=rows, force=True)
        assert [(each.outcome, each.reason) for each in result.verdicts] == [("proved", "")], title


def test_without_a_certain_type_it_is_kept() -> None:
    made = "create table r as select id, amount / 2.0 as a from shop.o"
    text = f"{made}; update r set a = 1 where id = 1"
    result = refactor([Source("schema.sql", SCHEMA, "postgres"), Source("r.sql", text, "postgres")],
                      dialect="postgres")  # fmt: skip
    [verdict] = result.verdicts
    assert verdict.outcome == "kept"
    assert "UPDATE casts to the type of a, which is not known" in verdict.reason
