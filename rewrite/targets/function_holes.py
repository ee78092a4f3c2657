"""Where the texts of functions differ that are alike: few and short stretches, or an expression.

heads_of(functions) -> those whose statements say the same but for name and body, group by group
cuts_of(texts) -> what differs between them, and where; None where that is too much
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from sqlglot import exp

from unwet.lineage.languages import is_javascript
from unwet.lineage.tokenizing import Stretch, tokenize
from unwet.lineage.trees import copied
from unwet.rewrite.function_text import created
from unwet.rewrite.own_functions import OwnFunction

_HEAD: Final = re.compile(r"(CREATE OR REPLACE (?:FUNCTION|MACRO) \w+\.)(\w+)(.*)", re.DOTALL)
_TEMPLATE: Final = re.compile(r"\{[{%#]")
_WORD: Final = re.compile(r"\w+|[^\w\s]")
_PLAIN: Final = re.compile(r"\w+")
_PATH: Final = re.compile(r"[\w.]*")
_BEGINS: Final = re.compile(r"[\w$!'\"`/\[{]")  # an expression of a program; and what stands before
_BEFORE_IT: Final = re.compile(r"[^\w.$)\]]")
_LOOSE: Final = re.compile(r"\|\||&&|\?")  # binds less than what may stand before it
_FREE: Final = re.compile(r"(?:=>|\breturn|[(,;{:]|(?<![=!<>])=)\s*\Z")
_AT_MOST: Final = {"word": 80, "code": 80, "expression": 120, "condition": 200}
"""Signs that are read in a row; conditions are read part by part."""
_WORDS: Final = 2  # of a program that differ, each wherever it stands
_BEFORE: Final = 12  # words that a hole is wider by, at most
_BEHIND: Final = 6
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
_OPENING: Final = frozenset(_PAIRS.values())
_QUOTES: Final = ("'", '"', "`")
_HOLE: Final = "h__hole__h"


@dataclass(frozen=True, slots=True)
class Word:
    """A word or sign of a text, and its place there."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """A function: what its statement says before its name, the name, and the rest, with the words
    of that; ``head``: with the schema."""

    function: OwnFunction
    head: str
    name: str
    rest: str
    words: tuple[Word, ...]
    is_script: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a text that is another one in the others, and which hole it is in."""

    hole: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cuts:
    """The holes: their names, and the values of each text; the cuts of each, and the text of the
    clearest layout."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    of: tuple[tuple[Cut, ...], ...]
    shown: int


def heads_of(functions: Iterable[OwnFunction]) -> list[list[Text]]:
    """Those in which comments stand, or what a template would read as its own, are in none."""
    found: dict[tuple[str, str, str], list[Text]] = defaultdict(list)
    for each in functions:
        tree, said = created(each.sql, each.dialect), _HEAD.fullmatch(each.sql)
        if tree is None or said is None or _TEMPLATE.search(each.sql):
            continue
        head, name, rest = said.groups()
        words = _words(rest, each.dialect)
        if words:
            is_script = is_javascript(tree)
            own = _script_words(rest) if is_script else words
            text = Text(each, head, name, rest, own, is_script)
            found[each.dialect, head, _head(tree)].append(text)
    return [group for group in found.values() if len(group) > 1]


def _head(tree: exp.Create) -> str:
    """A statement without its name and body."""
    head = copied(tree)
    head.set("expression", None)
    head.this.set("this", exp.to_identifier("f"))
    return head.sql(comments=False)


def _words(text: str, dialect: str) -> tuple[Word, ...]:
    """None where it has comments."""
    stretches = [*tokenize(text, dialect)]
    if len(stretches) != 1 or not isinstance(stretches[0], Stretch):
        return ()
    tokens = stretches[0].tokens
    if any(token.comments for token in tokens):
        return ()
    return tuple(Word(text[t.start : t.end + 1], t.start, t.end + 1) for t in tokens)


def _script_words(text: str) -> tuple[Word, ...]:
    return tuple(Word(found.group(), *found.span()) for found in _WORD.finditer(text))


def cuts_of(texts: Sequence[Text]) -> Cuts | None:
    """White space between words is no difference."""
    return (_single_words(texts) if texts[0].is_script else None) or _stretch(texts)


# --- words that differ, each of them wherever it stands ------------------------------------------


def _single_words(texts: Sequence[Text]) -> Cuts | None:
    """Of programs that have the same number of words."""
    if len({len(text.words) for text in texts}) > 1:
        return None
    columns: dict[tuple[str, ...], list[int]] = {}
    for place, words in enumerate(zip(*(text.words for text in texts), strict=True)):
        values = tuple(word.text for word in words)
        if len({*values}) > 1:
            columns.setdefault(values, []).append(place)
    said = [value for values in columns for value in values]
    if len(columns) > _WORDS or not all(map(_PLAIN.fullmatch, said)):
        return None
    places = sorted((place, hole) for hole, own in enumerate(columns.values()) for place in own)
    of = (tuple(Cut(hole, text.words[at].start, text.words[at].end) for at, hole in places)
          for text in texts)  # fmt: skip
    names = ("word", "other")[: len(columns)]
    rows = zip(*columns, strict=True) if columns else (() for _ in texts)
    return Cuts(names, tuple(rows), tuple(of), _shown(texts))


# --- one stretch that differs -------------------------------------------------------------------


def _stretch(texts: Sequence[Text]) -> Cuts | None:
    before = _common([text.words for text in texts])
    least = min(len(text.words) for text in texts)
    behind = min(_common([text.words[::-1] for text in texts]), least - before)
    for more, after in sorted(product(range(_BEFORE + 1), range(_BEHIND + 1)), key=sum):
        if more > before or after > behind:
            continue
        stretches = [text.words[before - more : len(text.words) - behind + after] for text in texts]
        if any(map(_is_long, stretches)):
            return None
        if all(map(_is_closed, stretches)):
            cuts = [Cut(0, words[0].start, words[-1].end) for words in stretches]
            if (found := _one_hole(texts, cuts)) is not None:
                return found
    return None


def _common(texts: Sequence[Sequence[Word]]) -> int:
    """How many words all begin with."""
    many = 0
    for words in zip(*texts, strict=False):
        if len({word.text for word in words}) > 1:
            break
        many += 1
    return many


def _is_long(words: Sequence[Word]) -> bool:
    """Whether nobody reads that in a row, whatever it is."""
    return sum(len(word.text) for word in words) > max(_AT_MOST.values())


def _is_closed(words: Sequence[Word]) -> bool:
    """Whether brackets that open there are closed, and quotes."""
    opened, quotes = list[str](), Counter(word.text for word in words if word.text in _QUOTES)
    for word in words:
        if word.text in _OPENING:
            opened.append(word.text)
        elif word.text in _PAIRS and (not opened or opened.pop() != _PAIRS[word.text]):
            return False
    return bool(words) and not opened and not any(many % 2 for many in quotes.values())


def _one_hole(texts: Sequence[Text], cuts: Sequence[Cut]) -> Cuts | None:
    """None where the hole is no expression, or is too much to be read in a row."""
    pairs = [*zip(texts, cuts, strict=True)]
    kinds = {(_part if text.is_script else _kind)(text, cut) for text, cut in pairs}
    values = [" ".join(text.rest[cut.start : cut.end].split()) for text, cut in pairs]
    name = max(kinds, key=[*_AT_MOST].index) if "" not in kinds else ""
    name = "expression" if kinds == {"expression", "condition"} else name
    if not name or max(map(len, values)) > _AT_MOST[name]:
        return None
    rows = tuple((value,) for value in values)
    return Cuts((name,), rows, tuple((cut,) for cut in cuts), _shown(texts))


def _part(text: Text, cut: Cut) -> str:
    """What a stretch of a program is: a word, or code that is an expression as far as one can see;
    empty for any other, as one of several lines."""
    said, line = text.rest[cut.start : cut.end], text.rest[: cut.start].rpartition("\n")[2]
    if "\n" in said:
        return ""
    if _PATH.fullmatch(said):
        return "word" if _PLAIN.fullmatch(said) else "code"
    begins = _BEGINS.match(said) and _BEFORE_IT.match(line[-1:] or "\n")
    holds = _FREE.search(line) or not _LOOSE.search(said)
    in_quotes = any(line.count(quote) % 2 for quote in _QUOTES)
    return "code" if begins and holds and not in_quotes else ""


def _shown(texts: Sequence[Text]) -> int:
    """The one whose layout a loop has."""
    rests = [text.rest for text in texts]
    return min(range(len(rests)), key=lambda n: (rests[n].count("\n"), len(rests[n]), n))


def _kind(text: Text, cut: Cut) -> str:
    """What a stretch of a query is: a condition, or another expression; empty where it is part of
    one only, so that parentheses around it would change what is said."""
    around = _with(text, cut, f"({text.rest[cut.start : cut.end]})")
    plain, template = created(text.function.sql, text.function.dialect), _with(text, cut, _HOLE)
    if around is None or plain is None or template is None or _bare(around) != _bare(plain):
        return ""
    places = [column for column in template.find_all(exp.Column) if column.name == _HOLE]
    return "condition" if all(map(_is_condition, places)) else "expression"


def _with(text: Text, cut: Cut, said: str) -> exp.Create | None:
    """The statement that says that instead."""
    rest = f"{text.rest[: cut.start]}{said}{text.rest[cut.end :]}"
    return created(f"{text.head}{text.name}{rest}", text.function.dialect)


def _bare(tree: exp.Expr) -> exp.Expr:
    """A tree without its parentheses, which it needs only to be said."""
    tree = copied(tree)
    for paren in [*tree.find_all(exp.Paren)]:
        paren.replace(paren.this)
    return tree


def _is_condition(column: exp.Expr) -> bool:
    """Whether a word of a statement is true or false, by what is around it."""
    above = column.parent
    while isinstance(above, exp.Paren):
        above = above.parent
    if isinstance(above, exp.Create):
        returned = above.find(exp.ReturnsProperty)
        return returned is not None and exp.DataType.build("boolean") == returned.this
    return isinstance(above, exp.Where | exp.Having | exp.Connector | exp.Not)
