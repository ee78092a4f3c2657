"""Engines for generated data share DuckDBs, one after the other, and never see each other."""

from collections.abc import Iterator

import pytest

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove import guests
from unwet.rewrite.prove.engines import DATA, DuckEngine
from unwet.rewrite.prove.guests import guest


@pytest.fixture(autouse=True)
def no_hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[DuckEngine]]:
    idle: list[DuckEngine] = []
    monkeypatch.setattr(guests, "_idle", idle)
    yield idle
    for host in idle:
        host.close()


def test_the_next_one_finds_nothing(no_hosts: list[DuckEngine]) -> None:
    with guest(5) as first:
        first.execute(f"CREATE TABLE {DATA}.main.t AS SELECT 1 AS a")
        first.execute("CREATE TEMP MACRO one() AS 1")
        first.execute("CREATE TEMP TABLE kept AS SELECT 2 AS b")
        first.world("w")
        first.use("w", "s")
        first.execute("CREATE TABLE u AS SELECT one() + a AS c FROM main.t")
        assert first.rows("SELECT * FROM u") == [(2,)]
    (host,) = no_hosts
    with guest(5) as second:
        assert no_hosts == []
        for sql in (f"FROM {DATA}.main.t", "SELECT one()", "FROM kept", "FROM w.s.u"):
            with pytest.raises(EngineError, match="does not exist"):
                second.rows(sql)
        second.world("w")
        assert second.tables("w") == ()
    assert no_hosts == [host]


def test_two_at_once_are_apart(no_hosts: list[DuckEngine]) -> None:
    with guest(5) as first, guest(5) as second:
        first.execute(f"CREATE TABLE {DATA}.main.t AS SELECT 1 AS a")
        assert (first.tables(DATA), second.tables(DATA)) == ((("main", "t"),), ())
    assert len(no_hosts) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE left_behind AS SELECT 1 AS a",
        'CREATE MACRO "Memory".main.one() AS 1',
        "CREATE SEQUENCE memory.main.numbers",
    ],
)
def test_where_something_may_be_left_is_no_place_for_another(
    no_hosts: list[DuckEngine], sql: str
) -> None:
    with guest(5) as engine:
        engine.execute(sql)
        engine.close()
    assert no_hosts == []


def test_what_cannot_be_reached_by_sql_stays_so(no_hosts: list[DuckEngine]) -> None:
    for _ in range(2):
        with guest(5) as engine:
            for sql in ("ATTACH 'x.db'", "SET threads=2", "COPY (SELECT 1) TO 'x.csv'"):
                with pytest.raises(EngineError, match="is not run here"):
                    engine.execute(sql)
            with pytest.raises(EngineError, match="disabled"):
                engine.rows("FROM read_csv('/etc/hostname')")
    assert len(no_hosts) == 1
