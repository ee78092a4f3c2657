"""Spark (the extra `spark`): a session of this process, over a folder of files or a catalog.

Spark has no read-only transactions. What keeps it from writing is that only queries are sent, each
inside of one of ours, unless a scratch schema was named; see `forbidden.py` for the functions that
a query may not call.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from unwet.lineage.errors import EngineError, PathNotFound, UsageError
from unwet.rewrite.prove.engines import TABLE_SUFFIXES, Row, Timeout, bare, placed
from unwet.rewrite.prove.servers.flavours import Flavour, flavour_of
from unwet.rewrite.prove.servers.secrets import Secrets
from unwet.rewrite.prove.watchdog import Watchdog

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Result = TypeVar("Result")

INSTALL = "pip install 'unwet[spark]', and a Java 17 or 21 to run it"
_GROUP = "unwet"

# Names of DataType.simpleString -> the names that columns.py knows.
_TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "void": "NULL",
}

_QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
_CSV = {"header": "true", "inferSchema": "true", "escape": '"'}
_LOCAL = {"spark.sql.shuffle.partitions": "4", "spark.sql.catalogImplementation": "in-memory"}

# Condition (Spark, docs/sql-error-conditions) -> what to do about it.
_HELP = {
    "TABLE_OR_VIEW_NOT_FOUND": "give the data that the pile reads",
    "UNRESOLVED_COLUMN": "the table has changed since the pile was written, or it is another table",
    "INSUFFICIENT_PERMISSIONS": "grant SELECT to the user that unwet connects as",
}


class SparkEngine:
    """One session. Make it with `open_spark`."""

    def __init__(
        self, session: SparkSession, seconds: float | None, secrets: Secrets, writes: bool
    ) -> None:
        self._session, self._seconds, self._secrets = session, seconds, secrets
        self._writes = writes
        self._worker = ThreadPoolExecutor(1, "unwet-spark")
        self._watchdog = Watchdog(seconds, self._cancel) if seconds else None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._added: list[str] = []

    @property
    def flavour(self) -> Flavour:
        return flavour_of("spark")

    @property
    def forgets(self) -> bool:
        return False

    def restart(self) -> None:
        """Spark has no view of one moment of all data; each statement has its own time limit."""

    def rows(self, sql: str) -> list[Row]:
        return [tuple(row) for row in self._asked(lambda: self._session.sql(sql).collect())]

    def execute(self, sql: str) -> None:
        if not self._writes:
            raise EngineError("nothing is written here", "give --scratch SCHEMA")
        self._asked(lambda: self._session.sql(sql).collect())

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        query = f"SELECT * FROM (\n{bare(sql)}) AS q"
        fields = self._asked(lambda: self._session.sql(query).schema.fields)
        return tuple((field.name, _type(field.dataType.simpleString())) for field in fields)

    def tables(self) -> tuple[tuple[str, str], ...]:
        """(schema, name) of every table and view of the current catalog, sorted."""
        with self._bounded():
            schemas = [row[0] for row in self._session.sql("SHOW SCHEMAS").collect()]
            found = [
                (schema, table.tableName)
                for schema in schemas
                for table in self._session.sql(f"SHOW TABLES IN {_quoted(schema)}").collect()
                if not table.isTemporary
            ]
        return tuple(sorted(found))

    def path(self) -> tuple[str, ...]:
        """The schema in which unqualified names are looked up."""
        return (str(self._session.catalog.currentDatabase()),)

    def require_schema(self, schema: str) -> None:
        """Raises UsageError when there is no such schema."""
        with self._bounded():
            there = self._session.catalog.databaseExists(schema)
        if not there:
            raise UsageError(f"there is no schema {schema}", f"CREATE SCHEMA {_quoted(schema)}")

    def add_folder(self, root: Path) -> None:
        """Every CSV and Parquet file below a folder as a table: sub-folder = schema. The files
        stay where they are; the catalog is in memory."""
        files = (p for p in sorted(root.rglob("*")) if p.name.lower().endswith(TABLE_SUFFIXES))
        for path, (schema, name) in placed(files, root, "default").items():
            self._asked(partial(self._add, schema, name, path))

    def _add(self, schema: str, name: str, path: Path) -> None:
        self._session.sql(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}")
        parquet = path.name.lower().endswith(".parquet")
        separator = "\t" if ".tsv" in path.name.lower() else ","
        options = {} if parquet else {**_CSV, "sep": separator}
        full, kind = f"{_quoted(schema)}.{_quoted(name)}", "parquet" if parquet else "csv"
        place = str(path.resolve())
        self._session.catalog.createTable(full, place, kind, None, None, **options)
        self._added.append(full)

    def keep(self, folder: tempfile.TemporaryDirectory[str]) -> None:
        """The session is ours, to be ended, and so is this folder, to be removed."""
        self._folder = folder

    def close(self) -> None:
        """End the session that we started; of somebody else's, forget the files."""
        if self._folder is None:
            with self._bounded():
                for table in self._added:
                    self._session.sql(f"DROP TABLE {table}")  # the files of such a table stay
        if self._folder is not None:
            self._session.stop()
            self._folder.cleanup()
        self._worker.shutdown(wait=False)
        if self._watchdog is not None:
            self._watchdog.close()

    def _asked(self, work: Callable[[], Result]) -> Result:
        """What the work gives, done by a thread of its own: after Ctrl-C the main one has to talk
        to Spark, which it cannot while it waits for an answer."""

        def bounded() -> Result:
            with self._bounded():
                return work()

        future = self._worker.submit(bounded)
        try:
            return future.result()
        except KeyboardInterrupt:
            self._cancel()  # the end of the session is the end of what does not listen to that
            raise

    def _cancel(self) -> None:
        self._session.sparkContext.cancelJobGroup(_GROUP)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        self._session.sparkContext.setJobGroup(_GROUP, _GROUP, interruptOnCancel=True)
        try:
            with self._watchdog or nullcontext():
                yield
        except (PySparkException, Py4JError) as error:
            if self._watchdog is not None and self._watchdog.late:
                raise Timeout(f"stopped after {self._seconds:g} s") from None
            raise self._told(error) from None  # the driver's text may name what is secret

    def _told(self, error: Exception) -> EngineError:
        condition = ""
        with contextlib.suppress(AttributeError):
            condition = str(error.getCondition() or "")  # type: ignore[attr-defined]
        help_ = _HELP.get(condition.partition(".")[0], "")
        return EngineError(self._secrets.hide(_message(error)), help_)


