"""Calls of one macro that say the same of other words, as one call of its word.

    {{ pages_of(table='2022_06_01', year=2022) }}, {{ pages_of(table='2021_07_01', year=2021) }}

are `pages_of(table=word, year=word[:4])` of two words. A word is what calls say that say others,
wherever they say it: a table, in sources of any schemas, a date, or the year at its beginning, also
in what the calls among their arguments say.

said_of_words(calls, all) -> the words, and what is said of each
merged(values, ...) -> what several of these have in common, with parameters
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from unwet.rewrite.library import HANDED_ON, HOLE, MacroCall
from unwet.rewrite.naming import free_parameter
from unwet.rewrite.shapes import Leaf

_PLAIN: Final = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", re.ASCII)
_SOURCE: Final = re.compile(r"src__([A-Za-z0-9]+(?:_[A-Za-z0-9]+)*)__(\w+)__src")
_KINDS: Final = frozenset({"name", "string", "number"})
_NUMBER: Final = re.compile(r"(_\d+)+\Z")  # behind the name of a parameter


@dataclass(frozen=True, slots=True)
class Word:
    """Where a call says its word: the schema of a source, if it is a table, and what is done with
    the word (`TOKEN`)."""

    schema: str
    way: str

    def leaf(self, one: str) -> Leaf:
        """The same of the word that is called so."""
        said = f"h__{one}__h"
        if self.schema:
            return Leaf("name", f"src__{self.schema}__{said}__src")
        return Leaf("condition", f"{self.way}__{said}__{self.way}" if self.way else said)


@dataclass(frozen=True, slots=True)
class Made:
    """A call, by what it says; ``unsaid``: what is the default."""

    macro: str
    args: tuple[tuple[str, Value], ...]
    unsaid: frozenset[str]


Value: TypeAlias = Leaf | Word | Made


def said_of_words(
    own: Sequence[MacroCall], calls: Sequence[MacroCall]
) -> tuple[tuple[str, ...], Made] | None:
    """The words that calls are about, and the one call that all are; None where they say more of
    others, or nothing. ``calls``: what the numbers in them stand for."""
    for words in _words(own, calls):
        if (found := _call(own, words, calls)) is not None:
            return words, found
    return None


def _words(own: Sequence[MacroCall], calls: Sequence[MacroCall]) -> list[tuple[str, ...]]:
    """The words that the branches may be about: those of several words, as dates are, first."""
    found: dict[tuple[str, ...], None] = {}
    for leaves in _columns(own, calls):
        said = tuple(_said(leaf) for leaf in leaves)
        if len({*leaves}) > 1 and all(map(_PLAIN.fullmatch, said)):
            found[said] = None
    return sorted(found, key=lambda words: -len(words[0]))


def _columns(own: Sequence[MacroCall], calls: Sequence[MacroCall]) -> Iterator[tuple[Leaf, ...]]:
    """What the calls say for each parameter, and calls among that."""
    said = [dict((*call.unsaid, *call.args)) for call in own]
    for name in said[0] if len({frozenset(each) for each in said}) == 1 else ():
        leaves = tuple(each[name] for each in said)
        inner = _calls(leaves, calls)
        if inner and len({call.macro for call in inner}) == 1:
            yield from _columns(inner, calls)
        yield leaves


def _calls(leaves: Sequence[Leaf], calls: Sequence[MacroCall]) -> tuple[MacroCall, ...]:
    """The calls that all of these are; none where some are something else."""
    hits = [HANDED_ON.fullmatch(leaf.text) if leaf.kind == "condition" else None for leaf in leaves]
    own = tuple(calls[int(hit[1])] for hit in hits if hit is not None)
    return own if len(own) == len(hits) else ()


def _said(leaf: Leaf) -> str:
    """The word that a leaf says: of a source its table; empty for what is none."""
    if leaf.quoted or leaf.kind not in _KINDS or HOLE.search(leaf.text):
        return ""
    source = _SOURCE.fullmatch(leaf.text) if leaf.kind == "name" else None
    return source[2] if source is not None else leaf.text


def _call(
    own: Sequence[MacroCall], words: Sequence[str], calls: Sequence[MacroCall]
) -> Made | None:
    """The one call that all are, each of its word; None where they say more of others."""
    said = [dict((*call.unsaid, *call.args)) for call in own]
    if len({frozenset(each) for each in said}) > 1 or len({call.macro for call in own}) > 1:
        return None
    args: list[tuple[str, Value]] = []
    for name in said[0]:
        value = _value([each[name] for each in said], words, calls)
        if value is None:
            return None
        args.append((name, value))
    unsaid = frozenset.intersection(*(frozenset(dict(call.unsaid)) for call in own))
    return Made(own[0].macro, tuple(args), unsaid)


def _value(
    leaves: Sequence[Leaf], words: Sequence[str], calls: Sequence[MacroCall]
) -> Value | None:
    if inner := _calls(leaves, calls):
        return _call(inner, words, calls)
    if len({*leaves}) == 1:
        return leaves[0]
    sources = [_SOURCE.fullmatch(leaf.text) if leaf.kind == "name" else None for leaf in leaves]
    schemas = {source[1] if source is not None else "" for source in sources}
    ways = [_way(_said(leaf), each) for leaf, each in zip(leaves, words, strict=True)]
    if len({*ways}) > 1 or len(schemas) > 1 or ways[0] is None:
        return None
    found = Word(schemas.pop(), ways[0])
    if found.schema and (found.way or any(map(str.isdigit, words))):
        return None  # a list of nothing but digits is one of numbers, and no table is one
    return found


def _way(said: str, of: str) -> str | None:
    """What is done with a word, where that says the other one."""
    if said == of:
        return ""
    if said and of.startswith((f"{said}_", f"{said}-")):
        return f"first{len(said)}"
    if said == of.replace("_", "-"):
        return "dashes"
    return "underscores" if said and said == of.replace("-", "_") else None


def key_of(value: Value) -> object:
    """Equal for what can be one macro: where words are said, and in which calls."""
    match value:
        case Made() if has_words(value):
            return value.macro, *sorted((name, repr(key_of(each))) for name, each in value.args)
        case Word():
            return value
        case _:
            return ""


def has_words(value: Value) -> bool:
    match value:
        case Made():
            return any(has_words(each) for _, each in value.args)
        case _:
            return isinstance(value, Word)


def merged(
    values: Sequence[Value], name: str, holes: dict[tuple[Value, ...], str], taken: set[str]
) -> Value:
    """What all sites say, with parameters where they say something else, or what is a parameter of
    the macro around."""
    first = values[0]
    if isinstance(first, Word):
        return first
    if isinstance(first, Made) and has_words(first):
        made = [each for each in values if isinstance(each, Made)]
        said = [dict(each.args) for each in made]
        args = tuple((n, merged([each[n] for each in said], n, holes, taken)) for n in said[0])
        equal = {n for n, value in args if value == said[0][n] or isinstance(value, Word)}
        unsaid = frozenset.intersection(*(each.unsaid for each in made)) & equal
        return Made(first.macro, args, unsaid)
    if len({*values}) == 1 and not _is_open(first):
        return first
    key = tuple(values)
    if key not in holes:
        holes[key] = free_parameter(_NUMBER.sub("", name), {*holes.values(), *taken})
    return Leaf("condition", f"h__{holes[key]}__h")


def _is_open(value: Value) -> bool:
    """Whether a parameter of the macro around stands in it."""
    if isinstance(value, Made):
        return any(_is_open(each) for _, each in value.args)
    return isinstance(value, Leaf) and HOLE.search(value.text) is not None


def filled(call: Made, one: str) -> Made:
    """A call of the word that is called so."""

    def put(value: Value) -> Value:
        match value:
            case Word():
                return value.leaf(one)
            case Made():
                return filled(value, one)
            case _:
                return value

    return replace(call, args=tuple((name, put(value)) for name, value in call.args))


def spoken(call: Made) -> Iterator[str]:
    """What the word is called: after the parameters that are it, or a table."""
    for name, value in call.args:
        if isinstance(value, Word) and not value.way:
            yield "table" if value.schema else name
    for _, value in call.args:
        if isinstance(value, Made):
            yield from spoken(value)
