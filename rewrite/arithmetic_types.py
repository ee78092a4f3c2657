"""The type of a sum, difference or product, and of a column of two branches, where it is certain.

Integers are of the wider type of both, by the manuals: DuckDB and PostgreSQL are executed in
tests/rewrite/test_made_types.py; SQL Server, "Data type precedence"; Redshift, "Computations with
numeric values"; BigQuery, "Operators"; Spark, "ANSI Compliance"; Trino, "Mathematical functions and
operators". Decimals have as many digits as the result may need:

    a + b, a - b    max(s, t) + max(p - s, q - t) + 1 digits, max(s, t) of them behind the point
    a * b           p + q + 1 digits (DuckDB and Trino: p + q), s + t of them behind the point
    a UNION ALL b   max(s, t) + max(p - s, q - t) digits, max(s, t) of them behind the point

by SQL Server, "Precision, scale, and length", Spark's `DecimalPrecision`, Trino, "Decimal functions
and operators", and DuckDB. What has more digits than 38 is cut by each in its own way, and so is in
DuckDB what outgrows the 64 bits of both values: it has no type here. PostgreSQL and BigQuery keep
no digits.
Integers beside decimals have none but there: constants and columns become decimals in other ways.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from sqlglot import exp

Operation = Literal["add", "mul", "union"]
_RANKS: Final = {exp.DType.SMALLINT: 0, exp.DType.INT: 1, exp.DType.BIGINT: 2}
_FREE: Final = frozenset({"postgres", "bigquery"})  # decimals have no digits of their own
_DIGITS: Final = frozenset({"duckdb", "tsql", "trino", "spark", "databricks"})
_INTEGERS: Final = _FREE | _DIGITS | {"redshift"}
_MOST: Final = 38
_IN_64_BITS: Final = 18


class _Decimal(NamedTuple):
    digits: int
    scale: int


def joined_type(one: exp.DataType, other: exp.DataType, how: Operation, dialect: str) -> str:
    """The type of two exact numbers that are added, multiplied or put below each other; empty where
    it is not certain."""
    if one.this in _RANKS and other.this in _RANKS:
        wider = max(one, other, key=lambda kind: _RANKS[kind.this])
        if dialect == "duckdb" and {one.this, other.this} == {exp.DType.SMALLINT, exp.DType.INT}:
            return ""  # a constant is as small as the other value
        return _named(wider.this, dialect) if dialect in _INTEGERS else ""
    kinds = {one.this, other.this}
    if exp.DType.DECIMAL not in kinds or not kinds <= {exp.DType.DECIMAL, *_RANKS}:
        return ""
    if dialect in _FREE:
        return _named(exp.DType.DECIMAL, dialect)
    first, second = _decimal(one), _decimal(other)
    if first is None or second is None or dialect not in _DIGITS:
        return ""
    made = _result(first, second, how, dialect)
    kept = _IN_64_BITS if dialect == "duckdb" and max(first[0], second[0]) <= _IN_64_BITS else _MOST
    if made.digits > kept:
        return ""
    return f"DECIMAL({made.digits}, {made.scale})"


def _named(kind: exp.DType, dialect: str) -> str:
    return exp.DataType(this=kind).sql(dialect=dialect).upper()


def _decimal(kind: exp.DataType) -> _Decimal | None:
    said = [each.name for each in kind.expressions]
    if kind.this is not exp.DType.DECIMAL or len(said) != 2 or not all(map(str.isdigit, said)):
        return None
    return _Decimal(int(said[0]), int(said[1]))


def _result(one: _Decimal, other: _Decimal, how: Operation, dialect: str) -> _Decimal:
    scale = max(one.scale, other.scale)
    before = max(one.digits - one.scale, other.digits - other.scale)
    if how == "union":
        return _Decimal(before + scale, scale)
    if how == "mul":
        plus = 0 if dialect in ("duckdb", "trino") else 1
        return _Decimal(one.digits + other.digits + plus, one.scale + other.scale)
    return _Decimal(before + scale + 1, scale)
