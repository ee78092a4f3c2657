"""What a template configures its model with, so that models may share it with what they say.

config_of(words) -> Config, None where not all of it is constant
tag_of(said) -> the tag
joined(text) -> the text without `~` between two constants
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from jinja2 import nodes

from unwet.rewrite.prove.sandbox import Budget, Sandbox, TemplateFailure, guarded
from unwet.rewrite.templated.lexed import Word, Words, laid_out_in_tags, lexed

_PIECE: Final = re.compile(r"\[[^\[\]]*,[^\[\]]*\]|[^\W_]+|'+|\[|[^\w'\[]+|_+")
"""Lists of several items as a whole; words, and what is between them."""
_LIST: Final = re.compile(r"\[[^\[\]]*\]")
_TEXT: Final = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_CHAIN_BEFORE: Final = frozenset({"(", ",", "=", "~", "[", ":"})
_CHAIN_AFTER: Final = frozenset({")", ",", "~", "]", "}", ":"})


@dataclass(frozen=True, slots=True)
class Config:
    """A tag [start, end) of a text that configures; ``said``: by key an expression, in which texts
    are glued of words and what is between them, so that two can be compared word by word."""

    start: int
    end: int
    said: Mapping[str, str]


def config_of(words: Words) -> Config | None:
    """Of a template with one such tag, whose values are constants, or what macros make of some."""
    tags = [
        word.tag
        for word, inner in zip(words.all, words.all[1:], strict=False)
        if word.kind == "open" and word.text.startswith("{{") and inner.text == "config"
    ]
    if len(tags) != 1:
        return None
    within = [word for word in words.all if word.tag == tags[0]]
    start, end = within[0].start, within[-1].end
    said = _said(words.text[start:end])
    return Config(start, end, said) if said else None


@lru_cache(maxsize=4096)
def _said(tag: str) -> Mapping[str, str] | None:
    try:
        tree = guarded(lambda: Sandbox(Budget()).parse(tag))
    except TemplateFailure:
        return None
    match tree.body:
        case [nodes.Output(nodes=[nodes.Call(args=[], dyn_args=None, dyn_kwargs=None) as call])]:
            if not isinstance(call.node, nodes.Name) or call.node.name != "config":
                return None
            given = call.kwargs
            found = {each.key: _expression(each.value) for each in given}
            return (
                {k: v for k, v in found.items() if v is not None} if all(found.values()) else None
            )
        case _:
            return None


def _expression(node: nodes.Expr) -> str | None:
    """None for what is no constant and no call with some, or of a kind that is not written here."""
    match node:
        case nodes.Const(value=str() as text):
            return _glued(laid_out_in_tags(text))
        case nodes.Const(value=None):
            return "none"
        case nodes.Const(value=bool() as value):
            return str(value).lower()
        case nodes.Const(value=int() as value):
            return str(value)
        case nodes.List(items=items):
            parts = [_expression(each) for each in items]
            return None if None in parts else f"[{', '.join(map(str, parts))}]"
        case nodes.Call(node=nodes.Name(name=name), dyn_args=None, dyn_kwargs=None):
            parts = [_expression(each) for each in node.args]
            named = [(each.key, _expression(each.value)) for each in node.kwargs]
            if None in parts or any(value is None for _, value in named):
                return None
            given = [*map(str, parts), *(f"{key}={value}" for key, value in named)]
            return f"{name}({', '.join(given)})"
        case _:
            return None


def _glued(text: str) -> str:
    if "\\" in text or "\n" in text:
        return literal(text)
    return " ~ ".join(map(literal, _PIECE.findall(text))) or "''"


def literal(text: str) -> str:
    """A text as a constant of Jinja, without signs before its quotes where it has one kind only."""
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    if "'" in escaped and '"' not in escaped:
        return f'"{escaped}"'
    return "'" + escaped.replace("'", "\\'") + "'"


def tag_of(said: Mapping[str, str]) -> str:
    """A tag that configures a model so."""
    settings = [f"{key}={value}" for key, value in said.items()]
    if len(settings) == 1:
        return f"{{{{ config({settings[0]}) }}}}"
    lines = ",\n".join(f"    {each}" for each in settings)
    return f"{{{{ config(\n{lines}\n) }}}}"


def shared_keys(members: Sequence[Config]) -> tuple[str, ...]:
    """The keys that all have, in the order of the first."""
    return tuple(key for key in members[0].said if all(key in each.said for each in members))


def of_one_form(members: Sequence[Config], key: str) -> bool:
    """Whether a setting is said alike in all, but for words and what is in lists."""
    return len({_form(each.said[key]) for each in members}) == 1


@lru_cache(maxsize=20_000)
def _form(said: str) -> str:
    """An expression without its words, and without what is in its lists."""
    parts = said.split(" ~ ")
    text = "".join(_value(part) for part in parts) if all(map(_TEXT.fullmatch, parts)) else said
    return re.sub(r"[^\W_]+(?:_+[^\W_]+)*(?!=)", "w", _LIST.sub("[]", text))


@lru_cache(maxsize=20_000)
def words_of(text: str) -> Words:
    """The same words for the same text: what is known of them is known once."""
    return lexed(text)


def joined(text: str) -> str:
    """One constant for several that are glued together in a tag."""
    words = lexed(text).all
    made, at, n = list[str](), 0, 0
    while n < len(words):
        end = _chain(words, n)
        if end > n + 1:
            value = "".join(_value(word.text) for word in words[n:end:2])
            made += [text[at : words[n].start], literal(value)]
            at = words[end - 1].end
        n = max(end, n + 1)
    return "".join((*made, text[at:]))


def _chain(words: Sequence[Word], start: int) -> int:
    """The position behind constants that are glued from there on; the start itself for none."""
    if not _is_text(words[start]) or start == 0 or words[start - 1].text not in _CHAIN_BEFORE:
        return start
    end = start + 1
    while end + 1 < len(words) and words[end].text == "~" and _is_text(words[end + 1]):
        end += 2
    while end > start + 1 and not _ends(words, end):
        end -= 2
    return end


def _ends(words: Sequence[Word], at: int) -> bool:
    return at >= len(words) or words[at].kind == "close" or words[at].text in _CHAIN_AFTER


def _is_text(word: Word) -> bool:
    return word.kind == "literal" and word.text[0] in "'\""


def _value(text: str) -> str:
    """What a constant of Jinja is, of those that are written here."""
    inner = text[1:-1]
    return re.sub(r"\\(.)", lambda hit: "\n" if hit[1] == "n" else hit[1], inner)
