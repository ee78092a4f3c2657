"""A default that names another argument, where a call may do without that one.

    {% macro month_tickets(scope=none, topic_condition="a.topic = '" ~ scope ~ "'") %}

compares with the text 'None' in `month_tickets()`. What the calls without `scope` say instead is
what it is then, and they need not say it any more:

    topic_condition='TRUE' if scope is none else "a.topic = '" ~ scope ~ "'"

with_unsaid_scopes(library) -> the library with such defaults
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from unwet.rewrite.library import HOLE, NO_CONDITION, NO_VALUE, Library, Macro, MacroCall
from unwet.rewrite.said_less import without_idle
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.usual_values import calls_by_host


def with_unsaid_scopes(library: Library) -> Library:
    """The library with such defaults. Rows of a loop say all or none."""
    by_host = calls_by_host(library)
    calls, macros = list(library.calls), list(library.macros)
    for at, macro in enumerate(macros):
        for name, scope in _followers(macro):
            groups = by_host.get(macro.name, [])
            without = [_without(calls, group, name, scope) for group in groups]
            votes = Counter(leaf for group in without for leaf in group.values())
            if not votes or any("__" in leaf.text for leaf in votes):
                continue
            leaf = NO_CONDITION if NO_CONDITION in votes else _most(votes)
            macros[at] = replace(macros[at], unless={**macros[at].unless, name: (scope, leaf.text)})
            for group, found in zip(groups, without, strict=True):
                if len(found) == len(group) and {*found.values()} == {leaf}:
                    shorter = {n: calls[n] for n in group}
                    for n, call in without_idle(shorter, dict.fromkeys(group, (name,))).items():
                        calls[n] = call
    return replace(library, macros=tuple(macros), calls=tuple(calls))


def _followers(macro: Macro) -> Iterator[tuple[str, str]]:
    """Parameters whose default has one parameter in it that a call may do without."""
    for name, text in macro.defaults.items():
        read = {*HOLE.findall(text)}
        if len(read) == 1 and name not in macro.unless:
            (scope,) = read
            if macro.defaults.get(scope) == NO_VALUE.text:
                yield name, scope


def _without(
    calls: Sequence[MacroCall], group: Sequence[int], name: str, scope: str
) -> Mapping[int, Leaf]:
    """What the calls of a query say for a parameter that do without the other one."""
    said = {number: (dict(calls[number].args), dict(calls[number].unsaid)) for number in group}
    return {
        number: args[name]
        for number, (args, unsaid) in said.items()
        if name in args and (args.get(scope) or unsaid.get(scope)) == NO_VALUE
    }


def _most(votes: Counter[Leaf]) -> Leaf:
    return min(votes, key=lambda leaf: (-votes[leaf], leaf.text))
