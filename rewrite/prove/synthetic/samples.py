"""Texts that match a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any


def like_sample(pattern: str) -> Iterator[str]:
    """Texts that LIKE accepts: shortest, and with something in each gap."""
    plain = re.sub(r"\\(.)", r"\1", pattern)
    yield plain.replace("%", "").replace("_", "a")
    yield plain.replace("%", "zq").replace("_", "b")


def regexp_sample(pattern: str) -> Iterator[str]:
    """A text that the pattern matches, one for each alternative of its first choice; none where
    the pattern is not understood."""
    try:
        from re import _parser as parser  # type: ignore[attr-defined]

        parsed = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return
    for choice in range(8):
        yield _written(parsed, choice)
        if "|" not in pattern:
            return


def _written(tokens: Any, choice: int) -> str:
    return "".join(_token(str(op), value, choice) for op, value in tokens)


_CATEGORIES = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "w", "CATEGORY_SPACE": " "}


def _token(op: str, value: Any, choice: int) -> str:
    match op:
        case "LITERAL":
            return chr(int(value))
        case "NOT_LITERAL":
            return "~"
        case "ANY":
            return "x"
        case "IN":
            return _member(value)
        case "MAX_REPEAT" | "MIN_REPEAT":
            return _written(value[2], choice) * max(int(value[0]), 1)
        case "SUBPATTERN":
            return _written(value[3], choice)
        case "BRANCH":
            return _written(value[1][choice % len(value[1])], choice)
        case _:
            return ""


def _member(items: Any) -> str:
    op, value = str(items[0][0]), items[0][1]
    match op:
        case "LITERAL":
            return chr(int(value))
        case "RANGE":
            return chr(int(value[0]))
        case "CATEGORY":
            return str(_CATEGORIES.get(str(value), "x"))
        case _:
            return "~"
