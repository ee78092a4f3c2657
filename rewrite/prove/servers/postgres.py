"""PostgreSQL through ADBC (the extra `postgres`): only read, or writing what is never committed.

Everything runs in transactions that are rolled back. Without a scratch schema they are READ ONLY,
so the server itself refuses to write, whatever a query calls. With one, tables are made in it, and
are gone when the transaction ends, also when this process does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from unwet.lineage.errors import EngineError, UsageError
from unwet.rewrite.prove.engines import Row, Timeout, bare, quote, text
from unwet.rewrite.prove.servers.flavours import Flavour, flavour_of
from unwet.rewrite.prove.servers.secrets import Secrets

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

INSTALL = "pip install 'unwet[postgres]'"
CONNECT_SECONDS = 10

# Names of pg_catalog.format_type -> the names that columns.py knows.
_TYPES = {
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "numeric": "DECIMAL",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "name": "VARCHAR",
    "timestamp without time zone": "TIMESTAMP",
    "unknown": "NULL",
}

# SQLSTATE (PostgreSQL, appendix A: error codes), or its class -> what to do about it.
_HELP = {
    "42501": "grant SELECT to the user that unwet connects as",
    "42P01": "give the data that the pile reads, or the right database, or search_path",
    "42703": "the table has changed since the pile was written, or it is another table",
    "42883": "a column has another type than when the pile was written",
    "42804": "a column has another type than when the pile was written",
    "53100": "the server has no disk space left for what the query has to keep",
    "53": "the server has not enough of what the query needs",
    "54": "the query is larger than the server allows",
    "25006": "give --scratch SCHEMA if it has to write",
    "57P01": "the server was shut down",
    "08": "is the server up?",
}
_CANCELLED = "57014"


class PostgresEngine:
    """One connection. Make it with `open_postgres`; `restart` begins anew."""

    def __init__(
        self, connection: Connection, seconds: float | None, secrets: Secrets, writes: bool
    ) -> None:
        self._connection, self._seconds, self._secrets = connection, seconds, secrets
        self._writes = writes
        self._worker = ThreadPoolExecutor(1, "unwet-postgres")
        self._deadline = 0.0
        self._open = False

    @property
    def flavour(self) -> Flavour:
        return flavour_of("postgres")

    @property
    def forgets(self) -> bool:
        return True

    def restart(self) -> None:
        """A new time limit and, where nothing is written, a new view of the data: all that is
        read until the next call is of one moment."""
        if self._open and not self._writes:
            self._roll_back()
        self._deadline = monotonic() + (self._seconds or 0)

    def rows(self, sql: str) -> list[Row]:
        return self._asked(sql)[0]

    def execute(self, sql: str) -> None:
        if not self._writes:
            raise EngineError("nothing is written here", "give --scratch SCHEMA")
        self._asked(sql, fetch=False)

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        _, names = self._asked(f"SELECT * FROM (\n{bare(sql)}) AS q LIMIT 0")
        if not names:
            return ()
        columns = [f"c{place}" for place in range(len(names))]
        types = ", ".join(f"CAST(pg_typeof(q.{column}) AS TEXT)" for column in columns)
        # no row of the query is made: the join has nothing to find
        (found,) = self.rows(
            f"SELECT {types} FROM (SELECT 1) AS one LEFT JOIN (\n{bare(sql)}) "
            f"AS q({', '.join(columns)}) ON FALSE"
        )
        return tuple(
            (name, _TYPES.get(str(type_), str(type_).upper()))
            for name, type_ in zip(names, found, strict=True)
        )

    def tables(self) -> tuple[tuple[str, str], ...]:
        """(schema, name) of every table and view that the user may see, sorted; those on the
        search path also without their schema."""
        found = self.rows(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2"
        )
        return tuple((str(schema), str(table)) for schema, table in found)

    def path(self) -> tuple[str, ...]:
        """Schemas in which unqualified names are looked up."""
        ((schemas,),) = self.rows("SELECT array_to_string(current_schemas(false), chr(10))")
        return tuple(str(schemas).split("\n"))

    def require_schema(self, schema: str) -> None:
        """Raises UsageError when there is no such schema, or nothing may be made in it."""
        found = self.rows(
            "SELECT has_schema_privilege(nspname, 'CREATE') FROM pg_namespace "
            f"WHERE nspname = {text(schema)}"
        )
        if not found:
            raise UsageError(f"there is no schema {schema}", f"CREATE SCHEMA {quote(schema)}")
        if not found[0][0]:
            raise UsageError(f"nothing may be created in schema {schema}",
                             "grant CREATE on it to the user that unwet connects as")  # fmt: skip

    def close(self) -> None:
        """Roll everything back and hang up."""
        try:
            if self._open:
                self._roll_back()
        finally:
            self._worker.shutdown()
            self._connection.close()

    def _asked(self, sql: str, fetch: bool = True) -> tuple[list[Row], list[str]]:
        """The rows and the names of the columns. Asked by a thread of its own: the driver takes
        Ctrl-C for itself in the main one, and it would be an error of this statement only."""
        future = self._worker.submit(self._ask, sql, fetch)
        try:
            return future.result()
        except KeyboardInterrupt:
            self._connection.adbc_cancel()
            wait([future])
            raise

    def _ask(self, sql: str, fetch: bool) -> tuple[list[Row], list[str]]:
        with self._statement() as cursor:
            cursor.execute(sql)
            rows = list(cursor.fetchall()) if fetch else []
            return rows, [str(column[0]) for column in cursor.description or ()]

    @contextmanager
    def _statement(self) -> Iterator[Cursor]:
        """A cursor within the transaction; after an error the transaction can go on."""
        from adbc_driver_manager.dbapi import Error

        try:
            with self._connection.cursor() as cursor:
                self._begin(cursor)
                cursor.execute("SAVEPOINT unwet")
                yield cursor
                cursor.execute("RELEASE SAVEPOINT unwet")
        except Error as error:
            self._recover()
            raise self._told(error) from None  # the driver's text may name what is secret

    def _begin(self, cursor: Cursor) -> None:
        if not self._open:
            mode = "WRITE" if self._writes else "ONLY"
            cursor.execute(f"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ {mode}")
            self._open = True
        if self._seconds:
            left = max(1, int((self._deadline - monotonic()) * 1000))
            cursor.execute(f"SET LOCAL statement_timeout = {left}")

    def _recover(self) -> None:
        """Back to before the statement; where that is no longer possible, to the beginning."""
        from adbc_driver_manager.dbapi import Error

        try:
            with self._connection.cursor() as cursor:
                cursor.execute("ROLLBACK TO SAVEPOINT unwet")
        except Error:
            self._roll_back()

    def _roll_back(self) -> None:
        from adbc_driver_manager.dbapi import Error

        self._open = False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        except Error as error:  # the connection is gone, and with it the transaction
            raise self._told(error) from None

    def _told(self, error: Exception) -> EngineError:
        state = str(getattr(error, "sqlstate", "") or "")
        if state == _CANCELLED and self._seconds and monotonic() >= self._deadline - 0.01:
            return Timeout(f"stopped after {self._seconds:g} s")
        help_ = _HELP.get(state) or _HELP.get(state[:2], "")
        return EngineError(self._secrets.hide(_message(error)), help_)


def open_postgres(
    dsn: str, seconds: float | None, secrets: Secrets, writes: bool = False
) -> PostgresEngine:
    """Connect. Raises EngineError when the server says no, UsageError without the driver."""
    try:
        from adbc_driver_manager.dbapi import Error
        from adbc_driver_postgresql.dbapi import connect
    except ImportError as error:
        raise UsageError("PostgreSQL needs a driver that is not installed", INSTALL) from error
    joint = "&" if "?" in dsn else "?"
    waits = "" if "connect_timeout=" in dsn else f"{joint}connect_timeout={CONNECT_SECONDS}"
    try:
        # the driver's own transactions cannot go on after an error
        connection = connect(dsn + waits, autocommit=True)
    except Error as error:
        raise EngineError(
            f"cannot connect to PostgreSQL: {secrets.hide(_message(error))}",
            "is it up, and are host, port, database, user and PGPASSWORD right?",
        ) from None
    engine = PostgresEngine(connection, seconds, secrets, writes)
    engine.restart()
    engine.rows("SELECT 1")
    return engine


def _message(error: Exception) -> str:
    """The server's own first line, without the driver's words around it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    chosen: Sequence[str] = [
        line for line in lines if "ERROR:" in line or "FATAL:" in line
    ] or lines
    line = chosen[0] if chosen else type(error).__name__
    for mark in ("ERROR:", "FATAL:"):
        line = line.partition(mark)[2].strip() or line
    return line
