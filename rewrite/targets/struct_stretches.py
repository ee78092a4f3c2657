"""Fields that several STRUCTs have, one after the other, are what a macro says.

    STRUCT(
      metrics.counter.glean_error_label,          STRUCT(
      metrics.counter.glean_error_overflow,   ->    {{ glean_error() }},
      metrics.counter.tabs_opened                   metrics.counter.tabs_opened
    ) AS counter                                  ) AS counter

Word for word, so that each template says what it did. What a query selects is shared before
(`list_macros.py` and the library); a STRUCT is one item there.

with_struct_stretches(files, taken) -> the files, and the macros
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from unwet.rewrite.naming import free_macro, shared_words
from unwet.rewrite.targets.made_macros import MadeMacro, comment_of, macro_file, words_in_tags

_LEAST_SAVED: Final = 5  # lines; a macro is a file more to open
_LEAST_PLACES: Final = 2
_LONGEST: Final = 30  # fields
_OPEN: Final = re.compile(r"^( *)(?:.*[\s(])?STRUCT\($")
_CALL: Final = re.compile(r"\{\{ \w+\(\) \}\}")
_FIELD: Final = re.compile(r"(?:\.|\bAS `?)(\w+)`?,?$", re.MULTILINE)
_FILES: Final = ("models/", "macros/")


Stretch = tuple[str, ...]  # of what the fields say


class _Field(NamedTuple):
    """Lines [start, stop) of a file; ``text``: without indentation, and the comma behind."""

    start: int
    stop: int
    text: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stretch stands: the file, and its lines [start, stop)."""

    path: str
    start: int
    stop: int


_Structs = Mapping[str, Sequence[Sequence[_Field]]]  # by files the fields behind one another


def with_struct_stretches(
    files: Mapping[str, str], taken: Collection[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """``taken``: names of models and macros. The stretch that saves most lines goes first."""
    found, names = dict(files), {*taken, *words_in_tags(files.values())}
    macros: list[MadeMacro] = []
    structs = {path: [*_structs(text)] for path, text in files.items()
               if path.startswith(_FILES) and "STRUCT(" in text}  # fmt: skip
    while (best := _best(structs)) is not None:
        stretch, places = best
        name = free_macro(_name(stretch), names)
        names.add(name)
        for path in {place.path for place in places}:
            found[path] = _called(found[path], name, [p for p in places if p.path == path])
            structs[path] = [*_structs(found[path])]
        where = [*dict.fromkeys(place.path for place in places)]
        text = macro_file(name, ",\n".join(stretch))
        macros.append(MadeMacro(name, comment_of(where, "have in a STRUCT"), text))
        path = f"macros/{name}.sql"
        structs[path] = [*_structs(text)]
        found[path] = text
    last = tuple(replace(each, text=found.pop(f"macros/{each.name}.sql")) for each in macros)
    return found, last


def _structs(text: str) -> Iterator[list[_Field]]:
    """The fields of each STRUCT that is written in several lines."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if (hit := _OPEN.match(line)) is not None:
            yield from _runs(lines, at + 1, len(hit[1]))


def _runs(lines: Sequence[str], at: int, indent: int) -> Iterator[list[_Field]]:
    """Fields behind one another, without those that a macro cannot say as they are."""
    run: list[_Field] = []
    while at < len(lines) and not lines[at].startswith(" " * indent + ")"):
        stop = at + 1
        while stop < len(lines) and _goes_on(lines[stop], indent):
            stop += 1
        text = textwrap.dedent("\n".join(lines[at:stop])).removesuffix(",")
        if _is_field(lines[at:stop], text, indent):
            run.append(_Field(at, stop, text))
        elif run:
            yield run
            run = []
        at = stop
    if run:
        yield run


def _goes_on(line: str, indent: int) -> bool:
    """Whether a line is of the field that began above it."""
    return line.startswith(" " * (indent + 3)) or line.startswith(" " * (indent + 2) + ")")


def _is_field(lines: Sequence[str], text: str, indent: int) -> bool:
    """Whether a macro can say it: no Jinja but calls of macros that are given nothing."""
    said = _CALL.sub("", text)
    whole = said.count("(") == said.count(")") and not re.search(r"[{}]|--|/\*", said)
    return whole and lines[0].startswith(" " * (indent + 2)) and bool(text.strip())


def _best(
    structs: Mapping[str, Sequence[Sequence[_Field]]],
) -> tuple[tuple[str, ...], list[_Place]] | None:
    """The stretch that saves most lines, and where it stands; none of these overlap."""
    many: dict[Stretch, list[_Place]] = defaultdict(list)
    once = _said_once(structs)
    for path, runs in structs.items():
        for run in runs:
            for start in range(len(run)):
                for stop in range(start + 1, min(len(run), start + _LONGEST) + 1):
                    if run[stop - 1].text in once:
                        break
                    stretch = tuple(field.text for field in run[start:stop])
                    many[stretch].append(_Place(path, run[start].start, run[stop - 1].stop))
    best, most = None, _LEAST_SAVED - 1
    for stretch, places in many.items():
        lines = sum(text.count("\n") + 1 for text in stretch)
        if len(places) < _LEAST_PLACES or len(places) * (lines - 1) - lines - 2 <= most:
            continue
        apart = _apart(places)
        saved = len(apart) * (lines - 1) - lines - 2
        if saved > most and len(apart) >= _LEAST_PLACES:
            best, most = (stretch, apart), saved
    return best


def _said_once(structs: _Structs) -> set[str]:
    """Fields that too few places have for a macro."""
    many: dict[str, int] = defaultdict(int)
    for runs in structs.values():
        for run in runs:
            for field in run:
                many[field.text] += 1
    return {text for text, times in many.items() if times < _LEAST_PLACES}


def _apart(places: Sequence[_Place]) -> list[_Place]:
    found: list[_Place] = []
    for place in sorted(places, key=lambda p: (p.path, p.start)):
        if not found or found[-1].path != place.path or found[-1].stop <= place.start:
            found.append(place)
    return found


def _called(text: str, name: str, places: Sequence[_Place]) -> str:
    lines = text.split("\n")
    for place in sorted(places, key=lambda p: -p.start):
        first, last = lines[place.start], lines[place.stop - 1]
        pad = first[: len(first) - len(first.lstrip())]
        comma = "," if last.endswith(",") else ""
        lines[place.start : place.stop] = [f"{pad}{{{{ {name}() }}}}{comma}"]
    return "\n".join(lines)


def _name(stretch: Sequence[str]) -> str:
    """After what all fields are called alike, or the first of them."""
    fields = [hit[1] for text in stretch for hit in _FIELD.finditer(text)] or ["fields"]
    words = shared_words(fields)
    return words if "_" in words else f"{fields[0].lower()}_fields"
