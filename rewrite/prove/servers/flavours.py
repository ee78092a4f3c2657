"""What engines say differently when rows are compared: hashes, texts, names of types.

A hash only decides where to look: rows whose hashes add up differently are compared value by
value. So a hash may differ between equal values (0.0 and -0.0), it only costs a second look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sqlglot import exp
from sqlglot.expressions import DType

from unwet.lineage.errors import UsageError

Make = Callable[[exp.Expr], exp.Expr]


@dataclass(frozen=True, slots=True)
class Flavour:
    """One engine's words. `dialect`: how SQL is printed for it.

    `text`: a value of any type as text, NULL as NULL (or as a text that no value has).
    `hashes`: a text as two 64-bit integers that have nothing to do with each other. `sum_type`:
    an exact number that holds ten billion of them. `casts`: types by the names that `columns.py`
    knows, where they are not the same. `heads`: whether a CTE may name its columns. `opaque`: how
    the names of types begin that nothing can be grouped by. `other_order`: `shuffled`.
    `catalogs`: whether one connection reaches several databases.
    """

    dialect: str
    text: Make
    hashes: tuple[Make, Make]
    sum_type: exp.DataType
    casts: Mapping[str, exp.DataType] = field(default_factory=lambda: MappingProxyType({}))
    heads: bool = True
    opaque: tuple[str, ...] = ()
    other_order: str = field(kw_only=True)
    catalogs: bool = True

    def shuffled(self, rows: str) -> str:
        """The rows of a table (given quoted) in another order; where the engine can do it, always
        the same one."""
        return self.other_order.format(rows=rows)

    def is_opaque(self, type_: str) -> bool:
        """Whether values of a type have to be compared as text."""
        return type_.startswith(self.opaque)


def _type(kind: DType, *sizes: int) -> exp.DataType:
    numbers = [exp.DataTypeParam(this=exp.Literal.number(size)) for size in sizes]
    return exp.DataType(this=kind, expressions=numbers)


def cast(value: exp.Expr, to: exp.DataType) -> exp.Cast:
    """CAST(value AS to), also where sqlglot knows better."""
    return exp.Cast(this=value, to=to.copy())


def call(name: str, *arguments: exp.Expr | int) -> exp.Anonymous:
    """A function by the engine's own name."""
    given = [exp.Literal.number(a) if isinstance(a, int) else a for a in arguments]
    return exp.Anonymous(this=name, expressions=given)


TEXT = _type(DType.TEXT)
_WIDE = _type(DType.DECIMAL, 38, 0)


def _as_text(value: exp.Expr) -> exp.Expr:
    return cast(value, TEXT)


def _salted(value: exp.Expr) -> exp.Expr:
    """Another text for each text, for engines whose hash takes no seed."""
    return exp.DPipe(this=value, expression=exp.Literal.string("#"))


def _seeded(name: str) -> tuple[Make, Make]:
    return (lambda text: call(name, text), lambda text: call(name, text, 1))


def _trino_hash(text: exp.Expr) -> exp.Expr:
    return call("FROM_BIG_ENDIAN_64", call("XXHASH64", call("TO_UTF8", text)))


