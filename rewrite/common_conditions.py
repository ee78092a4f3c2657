"""Conditions that nearly all calls of a macro say are in the macro.

Every report of a family says `o.day < CAST('2024-06-01' AS DATE)` beside what it is about. What all
calls say is written into the macro; what nearly all say is what a parameter of its own is where a
call says nothing. Where the condition has a value in it that is another argument of each call, it
has that argument.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import (
    NO_CONDITION,
    Library,
    Macro,
    MacroCall,
    called_by,
    calls_made,
    numbers_by_macro,
    texts_within,
)
from unwet.rewrite.naming import free_parameter, snake
from unwet.rewrite.shapes import Leaf

_LEAST: Final = 3  # calls that say it
_SHARE: Final = 2 / 3  # of all calls, for a parameter
_HOLE: Final = re.compile(r"h__(\w+?)__h")
_COLUMN: Final = re.compile(r"(?<![\w.'])[a-z_]\w*\.([a-z_]\w*)(?![\w.(])", re.IGNORECASE)
_SHORT: Final = 4  # signs of a value that may stand somewhere by chance
_SIGNS: Final = re.compile(
    r"'(?:[^']|'')*'|[()]|\b(?:BETWEEN|AND|OR|CASE|END)\b|.", re.DOTALL | re.IGNORECASE
)


def with_common_conditions(
    library: Library, most: int, alone: Collection[str] = frozenset()
) -> Library:
    """The library with such conditions in its macros. ``most``: parameters of a macro; ``alone``:
    models whose words stay in their order, and so those of the macros that they call."""
    stay = called_by(library, alone)
    macros, calls = list(library.macros), list(library.calls)
    # also those that stand in what other calls say
    numbers = numbers_by_macro(calls, calls_made(library))
    for at, macro in enumerate(macros):
        own = numbers.get(macro.name, ())
        for name in conditions_of(macro, calls) if macro.name not in stay else ():
            made = _parted(macros[at], name, [calls[n] for n in own], most)
            if made is not None:
                macros[at], changed = made
                for number, call in zip(own, changed, strict=True):
                    calls[number] = call
    return Library(library.models, tuple(macros), tuple(calls))


def conjuncts(text: str) -> list[str]:
    """What a condition demands, part by part; all in one where it is no plain AND of tests."""
    found, depth, between = [""], 0, False
    for sign in _SIGNS.findall(text):
        word = sign.upper()
        if word in ("CASE", "OR") and not depth:
            return [text]
        depth += (word == "(") - (word == ")")
        if word == "AND" and not depth and not between:
            found.append("")
            continue
        if not depth and word in ("BETWEEN", "AND"):
            between = word == "BETWEEN"
        found[-1] += sign
    return [part.strip() for part in found]


def conditions_of(macro: Macro, calls: Sequence[MacroCall]) -> list[str]:
    """The parameters that are conditions beside others, or alone, and nothing else: what one hands
    on to another macro has to stay whole."""
    places = (where.this for where in macro.tree.find_all(exp.Where))
    tests = (test for where in places
             for test in (where.flatten() if isinstance(where, exp.And) else (where,)))  # fmt: skip
    holes = (_HOLE.fullmatch(test.name) for test in tests if isinstance(test, exp.Var))
    found = Counter(hole[1] for hole in holes if hole is not None)
    within = texts_within(macro.tree, calls)
    said = Counter(name for text in within for name in _HOLE.findall(text))
    return [name for name, times in found.items() if said[name] == times]


@dataclass(frozen=True, slots=True)
class _Common:
    """A condition, which may have other parameters in it, and how each call says it; empty for one
    that does not."""

    text: str
    said: tuple[str, ...]


def _parted(
    macro: Macro, name: str, calls: Sequence[MacroCall], most: int
) -> tuple[Macro, list[MacroCall]] | None:
    said = [dict((*call.unsaid, *call.args)) for call in calls]
    if len(calls) < _LEAST or not all(name in each for each in said):
        return None
    parts = [conjuncts(each[name].text) for each in said]
    common = _common(said, parts, name)
    if common is None:
        return None
    everywhere = all(common.said)
    counted = len(macro.params) - macro.uncounted
    if not everywhere and counted > most:
        return None  # one more is fine: nearly nobody says it
    left = [[p for p in own if p != gone] for own, gone in zip(parts, common.said, strict=True)]
    more = "" if everywhere else free_parameter(_word(common.text), macro.params)
    values = ["" for _ in calls] if everywhere else [
        _instead(own, gone, common.text) for own, gone in zip(left, common.said, strict=True)
    ]  # fmt: skip
    changed = [_call(call, name, [p for p in own if p != value], more, value, common.text)
               for call, own, value in zip(calls, left, values, strict=True)]  # fmt: skip
    return _macro(macro, name, more, common.text), changed


def _common(
    said: Sequence[Mapping[str, Leaf]], parts: Sequence[Sequence[str]], name: str
) -> _Common | None:
    """The condition that most calls say, of those enough calls do."""
    ways: dict[str, dict[int, str]] = defaultdict(dict)
    for at, (each, own) in enumerate(zip(said, parts, strict=True)):
        for part in own:
            if part != NO_CONDITION.text and "call__" not in part:
                for form in {part, _with_arguments(part, each, name)}:
                    ways[form].setdefault(at, part)
    counts = Counter({form: len(places) for form, places in ways.items()})
    for form, times in sorted(counts.items(), key=lambda pair: (-pair[1], "h__" in pair[0], pair)):
        if times < max(_LEAST, _SHARE * len(said)):
            return None
        shared = {text for text in ways[form].values()}
        # a parameter of the macro around a call means nothing in another macro
        if form in shared and "h__" in form:
            continue
        return _Common(form, tuple(ways[form].get(at, "") for at in range(len(said))))
    return None


def _with_arguments(part: str, said: Mapping[str, Leaf], name: str) -> str:
    """The condition with other arguments of its call in place of texts that are these."""
    for other, leaf in said.items():
        if other != name and leaf.kind == "string" and len(leaf.text) >= _SHORT:
            part = part.replace(f"'{leaf.text}'", f"'h__{other}__h'")
    return part


def _instead(own: Sequence[str], said: str, text: str) -> str:
    """What a call says instead of the usual condition: what it says of the same columns."""
    if said:
        return ""
    columns = {*_COLUMN.findall(text)}
    same = [part for part in own if {*_COLUMN.findall(part)} == columns]
    return same[0] if len(same) == 1 else NO_CONDITION.text


def _call(
    call: MacroCall, name: str, left: Sequence[str], more: str, value: str, usual: str
) -> MacroCall:
    condition = Leaf("condition", " AND ".join(left) or NO_CONDITION.text)
    idle = condition == NO_CONDITION
    args = tuple((n, v) for n, v in call.args if n != name)
    unsaid = tuple((n, v) for n, v in call.unsaid if n != name)
    args, unsaid = (args, (*unsaid, (name, condition))) if idle else (
        (*args, (name, condition)), unsaid)  # fmt: skip
    if more and value:
        args = (*args, (more, Leaf("condition", value)))
    elif more:
        unsaid = (*unsaid, (more, Leaf("condition", usual)))
    return replace(call, args=args, unsaid=unsaid, named=True)


def _macro(macro: Macro, name: str, more: str, text: str) -> Macro:
    tree = copied(macro.tree)
    for hole in [v for v in tree.find_all(exp.Var) if v.name == f"h__{name}__h"]:
        first = exp.Var(this=f"h__{more}__h" if more else text)
        hole.replace(exp.And(this=first, expression=hole.copy()))
    params = (*macro.params, more) if more else macro.params
    defaults = {**macro.defaults, name: NO_CONDITION.text, **({more: text} if more else {})}
    return replace(macro, tree=tree, params=params, defaults=defaults)


def _word(text: str) -> str:
    """A parameter for it is called after its column."""
    columns = _COLUMN.findall(text)
    return snake(columns[0]) if columns else "also"
