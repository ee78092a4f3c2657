"""Calls that say less, as their macro has a default for it; and the lines that they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from unwet.rewrite.library import HANDED_ON, LINE, Macro, MacroCall
from unwet.rewrite.shapes import Leaf

LEAST: Final = 3  # calls in which a value follows from another one
SHARE: Final = 2 / 3  # of all calls
_SIGNS: Final = 3  # between the name and the value of an argument and to the next one
_AROUND: Final = 8  # signs around a call


@dataclass(frozen=True, slots=True)
class Change:
    """A macro with more defaults, and its calls by their numbers, which say less; ``more``: calls
    that are defaults."""

    macro: Macro
    calls: Mapping[int, MacroCall]
    more: tuple[MacroCall, ...] = ()


def with_defaults(macro: Macro, follow: Mapping[str, str]) -> Macro:
    """The macro with more defaults."""
    return replace(macro, defaults={**macro.defaults, **follow})


def without_idle(
    calls: Mapping[int, MacroCall], idle: Mapping[int, Collection[str]]
) -> dict[int, MacroCall]:
    """The calls without what they need not say."""
    made: dict[int, MacroCall] = {}
    for number, call in calls.items():
        args = tuple(each for each in call.args if each[0] not in idle[number])
        unsaid = tuple(each for each in call.args if each[0] in idle[number])
        made[number] = replace(call, args=args, unsaid=(*call.unsaid, *unsaid), named=True)
    return made


def height(call: MacroCall, calls: Sequence[MacroCall]) -> int:
    """The lines of a call, wrapped."""
    widths = [_said(call, name) + _width(leaf, calls) + _SIGNS for name, leaf in call.args]
    return _wrapped(len(call.macro) + _AROUND, widths)


def _said(call: MacroCall, name: str) -> int:
    """The letters of an argument's name, where it is said: a relation that is all has none."""
    alone = len(call.args) == 1 and not call.unsaid
    relation = alone and call.args[0][1].text.startswith(("src__", "ref__"))
    return 0 if call.bare or relation else len(name)


def head(macro: Macro) -> int:
    """The lines in which a macro names its parameters."""
    widths = [len(name) + 2 + (len(macro.defaults.get(name, "")) + 1) for name in macro.params]
    return _wrapped(len(macro.name) + len("{% macro () %}"), widths)


def _wrapped(around: int, widths: Sequence[int]) -> int:
    """The lines of a call whose arguments are so wide."""
    if around + sum(widths) <= LINE:
        return 1
    lines, left = 2, 0
    for width in widths:
        if width > left:
            lines, left = lines + 1, LINE - 4
        left -= width
    return lines


def _width(leaf: Leaf, calls: Sequence[MacroCall]) -> int:
    hit = HANDED_ON.fullmatch(leaf.text) if leaf.kind == "condition" else None
    if hit is None:
        return len(leaf.text)
    call = calls[int(hit[1])]
    return len(call.macro) + 2 + sum(
        len(name) + _width(each, calls) + _SIGNS for name, each in call.args)  # fmt: skip
