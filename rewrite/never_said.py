"""A relation that follows from another argument in every call of a macro is no parameter of it.

    {% macro daily(origin, table=source(origin ~ '_stable', 'pings')) %} ... FROM {{ table }}
 -> {% macro daily(origin) %} ... FROM {{ source(origin ~ '_stable', 'pings') }}

as no call says another table. What stands in several places stays a parameter: it is said once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.lineage.trees import copied, texts
from unwet.rewrite.library import (
    HOLE,
    Library,
    Macro,
    MacroCall,
    calls_made,
    calls_within,
    numbers_in,
    numbers_of,
)
from unwet.rewrite.origins import is_relation
from unwet.rewrite.shapes import Leaf


def without_never_said(library: Library) -> Library:
    """The library without such parameters."""
    calls, macros = [*library.calls], list[Macro]()
    said: dict[str, set[str]] = defaultdict(set)
    for number in calls_made(library):
        said[calls[number].macro] |= {name for name, _ in calls[number].args}
    hosts = Counter(number for tree in library.trees for number in {*numbers_of(tree)})
    gone: dict[str, set[str]] = {}
    for macro in library.macros:
        idle = {name: text for name, text in macro.defaults.items()
                if name not in said[macro.name] and is_relation(text)}  # fmt: skip
        own = [number for number in numbers_of(macro.tree) if hosts[number] == 1]
        found = _read_once(macro, idle, own, calls) if idle else {}
        gone[macro.name] = {*found}
        macros.append(_without(macro, found) if found else macro)
        for number in own if found else ():
            calls[number] = _with_relations(calls[number], found)
    for number, call in enumerate(calls):
        if gone.get(call.macro):
            left = tuple(each for each in call.unsaid if each[0] not in gone[call.macro])
            calls[number] = replace(call, unsaid=left)
    return Library(library.models, tuple(macros), tuple(calls))


def _read_once(
    macro: Macro, idle: Mapping[str, str], own: Collection[int], calls: Sequence[MacroCall]
) -> dict[str, str]:
    """Those that one place of the macro reads, or hands on in a call of its own, and no other."""
    roots = [*texts(macro.tree), *macro.defaults.values()]
    within = calls_within((n for text in roots for n in numbers_in(text)), calls)
    inner = {n: calls[n].texts for n in within}
    every = [*roots, *(text for words in inner.values() for text in words)]
    uses = Counter(name for text in every for name in HOLE.findall(text))
    read = {table.name for table in macro.tree.find_all(exp.Table)
            if isinstance(table.this, exp.Identifier) and not table.db}  # fmt: skip
    read |= {leaf.text for n in own for _, leaf in calls[n].args}
    return {name: text for name, text in idle.items()
            if uses[name] == 1 and f"h__{name}__h" in read}  # fmt: skip


def _without(macro: Macro, found: Mapping[str, str]) -> Macro:
    tree = copied(macro.tree)
    words = {f"h__{name}__h": text for name, text in found.items()}
    for table in tree.find_all(exp.Table):
        if table.name in words and not table.db:
            table.set("this", exp.to_identifier(words[table.name]))
    params = tuple(name for name in macro.params if name not in found)
    defaults = {name: text for name, text in macro.defaults.items() if name not in found}
    return replace(macro, params=params, tree=tree, defaults=defaults)


def _with_relations(call: MacroCall, found: Mapping[str, str]) -> MacroCall:
    """The call that hands on the relations themselves."""
    words = {f"h__{name}__h": Leaf("name", text) for name, text in found.items()}
    return replace(call, args=tuple((name, words.get(leaf.text, leaf)) for name, leaf in call.args))
