"""Parameters for which every call says the table that it says for another one, in another schema.

    {{ weights(table='2020_08_01', table_2='2020_08_01') }}  ->  {{ weights(table='2020_08_01') }}

where the macro reads `{{ source('technologies', table) }}` and `{{ source('pages', table) }}`.

same_tables(library, found) -> by macro and parameter, the one that says the same
without_these(library, same) -> the library without such parameters
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from unwet.lineage.trees import texts
from unwet.rewrite.library import HOLE, Library, Macro, MacroCall, calls_made, numbers_of
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.source_tables import Parameter, table_name

_Said = tuple[str, Mapping[str, Leaf]]  # the macro around a call, and what the call says


def same_tables(library: Library, found: Mapping[Parameter, str]) -> Mapping[Parameter, str]:
    """By macro and parameter, the first one for which all calls say the same table. ``found``: the
    schemas of parameters that are tables of one."""
    callers = _callers(library)
    said: dict[str, list[_Said]] = defaultdict(list)
    for number in calls_made(library):
        call = library.calls[number]
        said[call.macro].append((callers.get(number, ""), dict((*call.unsaid, *call.args))))
    bound = {*_bound(library, callers)}
    options = {(macro.name, name): firsts for macro in library.macros
               for name, firsts in _pairs(macro, found) if (macro.name, name) not in bound
               if ("", name) not in bound and said[macro.name]}  # fmt: skip
    while True:
        left = {
            (macro, name): [f for f in firsts if _is_said(f, name, said[macro], options)]
            for (macro, name), firsts in options.items()
        }
        if left == options:
            return {each: firsts[0] for each, firsts in options.items() if firsts}
        options = left


def without_these(library: Library, same: Mapping[Parameter, str]) -> Library:
    """The library without parameters that say what another one does."""
    callers = _callers(library)

    def call(number: int, each: MacroCall) -> MacroCall:
        caller = callers.get(number, "")

        def kept(said: tuple[tuple[str, Leaf], ...]) -> tuple[tuple[str, Leaf], ...]:
            return tuple((name, _handed(leaf, caller, same)) for name, leaf in said
                         if (each.macro, name) not in same)  # fmt: skip

        return replace(each, args=kept(each.args), unsaid=kept(each.unsaid))

    def macro(each: Macro) -> Macro:
        gone = {n for n in each.params if (each.name, n) in same}
        usual = {n: text for n, text in each.defaults.items() if n not in gone}
        return replace(each, params=tuple(n for n in each.params if n not in gone), defaults=usual)

    calls = tuple(call(number, each) for number, each in enumerate(library.calls))
    return Library(library.models, tuple(map(macro, library.macros)), calls)


def _callers(library: Library) -> dict[int, str]:
    """The macro that each call stands in, where it stands in one place only."""
    found: dict[int, list[str]] = defaultdict(list)
    for tree in library.models.values():
        for number in numbers_of(tree):
            found[number].append("")
    for macro in library.macros:
        for number in numbers_of(macro.tree):
            found[number].append(macro.name)
    return {number: names[0] for number, names in found.items() if len({*names}) == 1}


def _pairs(macro: Macro, found: Mapping[Parameter, str]) -> Iterator[tuple[str, list[str]]]:
    """Parameters that are tables, each with those before it which are the same table where a call
    says nothing, or have to be said, too."""
    tables = [n for n in macro.params if (macro.name, n) in found]
    usual = {n: table_name(macro.defaults.get(n, "")) for n in tables}
    pairs = ((n, [f for f in tables[:at] if usual[f] == usual[n]]) for at, n in enumerate(tables))
    yield from ((name, firsts) for name, firsts in pairs if firsts)


def _bound(library: Library, callers: Mapping[int, str]) -> Iterator[Parameter]:
    """Parameters that a text has in it, or a call of which nobody knows where it stands: then of
    any macro. They have to be said."""
    for macro in library.macros:
        inside = (*macro.defaults.values(), *texts(macro.tree))
        for text in inside:
            yield from ((macro.name, n) for n in HOLE.findall(text) if text != f"h__{n}__h")
    for number in calls_made(library):
        for text in library.calls[number].texts:
            for name in HOLE.findall(text):
                if number not in callers or text != f"h__{name}__h":
                    yield callers.get(number, ""), name


def _is_said(
    first: str, name: str, calls: Sequence[_Said], options: Mapping[Parameter, list[str]]
) -> bool:
    """Whether all calls say the same table for both."""
    for caller, said in calls:
        if first not in said or name not in said:
            return False
        one, other = (_table(said[each], caller, options) for each in (first, name))
        if not one or one != other:
            return False
    return True


def _table(leaf: Leaf, caller: str, options: Mapping[Parameter, list[str]]) -> str:
    """A word for the table that a call says, whatever its schema is; empty for something else."""
    handed = HOLE.fullmatch(leaf.text)
    if handed is None:
        return table_name(leaf.text)
    firsts = options.get((caller, handed[1]), [])
    return f"h__{firsts[0] if firsts else handed[1]}__h"


def _handed(leaf: Leaf, caller: str, same: Mapping[Parameter, str]) -> Leaf:
    """The parameter that is left, where one is handed on, by itself or as a table of a schema."""
    for name in HOLE.findall(leaf.text):
        if (first := same.get((caller, name))) is not None:
            leaf = replace(leaf, text=leaf.text.replace(f"h__{name}__h", f"h__{first}__h"))
    return leaf