def open_spark(
    master: str,
    folder: Path | None,
    seconds: float | None,
    secrets: Secrets,
    writes: bool = False,
    settings: Mapping[str, str] | None = None,
) -> SparkEngine:
    """A session on a master (`local[2]`, `spark://host:7077`), with the tables of a folder, or
    those of the catalog that Spark is configured with. `settings`: Spark's own, by their names.
    Raises UsageError and EngineError."""
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError("Spark needs a package that is not installed", INSTALL) from error
    if folder is not None and not folder.is_dir():
        raise PathNotFound(str(folder), "give a folder of CSV and Parquet files")
    ours = SparkSession.getActiveSession() is None
    warehouse = tempfile.TemporaryDirectory(prefix="unwet-spark-")
    local = _LOCAL if folder is not None else {}
    own = {**_QUIET, "spark.sql.warehouse.dir": warehouse.name, **local, **(settings or {})}
    builder = SparkSession.builder.appName("unwet").master(master)
    for key, value in own.items():
        builder = builder.config(key, value)
    for name in ("SQLQueryContextLogger", "py4j"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # we tell of errors
    try:
        with _silenced(), _same_signals():
            session = builder.getOrCreate()
    except Exception as error:  # Java missing is a RuntimeError, a FileNotFoundError, a Py4JError
        warehouse.cleanup()
        raise EngineError(f"cannot start Spark: {secrets.hide(_message(error))}", INSTALL) from None
    engine = SparkEngine(session, seconds, secrets, writes)
    if ours:
        engine.keep(warehouse)
    else:
        warehouse.cleanup()
    if folder is not None:
        engine.add_folder(folder)
    return engine


@contextmanager
def _same_signals() -> Iterator[None]:
    """Spark takes over Ctrl-C for the rest of the process; here the command that asked ends it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # nor does Spark, there
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _silenced() -> Iterator[None]:
    """Java inherits our standard error and greets on it, at length."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _type(name: str) -> str:
    if name.startswith(("varchar(", "char(")):
        return "VARCHAR"
    return _TYPES.get(name, name.upper())


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _message(error: Exception) -> str:
    """Spark's own first line: without its code, the place in our SQL, and the plan."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    line = re.sub(r"^\[[A-Z_.]+\] ", "", lines[0]) if lines else type(error).__name__
    for mark in (" SQLSTATE:", "; line ", ";\n"):
        line = line.partition(mark)[0]
    return line
