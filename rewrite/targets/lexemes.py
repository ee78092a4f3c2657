"""Templates cut into words, so that items of one list can be laid side by side.

The cut loses nothing: the words put together are the text again. What varies between items may
be a name or a constant of the SQL, a comment, or a text or number inside of a Jinja tag; and of
these what stands between their common beginning and end. So may a tag that is a parameter: whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from unwet.rewrite.naming import RESERVED

Kind = Literal["name", "string", "quoted", "note", "said", "number", "param", "space", "fixed"]

_TAG: Final = re.compile(r"(\{\{(?:'[^']*'|\"[^\"]*\"|[^'\"}])*\}\}|\{%(?:'[^']*'|[^'%])*%\})")
_PARAM: Final = re.compile(r"\{\{ ([A-Za-z_]\w*) \}\}")
_SQL: Final = re.compile(
    r"(?P<string>'(?:[^'\\]|''|\\.)*')"
    r'|(?P<quoted>"[^"]*"|`[^`]*`)'
    r"|(?P<note>/\* [^*\n{}%#'\"\\]+ \*/)"
    r"|(?P<fixed>/\*.*?\*/)"
    r"|(?P<name>\w+)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_JINJA: Final = re.compile(
    r"(?P<said>'[^'\\]*')"
    r'|(?P<fixed>"[^"]*"|[A-Za-z_]\w*)'
    r"|(?P<number>\d+)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_WORDS: Final = re.compile(r"\w+|\s+|[^\w\s]+")  # of a comment, whose apostrophes begin no text
_QUOTES: Final = ("'", '"', "`")
_REF: Final = re.compile(r"\bref\($")
_BORDER: Final = re.compile(r"[^A-Za-z0-9]")
_SQL_WORDS: Final = """
    array asc between both bool boolean bytes current else escape exists except exclude fetch
    filter first float float64 following int int64 integer interval intersect is last leading
    like ilike nulls numeric only partition preceding range replace respect rows some string
    struct text trailing true unbounded union unnest varchar within zone"""
_KEYWORDS: Final = RESERVED | frozenset(_SQL_WORDS.split())


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word of a template and what it is; ``fixed``: what no two items of a loop may differ in;
    ``said`` and ``number`` are in tags, a ``param`` is one, a ``note`` is a comment. ``inner``:
    what may vary of it.
    """

    kind: Kind
    text: str
    names_model: bool = False

    @property
    def inner(self) -> str:
        """Without its quotes."""
        return self.text[len(self.quote) : len(self.text) - len(self.quote)]

    @property
    def quote(self) -> str:
        """The quote on both sides; what begins a comment."""
        if self.kind == "note":
            return self.text[:3]
        return self.text[0] if self.kind in ("string", "quoted", "said") else ""


def lexemes(text: str) -> tuple[Lexeme, ...]:
    """The words of a text; keywords and the names of functions are among the fixed ones."""
    found: list[Lexeme] = []
    quote = ""  # of the text of the SQL that a tag stands in
    for number, part in enumerate(_TAG.split(text)):
        if number % 2:
            found += [Lexeme("param", part)] if param_in(part) else _jinja(part)
            continue
        if quote:
            text_, end, part = part.partition(quote)
            found += [Lexeme("fixed", text_ + end)] if text_ + end else []
            quote = "" if end else quote
        words, open_ = _sql(part)
        found += words
        quote = quote or open_
    return tuple(found)


def param_in(text: str) -> str:
    """The parameter that a tag is; empty where it is another one, or none."""
    found = _PARAM.fullmatch(text)
    return found[1] if found else ""


def _jinja(tag: str) -> Iterator[Lexeme]:
    for match in _JINJA.finditer(tag):
        names_model = _REF.search(tag, 0, match.start()) is not None
        yield Lexeme(_kind(match), match.group(), names_model)


def _sql(text: str) -> tuple[list[Lexeme], str]:
    """The words, and the quote of a text that has no end here."""
    found: list[Lexeme] = []
    quote = ""
    for match in _SQL.finditer(text):
        kind, word = _kind(match), match.group()
        if kind == "fixed" and word.startswith("/*"):
            found += map(_in_comment, _WORDS.findall(word))
            continue
        if kind == "name" and (word.isupper() and word.lower() in _KEYWORDS):
            kind = "fixed"
        if word == "(" and found and found[-1].kind == "name":
            found[-1] = Lexeme("fixed", found[-1].text)
        quote = quote or (word if word in _QUOTES else "")
        found.append(Lexeme(kind, word))
    return found, quote


def _in_comment(part: str) -> Lexeme:
    if part.isspace():
        return Lexeme("space", part)
    return Lexeme("name" if part[0].isalnum() or part[0] == "_" else "fixed", part)


def _kind(match: re.Match[str]) -> Kind:
    kinds: tuple[Kind, ...] = ("name", "string", "quoted", "note", "said", "number", "space")
    groups = match.groupdict()
    return next((kind for kind in kinds if groups.get(kind) is not None), "fixed")


def skeleton(words: Sequence[Lexeme]) -> tuple[str, ...]:
    """What items of one loop have in common."""
    return tuple(w.text if w.kind == "fixed" else w.kind + w.quote for w in words)


def middles(words: Sequence[str]) -> tuple[str, tuple[str, ...], str]:
    """What all begin with and what all end with, up to a border between words, and what each has
    between, which is never nothing. What people say in several words is not cut."""
    if any(" " in word for word in words):
        return "", tuple(words), ""
    start, end = _common(words), _common([word[::-1] for word in words])
    shortest = min(map(len, words))
    head = _to_border(words[0][: max(min(start, shortest - 1), 0)])
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
