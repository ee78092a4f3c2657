"""What nearly all calls of a macro say is what its parameter is where a call says nothing.

So a call shows in what its report is another one. A value that half of the reports have chooses
which report it is (a country, a month), and is always said. A long formula chooses nothing: that of
half of the reports is usual, too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.library import HANDED_ON, NAMES, Library, MacroCall, numbers_by_macro, numbers_of
from unwet.rewrite.shapes import CONDITION, Leaf

_LEAST: Final = 3  # calls that say the same
_SHARE: Final = 2 / 3  # of all calls
_PAIR: Final = 2  # calls that say the same formula
_LONG: Final = 24  # letters of one
_FORMULA: Final = re.compile(r"\w\(")
_PLAIN: Final = re.compile(r"[\w .%+-]*")  # needs no escape in any language
_EXPRESSION: Final = re.compile(r"[\w .%+*/=<>,()\[\]-]+")
_RELATION: Final = re.compile(r"ref__\w+?__ref|src__\w+?__src")


def with_usual_values(library: Library) -> Library:
    """The library with usual values as defaults of parameters. Branches of one query are rows of
    a table, in which every cell is said, unless it is the same in all of them."""
    by_host = calls_by_host(library)
    all_calls, macros = list(library.calls), list(library.macros)
    for at, macro in enumerate(macros):
        groups = by_host.get(macro.name, [])
        usual = _usual([[all_calls[number] for number in numbers] for numbers in groups], all_calls)
        if usual:
            texts_of = {name: _text(leaf) for name, leaf in usual.items()}
            macros[at] = replace(macro, defaults={**macro.defaults, **texts_of})
            others = {*usual} & {*macro.defaults}
            for number in elsewhere(macro.name, groups, all_calls) if others else ():
                all_calls[number] = saying(all_calls[number], others)
            for numbers in groups:
                said = [dict(all_calls[number].args) for number in numbers]
                same = {name: leaf for name, leaf in usual.items()
                        if all(each.get(name) == leaf for each in said)}  # fmt: skip
                left = same if len(numbers) > 1 else usual
                for number in numbers:
                    all_calls[number] = shorter(all_calls[number], left)
    return Library(library.models, tuple(macros), tuple(all_calls))


def elsewhere(name: str, groups: Sequence[Sequence[int]], calls: Sequence[MacroCall]) -> list[int]:
    """The numbers of the calls of a macro that are handed on: no query has them itself."""
    here = {number for numbers in groups for number in numbers}
    return [n for n, call in enumerate(calls) if call.macro == name and n not in here]


def saying(call: MacroCall, names: Collection[str]) -> MacroCall:
    """The call that says what has been the default."""
    said = tuple(each for each in call.unsaid if each[0] in names)
    left = tuple(each for each in call.unsaid if each[0] not in names)
    return replace(call, args=(*call.args, *said), unsaid=left)


def calls_by_host(library: Library) -> dict[str, list[list[int]]]:
    """The numbers of the calls of each macro, those of one query together."""
    found: dict[str, list[list[int]]] = defaultdict(list)
    for host in library.trees:
        for name, numbers in numbers_by_macro(library.calls, numbers_of(host)).items():
            found[name].append([*numbers])
    return found


def calls_by_macro(library: Library) -> dict[str, list[int]]:
    """The numbers of the calls of each macro that no query calls twice: such calls may be rows of
    a table."""
    found: dict[str, list[int]] = defaultdict(list)
    rows: set[str] = set()
    for host in library.trees:
        calls = numbers_of(host)
        counts = Counter(library.calls[number].macro for number in calls)
        rows.update(name for name, times in counts.items() if times > 1)
        for number in calls:
            found[library.calls[number].macro].append(number)
    return {name: numbers for name, numbers in found.items() if name not in rows}


def _usual(groups: list[list[MacroCall]], calls: Sequence[MacroCall]) -> dict[str, Leaf]:
    """By parameter, what the calls of nearly all queries say."""
    said: dict[str, list[Leaf | None]] = defaultdict(list)
    for group in groups:
        for name, _ in group[0].args:
            said[name].append(said_by_all(group, name))
    found: dict[str, Leaf] = {}
    for name, leaves in said.items():
        leaf, times = Counter(leaves).most_common(1)[0]
        if leaf is None:
            continue
        enough = times >= _LEAST and times >= _SHARE * len(leaves)
        enough |= is_formula(name, leaf) and times >= max(_PAIR, len(leaves) / 2)
        if enough and len(leaves) == len(groups) and is_safe(name, leaf, calls):
            found[name] = leaf
    return found


def is_formula(name: str, leaf: Leaf) -> bool:
    """Whether it says how something is computed, and at length; not which rows there are."""
    long = leaf.kind == "condition" and len(leaf.text) >= _LONG
    return long and not name.startswith(CONDITION) and _FORMULA.search(leaf.text) is not None


def is_safe(name: str, leaf: Leaf, calls: Sequence[MacroCall]) -> bool:
    """Whether the text of the value is how it is written. What leaves rows out is always said."""
    if leaf.kind == "condition" and not name.startswith(CONDITION):
        if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
            return not calls[int(inner[1])].args
        return "__" not in leaf.text and _EXPRESSION.fullmatch(leaf.text) is not None
    if leaf.kind == "list":
        return "__" not in leaf.text and NAMES.fullmatch(_text(leaf)) is not None
    if leaf.kind not in ("string", "number", "name") or leaf.quoted:
        return False
    plain = "__" not in leaf.text and _PLAIN.fullmatch(leaf.text)
    return bool(plain or _RELATION.fullmatch(leaf.text))


def _text(leaf: Leaf) -> str:
    """A value as a default of a parameter."""
    return f"[{', '.join(map(repr, leaf.text.split(', ')))}]" if leaf.kind == "list" else leaf.text


def said_by_all(calls: Sequence[MacroCall], name: str) -> Leaf | None:
    """What all of these calls say for a parameter; None where one says something else."""
    values = {dict(call.args).get(name) for call in calls}
    return values.pop() if len(values) == 1 else None


def shorter(call: MacroCall, usual: Mapping[str, Leaf]) -> MacroCall:
    """The call without what is usual."""
    args = tuple((name, leaf) for name, leaf in call.args if usual.get(name) != leaf)
    left = tuple((name, leaf) for name, leaf in call.args if usual.get(name) == leaf)
    return replace(call, args=args, unsaid=(*call.unsaid, *left))
