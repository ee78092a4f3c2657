"""Calls of one macro as calls of another one, which says what they said.

moved(call, macro, wanted, ...) -> the call of that macro
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LISTED,
    NO_CONDITION,
    Macro,
    MacroCall,
    with_told,
)
from unwet.rewrite.shapes import Leaf

# a condition beside others, of which it is one as a whole
_BESIDE: Final = r"(?:(?<=\()|(?<=AND )|(?<=OR )|\A){0} AND | AND {0}(?=\)| AND | OR |\Z)"


def moved(
    call: MacroCall,
    macro: Macro,
    wanted: Mapping[str, Leaf],
    like: str,
    calls: list[MacroCall],
) -> MacroCall | None:
    """A call as one of the macro, which says what is ``wanted``; None where its arguments cannot be
    told. Calls among these are added to the ``calls``."""
    said = dict((*call.unsaid, *call.args))
    values: dict[str, Leaf] = {}
    for name in macro.params:
        value = _value(wanted[name], said, calls)
        if value is None:
            return None
        values[name] = value
    args = tuple((n, leaf) for n, leaf in values.items() if macro.defaults.get(n) != leaf.text)
    unsaid = tuple((n, leaf) for n, leaf in values.items() if macro.defaults.get(n) == leaf.text)
    one = replace(call, macro=macro.name, args=args, unsaid=unsaid, named=True)
    return replace(one, like=call.like or like)


def _value(leaf: Leaf, said: Mapping[str, Leaf], calls: list[MacroCall]) -> Leaf | None:
    """A leaf in which parameters are what they are in one call."""
    whole = HOLE.fullmatch(leaf.text) or LISTED.fullmatch(leaf.text)
    if whole is not None:
        return said.get(whole[1])
    if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
        return _handed_on(leaf, calls[int(inner[1])], said, calls)
    for word in dict.fromkeys(found.group() for found in HANDED_ON.finditer(leaf.text)):
        part = _value(Leaf("condition", word), said, calls)
        if part is None:
            return None
        leaf = replace(leaf, text=leaf.text.replace(word, part.text))
    for name in (*HOLE.findall(leaf.text), *LISTED.findall(leaf.text)):
        value = said.get(name)
        if value is None or value.quoted or value.kind == "names" or "call__" in value.text:
            return None
        if value.kind == "string" and "'" in value.text:
            return None

    text = leaf.text
    if leaf.kind == "condition":  # a condition that is none says nothing beside another one
        for name in (n for n in HOLE.findall(text) if said[n].text == NO_CONDITION.text):
            text = re.sub(_BESIDE.format(f"h__{name}__h"), "", text)
    return replace(leaf, text=with_told(text, lambda name: said[name].text))


def _handed_on(
    leaf: Leaf, call: MacroCall, said: Mapping[str, Leaf], calls: list[MacroCall]
) -> Leaf | None:
    """A call that is an argument, with what its own arguments are in one call."""
    made: list[tuple[str, Leaf]] = []
    for name, each in (*call.args, *call.unsaid):
        value = _value(each, said, calls)
        if value is None:
            return None
        made.append((name, value))
    args, unsaid = tuple(made[: len(call.args)]), tuple(made[len(call.args) :])
    if (args, unsaid) == (call.args, call.unsaid):
        return leaf
    calls.append(replace(call, args=args, unsaid=unsaid, named=True))
    return replace(leaf, text=f"call__{len(calls) - 1}__call")
