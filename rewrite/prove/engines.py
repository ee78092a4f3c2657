"""Whatever runs SQL: a small protocol, and DuckDB behind it, shut off from the outside world.

The user's data is only ever read. Each *world* is an in-memory catalog that shows the same data
under the same schema and table names; statements write into worlds, never into the data. So the
legacy scripts, the same scripts over shuffled input and the new project each have their own.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from unwet.lineage.errors import EngineError, PathNotFound, UsageError
from unwet.rewrite.prove import interrupts
from unwet.rewrite.prove.watchdog import Watchdog

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

Row = tuple[object, ...]

DATA = "unwet_data"  # the catalog that holds, or is, the user's data
TABLE_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")

# What legacy text may make the engine do. Everything else (COPY, ATTACH, INSTALL, SET, PRAGMA,
# CALL, EXPORT ...) can reach outside or change the rules of the test.
ALLOWED = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "CREATE", "DROP", "ALTER", "EXPLAIN"}
)


class Timeout(EngineError):
    """A statement ran longer than it was allowed to."""


class Engine(Protocol):
    """Runs one statement at a time; raises EngineError."""

    def rows(self, sql: str) -> list[Row]:
        """All rows of a query."""
        ...

    def execute(self, sql: str) -> None:
        """Run a statement for its effect."""
        ...

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        """Name and type of each column of a query, without running it."""
        ...


def quote(*names: str) -> str:
    """A (dotted) identifier, quoted: the only way a name gets into SQL text here."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def text(value: str) -> str:
    """A string literal, quoted."""
    return "'" + value.replace("'", "''") + "'"


class DuckEngine:
    """DuckDB in memory, over data that it can only read. Make it with `open_duckdb`."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        seconds: float | None,
        cpu: bool,
        spill: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        self._connection = connection
        self._seconds = seconds
        self._watchdog = Watchdog(seconds, connection.interrupt, cpu) if seconds else None
        self._spill = spill
        self._attached: dict[str, None] = {}
        self._given: tuple[tuple[str, str], ...] | None = None  # the tables of the data, once asked
        # how the data's columns are declared where it comes from, by their names
        self.declared: Mapping[str, frozenset[str]] = {}
        self._stop = connection.interrupt
        interrupts.listen(self._stop)

    def rows(self, sql: str) -> list[Row]:
        with self._bounded():
            return list(self._connection.execute(self._checked(sql)).fetchall())

    def execute(self, sql: str) -> None:
        if DATA in sql.lower():
            self._given = None
        with self._bounded():
            self._connection.execute(self._checked(sql))

    def load(self, table: str, types: Mapping[str, str], columns: Sequence[list[object]]) -> None:
        """A temporary table of values; `types`: name -> type, in the order of `columns`."""
        made = ", ".join(
            f"unnest(CAST(? AS {type_}[])) AS {quote(name)}" for name, type_ in types.items()
        )
        with self._bounded():
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {quote(table)} AS SELECT {made}", list(columns)
            )

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        return tuple((str(row[0]), str(row[1])) for row in self.rows(f"DESCRIBE {bare(sql)}"))

    def world(self, name: str, shuffle: int | None = None) -> None:
        """A new catalog `name` with every schema and table of the data as a view.

        `shuffle`: a seed; the views then return their rows in another order.
        """
        self.attach(name)
        for schema, table in self.tables(DATA):
            self._trusted(f"CREATE SCHEMA IF NOT EXISTS {quote(name, schema)}")
            query = f"SELECT * FROM {quote(DATA, schema, table)}"
            if shuffle is not None:
                query += f" AS r ORDER BY hash(r, {int(shuffle)})"
            self._trusted(f"CREATE VIEW {quote(name, schema, table)} AS {query}")

    def attach(self, name: str) -> None:
        """A new catalog without anything in it."""
        self._trusted(f"ATTACH ':memory:' AS {quote(name)}")
        self._attached[name] = None
        self._given = None if name == DATA else self._given

    def forget(self, name: str) -> None:
        """Give a world's memory back, if there is one of that name."""
        self._trusted("SET search_path='memory.main'")
        self._trusted(f"DETACH DATABASE IF EXISTS {quote(name)}")
        self._attached.pop(name, None)
        self._given = None if name == DATA else self._given

    def use(self, world: str, schema: str = "") -> None:
        """Resolve names in `world`; unqualified ones in `schema` first, then in its main schema."""
        if schema:
            self._trusted(f"CREATE SCHEMA IF NOT EXISTS {quote(world, schema)}")
        path = [quote(world, schema)] if schema else []
        self._trusted(f"SET search_path={text(','.join([*path, quote(world, 'main')]))}")

    def tables(self, catalog: str) -> tuple[tuple[str, str], ...]:
        """(schema, name) of every table and view in a catalog, sorted. Those of the data are looked
        for once: that takes as long as it does to make five tables."""
        if catalog != DATA:
            return self._tables(catalog)
        if self._given is None:
            self._given = self._tables(DATA)
        return self._given

    def _tables(self, catalog: str) -> tuple[tuple[str, str], ...]:
        halves = (
            f"SELECT schema_name, {kind}_name FROM duckdb_{kind}s() "
            f"WHERE NOT internal AND database_name={text(catalog)}"
            for kind in ("table", "view")
        )
        found = self.rows(" UNION ALL ".join(halves) + " ORDER BY ALL")
        return tuple((str(schema), str(table)) for schema, table in found)

    def connected(self) -> DuckDBPyConnection:
        """Another connection to the same DuckDB. It has its own temporary tables and macros, and
        shares catalogs and settings."""
        return self._connection.cursor()

    def deaf(self) -> DuckEngine:
        """Leaves Ctrl-C to the other connections: only they run anything from now on."""
        interrupts.forget(self._stop)
        return self

    def close(self) -> None:
        """Give memory and spill space back."""
        if self._watchdog is not None:
            self._watchdog.close()
        interrupts.forget(self._stop)
        self._connection.close()
        if self._spill is not None:
            self._spill.cleanup()

    def __enter__(self) -> DuckEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _trusted(self, sql: str) -> None:
        with self._bounded():
            self._connection.execute(sql)

    def _checked(self, sql: str) -> Statement:
        """The one statement of `sql`, if it is of an allowed kind: legacy text is not trusted."""
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1:
            raise EngineError(f"expected one statement, found {len(statements)}")
        kind = statements[0].type.name
        if kind not in ALLOWED:
            raise EngineError(f"a {kind} statement is not run here", "only queries and tables are")
        return statements[0]

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """DuckDB's errors become ours; a statement over its time is interrupted."""
        import duckdb

        try:
            with self._watchdog or nullcontext():
                yield
        except duckdb.Error as error:
            if self._watchdog is not None and self._watchdog.late:
                raise Timeout(f"stopped after {self._seconds:g} s") from error
            raise EngineError(*_told(error)) from error


