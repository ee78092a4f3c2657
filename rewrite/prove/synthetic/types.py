"""Types of columns as far as queries tell them, and how each is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from sqlglot import exp
from sqlglot.errors import SqlglotError

Kind = Literal[
    "boolean",
    "integer",
    "decimal",
    "double",
    "text",
    "date",
    "timestamp",
    "time",
    "json",
    "interval",
    "bytes",
    "array",
    "struct",
]
Evidence = Literal["declared", "used", "named", "default"]

_DUCKDB: Final[dict[str, str]] = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18,4)",
    "double": "DOUBLE",
    "text": "VARCHAR",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "TIME",
    "json": "JSON",
    "interval": "INTERVAL",
    "bytes": "BLOB",
}


@dataclass(frozen=True, slots=True)
class SqlType:
    """The type of a column. `element`: of the values of an array; `fields`: of a struct, by name.

    `evidence`: declared by the pile or the user, used (operators, functions and literals it meets),
    named (only its name says so), default (nothing says anything: text).
    """

    kind: Kind
    element: SqlType | None = None
    fields: tuple[tuple[str, SqlType], ...] = ()
    evidence: Evidence = "default"

    def duckdb(self) -> str:
        """The type as DuckDB writes it: BIGINT, VARCHAR[], STRUCT("a" DATE)."""
        match self.kind:
            case "array":
                return f"{self.element.duckdb() if self.element else 'VARCHAR'}[]"
            case "struct":
                return f"STRUCT({', '.join(self._members())})" if self.fields else "VARCHAR"
            case kind:
                return _DUCKDB[kind]

    def sql(self, dialect: str) -> str:
        """The type as that dialect writes it, without sizes, which no use tells; "" where it has
        none."""
        text = self.duckdb().replace("DECIMAL(18,4)", "DECIMAL")
        try:
            return exp.DataType.build(text, dialect="duckdb").sql(dialect=dialect or None)
        except (SqlglotError, ValueError):
            return ""

    def _members(self) -> Iterator[str]:
        for name, kind in self.fields:
            yield '"' + name.replace('"', '""') + '" ' + kind.duckdb()


TEXT: Final = SqlType("text")

_KINDS: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("boolean", ("BOOLEAN", "BIT")),
    ("integer", ("INT", "BIGINT", "SMALLINT", "TINYINT", "MEDIUMINT", "INT128", "INT256", "UINT",
                 "UBIGINT", "USMALLINT", "UTINYINT", "UINT128", "SERIAL", "BIGSERIAL",
                 "SMALLSERIAL", "YEAR")),
    ("decimal", ("DECIMAL", "BIGDECIMAL", "DECIMAL32", "DECIMAL64", "DECIMAL128", "DECIMAL256",
                 "UDECIMAL", "MONEY", "SMALLMONEY")),
    ("double", ("DOUBLE", "FLOAT", "UDOUBLE", "DECFLOAT", "BIGNUM")),
    ("text", ("TEXT", "VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "BPCHAR", "NAME", "FIXEDSTRING",
              "LONGTEXT", "MEDIUMTEXT", "TINYTEXT", "UUID", "UNIQUEIDENTIFIER", "ENUM", "INET")),
    ("date", ("DATE", "DATE32")),
    ("timestamp", ("TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPLTZ", "TIMESTAMPNTZ", "TIMESTAMP_S",
                   "TIMESTAMP_MS", "TIMESTAMP_NS", "DATETIME", "DATETIME2", "DATETIME64",
                   "SMALLDATETIME")),
    ("time", ("TIME", "TIMETZ", "TIME_NS")),
    ("json", ("JSON", "JSONB", "VARIANT", "OBJECT", "SUPER")),
    ("interval", ("INTERVAL",)),
    ("bytes", ("BINARY", "VARBINARY", "BLOB", "LONGBLOB", "MEDIUMBLOB", "TINYBLOB", "IMAGE",
               "ROWVERSION")),
)  # fmt: skip
_KIND_OF: Final[dict[str, Kind]] = {name: kind for kind, names in _KINDS for name in names}


def read_type(text: str, dialect: str = "", evidence: Evidence = "declared") -> SqlType | None:
    """The type that a declaration says; None for one that is not known here."""
    for tried in dict.fromkeys((dialect, "")):
        try:
            found = of_node(exp.DataType.build(text, dialect=tried or None), evidence)
        except (SqlglotError, ValueError):
            continue  # said in another dialect's words
        if found is not None:
            return found
    return None


def of_node(node: exp.Expr, evidence: Evidence = "used") -> SqlType | None:
    """The type a DataType node says; None for one that is not known here."""
    word = node.this.value if isinstance(node.this, exp.DType) else str(node.this)
    if word in ("ARRAY", "LIST"):
        inner = of_node(node.expressions[0], evidence) if node.expressions else None
        return SqlType("array", inner or replace(TEXT, evidence=evidence), (), evidence)
    if word in ("STRUCT", "OBJECT") and node.expressions:
        return SqlType("struct", None, tuple(_fields(node, evidence)), evidence)
    kind = _KIND_OF.get(word)
    if kind == "decimal" and _is_whole(node):
        kind = "integer"
    return SqlType(kind, None, (), evidence) if kind else None


def _is_whole(node: exp.Expr) -> bool:
    """NUMBER(10), DECIMAL(10, 0): no digit behind the point."""
    sizes = [each.name for each in node.expressions]
    return len(sizes) == 1 or (len(sizes) == 2 and sizes[1] == "0")


def _fields(node: exp.Expr, evidence: Evidence) -> Iterator[tuple[str, SqlType]]:
    for each in node.expressions:
        kind = each.args.get("kind") if isinstance(each, exp.ColumnDef) else None
        found = of_node(kind, evidence) if isinstance(kind, exp.DataType) else None
        yield each.name.lower(), found or replace(TEXT, evidence=evidence)
