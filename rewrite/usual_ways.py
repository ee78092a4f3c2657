"""How most calls of a macro say something is what its parameter is where a call says nothing.

An order, a list of percentiles, a formula and the call of one choose no report, as a country or a
month does: what a third of the calls say is the default, if that makes lines fewer. So is it with a
condition that has a name, if most calls have it; the others say that they have none. It comes when
all that follows from other arguments is said no more, as only then it is known how long calls are.

    {{ vendors(category='CDN', pct="COUNTIF(category = 'CDN') / COUNT(*)") }}
 -> {{ vendors(category='CDN') }}

where the macro has `pct="COUNTIF(category = '" ~ category ~ "') / COUNT(*)"`.

with_usual_ways(library) -> the library with such defaults
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

from unwet.rewrite.implied_values import in_order
from unwet.rewrite.library import HANDED_ON, HOLE, NO_CONDITION, Library, Macro, MacroCall
from unwet.rewrite.said_less import head, height, with_defaults, without_idle
from unwet.rewrite.shapes import CONDITION, Leaf
from unwet.rewrite.usual_values import calls_by_host, elsewhere, is_formula, saying

_LEAST: Final = 3  # calls that say the same
_PAIR: Final = 2  # of them, where that is most
_SHARE: Final = 1 / 3  # of the queries with such calls
_WORDS: Final = re.compile(r"[A-Za-z][\w ]*", re.ASCII)
_PLAIN: Final = re.compile(r"[\w .%+*/=<>,()\[\]'-]+")
_TRIED: Final = 5  # parameters of which all choices are looked at


def with_usual_ways(library: Library) -> Library:
    """The library in which calls do not say how most of them say something, as far as that makes
    lines fewer. Branches of one query are rows of a table, in which every cell is said, unless it
    is the same in all of them."""
    by_host = calls_by_host(library)
    calls, macros = list(library.calls), list(library.macros)
    for at, macro in enumerate(macros):
        groups = by_host.get(macro.name, [])
        ways = _ways(macro, [[calls[n] for n in numbers] for numbers in groups], calls)
        options = [_with(macro, groups, calls, each) for each in _choices(ways)]
        lines = [_lines(new, after, groups) for new, after in options]
        macros[at], calls = options[lines.index(min(lines))]
    return replace(library, macros=tuple(macros), calls=tuple(calls))


def _ways(
    macro: Macro, groups: Sequence[Sequence[MacroCall]], calls: Sequence[MacroCall]
) -> dict[str, Leaf]:
    """By parameter, what many calls say."""
    found: dict[str, Leaf] = {}
    for name in macro.params if groups else ():
        if not _is_open(macro, name):
            continue
        votes = Counter(way for group in groups for way in _said(group, name))
        for leaf, times in sorted(votes.items(), key=lambda vote: (-vote[1], *_spoken(vote[0])))[
            :1
        ]:
            if _is_usual(name, times, len(groups)) and _fits(macro, name, leaf, calls):
                found[name] = leaf
    return found


def _is_usual(name: str, times: int, queries: int) -> bool:
    """Whether enough queries say the same: most, where it is a condition or few say it."""
    most = name.startswith(CONDITION) or times < _LEAST
    return times >= _PAIR and (2 * times > queries if most else times >= _SHARE * queries)


def _is_open(macro: Macro, name: str) -> bool:
    """Whether a parameter has no default yet, or that there is no condition."""
    usual = macro.defaults.get(name)
    return usual is None or (name.startswith(CONDITION) and usual == NO_CONDITION.text)


def _fits(macro: Macro, name: str, leaf: Leaf, calls: Sequence[MacroCall]) -> bool:
    """Whether the text of the argument may be the default."""
    others = {each: text for each, text in macro.defaults.items() if each != name}
    made = with_defaults(macro, {name: leaf.text})
    return in_order(made, replace(macro, defaults=others), calls) and _is_safe(leaf, calls)


def _spoken(leaf: Leaf) -> tuple[bool, str]:
    """What is said as it is comes before what says another argument."""
    return HOLE.search(leaf.text) is not None, leaf.text


def _said(calls: Sequence[MacroCall], name: str) -> list[Leaf]:
    """How all of these calls say something, as it is and with another argument in it."""
    ways = [_of_call(call, name) for call in calls]
    return [way for way in ways[0] if all(way in each for each in ways)]


def _of_call(call: MacroCall, name: str) -> list[Leaf]:
    leaf = dict(call.args).get(name)
    if leaf is None or not _says_how(name, leaf) or HOLE.search(leaf.text):
        return []  # a parameter of the macro around is none of this one
    text = leaf.text
    for other, each in (*call.args, *call.unsaid):
        if each.kind == "string" and _WORDS.fullmatch(each.text) and "__" not in text:
            text = text.replace(f"'{each.text}'", f"'h__{other}__h'")
    return [leaf] if text == leaf.text else [leaf, replace(leaf, text=text)]


def _is_safe(leaf: Leaf, calls: Sequence[MacroCall]) -> bool:
    """Whether the text of a default is what the text of the argument is."""
    if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
        return not calls[int(inner[1])].args
    return "__" not in HOLE.sub("", leaf.text) and _PLAIN.fullmatch(leaf.text) is not None


def _says_how(name: str, leaf: Leaf) -> bool:
    """Whether it is an order, a list, a formula or the call of one; a condition that is no call
    is always said."""
    if leaf.kind != "condition":
        return False
    is_call = HANDED_ON.fullmatch(leaf.text) is not None
    if name.startswith(CONDITION):
        return is_call
    is_order, is_list = name.startswith("sorted_by"), leaf.text.startswith("[")
    return is_call or is_order or is_list or is_formula(name, leaf)


def _choices(ways: Mapping[str, Leaf]) -> list[dict[str, Leaf]]:
    """None, and what may be: a call may be a line shorter only if it says two things less."""
    names = [*ways][:_TRIED]
    parts = (part for many in range(len(names) + 1) for part in combinations(names, many))
    return [{name: ways[name] for name in part} for part in parts]


def _with(
    macro: Macro,
    groups: Sequence[Sequence[int]],
    calls: Sequence[MacroCall],
    usual: Mapping[str, Leaf],
) -> tuple[Macro, list[MacroCall]]:
    """The macro with these defaults, and all calls then."""
    after = [*calls]
    for numbers in groups:
        own = [calls[n] for n in numbers]
        idle = {name for name, leaf in usual.items() if leaf in _said(own, name)}
        open_again = {*usual} & {*macro.defaults} - idle
        changed = {n: saying(calls[n], open_again) for n in numbers if idle or open_again}
        for number, call in without_idle(changed, dict.fromkeys(changed, idle)).items():
            after[number] = replace(call, bare=False)
    others = {*usual} & {*macro.defaults}
    for number in elsewhere(macro.name, groups, calls) if others else ():
        after[number] = replace(saying(calls[number], others), bare=False)
    return with_defaults(macro, {name: leaf.text for name, leaf in usual.items()}), after


def _lines(macro: Macro, calls: Sequence[MacroCall], groups: Sequence[Sequence[int]]) -> int:
    return head(macro) + sum(height(calls[n], calls) for numbers in groups for n in numbers)
