"""How most calls of a macro say something is what its parameter is where a call says nothing.

An order, a list of percentiles, a formula and the call of one choose no report, as a country or a
month does: what a third of the calls say is the default, if that makes lines fewer. It comes when
all that follows from other arguments is said no more, as only then it is known how long calls are.

with_usual_ways(library) -> the library with such defaults
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

from unwet.rewrite.implied_values import in_order
from unwet.rewrite.library import HANDED_ON, Library, Macro, MacroCall
from unwet.rewrite.said_less import head, height, with_defaults
from unwet.rewrite.shapes import CONDITION, Leaf
from unwet.rewrite.usual_values import calls_by_host, is_formula, is_safe, said_by_all, shorter

_LEAST: Final = 3  # calls that say the same
_SHARE: Final = 1 / 3  # of the queries with such calls
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
    for name in macro.params:
        leaves = [said_by_all(group, name) for group in groups]
        if name in macro.defaults or not leaves:
            continue
        leaf, times = Counter(leaves).most_common(1)[0]
        if leaf is None or times < max(_LEAST, _SHARE * len(leaves)):
            continue
        made = with_defaults(macro, {name: leaf.text})
        if _says_how(name, leaf) and is_safe(name, leaf, calls) and in_order(made, macro, calls):
            found[name] = leaf
    return found


def _says_how(name: str, leaf: Leaf) -> bool:
    """Whether it is an order, a list or a formula, and no condition."""
    if leaf.kind != "condition" or name.startswith(CONDITION):
        return False
    is_call = HANDED_ON.fullmatch(leaf.text) is not None
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
        same = {name: leaf for name, leaf in usual.items() if said_by_all(own, name) == leaf}
        for number in numbers:
            said = same if len(numbers) > 1 else usual
            if any(each in said.items() for each in calls[number].args):
                after[number] = replace(shorter(calls[number], said), named=True, bare=False)
    return with_defaults(macro, {name: leaf.text for name, leaf in usual.items()}), after


def _lines(macro: Macro, calls: Sequence[MacroCall], groups: Sequence[Sequence[int]]) -> int:
    return head(macro) + sum(height(calls[n], calls) for numbers in groups for n in numbers)
