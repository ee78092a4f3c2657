"""Numbers and moments that two engines compare, cut or round in ways of their own.

    CAST(2.5 AS INT)        3, or 2 in Spark, T-SQL and SQLite; of a float 2 in PostgreSQL and
                            DuckDB, too, as 2 is even
    10 % 3.5                1 in SQLite, which takes whole numbers
    CAST(1.50 AS TEXT)      '1.5' in SQLite, whose decimals are floats
    ROUND(12, -1)           12 in SQLite
    d < a                   days and moments are compared as texts in SQLite
    CAST(3 AS BOOLEAN)      3 in SQLite, which has no truths

From the manuals ("Numeric Types", "CAST"); PostgreSQL, DuckDB, Spark and SQLite were executed.

differs(call, of, numbers, source, target) -> whether the values of a call are others there
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unwet.rewrite.algebra import Agg, Call, Expr, Lit
from unwet.rewrite.number_types import FRACTIONS, Number
from unwet.rewrite.plan_types import cast_type, words
from unwet.rewrite.texts_apart import Numbers, Sort, is_text_of

_COMPARING: Final = words("eq neq lt lte gt gte between in nullsafeeq nullsafeneq")
TOUCHED: Final = _COMPARING | {"mod", "round"}
_INTEGERS: Final = words("int integer bigint smallint tinyint hugeint")
_CUTTING: Final = frozenset(
    {"sqlite", "spark", "spark2", "databricks", "hive", "tsql", "fabric", "clickhouse"}
)
_TO_EVEN: Final = frozenset({"postgres", "materialize", "risingwave", "duckdb"})  # of floats
_WHOLE: Final = words("floor ceil extract year month day length datediff")


def differs(
    call: Call | Agg, of: Sequence[Sort | None], numbers: Numbers, source: str, target: str
) -> bool:
    """Whether a call has other values in the other dialect, by what its arguments are."""
    if call.op in ("cast", "trycast") and cast_type(call) in _INTEGERS:
        there, here = numbers[0]
        return not _is_whole(call.args[0]) and _halves(there, source) != _halves(here, target)
    if "sqlite" not in (source, target):
        return False
    if call.op == "mod" or is_text_of(call):
        return any(not FRACTIONS.isdisjoint(each) for each in numbers)
    if call.op == "round":
        return len(call.args) > 1 and not _is_natural(call.args[1])
    return call.op in _COMPARING and "day" in of and not {"moment", "moved"}.isdisjoint(of)


def _halves(number: Number | None, dialect: str) -> str:
    """What becomes of a half; nothing where no fraction is known."""
    if number not in FRACTIONS:
        return ""
    if dialect in _CUTTING:
        return "cut off"
    return "to even" if number != "decimal" and dialect in _TO_EVEN else "away from 0"


def _is_whole(expr: Expr) -> bool:
    """FLOOR(x), and what is whole by its value: EXTRACT(YEAR ..), ROUND(x)."""
    if isinstance(expr, Call | Agg):
        rounded = expr.op == "round" and len(expr.args) == 1
        return expr.op in _WHOLE or rounded or (expr.op == "cast" and cast_type(expr) in _INTEGERS)
    return _is_natural(expr)


def _is_natural(expr: Expr) -> bool:
    return isinstance(expr, Lit) and expr.kind == "number" and expr.text.isdigit()
