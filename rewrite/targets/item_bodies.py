"""What varies between members of a loop, what it is called there, and the member that says so.

A value that is made of others (`source('fenix', 'home')` as `fenix_home`, 'FR' in `mrr_fr`) has no
name of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from unwet.rewrite.library import LINE
from unwet.rewrite.naming import NO_PARAMETERS, free_parameter
from unwet.rewrite.targets.jinja_values import quoted
from unwet.rewrite.targets.jinja_values import word as said_word
from unwet.rewrite.targets.lexemes import Lexeme, middles, param_in

_WORD: Final = re.compile(r"[A-Z]?[a-z]+")
_LINE: Final = 84  # signs in a line of values
_ROW: Final = 114  # signs in a row of several

Item = tuple[Lexeme, ...]
Values = tuple[str, ...]
Piece = tuple[Literal["text", "name"], str]
_Made = list[tuple[str, Values] | str]
"""A value that is put together: texts, and values with what is done to each of them."""

_CHANGES: Final[Mapping[str, Callable[[str], str]]] = {
    "": str,
    " | lower": str.lower,
    " | replace('-', '_')": lambda value: value.replace("-", "_"),
}
"""What is done to a value to make another one of it, as a template says it: FR is `fr` in the name
of a model, 2024-05 is `2024_05`."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Where items differ: the place of the word among those that are no space, and what it begins
    and ends with in all."""

    place: int
    head: str
    values: Values
    tail: str


@dataclass(frozen=True, slots=True)
class ItemLevel:
    """The names that one loop gives values, and these."""

    names: tuple[str, ...]
    rows: tuple[Values, ...]

    @property
    def signs(self) -> int:
        """How much there is to read."""
        return sum(map(_signs, self.rows))

    @property
    def lines(self) -> int:
        """With those around."""
        several = len(self.names) > 1
        said = (", ".join(map(shown, row)) for row in self.rows)
        rows = ", ".join(f"({row})" if several else row for row in said)
        if len(f"{{% for {', '.join(self.names)} in [{rows}] %}}") <= LINE:
            return 2
        if several:
            return 3 + sum(1 if _signs(r) <= _ROW else 2 - -_signs(r) // _LINE for r in self.rows)
        return 3 - -self.signs // _LINE


def shown(value: str) -> str:
    """A value of a row as a Jinja expression."""
    return param_in(value) or said_word(value)


def is_param(values: Values) -> bool:
    """Whether the values are parameters of the macro around, none of which can be cut."""
    return all(map(param_in, values))


def _signs(row: Values) -> int:
    return sum(len(value) + 4 for value in row)


@dataclass(frozen=True, slots=True)
class ItemLoop:
    """Loops in one another, and one member over their names."""

    levels: tuple[ItemLevel, ...]
    body: str

    @property
    def lines(self) -> int:
        """As printed."""
        inner = 1 if len(self.levels) > 1 else 0  # for the last of the outer one
        return sum(level.lines for level in self.levels) + self.body.count("\n") + 1 + inner


def holes_of(items: Sequence[Item]) -> list[Hole]:
    """The places in which items of one skeleton differ. The name of a model, which people look
    for, is cut only where a part of it is said elsewhere, too."""
    rows = [[word for word in item if word.kind != "space"] for item in items]
    found: list[Hole] = []
    names: set[int] = set()  # of models
    for place, words in enumerate(zip(*rows, strict=True)):
        values = tuple(word.inner for word in words)
        if len(set(values)) > 1:
            found.append(Hole(place, *(("", values, "") if is_param(values) else middles(values))))
            if any(word.names_model for word in words):
                names.add(place)
    used = Counter(made for hole in found for made in {*_changed(hole.values)})
    return [
        Hole(hole.place, "", tuple(hole.head + value + hole.tail for value in hole.values), "")
        if hole.place in names and used[hole.values] == 1
        else hole
        for hole in found
    ]


def _changed(values: Values) -> Iterator[Values]:
    """The values, and what can be made of them."""
    for change in _CHANGES.values():
        yield tuple(map(change, values))


def names_of(
    holes: Sequence[Hole], item: Item, used: Collection[str] = ()
) -> tuple[dict[str, Values], dict[int, Sequence[Piece]]]:
    """The names and their values, and what stands in each hole, by its place. ``used``: names that
    mean something else."""
    words = [word for word in item if word.kind != "space"]
    after = [*(word.text for word in words[1:]), ""]
    taken = {*used, *(word.text for word, sign in zip(words, after, strict=True)
                      if word.kind == "fixed" and sign != "=")}  # fmt: skip
    taken |= {name for word in words if (name := param_in(word.text))}
    taken |= {param_in(value) for hole in holes for value in hole.values}
    shortest = sorted({hole.values for hole in holes}, key=lambda v: (sum(map(len, v)), v))
    base: list[Values] = []
    made: dict[Values, _Made] = {}
    for values in shortest:
        whole = is_param(values)
        known = [each for each in base if not is_param(each)]
        found = None if whole else next(_follows(values, known), None)
        if found is None:
            base.append(values)
        made[values] = found or [("", values)]
    names: dict[Values, str] = {}
    said_as = {hole.values: words[hole.place].kind for hole in holes}
    shared = _shared_words([values for values in base if said_as[values] == "name"])
    for values in reversed([hole.values for hole in holes]):  # what an item is called comes first
        if values in base and values not in names:
            wished = [w for h in holes if h.values == values for w in _wished(h, words)]
            wished += [(5, word) for word in shared.get(values, ())]
            others = {*taken, *names.values()}
            best = min(wished, key=lambda each: (each[1] in others, *each), default=(9, "name"))
            names[values] = free_parameter(best[1], others)
    said: dict[int, Sequence[Piece]] = {}
    for hole in holes:
        pieces: list[Piece] = [
            ("text", part) if isinstance(part, str) else ("name", names[part[1]] + part[0])
            for part in made[hole.values]
        ]
        said[hole.place] = [("text", hole.head), *pieces, ("text", hole.tail)]
    ordered = dict.fromkeys(hole.values for hole in holes if hole.values in names)
    return {names[values]: values for values in ordered}, said


def _shared_words(many: Sequence[Values]) -> dict[Values, list[str]]:
    """The word that most of some names begin with, where no others do: `fast` of `fast_lcp`,
    `fast_fid` and `small_cls`."""
    found = {values: _most_begin(values) for values in many}
    times = Counter(word for words in found.values() for word in words)
    return {values: [w for w in words if times[w] == 1] for values, words in found.items()}


def _most_begin(values: Values) -> list[str]:
    if not all(map(str.isidentifier, values)):
        return []
    first = [found[0].lower() for value in values if (found := _WORD.match(value)) is not None]
    word, times = Counter(first).most_common(1)[0] if first else ("", 0)
    is_most = 2 * times > len(values) and word not in map(str.lower, values)
    return [word] if is_most and _is_telling(word) else []


def _is_telling(name: str) -> bool:
    return name.isidentifier() and len(name) > 2 and name not in NO_PARAMETERS


def _follows(values: Values, known: Sequence[Values]) -> Iterator[_Made]:
    """The ways to put values together from one or two others and what is the same in all."""
    for (said, change), base in product(_CHANGES.items(), known):
        one = tuple(map(change, base))
        before, there, after = values[0].partition(one[0]) if one[0] else ("", "", "")
        if there and all(v == before + o + after for v, o in zip(values, one, strict=True)):
            yield [before, (said, base), after]
    for one, other in product([each for each in known if each[0]], repeat=2):
        before, there, rest = values[0].partition(one[0])
        between, then, after = rest.partition(other[0])
        if (
            there
            and then
            and all(
                v == before + o + between + p + after
                for v, o, p in zip(values, one, other, strict=True)
            )
        ):
            yield [before, ("", one), between, ("", other), after]


def body(item: Item, holes: Sequence[Hole], said: Mapping[int, Sequence[Piece]]) -> str:
    """The item with what is said in place of what differs."""
    text, place = "", 0
    varying = {hole.place for hole in holes}
    for word in item:
        if word.kind == "space":
            text += word.text
            continue
        text += _said(word, said[place]) if place in varying else word.text
        place += 1
    return text


def _said(word: Lexeme, pieces: Sequence[Piece]) -> str:
    """In SQL a name stands in a tag of its own; a tag puts texts and names together."""
    shown = [piece for piece in pieces if piece[1]]
    if word.kind in ("said", "number"):
        return " ~ ".join(t if kind == "name" else quoted(t) for kind, t in shown)
    inner = "".join(f"{{{{ {t} }}}}" if kind == "name" else t for kind, t in shown)
    return word.quote + inner + word.quote[::-1]


def _output(words: Sequence[Lexeme], place: int) -> str:
    """The output that a word is all of, or all of it that is cast to a type."""
    at = place + 1
    before = [word.text.upper() for word in words[max(place - 2, 0) : place]]
    if before == ["CAST", "("] and words[at : at + 1] and words[at].text.upper() == "AS":
        depth = 1
        while depth and at < len(words):
            depth += (words[at].text == "(") - (words[at].text == ")")
            at += 1
    found = [word.text for word in words[at : at + 2]]
    return found[1] if len(found) == 2 and found[0] == "AS" else ""


def _wished(hole: Hole, words: Sequence[Lexeme]) -> Iterator[tuple[int, str]]:
    """What the hole may be called, the lowest first: after the argument or output that it is, the
    table it is in, that it is a name or an alias, or what it begins with."""
    word = words[hole.place]
    around = [each.text for each in words[max(hole.place - 2, 0) : hole.place]]
    told, sign = around if len(around) == 2 else ("", "")
    before = hole.head.rstrip("_.$/'\"`-: ").rpartition("_")[2].rpartition(".")[2]
    whole = not hole.head and not hole.tail
    ranks = {".": 2, "=": 1 if whole else 5}
    output = _output(words, hole.place)
    for rank, name in (
        (ranks.get(sign, 9), told.lower()),
        (1 if whole else 5, output.lower()),
        (4, before.lower()),
    ):
        if rank < 9 and _is_telling(name):
            yield rank, name
    if [each.text for each in words[max(hole.place - 4, 0) : hole.place - 2]] == ["source", "("]:
        yield 4, "table"
    if all(value.isdigit() for value in hole.values):
        yield 6, "number"
    elif word.kind == "string":
        yield 6, "value"
    elif word.kind == "note":
        yield 6, "comment"
    elif word.kind == "param":
        yield 6, "relation" if around[-1:] in (["FROM"], ["JOIN"]) else "value"
    elif hole.place == 0 or around[-1:] == ["AS"]:
        yield 3, "name"
    elif [each.text for each in words[hole.place + 1 : hole.place + 2]] == ["."] and sign != ".":
        yield 4, "alias"
    elif word.kind == "name":
        yield 7, "column"
