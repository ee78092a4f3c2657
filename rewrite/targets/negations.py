"""NOT where people write it: `x IS NOT NULL` and `x NOT IN (...)`.

The parser reads both as NOT around a test, and its printer writes that: `NOT x IS NULL`. NOT binds
less than these tests do, so both say the same, and are read as the same tree. Not behind another
operator, as engines do not agree whether IS or `=` binds more.
"""

from __future__ import annotations

import re
from typing import Final

_TESTS: Final = r"(?P<test>IN|BETWEEN)\b"  # NOT LIKE is printed as it was written
_NEGATED: Final = re.compile(
    r"(?P<other>'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"|`[^`]*`|\[[^\]\n]*\]|/\*.*?\*/|--[^\n]*)"
    rf"|\bNOT (?P<what>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) (?:IS (?P<null>NULL)\b|{_TESTS})",
    re.DOTALL,
)
_APART: Final = frozenset(  # in these both are two things: a row may be neither NULL nor NOT NULL,
    {("postgres", "NULL"), ("snowflake", "IN")}  # and NOT IN (SELECT ...) is read as <> ALL
)
_NEAR: Final = 200  # letters in which a word and the blanks of an indented line have room
_BEFORE: Final = re.compile(
    r"(?:[(,]|\b(?:AND|OR|WHERE|ON|HAVING|QUALIFY|WHEN|THEN|ELSE|SELECT))\s*\Z"
)


def negated(text: str, dialect: str, is_whole: bool = True) -> str:
    """SQL in which NOT stands in a test of a name, and not in front of it. ``is_whole``: nothing
    will stand in front of it."""

    def said(found: re.Match[str]) -> str:
        if found["other"] or not _is_free(text, found.start(), is_whole):
            return found[0]
        if (dialect, found["null"] or found["test"]) in _APART:
            return found[0]
        name = found["what"]
        return f"{name} IS NOT NULL" if found["null"] else f"{name} NOT {found['test']}"

    return _NEGATED.sub(said, text)


def _is_free(text: str, at: int, is_whole: bool) -> bool:
    """Whether no operator stands before a place."""
    before = text[max(0, at - _NEAR) : at]
    return _BEFORE.search(before) is not None or (is_whole and not text[:at].strip())
