"""Numbers whose sum is the same in any order and in any parts, and of which type it is.

Floats are rounded after each addition: (0.1 + 0.2) + 0.3 is not 0.1 + (0.2 + 0.3). Integers and
decimals are added exactly, or the query fails. But the sum of sums may be of another type than the
sum: SUM of INTEGER is BIGINT in PostgreSQL, and SUM of BIGINT is NUMERIC. The sources are the
manuals: PostgreSQL 9.21, Redshift "SUM function", BigQuery and Snowflake "Aggregate functions",
SQL Server "SUM", Trino "Aggregate functions" and "Decimal functions", Spark "Built-in functions";
DuckDB and PostgreSQL are executed in tests/laws/test_rolled_up.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Over
from unwet.rewrite.plan_types import Declared, PlanTypes, cast_type, values_of, words

Exact = Literal["small", "big", "huge", "decimal", "long"]
"""small: an integer of at most 32 bits; big: one of 64; huge: one of 128; decimal: one of a
declared precision; long: one of the greatest, with the scale of what it is the sum of."""

_INTEGERS: Final = frozenset({"small", "big"})
_TYPES: Final[tuple[tuple[Exact, str], ...]] = (
    ("big", r"bigint|int64|int8"),
    ("small", r"(?:small)?int(?:eger)?|int2|int4"),
    ("decimal", r"(?:big)?(?:decimal|numeric)(?: *\([^()]*\))?"),
)
_SIXTY_FOUR: Final[Mapping[Exact, Exact]] = {"small": "big", "big": "big"}
_LONG: Final[Mapping[Exact, Exact]] = {"decimal": "long", "long": "long"}
_SUMS: Final[Mapping[str, Mapping[Exact, Exact]]] = {
    "duckdb": {"small": "huge", "big": "huge", "huge": "huge", **_LONG},
    "postgres": {"small": "big", "big": "decimal", "decimal": "decimal"},
    "redshift": {"small": "big", "big": "long", **_LONG},
    "bigquery": {**_SIXTY_FOUR, "decimal": "decimal"},
    "tsql": {"small": "small", "big": "big", **_LONG},
    "trino": {**_SIXTY_FOUR, **_LONG},
    "presto": {**_SIXTY_FOUR, **_LONG},
    "athena": {**_SIXTY_FOUR, **_LONG},
    "spark": _SIXTY_FOUR,  # a sum of decimals has ten digits more
    "databricks": _SIXTY_FOUR,
    "snowflake": {"small": "long", "big": "long", **_LONG},
}
"""By dialect the type of a sum by that of what is summed; what is not here is not known."""
TYPED: Final = frozenset(_SUMS)
"""The dialects in which types are known."""
_COUNTS: Final[Mapping[str, Exact]] = {
    **dict.fromkeys(words("duckdb postgres redshift bigquery trino presto athena spark databricks"),
                    "big"),
    "tsql": "small",  # as its sum is of the same type, it is no matter that COUNT_BIG's is BIGINT
}  # fmt: skip
"""The type of a count; Snowflake's is NUMBER(18, 0), which is none of them."""
_OF_FIRST: Final = words("min max anyvalue")
_ARITHMETIC: Final = words("add sub mul neg")


class ExactNumbers(PlanTypes[Exact]):
    """Of the columns of plans in one dialect; None: not exact, or not known to be."""

    def __init__(self, declared: Declared, dialect: str) -> None:
        super().__init__(declared)
        self._sums = _SUMS.get(dialect, {})
        self._count = _COUNTS.get(dialect)

    def of(self, expr: Expr, seen: Sequence[Exact | None]) -> Exact | None:
        """Of an expression over such columns."""
        match expr:
            case Col(index=index):
                return seen[index] if index < len(seen) else None
            case Lit(kind="number", text=text):
                return "small" if text.isdecimal() and int(text) < 1 << 31 else None
            case Agg(op="count"):
                return self._count
            case Agg(op="sum", args=(of,)):
                return self.sum_of(self.of(of, seen))
            case Agg(op=op, args=(of,)) if op in _OF_FIRST:
                return self.of(of, seen)
            case Call(op="cast"):
                return self.of_type(cast_type(expr))
            case Call(op=op, args=args) if op in _ARITHMETIC:
                found = {self.of(each, seen) for each in args}
                return _wider(found) if found <= _INTEGERS else None
            case Call(op="case" | "if" | "coalesce" as op, args=args, shape=shape):
                if "is_null=True" in shape:
                    return None  # of the type of its first argument, cut off
                return _wider({self.of(each, seen) for each in values_of(op, args)})
            case Over() | _:
                return None

    def of_type(self, name: str) -> Exact | None:
        """Of a type's name."""
        said = name.strip().lower()
        return next((kind for kind, text in _TYPES if re.fullmatch(text, said)), None)

    def position(self) -> None:
        """Of a position in an array."""
        return None

    def sum_of(self, kind: Exact | None) -> Exact | None:
        """The type of a sum of such numbers."""
        return self._sums.get(kind) if kind is not None else None


def _wider(found: Iterable[Exact | None]) -> Exact | None:
    """The type of what may be one or the other; decimals beside integers that a decimal holds."""
    kinds = {*found}
    if kinds and kinds <= _INTEGERS:
        return "big" if "big" in kinds else "small"
    if kinds in ({"decimal"}, {"decimal", "small"}):
        return "decimal"
    return next(iter(kinds)) if len(kinds) == 1 else None
