"""A condition that a macro has where its call says something for the parameter in it:

    WHERE category = '{{ category }}' AND {{ condition }}
    WHERE app = 'Next.js' AND n > 1

    WHERE {% if category is not none %}category = '{{ category }}' AND {% endif %}{{ condition }}

In a tree it is a function of that condition. Behind it there is always another condition, so that
the AND is its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied

_NAME: Final = re.compile(r"optional__(\w+?)__optional", re.IGNORECASE)
_BEGIN: Final = re.compile(rf"{_NAME.pattern}\(", re.IGNORECASE)
_AND: Final = re.compile(r"\s+AND\s+", re.IGNORECASE)
# texts and names in quotes, and parentheses
_SIGNS: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|`[^`]*`|[()]", re.DOTALL)


def optional_test(test: exp.Expr, name: str) -> exp.Anonymous:
    """The condition, that is there where a call says something for the parameter."""
    said = exp.Paren(this=copied(test)) if isinstance(test, exp.Or) else copied(test)
    return exp.Anonymous(this=f"OPTIONAL__{name.upper()}__OPTIONAL", expressions=[said])


def parameter_of(test: exp.Expr) -> str:
    """The parameter without which a condition is none; empty for one that is always there."""
    hit = _NAME.fullmatch(test.name) if isinstance(test, exp.Anonymous) else None
    return hit[1].lower() if hit is not None else ""


def optional_tests(tree: exp.Expr) -> Iterator[tuple[exp.Expr, str]]:
    """Such conditions of a query, and their parameters."""
    for node in tree.find_all(exp.Anonymous):
        if name := parameter_of(node):
            yield node, name


def with_tests_if_said(text: str) -> str:
    """The text in which such a condition stands in a test of its parameter."""
    found = _BEGIN.search(text)
    while found is not None:
        close = _closing(text, found.end())
        behind = _AND.match(text, close + 1)
        assert behind is not None, "another condition is always behind it"
        inner = text[found.end() : close].strip()
        test = f"{{% if {found[1].lower()} is not none %}}{inner} AND {{% endif %}}"
        text = text[: found.start()] + test + text[behind.end() :]
        found = _BEGIN.search(text)
    return text


def _closing(text: str, start: int) -> int:
    """Where the parenthesis is closed that stands before a place."""
    depth = 1
    for sign in _SIGNS.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if depth == 0:
            return sign.start()
    raise ValueError(f"nothing closes the parenthesis before {text[start : start + 40]!r}")
