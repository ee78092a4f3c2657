"""A condition that a macro has where its call says something for the parameter in it:

    WHERE category = '{{ category }}' AND {{ condition }}
    WHERE app = 'Next.js' AND n > 1

    WHERE {% if category is not none %}category = '{{ category }}' AND {% endif %}{{ condition }}

In a tree it is a function of that condition. Behind it another condition stands, so that the AND is
its own; where that one has gone since, 1 = 1 is said for none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.lexer import CODE, pieces
from unwet.lineage.trees import copied

_NAME: Final = re.compile(r"optional__(\w+?)__optional", re.IGNORECASE)
_BEGIN: Final = re.compile(rf"{_NAME.pattern}\(", re.IGNORECASE)
_AND: Final = re.compile(r"((?:\s*/\*.*?\*/)*)\s+AND\s+", re.IGNORECASE | re.DOTALL)
_PARENTHESIS: Final = re.compile(r"[()]")
_BRACES: Final = re.compile(r"\{\{ '[{}%#]+' \}\}")  # that Jinja prints: quotes, but none of SQL


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


def is_asked_of_rows(test: exp.Expr) -> bool:
    """Whether a condition is one of a WHERE, the first of its query that may be none."""
    around = test.parent
    while isinstance(around, exp.And | exp.Paren):
        around = around.parent
    return isinstance(around, exp.Where) and not any(optional_tests(test.root()))


def is_about_the_same(test: exp.Expr, others: Sequence[exp.Expr]) -> bool:
    """Whether conditions speak of a column of this one, too: a call that does without it and says
    them would say of the same thing twice what it is."""
    names = {column.name.lower() for column in test.find_all(exp.Column)}
    more = (column.name.lower() for each in others for column in each.find_all(exp.Column))
    return not names.isdisjoint(more)


def with_tests_if_said(text: str, dialect: str) -> str:
    """The text in which such a condition stands in a test of its parameter."""
    found = _BEGIN.search(text)
    while found is not None:
        close = _closing(text, found.end(), dialect)
        behind = _AND.match(text, close + 1)
        inner = text[found.end() : close].strip()
        said = f"{inner}{behind[1]} AND " if behind is not None else f"{inner}{{% else %}}1 = 1"
        test = f"{{% if {found[1].lower()} is not none %}}{said}{{% endif %}}"
        text = text[: found.start()] + test + text[behind.end() if behind else close + 1 :]
        found = _BEGIN.search(text)
    return text


def _closing(text: str, start: int, dialect: str) -> int:
    """Where the parenthesis is closed that stands before a place."""
    depth = 1
    plain = _BRACES.sub(lambda m: "_" * len(m[0]), text[start:])
    for piece in pieces(plain, dialect):
        code = text[start + piece.start : start + piece.end] if piece.kind == CODE else ""
        for sign in _PARENTHESIS.finditer(code):
            depth += 1 if sign[0] == "(" else -1
            if depth == 0:
                return start + piece.start + sign.start()
    raise ValueError(f"nothing closes the parenthesis before {text[start : start + 40]!r}")
