"""Constants that one value is compared with as the same kind of value.

    x < 9, x >= 2           a text x becomes a whole number for both
    x < 9, x >= '2'         for the first only: for 'abc' it is NULL in Spark's dialects
    x < 9, x >= 2.5         '1e2' is no whole number there
    d < '2024-02-30'        is NULL for every day there, d >= '2024-02-01' is not

("ANSI Compliance" of Spark's SQL reference: without ANSI what cannot be converted is NULL.) So of
two comparisons of one value the first may be NULL, and the other one not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

NULL_OF_OTHERS: Final = frozenset(
    {"databricks", "hive", "redshift", "snowflake", "spark", "spark2"}
)
"""Where a comparison with a constant may be NULL for what is not NULL: beside a number a text that
is none in Spark; a null within JSON, of a VARIANT, in Snowflake and Databricks ("Semi-structured
data", "NULL values"); and whatever is of another type in a SUPER of Redshift ("Lax semantics")."""

LARGEST: Final = 2**31 - 1
"""Beyond 32 bits dialects widen, wrap or fail, each in its own way; another type is another number
below a division."""

_NO_WORDS: Final = frozenset(
    {"true", "false", "t", "f", "yes", "no", "y", "n", "nan", "inf", "infinity", "null", "now",
     "today", "tomorrow", "yesterday", "epoch"}
)  # fmt: skip


def are_alike(one: str, other: str, is_text: tuple[bool, bool]) -> bool:
    """Of constants as they are written; ``is_text``: which of them are texts, else numbers. Whether
    a comparison with the one is NULL where a comparison of the same value with the other one is."""
    if is_text[0] != is_text[1]:
        return False
    form = _form_of_text if is_text[0] else _form_of_number
    return one == other or (form(one) != "" and form(one) == form(other))


def _form_of_number(text: str) -> str:
    digits = text.removeprefix("-")
    if digits.isdigit():
        return "whole" if int(digits) <= LARGEST else ""
    return "fraction" if digits.replace(".", "", 1).isdigit() else ""


def _form_of_text(text: str) -> str:
    """A day, a moment, or a word that nothing but a text is made of."""
    if text.isalpha():
        return "" if text.lower() in _NO_WORDS else "word"
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        try:
            if datetime.strptime(text, form).strftime(form) == text:
                return form
        except ValueError:
            continue
    return ""
