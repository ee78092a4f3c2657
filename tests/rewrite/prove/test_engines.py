"""DuckDB over the user's data: everything readable, nothing writable, nothing else reachable."""

from pathlib import Path

import duckdb
import pytest

from unwet.lineage.errors import EngineError, PathNotFound, UsageError
from unwet.rewrite.prove.engines import DATA, DuckEngine, Timeout, open_duckdb, quote, text


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "Shop data.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA sales")
        connection.execute("CREATE TABLE sales.Orders AS SELECT range AS id FROM range(100)")
        connection.execute("CREATE VIEW sales.few AS SELECT * FROM sales.orders WHERE id < 3")
        connection.execute("CREATE TABLE plain AS SELECT 1 AS x")
    return path


def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    (root / "crm").mkdir(parents=True)
    (root / "orders.csv").write_text("id,day,note\n1,2024-01-31,\n2,2024-02-01,x\n")
    (root / "crm" / "People.csv").write_text("name\nAnn\nBob\n")
    with duckdb.connect() as connection:
        target = root / "crm" / "visits.parquet"
        connection.execute(f"COPY (SELECT 7 AS n) TO {text(str(target))} (FORMAT parquet)")
    return root


def opened(engine: DuckEngine) -> DuckEngine:
    engine.world("w")
    engine.use("w")
    return engine


def test_a_database_file(database: Path) -> None:
    for given in (database, str(database), f"duckdb://{database}", f"duckdb://{database}?a=b"):
        with opened(open_duckdb(given)) as engine:
            assert engine.rows("SELECT count(*) FROM SALES.orders") == [(100,)]
            assert engine.rows("SELECT count(*) FROM sales.few") == [(3,)]
            assert engine.rows("SELECT x FROM plain") == [(1,)]
            assert engine.describe("SELECT * FROM sales.orders -- c\n;") == (("id", "BIGINT"),)


def test_a_folder_of_files(tmp_path: Path) -> None:
    with opened(open_duckdb(folder(tmp_path))) as engine:
        assert engine.rows("SELECT id, CAST(day AS VARCHAR), note FROM orders ORDER BY id") == [
            (1, "2024-01-31", None),
            (2, "2024-02-01", "x"),
        ]
        assert engine.describe("FROM orders")[1] == ("day", "DATE")
        assert engine.rows("SELECT n, name FROM crm.visits, crm.people ORDER BY ALL") == [
            (7, "Ann"),
            (7, "Bob"),
        ]


def test_a_folder_with_one_subfolder_only(tmp_path: Path) -> None:
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "t.csv").write_text("a\n1\n")
    with opened(open_duckdb(tmp_path)) as engine:
        assert engine.rows("SELECT a FROM crm.t") == [(1,)]


def test_a_file_says_its_schema(tmp_path: Path) -> None:
    for name in ("crm.t.csv", "crm.u.CSV", "v.csv", "a.b.c.csv"):
        (tmp_path / name).write_text("a\n1\n")
    with opened(open_duckdb(tmp_path)) as engine:
        for table in ("crm.t", "crm.u", "v", "a"):
            assert engine.rows(f"SELECT a FROM {table}") == [(1,)]


def test_two_files_that_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "crm").mkdir()
    for name in ("crm.T.csv", "crm/t.csv"):
        (tmp_path / name).write_text("a\n1\n")
    with pytest.raises(EngineError, match=r"two files are the table .*crm/t.csv and crm.T.csv"):
        open_duckdb(tmp_path)


