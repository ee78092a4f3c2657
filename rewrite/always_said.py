"""Parameters for which every call says the same are none: the macro says it.

A parameter is made for what some queries had otherwise. Once these are read from one model, or have
become calls of another macro, all calls that are left say the same. Nor is a condition one that no
call has: what nearly all of them said there is in the macro, or a parameter of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, drop_test, texts
from unwet.rewrite.library import (
    HOLE,
    NO_CONDITION,
    Library,
    Macro,
    MacroCall,
    calls_made,
    numbers_by_macro,
    numbers_in,
    numbers_of,
)
from unwet.rewrite.shapes import Leaf

_PLAIN: Final = ("name", "string", "number")
_WORDS: Final = (exp.Identifier, exp.Literal)


def without_constants(library: Library) -> Library:
    """The library without such parameters. A list of columns that are left out, and a constant in
    front, are no words in a tree: they stay."""
    macros = _with_no_condition(library)
    calls = _without_usual(library, macros)
    numbers = numbers_by_macro(calls, calls_made(library))
    for place, macro in enumerate(macros):
        own = numbers.get(macro.name, ())
        said = [calls[at] for at in own]
        gone = _constants(macro, said, calls) if len(own) > 1 else {}
        idle = _idle(macro, said, calls)
        if gone := {**gone, **idle}:
            macros[place] = _filled(_tested(macro, idle), gone)
            for at in own:
                calls[at] = _shorter(calls[at], gone)
    return replace(library, macros=tuple(macros), calls=tuple(calls))


def _with_no_condition(library: Library) -> list[Macro]:
    """The macros: a condition that some call does without is none where a call says nothing."""
    without = {(library.calls[at].macro, name) for at in calls_made(library)
               for name, leaf in library.calls[at].args if leaf == NO_CONDITION}  # fmt: skip
    found: list[Macro] = []
    for macro in library.macros:
        free = [name for name in macro.params if (macro.name, name) in without]
        more = {name: NO_CONDITION.text for name in free if name not in macro.defaults}
        found.append(replace(macro, defaults={**macro.defaults, **more}) if more else macro)
    return found


def _without_usual(library: Library, macros: Sequence[Macro]) -> list[MacroCall]:
    """The calls, in which nobody says what a parameter is anyway: what was another macro's call
    does, as that one had its own. What is said by its place has a name where another comes first
    now."""
    usual = {macro.name: macro.defaults for macro in macros}
    moved = {new.name for new, old in zip(macros, library.macros, strict=True) if new is not old}
    found: list[MacroCall] = []
    for call in library.calls:
        own = usual.get(call.macro, {})
        idle = [(n, v) for n, v in call.args if v.kind == "condition" and own.get(n) == v.text]
        if idle or call.macro in moved:
            left = tuple(each for each in call.args if each not in idle)
            call = replace(call, args=left, unsaid=(*call.unsaid, *idle), named=True)
        found.append(call)
    return found


def _constants(
    macro: Macro, calls: Sequence[MacroCall], every: Sequence[MacroCall]
) -> dict[str, Leaf]:
    """What all calls say, by the parameter, where it stands in the macro's own words only."""
    said = [dict((*call.unsaid, *call.args)) for call in calls]
    inner = _handed_on(macro, every)
    words = _in_words(macro.tree)
    found: dict[str, Leaf] = {}
    for name in macro.params:
        values = {each.get(name) for each in said}
        leaf = values.pop() if len(values) == 1 else None
        if leaf is None or leaf.kind not in _PLAIN or HOLE.search(leaf.text):
            continue
        if name not in (*inner, macro.optional[0], macro.scoped[0]) and name in words:
            found[name] = leaf
    return found


def _idle(macro: Macro, calls: Sequence[MacroCall], every: Sequence[MacroCall]) -> dict[str, Leaf]:
    """The conditions that no call has, which stand beside others, or alone, and nowhere else."""
    said = [dict((*call.unsaid, *call.args)) for call in calls]
    inner, times = _handed_on(macro, every), Counter(HOLE.findall(" ".join(texts(macro.tree))))
    return {name: NO_CONDITION for name, nodes in _tests(macro.tree).items()
            if name not in inner and times[name] == len(nodes)
            and said and all(each.get(name) == NO_CONDITION for each in said)}  # fmt: skip


def _tests(tree: exp.Expr) -> dict[str, list[exp.Var]]:
    """The holes that a WHERE demands, beside other tests or alone, by their names."""
    found: dict[str, list[exp.Var]] = defaultdict(list)
    for node in tree.find_all(exp.Var):
        hole = HOLE.fullmatch(node.name)
        if hole is not None and isinstance(node.parent, exp.And | exp.Where):
            found[hole[1]].append(node)
    return found


def _tested(macro: Macro, idle: Iterable[str]) -> Macro:
    """The macro without these conditions."""
    tree = copied(macro.tree)
    for name in idle:
        for test in _tests(tree)[name]:
            drop_test(test)
    return replace(macro, tree=tree)


def _handed_on(macro: Macro, every: Sequence[MacroCall]) -> set[str]:
    """The parameters that are in the arguments of calls within the macro, or in its defaults."""
    inner = {n for at in numbers_of(macro.tree) for _, leaf in every[at].args
             for n in _holes(leaf, every)}  # fmt: skip
    return inner | {name for text in macro.defaults.values() for name in HOLE.findall(text)}


def _holes(leaf: Leaf, calls: Sequence[MacroCall]) -> Iterable[str]:
    yield from HOLE.findall(leaf.text)
    for at in numbers_in(leaf.text):
        for _, each in calls[at].args:
            yield from _holes(each, calls)


def _in_words(tree: exp.Expr) -> set[str]:
    """The parameters that stand in names and constants of a tree, and nowhere else in it."""
    inside = Counter(name for node in tree.find_all(*_WORDS) for name in HOLE.findall(node.name))
    every = Counter(name for text in texts(tree) for name in HOLE.findall(text))
    return {name for name, times in inside.items() if every[name] == times}


def _filled(macro: Macro, values: Mapping[str, Leaf]) -> Macro:
    tree = copied(macro.tree)
    for node in [*tree.find_all(*_WORDS)]:
        whole = HOLE.fullmatch(node.name)
        if isinstance(node, exp.Identifier) and whole is not None and whole[1] in values:
            node.set("quoted", values[whole[1]].quoted)
        if HOLE.search(node.name):
            node.set("this", HOLE.sub(
                lambda hit: values[hit[1]].text if hit[1] in values else hit[0], node.name
            ))  # fmt: skip
    params = tuple(name for name in macro.params if name not in values)
    defaults = {name: text for name, text in macro.defaults.items() if name not in values}
    return replace(macro, tree=tree, params=params, defaults=defaults)


def _shorter(call: MacroCall, values: Mapping[str, Leaf]) -> MacroCall:
    args = tuple((name, leaf) for name, leaf in call.args if name not in values)
    unsaid = tuple((name, leaf) for name, leaf in call.unsaid if name not in values)
    return replace(call, args=args, unsaid=unsaid)