# Hash functions, from the manuals of the engines: PostgreSQL src/backend/access/hash/hashfunc.c
# (hashtextextended, since 11); Spark xxhash64; Snowflake HASH; BigQuery FARM_FINGERPRINT;
# Trino xxhash64 of binary; Redshift FNV_HASH(value [, seed]); DuckDB hash(value, ...).
FLAVOURS = (
    Flavour(
        "duckdb",
        _as_text,
        _seeded("HASH"),
        _type(DType.INT128),
        other_order="SELECT * FROM {rows} AS unwet_row ORDER BY HASH(unwet_row, 20150)",
    ),
    Flavour(
        "postgres",
        _as_text,
        (
            lambda text: call("HASHTEXTEXTENDED", text, 0),
            lambda text: call("HASHTEXTEXTENDED", text, 1),
        ),
        _type(DType.DECIMAL),
        MappingProxyType({"HUGEINT": _type(DType.DECIMAL), "TIMESTAMP_NS": _type(DType.TIMESTAMP)}),
        # types without an operator class to sort or hash by, from its manual, chapter 8
        opaque=("JSON", "XML", "POINT", "LINE", "LSEG", "BOX", "PATH", "POLYGON", "CIRCLE"),
        other_order="SELECT * FROM {rows} AS unwet_row "
        "ORDER BY HASHTEXTEXTENDED(CAST(unwet_row AS TEXT), 20150)",
        catalogs=False,
    ),
    Flavour(
        "spark",
        _as_text,
        _seeded("XXHASH64"),
        _WIDE,
        MappingProxyType({"HUGEINT": _WIDE, "TIMESTAMP_NS": _type(DType.TIMESTAMPNTZ)}),
        opaque=("MAP", "VARIANT"),
        other_order="SELECT * FROM {rows} DISTRIBUTE BY RAND(20150) SORT BY RAND(20150)",
    ),
    Flavour(
        "snowflake",
        _as_text,
        _seeded("HASH"),
        _WIDE,
        other_order="SELECT * FROM {rows} ORDER BY RANDOM(20150)",
    ),
    Flavour(
        "bigquery",
        lambda value: call("TO_JSON_STRING", value),
        (
            lambda text: call("FARM_FINGERPRINT", text),
            lambda text: call("FARM_FINGERPRINT", _salted(text)),
        ),
        _type(DType.BIGDECIMAL),
        heads=False,
        other_order="SELECT * FROM {rows} AS unwet_row "
        "ORDER BY FARM_FINGERPRINT(TO_JSON_STRING(unwet_row))",
    ),
    Flavour(
        "trino",
        _as_text,
        (_trino_hash, lambda text: _trino_hash(_salted(text))),
        _WIDE,
        other_order="SELECT * FROM {rows} ORDER BY RANDOM()",
    ),
    Flavour(
        "redshift",
        _as_text,
        _seeded("FNV_HASH"),
        _WIDE,
        other_order="SELECT * FROM {rows} ORDER BY RANDOM()",
    ),
)
_ALIASES = {"databricks": "spark", "spark2": "spark", "presto": "trino", "athena": "trino"}


def sql_type(name: str, flavour: Flavour) -> exp.DataType | None:
    """A type by the name that DuckDB has for it; None when it is not one of those that two
    different types are compared in."""
    if name in flavour.casts:
        return flavour.casts[name]
    parts = re.fullmatch(r"([A-Z0-9_]+)(?:\((\d+),\s*(\d+)\))?", name)
    kind = _KINDS.get(parts[1]) if parts else None
    if parts is None or kind is None:
        return None
    return _type(kind, int(parts[2]), int(parts[3])) if parts[2] else _type(kind)


_KINDS = {
    "BIGINT": DType.BIGINT, "HUGEINT": DType.INT128, "DECIMAL": DType.DECIMAL,
    "FLOAT": DType.FLOAT, "DOUBLE": DType.DOUBLE, "VARCHAR": DType.TEXT, "DATE": DType.DATE,
    "INTEGER": DType.INT, "BOOLEAN": DType.BOOLEAN, "TIMESTAMP": DType.TIMESTAMP,
    "TIMESTAMP_NS": DType.TIMESTAMP_NS, "SMALLINT": DType.SMALLINT,
}  # fmt: skip


def flavour_of(dialect: str) -> Flavour:
    """The words of an engine; raises UsageError for one that we have none for."""
    wanted = _ALIASES.get(dialect, dialect)
    for flavour in FLAVOURS:
        if flavour.dialect == wanted:
            return flavour
    known = ", ".join(flavour.dialect for flavour in FLAVOURS)
    raise UsageError(f"rows cannot be compared in {dialect or 'an unknown dialect'}",
                     f"known: {known}")  # fmt: skip
