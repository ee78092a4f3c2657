"""Connections that somebody else opened: any driver with Python's DB-API."""

from pathlib import Path

import duckdb
import pytest

import unwet
from tests.rewrite.prove.test_parity import check_all
from unwet.lineage.errors import EngineError, UsageError
from unwet.rewrite.prove.servers.dbapi import Connected


def test_duckdb_through_its_own_connection() -> None:
    with duckdb.connect() as connection, Connected(connection, "duckdb").open(None) as engine:
        check_all(engine, "duckdb")


def test_postgres_through_a_connection_of_adbc(postgres: str) -> None:
    from adbc_driver_postgresql.dbapi import connect

    with connect(postgres) as connection, Connected(connection, "postgres").open(None) as engine:
        check_all(engine, "postgres")


def test_the_api_takes_a_connection(tmp_path: Path) -> None:
    project = tmp_path / "project"
    source = "sources: [{name: shop, tables: [{name: orders}]}]"
    query = "SELECT region, SUM(amount) AS total FROM {} GROUP BY region"
    model = query.format("{{ source('shop', 'orders') }}")
    files = {"dbt_project.yml": "name: p", "models/s.yml": source, "models/r.sql": model}
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    pile = unwet.Source("r.sql", query.format("shop.orders"))
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.orders (region TEXT, amount INT)")
        connection.execute("INSERT INTO shop.orders VALUES ('n', 1), ('n', 2), (NULL, 3)")
        given = unwet.Connected(connection, "duckdb")
        found = unwet.verify(pile, project, dialect="duckdb", data=given)
        (report,) = found.reports
        assert (report.verdict, report.rows_before, report.rows_after) == ("proved", 2, 2)
        wrong = model.replace("SUM(amount)", "MIN(amount)")
        (project / "models/r.sql").write_text(wrong)
        (report,) = unwet.verify(pile, project, dialect="duckdb", data=given).reports
        assert (report.verdict, report.reason.split(";")[0]) == ("failed", "rows 1 modified")
        assert connection.execute("SELECT 1").fetchall() == [(1,)], "it is still open"


def test_errors_and_permissions() -> None:
    with duckdb.connect() as connection:
        with Connected(connection, "duckdb").open(None) as engine:
            with pytest.raises(EngineError, match="nothing is written here"):
                engine.execute("CREATE TABLE t AS SELECT 1")
            with pytest.raises(EngineError, match="nix"):
                engine.rows("SELECT * FROM nix")
            with pytest.raises(UsageError, match="there is no schema no'where"):
                engine.require_schema("no'where")
            assert engine.tables() == ()
        with Connected(connection, "duckdb", "main").open(None) as engine:
            engine.require_schema("main")
            engine.execute("CREATE TABLE t AS SELECT 1 AS a")
            assert engine.tables() == (("main", "t"),)
        unknown = Connected(connection, "oracle").open(None)
        with pytest.raises(UsageError, match="cannot be compared in oracle"), unknown:
            pass
    assert "duckdb" in repr(Connected(connection, "duckdb"))
    assert "Connection" not in repr(Connected(connection, "duckdb"))


@pytest.mark.parametrize(
    ("dialect", "code", "name"),
    [
        ("snowflake", 1, "DOUBLE"),
        ("snowflake", 5, "5"),
        ("redshift", 701, "DOUBLE"),
        ("bigquery", "FLOAT", "DOUBLE"),
        ("trino", "real", "FLOAT"),
        ("trino", "decimal(10, 2)", "DECIMAL(10, 2)"),
        ("trino", "varchar(20)", "VARCHAR"),
        ("postgres", "extension<arrow.opaque[type_name=numeric, vendor_name=x]>", "DECIMAL"),
        ("trino", "row(a bigint)", "ROW(A BIGINT)"),
    ],
)
def test_how_drivers_call_types(dialect: str, code: object, name: str) -> None:
    with Connected(_Cursor(code), dialect).open(None) as engine:
        assert engine.describe("SELECT 1") == (("a", name),)


class _Cursor:
    """A connection and its cursor, with one column of a type."""

    def __init__(self, code: object) -> None:
        self.description = [("a", code, None, None, None, None, None)]

    def cursor(self) -> "_Cursor":
        return self

    def execute(self, sql: str) -> None:
        assert "WHERE 1 = 0" in sql

    def fetchall(self) -> list[object]:
        return []

    def close(self) -> None:
        """Nothing is open."""
