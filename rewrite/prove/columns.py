"""Whether the columns of two queries are the same, and in which type their values compare.

Types are called as DuckDB calls them; other engines' names are translated before they come here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE_INTEGERS = ("UBIGINT", "HUGEINT", "UHUGEINT")
_TIMESTAMPS = ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMP_NS")
FLOATS = ("FLOAT", "DOUBLE")
UNBOUND = (-1, -1)
_OTHER_TYPE = re.compile(r"column .+ was (\S+|DECIMAL\(.+\)), is (\S+|DECIMAL\(.+\))")
_UNTYPED = ('"NULL"', "NULL")  # a column that is the word NULL and nothing else


def shape(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]], unnamed: Collection[int]
) -> tuple[list[str], list[str], list[str]]:
    """Common type of each column; what makes the columns differ; what is only worth a note."""
    types, problems, notes = [], [], []
    for place, ((old, old_type), (new, new_type)) in enumerate(zip(before, after, strict=True)):
        if place not in unnamed and old.lower() != new.lower():
            problems.append(f"column {place + 1} was {old}, is {new}")
        common = _common(old_type, new_type)
        types.append(common or _near(old_type, new_type))
        if common is None:
            problems.append(f"column {old} was {old_type}, is {new_type}")
        elif old_type != new_type:
            notes.append(f"column {old} was {old_type}, is {new_type}")
    return types, problems, notes


def is_own_way(problems: Sequence[str]) -> bool:
    """Whether all that makes columns differ is how an engine calls the type of a result: a day that
    is a moment on one side, an exact number that is a float. Another engine may call both alike."""
    found = [_OTHER_TYPE.fullmatch(problem) for problem in problems]
    return all(each and _near(each[1], each[2]) != "VARCHAR" for each in found)


def _near(old: str, new: str) -> str:
    """The type to compare values of two types in that have none in common."""
    if {old, new} <= {"DATE", *_TIMESTAMPS}:
        return "TIMESTAMP"
    is_number = all(each in FLOATS or _digits(each) is not None for each in (old, new))
    return "DOUBLE" if is_number else "VARCHAR"


def _common(old: str, new: str) -> str | None:
    """The type to compare in, or None when the two are different things."""
    if old == new:
        return old
    if old in _UNTYPED or new in _UNTYPED:
        return new if old in _UNTYPED else old
    # floats meet in the coarser one: what was rounded to 24 bits cannot be compared to more
    for family, common in ((_TIMESTAMPS, "TIMESTAMP_NS"), (FLOATS, "FLOAT")):
        if old in family and new in family:
            return common
    if _texts(old) and _texts(new):
        return "VARCHAR"
    return _common_exact(_digits(old), _digits(new))


def _texts(type_: str) -> bool:
    return type_ == "VARCHAR" or type_.startswith("ENUM(")


def _digits(type_: str) -> tuple[int, int] | None:
    """Digits before and after the point of an exact number."""
    if type_ in _INTEGERS:
        return 19, 0
    if type_ in _WIDE_INTEGERS:
        return 39, 0
    if type_ == "DECIMAL":  # as many digits as there are
        return UNBOUND
    decimal = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", type_)
    return (int(decimal[1]) - int(decimal[2]), int(decimal[2])) if decimal else None


def _common_exact(old: tuple[int, int] | None, new: tuple[int, int] | None) -> str | None:
    if old is None or new is None:
        return None
    if UNBOUND in (old, new):
        return "DECIMAL"
    whole, scale = max(old[0], new[0]), max(old[1], new[1])
    if scale == 0:
        return "BIGINT" if whole <= 19 else "HUGEINT"
    # more than 38 digits do not exist: a value that needs them fails the cast, never compares equal
    return f"DECIMAL({min(whole + scale, 38)},{scale})"
