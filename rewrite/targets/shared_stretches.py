"""What several loops of one template go over in part stands once, at the template's head.

    {% set breakdowns = ['Region; Age', 'Region; Gender', 'Region; Ethnicity'] %}
    {% for breakdown in breakdowns + ['Provider'] %}
    {% for breakdown in ['England'] + breakdowns %}

Lists of constants and of rows of them only, which say the same wherever they stand; each goes over
what it did, in its order. Whole lists are shared before (`shared_lists.py`, `list_macros.py`).
Columns that are written one after the other are such a list, too (`column_runs.py`).

with_stretches(text) -> the text of a file
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from unwet.rewrite.library import LINE
from unwet.rewrite.naming import free, slug
from unwet.rewrite.targets.column_runs import Items, Run, cut, runs
from unwet.rewrite.targets.jinja import row_text, wrapped
from unwet.rewrite.targets.shared_lists import TEXT

_LEAST: Final = 4  # items of a stretch
_SAVED: Final = 5  # lines, at least: it is one more name to know
_WORDS: Final = 3  # of its name
_TRIED: Final = 8  # stretches that are written to see what they save, before one is taken
_MOST: Final = 400  # items of a list that is looked into
_LISTS: Final = 60

_VALUE: Final = rf"(?:{TEXT}|\d+(?:\.\d+)?\b|none\b)"
_ITEM: Final = rf"(?:{TEXT}|\(\s*{_VALUE}(?:,\s*{_VALUE})+,?\s*\))"
# one that a loop goes over, that has a name, or that is the last of a row
_LIST: Final = re.compile(
    rf"(?:\{{% (?:for (?P<names>\w+(?:, \w+)*) in|set (?P<set>\w+) =) |(?<= ))"
    rf"(?P<list>\[\s*{_ITEM}(?:,\s*{_ITEM})*,?\s*\])(?: %\}}|(?=\s*\),))"
)
_FOR: Final = re.compile(r"\{% for (?:\w+, )*(\w+) in \[")
# what is in front of a template's own text: its settings and comments, or how a macro is called
_HEAD: Final = re.compile(
    rf"\A(?:\{{% macro \w+\((?:{TEXT}|[^'\"%])*\) %\}}\n"
    rf"|(?!\{{% macro )(?:\{{\{{ config\((?:{TEXT}|[^'\"])*?\) \}}\}}\n\n)?(?:-- .*\n)*)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A list that is written in a place: parts are items, and what stands for stretches."""

    name: str  # of what an item is, or the names of a row's values
    parts: tuple[Items | str, ...]

    def text(self) -> str:
        line = " + ".join(part if isinstance(part, str) else f"[{', '.join(part)}]"
                          for part in self.parts)  # fmt: skip
        if len(line) <= self._room():
            return line
        parts = [part if isinstance(part, str) else written_list(part) for part in self.parts]
        lines = " + ".join(parts).splitlines()
        fits = all(len(line) <= self._room() for line in lines if not line.startswith("    "))
        return (" + " if fits else "\n    + ").join(parts)

    def _room(self) -> int:
        """The letters of a line of it, behind the word for an item."""
        return LINE - len("{% for  in  %}") - len(self.name)

    def lines(self) -> int:
        return self.text().count("\n") + 1

    def with_name(self, stretch: Items, name: str) -> Written:
        """The list in which a name stands for the stretch."""
        parts: list[Items | str] = []
        for part in self.parts:
            parts += [part] if isinstance(part, str) else cut(part, stretch, name)
        return Written(self.name, tuple(parts))

    def items(self) -> Iterator[Items]:
        """Those that are written."""
        yield from (part for part in self.parts if not isinstance(part, str))


def with_stretches(text: str) -> str:
    """A text whose head is not known stays as it is."""
    found = [*lists_of(text)]
    head = _HEAD.match(text)
    if len(found) > _LISTS or head is None:
        return text
    places = [place for place, _ in found]
    lists: list[Written | Run] = [written for _, written in found]
    columns = [*runs(text, (part for each in lists for part in each.items()))]
    if len(lists) + len(columns) < 2:
        return text
    lists += [run for _, _, run in columns]
    made: list[Written] = []
    taken = {*re.findall(r"\w+", text)}
    while (stretch := _best(lists)) is not None:
        users = [each for each in lists if each.with_name(stretch, "") != each]
        name = free(_called(stretch, users[0].name), taken)
        taken.add(name)
        made.append(Written(name, (stretch,)))
        lists = [each.with_name(stretch, name) for each in lists]
    if not made:
        return text
    olds = _old_names(text, places, lists)
    made = [Written(olds.get(each.name, each.name), each.parts) for each in made]
    lists = [replace(each, parts=_renamed(each.parts, olds)) for each in lists]
    sets = [f"{{% set {each.name} = {each.text()} %}}\n" for each in made]
    pieces = _put(text, places, lists[: len(places)], {*olds.values()})
    for (start, stop, run), new in zip(columns, lists[len(places) :], strict=True):
        pieces += [(start, stop, new.text())] if new != run else []
    return text[: head.end()] + "".join(sets) + _with_pieces(text, head.end(), pieces)


