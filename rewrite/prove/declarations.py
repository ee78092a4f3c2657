"""What a proof may take for granted of base tables: what their engine checks of each row.

A declared key that nobody checks says what somebody meant, not what is there: Snowflake, BigQuery,
Redshift, Databricks and others keep NOT NULL, and no key (their manuals, "Constraints"). Where
somebody says that they hold (`trust_keys`), they count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from unwet.lineage.tables import Catalog, ForeignKey, Table
from unwet.rewrite.rules.promises import Foreign, Promise, Promises

_KEYS: Final = frozenset({"postgres", "duckdb", "tsql", "oracle", "mysql"})
_NOT_NULL: Final = _KEYS | {"snowflake", "bigquery", "redshift", "databricks"}

_KEYS_OF_BYTES: Final = frozenset({"duckdb"})
"""Where a key of texts holds those that are equal by the collation of their column: 'a' and 'A' of
NOCASE are two keys, and a join finds both."""

_UNTYPED: Final = frozenset({"", "sqlite"})
"""Where a column may hold values of another type than its own, or nobody knows."""

_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "INT64", "SERIAL",
         "BIGSERIAL"), "integer"),
    **dict.fromkeys(("VARCHAR", "NVARCHAR", "TEXT", "STRING", "VARCHAR2"), "text"),
    **dict.fromkeys(("DECIMAL", "NUMERIC", "NUMBER"), "decimal"),
    **{name: name.lower() for name in (
        "DATE", "TIMESTAMP", "DATETIME", "DATETIME2", "TIMESTAMPTZ", "TIMESTAMPNTZ",
        "TIMESTAMP_NTZ", "TIME", "UUID", "UNIQUEIDENTIFIER", "BOOLEAN", "BOOL", "BIT")},
}  # fmt: skip
# no CHAR, which is padded, no floats, in some dialects of which a NaN is equal to nothing, no
# types of parts, which may be NULL
_PLAIN = re.compile(r"([A-Z_0-9]+)(?: *\([^()]*\))?")


class Known:
    """What the catalog of a pile promises to a project of one dialect, worked out once for each
    dialect of the pile."""

    def __init__(self, catalog: Catalog, target: str) -> None:
        self._catalog, self._target = catalog, target
        self._done: dict[str, Promises] = {}

    def promises(self, dialect: str) -> Promises:
        """In scripts of that dialect."""
        if dialect not in self._done:
            self._done[dialect] = promises(self._catalog, dialect, self._target)
        return self._done[dialect]


def promises(catalog: Catalog, dialect: str, target: str) -> Promises:
    """What the engine of a pile's dialect keeps of what the catalog says, and both dialects."""
    dialects = frozenset({dialect, target})
    found = {name: _promise(table, catalog, dialect) for name, table in catalog.tables.items()}
    return Promises({name: each for name, each in found.items() if each != Promise()}, dialects)


def _promise(table: Table, catalog: Catalog, dialect: str) -> Promise:
    keyed = dialect in _KEYS or table.trusted
    declared = table.origin in ("ddl", "schema") and dialect not in _UNTYPED
    types = {c.name: c.type for c in table.columns if c.type and declared}
    if dialect not in _NOT_NULL and not table.trusted:
        return Promise(types=types)
    unlike = {c.name for c in table.columns if c.collated and dialect in _KEYS_OF_BYTES}
    typed = [c for c in table.columns if c.name not in unlike and dialect not in _UNTYPED]
    kinds = {c.name: kind_of(c.type) for c in typed}
    return Promise(
        frozenset(column.name for column in table.columns if column.not_null),
        tuple(frozenset(key) for key in table.keys if keyed and unlike.isdisjoint(key)),
        tuple(_references(table, catalog)) if keyed else (),
        {name: kind for name, kind in kinds.items() if kind},
        types,
    )


def _references(table: Table, catalog: Catalog) -> Iterator[Foreign]:
    for key in table.foreign:
        if key.checked and (found := _foreign(key, catalog)) is not None:
            yield found


def kind_of(text: str) -> str:
    """Of a type's name: that of values which are compared as they are; empty for others."""
    found = _PLAIN.fullmatch(text.upper())
    return _KINDS.get(found[1], "") if found else ""


def _foreign(key: ForeignKey, catalog: Catalog) -> Foreign | None:
    name, table = catalog.find(key.table)
    if table is None:
        return None
    to = key.to or (table.keys[0] if table.keys else ())
    return Foreign(key.columns, name, to) if len(to) == len(key.columns) else None