def bare(sql: str) -> str:
    """A query that can be put into parentheses: no closing semicolon, comments ended."""
    return sql.strip().rstrip(";").rstrip() + "\n"


def open_duckdb(
    data: Path | str | None,
    *,
    seconds: float | None = None,
    cpu: bool = False,
    readable: Sequence[Path] = (),
    spill: str = "",
    memory: str = "",
    disk: str = "",
) -> DuckEngine:
    """An in-memory engine over `data`: a DuckDB file (or duckdb://file), a folder of CSV and
    Parquet files (file = table, sub-folder = schema), or nothing.

    `seconds`: limit for each statement, of work with `cpu`, else by the clock. `readable`: further
    files that SQL may read. `memory`: how much of it is used ("1GiB"; default: a gibibyte, more on
    machines of many cores); `spill`: the folder for what does not fit, `disk`: how much of that
    (default: nine tenths of what is free).
    Nothing else can be reached from SQL afterwards.
    """
    import duckdb

    place = _place(data)
    config = {**_CLOSED, "memory_limit": memory or _memory()}
    config |= {"max_temp_directory_size": disk} if disk else {}
    connection = duckdb.connect(":memory:", config=dict(config))
    folder = tempfile.TemporaryDirectory(prefix="unwet-", dir=spill or None)
    engine = DuckEngine(connection, seconds, cpu, folder)
    try:
        engine._trusted(f"SET temp_directory={text(folder.name)}")
        files = _attach(engine, place) if place else ()
        if not place or not place.is_file():
            _load(engine, place or Path(), files)
        allowed = ", ".join(text(str(path.resolve())) for path in (*files, *readable))
        engine._trusted(f"SET allowed_paths=[{allowed}]")
        engine._trusted("SET enable_external_access=false")
    except EngineError as error:
        engine.close()
        shown = error.message.replace(str(place), str(data)) if place else error.message
        hint = "a DuckDB file, or a folder of CSV and Parquet files: each a table"
        raise EngineError(f"cannot read the data in {data}: {shown}", hint) from error
    return engine


_CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",  # else `FROM x` could read our own variables
}


def _memory() -> str:
    """Each thread needs some of its own: DuckDB's guide says 125 MB for aggregates at the least."""
    return f"{max(1024, 256 * (os.cpu_count() or 1))}MiB"


def _place(data: Path | str | None) -> Path | None:
    """Where the data lies; a connection string is never echoed, it may hold a password."""
    if data is None:
        return None
    scheme, colon, rest = str(data).partition("://")
    if colon and scheme != "duckdb":
        raise UsageError(
            f"cannot read data through {scheme}://",
            "give a DuckDB file or a folder; verify and refactor also take postgresql:// and "
            "spark://, and for other servers `verify --sql-out DIR` writes the queries",
        )
    path = Path(rest.partition("?")[0] if colon else str(data))
    if not path.exists():
        raise PathNotFound(str(path), "give a DuckDB file, or a folder of CSV and Parquet files")
    files = _tables_below(path) if path.is_dir() else ()
    if path.is_dir() and not files:
        wanted = f"looked for *{', *'.join(TABLE_SUFFIXES)}"
        raise UsageError(f"no data in {path}", f"{wanted}; sub-folder = schema")
    placed(files, path, "main")  # before anything is opened
    return path.resolve()


def _attach(engine: DuckEngine, place: Path) -> tuple[Path, ...]:
    """Attach a DuckDB file, or list the files of a folder."""
    if place.is_file():
        engine._trusted(f"ATTACH {text(str(place))} AS {quote(DATA)} (READ_ONLY)")
        return ()
    return _tables_below(place)


def _tables_below(folder: Path) -> tuple[Path, ...]:
    return tuple(p for p in sorted(folder.rglob("*")) if p.name.lower().endswith(TABLE_SUFFIXES))


def named_by(path: Path, root: Path, default: str) -> tuple[str, str]:
    """The schema and the name of the table that a file of a folder is: sub-folder = schema, and so
    is what stands before the dot in `schema.table.csv` beside these."""
    low = path.name.lower()
    suffix = max((end for end in TABLE_SUFFIXES if low.endswith(end)), key=len, default="")
    parts = path.name[: len(path.name) - len(suffix)].split(".")
    if path.parent != root:
        return path.parent.name, parts[0]
    return (parts[0], parts[1]) if len(parts) == 2 and all(parts) else (default, parts[0])


def placed(files: Iterable[Path], root: Path, default: str) -> dict[Path, tuple[str, str]]:
    """By file its schema and table; raises EngineError where two are one."""
    found: dict[Path, tuple[str, str]] = {}
    there: dict[tuple[str, str], Path] = {}
    for path in files:
        schema, name = found[path] = named_by(path, root, default)
        other = there.setdefault((schema.lower(), name.lower()), path)
        if other is not path:
            both = f"{other.relative_to(root)} and {path.relative_to(root)}"
            raise EngineError(
                f"two files are the table {schema}.{name}: {both}", "keep one of them"
            )
    return found


def _load(engine: DuckEngine, root: Path, files: Sequence[Path]) -> None:
    """CSV is read once (its types are guessed from all rows), Parquet stays where it is."""
    engine.attach(DATA)
    for path, (schema, table) in placed(files, root, "main").items():
        engine._trusted(f"CREATE SCHEMA IF NOT EXISTS {quote(DATA, schema)}")
        name = quote(DATA, schema, table)
        if path.name.lower().endswith(".parquet"):
            query = f"VIEW {name} AS SELECT * FROM read_parquet({text(str(path))})"
        else:
            read = f"read_csv({text(str(path))}, header=true, sample_size=-1)"
            query = f"TABLE {name} AS SELECT * FROM {read}"
        engine._trusted(f"CREATE {query}")


def _told(error: Exception) -> tuple[str, str]:
    """What went wrong, and what to do about it."""
    line = _first_line(error)
    if "No space left on device" in line or "max_temp_directory_size" in line:
        return (
            "the disk is full: it needs more than there is for what does not fit into memory",
            _ROOM,
        )
    if line.startswith("Out of Memory Error"):
        return "it needs more memory than there is", _ROOM
    return line, ""


_ROOM = "free some disk, point TMPDIR to a larger one, or take less data"


def _first_line(error: Exception) -> str:
    """Without the statement, which DuckDB quotes below, and its guesses at other names."""
    first = str(error).strip().partition("\n\n")[0].replace("\n", " ")
    return re.split(r" Did you mean |\s+Candidate functions:", first)[0]
