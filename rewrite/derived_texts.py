"""Texts of a call that another text of it has in it follow from that one: a date or a year from the
name of a table.

    {{ vitals(year=2022, table='2022_06_01', date='2022-06-01') }}
 -> {{ vitals(table='2022_06_01') }}

where the macro has `date=table | replace('_', '-')` and `year=table[:4]`. A call that wants another
date still says it.

with_derived_texts(library) -> the library in which calls do not say them
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LINE,
    NO_NAMES,
    NO_VALUE,
    Library,
    Macro,
    MacroCall,
    calls_made,
    calls_within,
    numbers_by_macro,
    numbers_in,
    numbers_of,
)
from unwet.rewrite.said_less import SHARE, head, height
from unwet.rewrite.shapes import Leaf

_TEXT: Final = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+", re.ASCII)  # of several words
_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", re.ASCII)
_KINDS: Final = frozenset({"string", "number", "condition"})
_ROWS: Final = 3  # calls of one query that are a loop
_FOR: Final = len("{% for in [] %}")
_LEAST: Final = 2  # calls, and texts from which another one follows
# a date follows from a table before the table does
_WAYS: Final = ("first", "dashes", "underscores")
_SHOWN: Final = re.compile(r"(?P<way>first\d+|dashes|underscores)__h__(?P<name>\w+)__h__(?P=way)")
_SWAP: Final = " | replace('_', '-')"

_Said = Mapping[str, Leaf]


def with_derived_texts(library: Library) -> Library:
    """The library in which calls say less, as far as that makes lines fewer."""
    calls, macros = list(library.calls), list(library.macros)
    own = numbers_by_macro(calls, calls_made(library))
    together = [numbers_of(tree) for tree in library.trees]
    for at, macro in enumerate(macros):
        mine = {number: calls[number] for number in own.get(macro.name, ())}
        for way in _WAYS:
            for name in _open(macros[at], calls):
                usual, fit = _source(macros[at], name, way, mine, together)
                if not fit:
                    continue
                made = replace(macros[at], defaults={**macros[at].defaults, name: usual})
                after = {n: _shorter(call, name, n in fit) for n, call in mine.items()}
                before, now = (_lines(each, together, calls) for each in (mine, after))
                if _head(made) + now <= _head(macros[at]) + before:
                    macros[at], mine = made, after
        for number, call in mine.items():
            calls[number] = call
    return Library(library.models, tuple(macros), tuple(calls))


def _lines(
    own: Mapping[int, MacroCall], together: Sequence[Sequence[int]], calls: Sequence[MacroCall]
) -> int:
    """Those of the calls of a macro; several of one query are a loop over rows."""
    lines, alone = 0, {*own}
    for group in together:
        rows = [own[n] for n in group if n in own]
        if len(rows) >= _ROWS:
            alone -= {*group}
            said = [dict(call.args) for call in rows]
            names = [n for n in said[0] if len({each.get(n) for each in said}) > 1]
            table = [[len(each[n].text) + 4 for n in names if n in each] for each in said]
            wide = sum(map(sum, table)) + sum(map(len, names)) > LINE - _FOR
            lines += height(rows[0], calls) + (len(rows) + 1 if wide and len(names) > 1 else wide)
    return lines + sum(height(own[n], calls) for n in alone)


def _open(macro: Macro, calls: Sequence[MacroCall]) -> list[str]:
    """The parameters that may follow from another one: those that follow from none yet, and that
    no default reads, as it would be read before it is known."""
    if macro.kind == "look_up":
        return []
    usual = macro.defaults.values()
    within = calls_within((n for text in usual for n in numbers_in(text)), calls)
    told = [text for n in within for text in calls[n].texts]
    read = {name for text in (*usual, *told) for name in HOLE.findall(text)}
    return [name for name in macro.params if name not in read and _is_first(macro, name)]


def _is_first(macro: Macro, name: str) -> bool:
    """Whether a parameter is what calls say, or a text."""
    text = macro.defaults.get(name, "")
    listed = text in (NO_NAMES.text, NO_VALUE.text)
    return HOLE.search(text) is None and HANDED_ON.fullmatch(text) is None and not listed


def _source(
    macro: Macro,
    name: str,
    way: str,
    calls: Mapping[int, MacroCall],
    together: Sequence[Sequence[int]],
) -> tuple[str, set[int]]:
    """The default from which a parameter follows in most calls, and these. Calls that one query
    makes are rows of a table: it follows in all of them or in none."""
    votes: dict[str, dict[int, str]] = defaultdict(dict)
    for number, call in calls.items():
        said = dict((*call.unsaid, *call.args))
        for first, text in _texts(macro, name, said):
            usual = _followed(way, first, text, said[name].text)
            if usual:
                votes[usual][number] = text
    count = Counter({usual: len(found) for usual, found in votes.items()})
    for usual, _ in count.most_common(1):
        fit = {*votes[usual]}
        for group in together:
            rows = calls.keys() & {*group}
            if len(rows) > 1 and not rows <= fit:
                fit -= rows
        if len(fit) >= max(_LEAST, SHARE * len(calls)):
            return (usual, fit) if len({votes[usual][n] for n in fit}) >= _LEAST else ("", set())
    return "", set()


def _texts(macro: Macro, name: str, said: _Said) -> Iterator[tuple[str, str]]:
    """The parameters that a call says as a text of several words, beside that one."""
    mine = said.get(name)
    if mine is None or not _is_text(mine) or _WORD.fullmatch(mine.text) is None:
        return
    for first, leaf in said.items():
        several = _is_text(leaf) and _TEXT.fullmatch(leaf.text) is not None
        if first != name and several and _is_first(macro, first):
            yield first, leaf.text


def _is_text(leaf: Leaf) -> bool:
    return leaf.kind in _KINDS and not leaf.quoted and "__" not in leaf.text


def _followed(way: str, first: str, text: str, wanted: str) -> str:
    """The default that is the text that is wanted; empty where it does not follow in that way."""
    hole = f"h__{first}__h"
    match way:
        case "first" if text.startswith((f"{wanted}_", f"{wanted}-")):
            return f"first{len(wanted)}__{hole}__first{len(wanted)}"
        case "dashes" if text != wanted == text.replace("_", "-"):
            return f"dashes__{hole}__dashes"
        case "underscores" if text != wanted == text.replace("-", "_"):
            return f"underscores__{hole}__underscores"
        case _:
            return ""


def _head(macro: Macro) -> int:
    """The lines in which a macro names its parameters, with what follows as it is printed."""
    usual = {name: _SHOWN.sub(_shown, text) for name, text in macro.defaults.items()}
    return head(replace(macro, defaults=usual))


def _shown(found: re.Match[str]) -> str:
    return f"{found['name']}[:4]" if found["way"].startswith("first") else f"{found['name']}{_SWAP}"


def _shorter(call: MacroCall, name: str, follows: bool) -> MacroCall:
    """The call that says a parameter only where it does not follow."""
    args, unsaid = dict(call.args), dict(call.unsaid)
    if follows:
        unsaid[name] = args.pop(name) if name in args else unsaid[name]
    elif name in unsaid:
        args[name] = unsaid.pop(name)
    return replace(
        call, args=tuple(args.items()), unsaid=tuple(unsaid.items()), named=True, bare=False
    )
