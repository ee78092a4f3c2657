"""Printed SQL cut into words, so that items of one list can be laid side by side.

The cut loses nothing: the words put together are the text again. What varies between items may
be a name, a constant, or what stands between their common beginning and end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from unwet.rewrite.naming import RESERVED
from unwet.rewrite.targets.tokens import TOKEN

Kind = Literal["name", "string", "quoted", "token", "space", "fixed"]

# the groups of the one pattern have names of their own in the other
_TOKEN: Final = re.sub(r"(?<=\?P<|\?P=)(?=kind|name)", "of_", TOKEN.pattern)
_WORD: Final = re.compile(
    f"(?P<token>{_TOKEN})"
    r"|(?P<string>'(?:[^'\\]|''|\\.)*')"
    r'|(?P<quoted>"[^"]*"|`[^`]*`)'
    r"|(?P<name>\w+)"
    r"|(?P<space>\s+)"
    r"|(?P<fixed>.)",
    re.IGNORECASE | re.DOTALL,
)
_BORDER: Final = re.compile(r"[^A-Za-z0-9]")
_SQL_WORDS: Final = """
    array asc between both bool boolean bytes current else escape exists except exclude fetch
    filter first float float64 following int int64 integer interval intersect is last leading
    like ilike nulls numeric only partition preceding range replace respect rows some string
    struct text trailing true unbounded union unnest varchar within zone"""
_KEYWORDS: Final = RESERVED | frozenset(_SQL_WORDS.split())


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word of a text and what it is; ``fixed``: what no two items of a loop may differ in."""

    kind: Kind
    text: str


def lexemes(text: str) -> tuple[Lexeme, ...]:
    """The words of a text, keywords and the names of functions among the fixed ones."""
    found: list[Lexeme] = []
    for match in _WORD.finditer(text):
        kind, word = _kind(match), match.group()
        if kind == "name" and (word.isupper() and word.lower() in _KEYWORDS):
            kind = "fixed"
        if word == "(" and found and found[-1].kind == "name":
            found[-1] = Lexeme("fixed", found[-1].text)
        found.append(Lexeme(kind, word))
    return tuple(found)


def _kind(match: re.Match[str]) -> Kind:
    kinds: tuple[Kind, ...] = ("token", "string", "quoted", "name", "space", "fixed")
    return next(kind for kind in kinds if match[kind] is not None)


def middles(words: Sequence[str]) -> tuple[str, tuple[str, ...], str]:
    """What all begin with and what all end with, up to a border between words, and what each has
    between. Nothing between is left empty, nor is a word that stands for something cut."""
    if any(TOKEN.search(word) for word in words):
        return "", tuple(words), ""
    start, end = _common(words), _common([word[::-1] for word in words])
    shortest = min(map(len, words))
    head = _to_border(words[0][: min(start, shortest - 1)])
    tail = _to_border(words[0][::-1][: max(min(end, shortest - 1 - len(head)), 0)])[::-1]
    return head, tuple(word[len(head) : len(word) - len(tail)] for word in words), tail


def _common(words: Sequence[str]) -> int:
    """How many signs all begin with."""
    first, last = min(words), max(words)
    for at, (one, other) in enumerate(zip(first, last, strict=False)):
        if one != other:
            return at
    return min(len(first), len(last))


def _to_border(text: str) -> str:
    """The text up to the last sign in it that no word is made of."""
    borders = [match.end() for match in _BORDER.finditer(text)]
    return text[: borders[-1]] if borders else ""
