"""Real engines for the tests: a PostgreSQL server of our own on a socket in a temporary folder, and
Spark in this machine's Java. Without them tests are skipped, or fail where all are required."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from unwet.rewrite.prove.servers.postgres import PostgresEngine, open_postgres
from unwet.rewrite.prove.servers.secrets import Secrets

USER = "unwet_tester"


def missing(what: str) -> None:
    """Skip, or fail where everything has to be there."""
    if os.environ.get("UNWET_REQUIRE_ALL"):
        pytest.fail(f"{what} is not there, and UNWET_REQUIRE_ALL is set")
    pytest.skip(f"{what} is not there")


def _program(name: str) -> str:
    """A program of the server: on the path, or where Debian puts it."""
    found = shutil.which(name)
    if found:
        return found
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not places:
        missing(f"{name} of PostgreSQL")
    return str(places[-1])


def _as_other(command: list[str]) -> list[str]:
    """The server refuses to run as root."""
    return ["runuser", "-u", "nobody", "--", *command] if os.geteuid() == 0 else command


@contextmanager
def postgres_server() -> Iterator[str]:
    """A server without any data; gives the DSN of its superuser, over a socket only."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    # not pytest's folder: the path of a socket has at most 107 characters
    with tempfile.TemporaryDirectory(prefix="unwet-pg-") as home:
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        data = f"{home}/data"
        new = [initdb, "-D", data, "-U", USER, "--auth=trust", "-N", "--no-instructions"]
        subprocess.run(_as_other(new), check=True, capture_output=True, cwd=home)
        settings = f"-c listen_addresses='' -c fsync=off -k {home}"
        start = [pg_ctl, "-D", data, "-w", "-s", "-l", f"{home}/log", "-o", settings, "start"]
        subprocess.run(_as_other(start), check=True, cwd=home, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql:///postgres?host={home}&user={USER}"
        finally:
            stop = [pg_ctl, "-D", data, "-m", "immediate", "-s", "stop"]
            subprocess.run(_as_other(stop), check=True, cwd=home, stdout=subprocess.DEVNULL)


def run_sql(dsn: str, *statements: str) -> None:
    """Statements that stay, as the superuser: what a test needs on the server."""
    from adbc_driver_postgresql.dbapi import connect

    with connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def connected(
    dsn: str, seconds: float | None = 60, writes: bool = False
) -> Iterator[PostgresEngine]:
    engine = open_postgres(dsn, seconds, Secrets(), writes)
    try:
        yield engine
    finally:
        engine.close()