def test_nothing(tmp_path: Path) -> None:
    with opened(open_duckdb(None)) as engine:
        assert engine.tables("w") == ()
        engine.execute("CREATE TABLE t AS SELECT 1 AS x")
        assert engine.tables("w") == (("main", "t"),)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd.csv'",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/unwet_stolen.csv'",
        "ATTACH '/tmp/unwet_stolen.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access=true",
        "PRAGMA database_list",
        "EXPORT DATABASE '/tmp/unwet_stolen'",
        "CALL pragma_version()",
        "SELECT 1; SELECT 2",
        "",
        f"INSERT INTO {DATA}.main.plain VALUES (2)",
        f"DROP TABLE {DATA}.main.plain",
        "SELECT * FROM engine",
        "SELEC 1",
    ],
)
def test_what_sql_must_not_do(database: Path, sql: str) -> None:
    with opened(open_duckdb(database)) as engine:
        with pytest.raises(EngineError):
            engine.rows(sql)
        with pytest.raises(EngineError):
            engine.execute(sql)
        assert engine.rows(f"SELECT x FROM {DATA}.main.plain") == [(1,)]


def test_worlds_do_not_see_each_other(database: Path) -> None:
    with open_duckdb(database) as engine:
        engine.world("old")
        engine.world("new")
        engine.use("old")
        engine.execute("DROP VIEW plain")
        engine.execute("CREATE TABLE plain AS SELECT 5 AS x")
        engine.use("new")
        assert engine.rows("SELECT x FROM plain") == [(1,)]
        engine.use("old")
        assert engine.rows("SELECT x FROM plain") == [(5,)]


def test_a_shuffled_world_has_the_same_rows_in_another_order(database: Path) -> None:
    with open_duckdb(database) as engine:
        engine.world("w", shuffle=1)
        engine.use("w")
        ids = [row[0] for row in engine.rows("SELECT id FROM sales.orders")]
        assert sorted(map(int, map(str, ids))) == list(range(100))
        assert ids != list(range(100))


def test_unqualified_names_come_from_the_given_schema(database: Path) -> None:
    with open_duckdb(database) as engine:
        engine.world("w")
        engine.use("w", "sales")
        assert engine.rows("SELECT count(*) FROM orders, plain") == [(100,)]


def test_a_long_query_is_stopped_and_the_engine_goes_on() -> None:
    with open_duckdb(None, seconds=0.2) as engine:
        with pytest.raises(Timeout):
            engine.rows("SELECT sum(a.range * b.range) FROM range(9999999) a, range(9999999) b")
        assert engine.rows("SELECT 1") == [(1,)]


def test_a_missing_place() -> None:
    with pytest.raises(PathNotFound):
        open_duckdb("/nope/x.duckdb")


def test_a_file_that_is_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.duckdb").write_text("hello")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineError) as caught:
        open_duckdb("x.duckdb")
    assert "x.duckdb" in caught.value.message
    assert str(tmp_path) not in caught.value.message  # only what the user gave


def test_passwords_are_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        open_duckdb("postgresql://me:secret@host/db")
    assert "secret" not in str(caught.value) + caught.value.help
    assert "postgresql" in str(caught.value)


def test_two_files_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    (tmp_path / "t.tsv").write_text("a\n1\n")
    with pytest.raises(EngineError):
        open_duckdb(tmp_path)


def test_quoting() -> None:
    assert quote('a"b', "c d") == '"a""b"."c d"'
    assert text("it's") == "'it''s'"
    with open_duckdb(None) as engine:
        assert engine.rows(f"SELECT {text(chr(39) * 3)} AS {quote('x' + chr(34))}") == [("'''",)]


BIG = "SELECT range AS a, md5(CAST(range AS VARCHAR)) AS b FROM range(3000000)"


def test_what_does_not_fit_into_memory_goes_to_disk() -> None:
    with open_duckdb(None, memory="60MB") as engine:
        engine.execute(f"CREATE TABLE memory.main.big AS {BIG}")
        assert engine.rows("SELECT count(*), min(a) FROM memory.main.big") == [(3_000_000, 0)]


def test_a_full_disk() -> None:
    with open_duckdb(None, memory="60MB", disk="1MB") as engine:
        with pytest.raises(EngineError, match="the disk is full") as told:
            engine.execute(f"CREATE TABLE memory.main.big AS {BIG}")
        assert "TMPDIR" in told.value.help
        assert engine.rows("SELECT 1") == [(1,)]
