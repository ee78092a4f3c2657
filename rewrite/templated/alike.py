"""Whether two templates say the same in all branches.

alike(old, new, dialect) -> why not, empty where they do
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from unwet.lineage.lexer import CODE, COMMENT, pieces
from unwet.rewrite.templated.branches import Rendering
from unwet.rewrite.templated.lexed import SQL_WORDS, TYPES

_WORDS: Final = re.compile(r"\d[\w.]*|\w+|[<>=!|&:+\-*/%^~]+|[^\w\s]")


def apart(old: Sequence[Rendering], new: Sequence[Rendering], dialect: str) -> str:
    """In words the first branch in which two templates say other SQL, or configure otherwise; empty
    where they say the same in all of them."""
    for one in old:
        for other in new:
            if one.meets(other) and not _same(one, other, dialect):
                decided = {**other.decided, **one.decided}
                told = ", ".join(f"{key} is {str(on).lower()}" for key, on in decided.items())
                return f"it says something else where {told}" if told else "it says something else"
    return ""


def _same(one: Rendering, other: Rendering, dialect: str) -> bool:
    if (one.config, one.ran) != (other.config, other.ran):
        return False
    return _code(one.text, dialect) == _code(other.text, dialect)


@lru_cache(maxsize=4096)
def _code(text: str, dialect: str) -> tuple[str, ...]:
    """The words of an SQL text without comments; what stands in quotes is one word."""
    found: list[str] = []
    for kind, start, end, _ in pieces(text, dialect or None):
        part = text[start:end]
        if kind == CODE:
            for word in _WORDS.findall(part):
                found.append(word.lower() if word.lower() in SQL_WORDS else word)
        elif kind != COMMENT or part.startswith(("/*!", "/*+")):  # which some engines read
            prefixed = start > 0 and text[start - 1].isalnum()  # X'0a' is not X '0a'
            found.append(f"~{part}" if prefixed else part)
    return tuple(
        word.lower() if word.lower() in TYPES and after.startswith("'") else word
        for word, after in zip(found, [*found[1:], ""], strict=False)
        if not (word == "inner" and after == "join")
    )
