"""What is said of a macro, of the calls that there are in the end.

A comment is written when a family is chosen, of its members then. Some of these become other
macros, which may be taken by others or called otherwise, and their calls come to this one; a call
in a list or a loop is one, too, and each row of a loop:

    3 queries that differ in their arguments only: total_customers, total_customers_kind, daily
 -> 17 queries that differ in their arguments only: adapter_daily, config_daily, env_daily, ...

What is left of one macro only is "a query of total_customers".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from unwet.rewrite.library import Library, Macro, calls_within, numbers_in, numbers_of
from unwet.rewrite.told_of import DIFFER, SAME, listed

_SAID: Final = re.compile(rf"\d+ (.*?)({DIFFER}|{SAME}): (?:all in )?(.*)")
_ONE: Final = {"queries": "a query", "lists of columns": "a list of columns",
               "expressions": "an expression"}  # fmt: skip


def true_comments(library: Library) -> dict[str, str]:
    """What is said of each macro, by its name; empty where nothing is."""
    # by macro: its calls, and where; several places can have one
    calling: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for host, numbers in _hosts(library).items():
        for number in sorted(numbers):
            calling[library.calls[number].macro].append((number, host))
    return {macro.name: _told(macro, calling[macro.name], library) for macro in library.macros}


def _hosts(library: Library) -> Mapping[str, set[int]]:
    """The calls that stand in each model and macro, and in what these say."""
    found = {name: numbers_of(tree) for name, tree in library.models.items()}
    for macro in library.macros:
        found[macro.name] = _numbers(macro)
    for host, blocks in library.blocks.items():
        found[host] = [*found.get(host, ()), *(n for _, block in blocks for n in _numbers(block))]
    return {name: calls_within(numbers, library.calls) for name, numbers in found.items()}


def _numbers(macro: Macro) -> list[int]:
    """The calls that stand in a macro: in its text, in defaults and in rows."""
    usual = [*macro.defaults.values(), *(leaf.text for _, leaf in macro.rows)]
    return [*numbers_of(macro.tree), *(n for text in usual for n in numbers_in(text))]


def _told(macro: Macro, calls: Sequence[tuple[int, str]], library: Library) -> str:
    said = _SAID.fullmatch(macro.comment)
    hosts = [*dict.fromkeys(host for _, host in calls)]
    if said is None or not calls:
        return macro.comment
    if len(calls) == 1:
        (host,) = hosts
        what, _, reads = said[1].strip(" ,").partition(", which have ")
        reads = f", which has {reads.replace(' of them', ' of it')}" if reads else ""
        return f"{_ONE[what]} of {host}{reads}"
    alike = DIFFER if len({library.calls[number].args for number, _ in calls}) > 1 else SAME
    return f"{len(calls)} {said[1]}{alike}: {listed(hosts, len(calls))}"
