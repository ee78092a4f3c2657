"""A name that is another argument with more around it in most calls follows from that.

    {{ pings(column='crash_time', raw='raw_crash_time') }}  ->  {{ pings(column='crash_time') }}

where the macro has `raw='raw_' ~ column`. A call that wants another name still says it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from unwet.rewrite.library import Macro, MacroCall
from unwet.rewrite.origins import Calls, Together, all_or_none, enough, open_parameters
from unwet.rewrite.said_less import LEAST, Change, with_defaults, without_idle
from unwet.rewrite.shapes import Leaf

_NAME: Final = re.compile(r"[a-z]\w{2,}", re.IGNORECASE | re.ASCII)
_BEFORE: Final = re.compile(r"(?:[\w.`]*[._`])?", re.ASCII)
_AFTER: Final = re.compile(r"(?:[._`\d][\w.`]*)?", re.ASCII)
_KINDS: Final = ("name", "condition")

_Affixes = tuple[str, str, str]  # a parameter, and what stands before and behind its value


def affixed_names(macro: Macro, calls: Calls, together: Together) -> Change | None:
    """The macro in which names follow from others; None where none does in most calls."""
    said = {number: _names(call) for number, call in calls.items()}
    follow: dict[str, _Affixes] = {}
    fit: dict[str, set[int]] = {}
    free = open_parameters(macro)
    for name in free:
        votes: dict[_Affixes, set[int]] = defaultdict(set)
        for number, names in said.items():
            for first in (each for each in free if each in names and each not in follow):
                found = _around(names[first], names.get(name, ""))
                if found is not None:
                    votes[first, *found].add(number)
        best = min(votes, key=lambda each: (-len(votes[each]), each), default=None)
        if best is None or any(first == name for first, _, _ in follow.values()):
            continue
        words = {said[number][best[0]] for number in votes[best]}
        if enough(votes[best], calls, len(words)):
            follow[name], fit[name] = best, votes[best]
    fit = all_or_none(fit, calls, together)
    follow = {name: each for name, each in follow.items() if enough(fit[name], calls, LEAST)}
    if not follow:
        return None
    idle = {number: {name for name in follow if number in fit[name]} for number in calls}
    texts = {name: f"{before}h__{first}__h{after}"
             for name, (first, before, after) in follow.items()}  # fmt: skip
    return Change(with_defaults(macro, texts), without_idle(calls, idle))


def _names(call: MacroCall) -> Mapping[str, str]:
    """What a call says that is a name, or an expression of a name."""
    return {name: leaf.text for name, leaf in call.args if _is_plain(leaf)}


def _is_plain(leaf: Leaf) -> bool:
    return leaf.kind in _KINDS and not leaf.quoted and "__" not in leaf.text


def _around(first: str, name: str) -> tuple[str, str] | None:
    """What stands around the one name in the other one; None where it is not one of its words."""
    if not _NAME.fullmatch(first) or first == name:
        return None
    before, found, after = name.partition(first)
    plain = found and _BEFORE.fullmatch(before) and _AFTER.fullmatch(after)
    return (before, after) if plain else None