def _old_names(
    text: str, places: Sequence[re.Match[str]], lists: Sequence[Written | Run]
) -> dict[str, str]:
    """The names that lists had before the stretches that they are, by the names of these."""
    olds: dict[str, str] = {}
    for place, each in zip(places, lists, strict=False):
        name, alone = place["set"], each.parts[0] if len(each.parts) == 1 else None
        line = text[: place.start()].rpartition("\n")[2] + text[place.end() :].partition("\n")[0]
        once = name and text.count(f"set {name} ") == 1 and not line.strip()
        if once and isinstance(alone, str) and alone not in olds:
            olds[alone] = name
    return olds


def _renamed(parts: Iterable[Items | str], names: Mapping[str, str]) -> tuple[Items | str, ...]:
    return tuple(names.get(part, part) if isinstance(part, str) else part for part in parts)


def lists_of(text: str) -> Iterator[tuple[re.Match[str], Written]]:
    """The lists of a template, and what is written there. The list of a row is called as its loop
    calls it; what looks so in SQL is none."""
    for place in _LIST.finditer(text):
        name = place["names"] or place["set"]
        if name is None:
            start = text.rfind("{%", 0, place.start())
            around = _FOR.match(text, start) if start > text.rfind("%}", 0, place.start()) else None
            name = around[1] if around is not None else None
        if name is not None:
            yield place, Written(name, (items_of(place["list"]),))


def put_lists(
    text: str, start: int, places: Sequence[re.Match[str]], lists: Sequence[Written]
) -> str:
    """The text from there on with the lists in their places; those without a name stay."""
    return _with_pieces(text, start, _put(text, places, lists, ()))


def _put(
    text: str,
    places: Sequence[re.Match[str]],
    lists: Sequence[Written | Run],
    elsewhere: Collection[str],
) -> list[tuple[int, int, str]]:
    """``elsewhere``: names that are given at the head now, and not where they were."""
    found: list[tuple[int, int, str]] = []
    for place, each in zip(places, lists, strict=True):
        before = text[: place.start()].rpartition("\n")[2]
        if place["set"] in elsewhere:
            end = text.find("\n", place.end())
            found.append((place.start() - len(before), end + 1 if end >= 0 else len(text), ""))
        elif len(each.parts) > 1 or isinstance(each.parts[0], str):
            pad = "\n" + " " * (len(before) - len(before.lstrip()))
            found.append((*place.span("list"), each.text().replace("\n", pad)))
    return found


def _with_pieces(text: str, start: int, pieces: Iterable[tuple[int, int, str]]) -> str:
    """The text from there on with others in these places."""
    found: list[str] = []
    for at, stop, piece in sorted(pieces):
        found += [text[start:at], piece]
        start = stop
    return "".join([*found, text[start:]])


def items_of(text: str) -> Items:
    """The items of a list, however they are wrapped."""
    return tuple(f"({', '.join(re.findall(_VALUE, item))})" if item.startswith("(") else item
                 for item in re.findall(_ITEM, text))  # fmt: skip


def written_list(items: Items) -> str:
    """Items as a list of several lines."""
    if not items[0].startswith("("):
        return f"[\n{wrapped(items)}\n]"
    return "\n".join(["[", *(row_text(re.findall(_VALUE, item)) for item in items), "]"])


def _called(stretch: Items, item: str) -> str:
    """After the words that all of its items have, and what one of them is; rows after that."""
    item = item.partition(",")[0]
    if stretch[0].startswith("("):
        return f"{item}_rows"
    words = [re.findall(r"[a-z0-9]+", each.lower()) for each in stretch]
    common = [word for word in dict.fromkeys(words[0]) if all(word in own for own in words)]
    about = slug(" ".join(common), _WORDS) if common else ""
    what = item if item.rstrip("0123456789_").endswith("s") else f"{item}s"
    return f"{about}_{what}" if about[:1].isalpha() else what


def _best(lists: Sequence[Written | Run]) -> Items | None:
    """The stretch that saves most lines."""
    written = {part for each in lists for part in each.items() if _LEAST <= len(part) <= _MOST}
    common = {s for a, b in combinations(sorted(written), 2) for s in common_stretches(a, b)}
    common |= {part for part in written if sum(part in each.parts for each in lists) > 1}
    guessed = sorted(common, key=lambda each: (-_letters(lists, each), each))
    tried = [(_saved(lists, each), each) for each in guessed[:_TRIED]]
    saved, stretch = max(tried, default=(0, ()), key=lambda pair: pair[0])
    return stretch if saved >= _SAVED else None


def _letters(lists: Sequence[Written | Run], stretch: Items) -> int:
    """How many are written less, about."""
    many = sum(each.with_name(stretch, "").parts.count("") for each in lists)
    return (many - 1) * sum(map(len, stretch)) - LINE * many


def _saved(lists: Sequence[Written | Run], stretch: Items) -> int:
    """The lines that are written less."""
    named = [(each, each.with_name(stretch, "a_name_of_it")) for each in lists]
    less = sum(each.lines() - new.lines() for each, new in named if new != each)
    return less - Written("a_name_of_it", (stretch,)).lines()


def common_stretches(first: Items, second: Items) -> Iterator[Items]:
    """The stretches that both have and that end in one of them."""
    ends: dict[int, int] = {}  # how many are the same up to a place in the second
    for item in first:
        now = {to: ends.get(to - 1, 0) + 1 for to, other in enumerate(second) if other == item}
        for to, many in ends.items():
            if many >= _LEAST and to + 1 not in now:
                yield second[to + 1 - many : to + 1]
        ends = now
    yield from (second[to + 1 - many : to + 1] for to, many in ends.items() if many >= _LEAST)
