"""Any connection of Python's DB-API (PEP 249) as an engine: for those who have one already.

Nothing but queries is sent through it, as long as no scratch schema is named; how long they may
take, and what a transaction is, is for whoever opened the connection to say. It is not closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from unwet.lineage.errors import EngineError, UnwetError, UsageError
from unwet.rewrite.prove.engines import Row, bare
from unwet.rewrite.prove.servers.flavours import Flavour, flavour_of
from unwet.rewrite.prove.servers.parity import quoted, string
from unwet.rewrite.prove.servers.secrets import Secrets

# What drivers call the types that matter here, in lower case -> the names columns.py knows.
# Integers are codes: of Snowflake's connector (constants.py, FIELD_TYPES), and of PostgreSQL and
# Redshift (pg_type.dat, oid).
_NAMES = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER", "int": "INTEGER",
    "bigint": "BIGINT", "hugeint": "HUGEINT", "number": "DECIMAL", "numeric": "DECIMAL",
    "decimal": "DECIMAL", "float": "FLOAT", "real": "FLOAT", "float4": "FLOAT",
    "double": "DOUBLE", "float64": "DOUBLE", "float8": "DOUBLE", "double precision": "DOUBLE",
    "string": "VARCHAR", "text": "VARCHAR", "varchar": "VARCHAR", "character varying": "VARCHAR",
    "large_string": "VARCHAR", "null": "NULL",
}  # fmt: skip
_CODES: Mapping[str, Mapping[int, str]] = {
    "snowflake": {0: "DECIMAL", 1: "DOUBLE", 2: "VARCHAR"},
    "redshift": {
        21: "SMALLINT", 23: "INTEGER", 20: "BIGINT", 1700: "DECIMAL", 700: "FLOAT", 701: "DOUBLE",
        25: "VARCHAR", 1043: "VARCHAR",
    },
}  # fmt: skip
_DOUBLES = frozenset({"bigquery", "snowflake"})  # where FLOAT has 64 bits


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection that somebody opened, and the dialect of its engine."""

    connection: Any = field(repr=False)
    dialect: str
    scratch: str = ""

    @property
    def name(self) -> str:
        """What may be shown of it."""
        return f"a {self.dialect} connection"

    @contextmanager
    def open(self, seconds: float | None) -> Iterator[DbapiEngine]:
        """The engine; the connection stays open. `seconds` is for its owner to see to."""
        yield DbapiEngine(self.connection, flavour_of(self.dialect), bool(self.scratch))


class DbapiEngine:
    """Runs SQL through a connection."""

    def __init__(self, connection: Any, flavour: Flavour, writes: bool = False) -> None:
        self._connection, self._flavour, self._writes = connection, flavour, writes

    @property
    def flavour(self) -> Flavour:
        return self._flavour

    @property
    def forgets(self) -> bool:
        return False

    def restart(self) -> None:
        """Transactions and limits are those of the connection's owner."""

    def rows(self, sql: str) -> list[Row]:
        with self._cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def execute(self, sql: str) -> None:
        if not self._writes:
            raise EngineError("nothing is written here", "give a scratch schema")
        with self._cursor() as cursor:
            cursor.execute(sql)

    def describe(self, sql: str) -> tuple[tuple[str, str], ...]:
        with self._cursor() as cursor:
            cursor.execute(f"SELECT * FROM (\n{bare(sql)}) AS q WHERE 1 = 0")
            cursor.fetchall()
            columns = list(cursor.description or ())
        return tuple((str(column[0]), self._type(column[1])) for column in columns)

    def tables(self) -> tuple[tuple[str, str], ...]:
        """(schema, name) of every table and view that the connection sees, sorted."""
        found = self.rows("SELECT table_schema, table_name FROM information_schema.tables")
        return tuple(sorted((str(schema), str(table)) for schema, table in found))

    def path(self) -> tuple[str, ...]:
        """Where unqualified names are looked up is for the engine to say."""
        return ()

    def require_schema(self, schema: str) -> None:
        """Raises UsageError when the engine knows no such schema."""
        found = self.rows(
            "SELECT schema_name FROM information_schema.schemata WHERE LOWER(schema_name) = "
            f"{string(schema.lower(), self._flavour)}"
        )
        if not found:
            create = f"CREATE SCHEMA {quoted(schema, self._flavour)}"
            raise UsageError(f"there is no schema {schema}", create)

    def close(self) -> None:
        """The connection is not ours to close."""

    def _type(self, code: object) -> str:
        if isinstance(code, int):
            return _CODES.get(self._flavour.dialect, {}).get(code, str(code))
        name = str(code).lower()
        if inside := re.search(r"type_name=(\w+)", name):  # how Arrow wraps what it has no type for
            name = inside[1]
        found = _NAMES.get(name.partition("(")[0], name.upper())
        if name.startswith(("decimal(", "numeric(")):  # digits are told as decimal(p, s) everywhere
            return name.replace("numeric", "decimal").upper()
        double = found == "FLOAT" and self._flavour.dialect in _DOUBLES
        return "DOUBLE" if double else found

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        cursor = self._connection.cursor()
        try:
            yield cursor
        except UnwetError:
            raise
        except Exception as error:  # each driver has errors of its own, and no base is shared
            raise EngineError(Secrets().hide(_first_line(error))) from None
        finally:
            cursor.close()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
