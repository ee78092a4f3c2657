"""Lists of Spark's dialects, which compare otherwise than = does.

    d IN ('2024-1-1')     compares texts there, with a DATE that is one: '2024-01-01' is not in it
    d = '2024-1-1'        compares days

Spark finds one type for all that stands in IN, the tested value too, and that of a text and of
anything else is a text (its source, TypeCoercion, InConversion); with = the text becomes what it
stands beside. So a list of constants is marked where the tested value may be of another type, and
is neither = nor made of several of them. What makes a text is one of texts.

with_mark(call) -> the call of IN, marked where it may differ
is_of_values(shape, count) -> whether IN tests a list of as many values, marked or not
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit

SPARK: Final = frozenset({"spark", "spark2", "databricks", "hive"})
AS_ONE_TYPE: Final = "as_one_type=True"

_TEXTS: Final = frozenset({"upper", "lower", "trim", "substring", "left", "right", "concat"})
_TEXT_CASTS: Final = frozenset({"to:text", "to:varchar"})


def with_mark(call: Expr) -> Expr:
    """x IN (c, d) of Spark, where x and the constants may be of two types."""
    match call:
        case Call(op="in", args=(tested, *values), shape=shape) if is_of_values(shape, len(values)):
            alike = _is_text(tested) and all(map(_is_text, values))
            return call if alike else replace(call, shape=(*shape, AS_ONE_TYPE))
        case _:
            return call


def is_of_values(shape: tuple[str, ...], count: int) -> bool:
    """Is it a list of so many values, and nothing else?"""
    return shape in ((plain := ("this", f"expressions*{count}")), (*plain, AS_ONE_TYPE))


def _is_text(expr: Expr) -> bool:
    match expr:
        case Lit(kind="string"):
            return True
        case Call(op="cast", shape=("this", kind)):
            return kind in _TEXT_CASTS
        case Call(op=op):
            return op in _TEXTS
        case _:
            return False
