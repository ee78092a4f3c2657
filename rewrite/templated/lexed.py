"""The words of a template: of its SQL and of its tags, each with its place.

lexed(text) -> Words; comments and blanks are none of them, tags inside of comments are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

Kind = Literal["sql", "string", "part", "open", "close", "word", "literal"]
"""``string``: one of SQL without a tag in it, ``part``: a piece of one around tags; ``open`` and
``close``: the signs of a tag; ``word`` and ``literal``: what stands in a tag."""

SQL_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        "select from where and or not in is null as on join left right full inner outer cross "
        "union all distinct group by order having case when then else end between like with",
    )
)
"""Words that no dialect lets a name be without quotes."""
TYPES: Final = frozenset({"date", "time", "timestamp", "interval"})
"""Words that are a type before a string, and may be names elsewhere."""

_TAG: Final = re.compile(r"\{[{%#]")
_INSIDE: Final = re.compile(
    r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[-+]?[%}]\}|\w+|~|[<>=!]=|\*\*|//|\S", re.S
)
_SQL: Final = re.compile(r"\d[\w.]*|\w+|[<>=!|&:+\-*/%^~]+|\S")


@dataclass(frozen=True, slots=True)
class Word:
    """One word; ``tag``: the number of the tag that it is part of, -1 outside of all."""

    kind: Kind
    text: str
    start: int
    end: int
    tag: int = -1

    @property
    def key(self) -> str:
        """What words are compared by: signs of tags do not say how blanks are trimmed, and words
        of SQL that nothing else can be called may be written in capitals."""
        if self.kind in ("open", "close"):
            return self.text.strip("-+")
        lower = self.text.lower()
        return lower if self.kind == "sql" and lower in SQL_WORDS else self.text


@dataclass(frozen=True, eq=False)
class Words:
    """A text, and its words in order. (Compared by identity, as they are keys of what is known.)"""

    text: str
    all: tuple[Word, ...]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """What words are compared by: a name that a loop gives is as good as any other."""
        loops = [
            name.text
            for word, name, after in zip(self.all, self.all[1:], self.all[2:], strict=False)
            if (word.kind, word.text, after.text) == ("word", "for", "in")
        ]
        known = {name: f"{{loop {at}}}" for at, name in enumerate(dict.fromkeys(loops))}
        typing = {
            id(word)
            for word, after in zip(self.all, self.all[1:], strict=False)
            if word.kind == "sql" and after.kind in ("string", "part") and after.text[0] == "'"
        }
        return tuple(
            known.get(word.text, word.text)
            if word.kind == "word"
            else word.text.lower()
            if id(word) in typing and word.text.lower() in TYPES
            else word.key
            for word in self.all
        )

    def between(self, start: int, end: int) -> str:
        """The text from word ``start`` to before word ``end``, as it stands."""
        if start >= end:
            return ""
        return self.text[self.all[start].start : self.all[end - 1].end]


def lexed(text: str) -> Words:
    """The words of a text. What can be said in two ways is one: `{% endif %}{% if x %}` behind
    `{% if not x %}` is an `{% else %}`, and INNER JOIN is JOIN."""
    return Words(text, tuple(_joined(_with_else(tuple(_Lexer(text).words())))))


def laid_out_in_tags(text: str) -> str:
    """A text that is a template itself, as hooks are, with tags laid out in one way: blanks in them
    say nothing."""
    words = lexed(text).all
    made, at, n = list[str](), 0, 0
    while n < len(words):
        end = n + 1
        while words[n].tag >= 0 and end < len(words) and words[end].tag == words[n].tag:
            end += 1
        if words[n].tag >= 0 and words[end - 1].kind == "close":
            pairs = zip(words[n:end], words[n + 1 : end], strict=False)
            tag = "".join(before.text + _blank(before, after) for before, after in pairs)
            made += [text[at : words[n].start], tag, words[end - 1].text]
            at = words[end - 1].end
        n = end
    return "".join((*made, text[at:]))


def _blank(before: Word, after: Word) -> str:
    if before.kind == "open" or after.kind == "close" or before.text == ",":
        return " "
    return " " if _is_wordy(before) and _is_wordy(after) else ""


def _is_wordy(word: Word) -> bool:
    """Whether it would be another one without a blank beside a name, or might be."""
    return word.kind == "literal" or word.text not in ("(", ")", "[", "]", ",", ".", "=", ":")


def _joined(words: Iterable[Word]) -> Iterator[Word]:
    held: Word | None = None
    for word in words:
        if held is not None:
            inner = word.kind == "sql" and word.text.lower() == "join"
            if not inner:
                yield held
            word = replace(word, start=held.start) if inner else word
            held = None
        if word.kind == "sql" and word.text.lower() == "inner":
            held = word
        else:
            yield word
    if held is not None:
        yield held


def _with_else(words: tuple[Word, ...]) -> Iterator[Word]:
    """With one tag for two where a condition ends and its opposite begins."""
    conditions: list[tuple[str, ...]] = []  # of the blocks that are open; of others none
    at = 0
    while at < len(words):
        tag = _tag_at(words, at)
        name = tag[1].text if len(tag) > 2 else ""
        said = tuple(word.text for word in tag[2:-1])
        if name == "if":
            conditions.append(said)
        elif name in ("else", "elif") and conditions:
            conditions[-1] = ()
        elif name == "endif" and conditions:
            before, after = conditions.pop(), _tag_at(words, at + len(tag))
            if before and len(after) > 2 and _opposite(before, tuple(w.text for w in after[1:-1])):
                conditions.append(())
                yield from (tag[0], replace(tag[1], text="else"))
                yield replace(tag[-1], end=after[-1].end)
                at += len(tag) + len(after)
                continue
        yield from tag or (words[at],)
        at += len(tag) or 1


def _tag_at(words: tuple[Word, ...], at: int) -> tuple[Word, ...]:
    """The words of the block tag that begins there; none where none does."""
    if at >= len(words) or words[at].kind != "open" or not words[at].text.startswith("{%"):
        return ()
    end = at
    while end < len(words) and words[end].tag == words[at].tag:
        end += 1
    return words[at:end]


def _opposite(condition: tuple[str, ...], following: tuple[str, ...]) -> bool:
    """Whether a tag asks for just what a condition before it denies."""
    if following[0] != "if" or len({"and", "or", "in", "is", "if"} & {*condition}):
        return False
    other = following[1:]
    return other == ("not", *condition) or condition == ("not", *other)


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._quote = ""  # of the string of SQL that goes on behind a tag
        self._comment = ""  # how the comment ends that does
        self._tags = 0

    def words(self) -> Iterator[Word]:
        while self._at < len(self._text):
            hit = _TAG.search(self._text, self._at)
            yield from self._sql(hit.start() if hit else len(self._text), hit is not None)
            if hit is not None:
                yield from self._tag(hit)

    def _sql(self, stop: int, tag_follows: bool) -> Iterator[Word]:
        text = self._text
        while self._at < stop:
            start = self._at
            if self._comment:
                found = text.find(self._comment, start, stop)
                ended = found >= 0
                self._at = found + len(self._comment) if ended else stop
                self._comment = "" if ended else self._comment
            elif self._quote:
                yield self._rest(start, stop, "part")
            elif text[start].isspace():
                self._at += 1
            elif text.startswith(("--", "/*"), start):
                self._comment = "\n" if text[start] == "-" else "*/"
                self._at += 2
            elif text[start] in "'\"`":
                self._quote = text[start]
                word = self._rest(start, stop, "string", 1)
                yield word
            else:
                hit = _SQL.match(text, start, stop)
                assert hit is not None
                end = _before_comment(text, start, hit.end())
                self._at = end
                yield Word("sql", text[start:end], start, end)

    def _rest(self, start: int, stop: int, kind: Kind, skip: int = 0) -> Word:
        """The string of SQL up to its end, or to the tag in it."""
        found = self._text.find(self._quote, start + skip, stop)
        self._at = found + 1 if found >= 0 else stop
        if found >= 0:
            self._quote = ""
        else:
            kind = "part"
        return Word(kind, self._text[start : self._at], start, self._at)

    def _tag(self, hit: re.Match[str]) -> Iterator[Word]:
        text = self._text
        if hit[0] == "{#":
            found = text.find("#}", hit.end())
            self._at = found + 2 if found >= 0 else len(text)
            return
        close = "}}" if hit[0] == "{{" else "%}"
        number, self._tags = self._tags, self._tags + 1
        at = hit.end() + (text[hit.end() : hit.end() + 1] in "-+" and hit.end() < len(text))
        yield Word("open", text[hit.start() : at], hit.start(), at, number)
        while inner := _INSIDE.search(text, at):
            at = inner.end()
            if inner[0].strip("-+") == close:
                yield Word("close", inner[0], inner.start(), at, number)
                break
            yield Word(_inner_kind(inner[0]), inner[0], inner.start(), at, number)
        else:
            at = len(text)
        self._at = at


def _inner_kind(text: str) -> Kind:
    return "literal" if text[0] in "'\"" or text.isdigit() else "word"


def _before_comment(text: str, start: int, end: int) -> int:
    """Signs end where a comment begins."""
    found = [at for sign in ("--", "/*") if (at := text.find(sign, start + 1, end)) > 0]
    return min([end, *found])
