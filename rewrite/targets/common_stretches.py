"""What lists of several files have in common, in part, is a macro that returns it.

    {% for counter in counters_from_fog_inits() + ['pdfjs_used'] %}
    {% for counter in ['search_count'] + counters_from_fog_inits() %}

Each loop goes over what it did, in its order. Lists that are the same but for some items are one
macro before (`list_macros.py`); what one file says twice is a name in it (`shared_stretches.py`).

with_common_stretches(files, taken) -> the files, and the macros
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from unwet.rewrite.naming import free_macro, slug
from unwet.rewrite.targets.column_runs import Items
from unwet.rewrite.targets.list_macros import macro_text
from unwet.rewrite.targets.made_macros import MadeMacro, comment_of
from unwet.rewrite.targets.shared_stretches import (
    Written,
    common_stretches,
    lists_of,
    put_lists,
    written_list,
)

_LONG: Final = 6  # lines of a list that is looked into
_ITEMS: Final = 1000  # of one that is
_LEAST: Final = 12  # items of a stretch
_SAVED: Final = 8  # lines, at least: it is a file more to open
_TRIED: Final = 8  # stretches that are written to see what they save, before one is taken
_WORDS: Final = 4  # of its first item, in its name
_END: Final = ("s", "ies")  # of several, and of several that end with y


@dataclass(frozen=True, slots=True)
class _Place:
    """A list in a file."""

    path: str
    start: int
    written: Written

    def with_call(self, stretch: Items, call: str) -> _Place:
        """The same with a call in place of the stretch."""
        return _Place(self.path, self.start, self.written.with_name(stretch, call))

    def has(self, stretch: Items) -> bool:
        """Whether the stretch is written in it."""
        return self.written.with_name(stretch, "") != self.written


def with_common_stretches(
    files: Mapping[str, str], taken: Collection[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """The templates, by their paths, and the macros that they call. ``taken``: names of macros and
    models."""
    places = [place for path, text in files.items() for place in _places(path, text)]
    used, made, known = {*taken}, list[MadeMacro](), dict[tuple[Items, Items], list[Items]]()
    while (stretch := _best(places, known)) is not None:
        users = [each for each in places if each.has(stretch)]
        name = free_macro(_name(stretch, users[0].written.name), used)
        used.add(name)
        where = sorted({each.path for each in users})
        made.append(
            MadeMacro(name, comment_of(where, "go over"), macro_text(name, written_list(stretch)))
        )
        places = [each.with_call(stretch, f"{name}()") for each in places]
    found = dict(files)
    for path in {each.path for each in places} if made else ():
        lists = {each.start: each.written for each in places if each.path == path}
        hits = [hit for hit, _ in lists_of(files[path]) if hit.start() in lists]
        found[path] = put_lists(files[path], 0, hits, [lists[hit.start()] for hit in hits])
    return found, tuple(made)


def _places(path: str, text: str) -> Iterator[_Place]:
    for found, written in lists_of(text):
        long = found["list"].count("\n") + 1 >= _LONG
        if long and sum(map(len, written.items())) <= _ITEMS:
            yield _Place(path, found.start(), written)


def _best(places: Sequence[_Place], known: dict[tuple[Items, Items], list[Items]]) -> Items | None:
    """The stretch of several files that saves most lines. ``known``: those of lists that were
    compared before."""
    where: dict[Items, set[str]] = defaultdict(set)
    for place in places:
        for part in place.written.items():
            if len(part) >= _LEAST:
                where[part].add(place.path)
    found = {part for part, paths in where.items() if len(paths) > 1}
    for pair in combinations(sorted(where), 2):
        if len(where[pair[0]] | where[pair[1]]) == 1 or len({*pair[0]} & {*pair[1]}) < _LEAST:
            continue
        if pair not in known:
            known[pair] = [each for each in common_stretches(*pair) if len(each) >= _LEAST]
        found.update(known[pair])
    tried = sorted(found, key=lambda each: (-sum(map(len, each)), each))[:_TRIED]
    saved, stretch = max(((_saved(places, each), each) for each in tried), default=(0, ()))
    return stretch if saved >= _SAVED else None


def _saved(places: Sequence[_Place], stretch: Items) -> int:
    """The lines that are written less."""
    less = -macro_text("", written_list(stretch)).count("\n")
    for place in places:
        if place.has(stretch):
            new = place.with_call(stretch, "a_name_of_about_this_length()")
            less += place.written.lines() - new.written.lines()
    return less


def _name(stretch: Items, item: str) -> str:
    """After what an item is, and the first one."""
    item = item.partition(",")[0]
    first = slug(stretch[0], _WORDS)
    what = item if item.endswith("s") else f"{item.removesuffix('y')}{_END[item.endswith('y')]}"
    return f"{what}_from_{first}" if item != "items" else f"from_{first}"
