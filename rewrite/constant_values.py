"""The value of a literal where it is given to a variable of a declared type.

    DECLARE @d DATE = '2020-01-01'  ->  CAST('2020-01-01' AS DATE)

as it is where its own type is that type. A value that depends on the session (`'01/02/2020'`, a
time with a time zone), that the type may change without a word (`VARCHAR`, which is one letter in
DECLARE and thirty in CAST), NULL, and what is no literal have none.

typed_value(kind, value, dialect) -> the expression, None where there is none
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_WHOLE: Final = re.compile(r"\d{1,9}")
_NUMBER: Final = re.compile(r"\d{1,15}(\.\d{1,15})?")
_T = exp.DType
_TEXTS: Final = frozenset({_T.VARCHAR, _T.NVARCHAR, _T.CHAR, _T.NCHAR})
_EXACT: Final = frozenset({_T.BIGINT, _T.SMALLINT, _T.UTINYINT, _T.TINYINT, _T.INT})
# not FLOAT, as which the parser takes REAL, too
_DECIMALS: Final = frozenset({_T.DECIMAL, _T.MONEY})


def typed_value(kind: exp.Expr | None, value: exp.Expr | None, dialect: str) -> exp.Expr | None:
    """``kind``: None where the declaration has no type."""
    cast_to = value.to if isinstance(value, exp.Cast) and type(value) is exp.Cast else None
    if cast_to is not None:
        if kind is not None and kind != cast_to:
            return None
        kind, value = cast_to, value.this if value is not None else None
    if value is None or not isinstance(kind, exp.DataType | None):
        return None
    made = _bigquery(kind, value) if dialect == "bigquery" else _tsql(kind, value)
    if isinstance(made, exp.Neg):
        return exp.Paren(this=made)  # a - -3 is a comment in the making
    return made


def _bigquery(kind: exp.DataType | None, value: exp.Expr) -> exp.Expr | None:
    if kind is not None and kind.expressions:
        return None
    wanted = kind.this if kind is not None else None
    if isinstance(value, exp.Boolean):
        return value.copy() if wanted in (None, _T.BOOLEAN) else None
    if isinstance(value, exp.Literal) and value.is_string:
        if wanted in (None, _T.TEXT, _T.VARCHAR):
            return value.copy()
        is_day = wanted == _T.DATE and re.fullmatch(r"\d{4}-\d\d-\d\d", value.name)
        return _cast(value, kind) if is_day else None
    if not (number := _number(value)):
        return None
    if _WHOLE.fullmatch(number):
        if wanted in (None, _T.BIGINT):
            return value.copy()
        return _cast(value, kind) if wanted in (_T.DOUBLE, _T.DECIMAL, _T.BIGDECIMAL) else None
    made_to = exp.DataType(this=_T.DOUBLE)  # beside a NUMERIC a literal is one
    return _cast(value, made_to) if wanted in (None, _T.DOUBLE) else None


def _tsql(kind: exp.DataType | None, value: exp.Expr) -> exp.Expr | None:
    if kind is None:
        return None
    if kind.this in _TEXTS:
        is_text = isinstance(value, exp.National) or (
            isinstance(value, exp.Literal) and value.is_string
        )
        return _cast(value, kind) if is_text and kind.expressions else None
    if kind.this == _T.DATE:
        hit = _DAY.fullmatch(value.name) if isinstance(value, exp.Literal) else None
        if hit is None or not value.is_string:
            return None
        return _cast(exp.Literal.string("-".join(hit.groups())), kind)
    if not (number := _number(value)):
        return None
    if kind.this == _T.INT and _WHOLE.fullmatch(number):
        return value.copy()
    if kind.this in _DECIMALS or (kind.this in _EXACT | {_T.BIT} and _WHOLE.fullmatch(number)):
        return _cast(value, kind)
    return None


def _number(value: exp.Expr) -> str:
    """The digits of a number that may have a sign."""
    plain = value.this if isinstance(value, exp.Neg) else value
    is_number = isinstance(plain, exp.Literal) and not plain.is_string
    return plain.name if is_number and _NUMBER.fullmatch(plain.name) else ""


def _cast(value: exp.Expr, kind: exp.DataType | None) -> exp.Expr | None:
    return exp.Cast(this=value.copy(), to=kind.copy()) if kind is not None else None
