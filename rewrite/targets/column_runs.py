"""Lines of a template that are columns, one after the other, as places of lists.

    day,                              day,
    clicks,                           {{ columns | join(', ') }}
    saves,                 ->
    t.clicks_avg,                     {% for column in columns %}
    t.saves_avg                       t.{{ column }}_avg{% if not loop.last %},{% endif %}
                                      {% endfor %}

runs(text, lists) -> the places with what stands there: a text that says the same, word by word
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

LEAST: Final = 6  # columns of a stretch: fewer are read where they are
_MOST: Final = 400  # columns of a place that is looked into
_LINE: Final = re.compile(r"( *)((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(,?)")
# tags, comments and texts, in which lines are no columns
_NOT_SQL: Final = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|/\*.*?\*/|--[^\n]*|'(?:[^'\\]|\\.|'')*'", re.DOTALL
)
_VALUES: Final = frozenset({"null", "true", "false"})

Items = tuple[str, ...]
_Affix = tuple[str, str]  # what is before a column and behind it
_Places = Mapping[str, Sequence[tuple[int, int]]]  # of a name: its sequence, and where in that


@dataclass(frozen=True, slots=True)
class Run:
    """Columns as texts with quotes, and what stands for stretches of them; ``more``: whether
    something follows behind a comma."""

    parts: tuple[Items | str, ...]
    pad: str
    more: bool
    affix: _Affix = ("", "")
    name: str = "column"

    def text(self) -> str:
        """What is written in their place."""
        grouped = [(named, [*parts]) for named, parts in groupby(self.parts, _is_name)]
        found: list[str] = []
        for at, (named, parts) in enumerate(grouped):
            comma = self.more or at + 1 < len(grouped)
            if named:
                found += self._named([part for part in parts if isinstance(part, str)], comma)
            else:
                words = [self._said(item[1:-1]) for part in parts for item in part]
                found += [f"{word}," for word in words[:-1]]
                found.append(words[-1] + "," * comma)
        return "\n".join(self.pad + line for line in found)

    def lines(self) -> int:
        return self.text().count("\n") + 1

    def with_name(self, stretch: Items, name: str) -> Run:
        """The same in which a name stands for the stretch; not for a short one."""
        if len(stretch) < LEAST:
            return self
        parts: list[Items | str] = []
        for part in self.parts:
            parts += [part] if isinstance(part, str) else cut(part, stretch, name)
        return replace(self, parts=tuple(parts)) if parts != [*self.parts] else self

    def items(self) -> Iterator[Items]:
        """Those that are written."""
        yield from (part for part in self.parts if not isinstance(part, str))

    def _named(self, names: Sequence[str], comma: bool) -> list[str]:
        joined = " + ".join(names)
        if not any(self.affix):
            joined = f"({joined})" if len(names) > 1 else joined
            return [f"{{{{ {joined} | join(', ') }}}}" + "," * comma]
        behind = "," if comma else "{% if not loop.last %},{% endif %}"
        head = f"{{% for {self.name} in {joined} %}}"
        return [head, self._said(f"{{{{ {self.name} }}}}") + behind, "{% endfor %}"]

    def _said(self, column: str) -> str:
        return f"{self.affix[0]}{column}{self.affix[1]}"


def cut(items: Items, stretch: Items, name: str) -> list[Items | str]:
    """The items with a name wherever the stretch is."""
    found: list[Items | str] = []
    start = at = 0
    while at + len(stretch) <= len(items):
        if items[at : at + len(stretch)] == stretch:
            found += [items[start:at], name] if at > start else [name]
            start = at = at + len(stretch)
        else:
            at += 1
    return [*found, items[start:]] if start < len(items) else found


def runs(text: str, lists: Iterable[Items]) -> Iterator[tuple[int, int, Run]]:
    """From where to where, and what is there. ``lists``: those that the template goes over, of
    which columns may be the items with a word before or behind."""
    found = [*_runs(text)]
    sequences = [*lists, *(names for _, _, names, _ in found)]
    known: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, names in enumerate(sequences):
        for at, name in enumerate(names):
            known[name].append((number, at))
    first = len(sequences) - len(found)
    for number, (pad, starts, names, more) in enumerate(found):
        at = 0
        for affix, base in _parted(names, first + number, sequences, known):
            stop = at + len(base)
            follows = more or stop < len(names)
            yield starts[at], starts[stop] - 1, Run((base,), pad, follows, affix)
            at = stop


def _runs(text: str) -> Iterator[tuple[str, list[int], Items, bool]]:
    """Lines that are names in SQL: their indentation, where each begins and the last one ends,
    the names, and whether a comma is behind the last."""
    long = [each for each in _NOT_SQL.finditer(text) if "\n" in each.group()]
    shut = {at for each in long for at in range(each.start() + 1, each.end())}
    pad, starts, names, open_, start = "", list[int](), list[str](), False, 0
    for line in [*text.splitlines(keepends=True), "\n"]:
        hit = _LINE.fullmatch(line.rstrip("\n")) if start not in shut else None
        name = hit[2] if hit is not None and hit[2].lower() not in _VALUES else ""
        if names and not (hit is not None and name and open_ and hit[1] == pad):
            if LEAST <= len(names) <= _MOST:
                yield pad, [*starts, start], tuple(names), open_
            starts, names = [], []
        if hit is not None and name and (names or hit[3]):
            pad, open_ = hit[1], bool(hit[3])
            starts, names = [*starts, start], [*names, f"'{name}'"]
        start += len(line)


def _parted(
    names: Items, me: int, sequences: Sequence[Items], known: _Places
) -> Iterator[tuple[_Affix, Items]]:
    """Stretches of the columns with what is before and behind all of one, as other sequences have
    them without; what none has is as it is."""
    at, plain = 0, list[str]()
    while at < len(names):
        affix, base = max(_alike(names, at, me, sequences, known), key=lambda each: len(each[1]),
                          default=(("", ""), ()))  # fmt: skip
        if len(base) < LEAST or not any(affix):
            base = (names[at],)
            plain += base
        else:
            if plain:
                yield ("", ""), tuple(plain)
            yield affix, base
            plain = []
        at += len(base)
    if plain:
        yield ("", ""), tuple(plain)


def _alike(
    names: Items, at: int, me: int, sequences: Sequence[Items], known: _Places
) -> Iterator[tuple[_Affix, Items]]:
    """What the columns from there on are in other sequences; as they are first."""
    for affix, base in _bases(names[at][1:-1]):
        for number, start in known.get(f"'{base}'", ()):
            if number != me:
                other, many = sequences[number], 0
                while at + many < len(names) and start + many < len(other):
                    if names[at + many] != _with(affix, other[start + many]):
                        break
                    many += 1
                yield affix, other[start : start + many]


def _with(affix: _Affix, item: str) -> str:
    return f"'{affix[0]}{item[1:-1]}{affix[1]}'"


def _bases(name: str) -> Iterator[tuple[_Affix, str]]:
    """What a column may be without a qualifier, and without its last words."""
    dot = name.rfind(".") + 1
    for start in dict.fromkeys((0, dot)):
        ends = [hit.start() for hit in re.finditer("_", name) if hit.start() > start]
        for end in (len(name), *reversed(ends)):
            yield (name[:start], name[end:]), name[start:end]


def _is_name(part: Items | str) -> bool:
    return isinstance(part, str)
