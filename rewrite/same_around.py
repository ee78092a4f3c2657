"""Queries that do the same with other rows: what each reads becomes CTEs of its own, and the rest
of all of them is one macro.

    SELECT app, COUNT(*) FROM (SELECT ...) JOIN origins USING (url) GROUP BY ALL
    WITH apps AS (SELECT ...) SELECT app, COUNT(*) FROM apps JOIN origins USING (url) GROUP BY ALL
 -> WITH apps AS (SELECT ...) {{ apps_per_origin() }}          in both

A derived table of a FROM or JOIN is a CTE with another place for its text: it reads nothing of the
query around it. What is a table in one of the queries is an argument there.

with_same_around(library, ...) -> the library in which such queries are one macro
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.library import (
    HOLE,
    Library,
    Macro,
    MacroCall,
    called_by,
    numbers_by_macro,
    numbers_of,
    says_all,
    texts_within,
)
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.macro_names import common_stem
from unwet.rewrite.naming import free_macro
from unwet.rewrite.one_macro import is_plain, merged_pair
from unwet.rewrite.own_relations import macros_inside, numbers_inside
from unwet.rewrite.pairs_tried import Pair, Printed, Tried
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.side_by_side import OPTIONAL
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.taken_apart import Apart, may_be_apart, renumber, taken_apart
from unwet.rewrite.told_of import two_queries_of

_AROUND: Final = 2  # the first and the last line of a macro
_LEAST: Final = 4  # lines that are saved
_LINES: Final = 8  # of what is taken apart
_IN_COMMON: Final = 8  # lines of two that are equal
_BESIDE_IT: Final = 60  # others that one is compared with, at most
_WORD: Final = re.compile(r"\w+")


def with_same_around(
    library: Library,
    dialect: str,
    most: int,
    stay: AbstractSet[str],
    over: Over = never,
    names: AbstractSet[str] = frozenset(),
    limits: Limits = NO_LIMITS,
) -> Library:
    """``most``: parameters of a macro; ``stay``: models that keep their words, and so do the macros
    that they call; ``names``: what no new macro may be called. No more is looked for when the time
    is ``over``, nor where somebody has forbidden a macro by its name."""
    if limits.forbidden or limits.sharing.min_uses > 2:
        return library
    closed = frozenset({*stay, *called_by(library, stay)})
    work = _Work(dialect, most, closed, names, limits)
    while not over() and (found := work.step(library)) is not None:
        library = found
    return library


class _Work:
    """The pairs that were looked at, while the library changes."""

    def __init__(
        self,
        dialect: str,
        most: int,
        closed: frozenset[str],
        names: AbstractSet[str],
        limits: Limits,
    ) -> None:
        self._dialect, self._most, self._closed = dialect, most, closed
        self._names, self._limits = names, limits
        self._tried, self._printed = Tried(), Printed(dialect)
        self._seen: Library | None = None
        self._no_ctes = frozenset[str]()  # macros that cannot begin with CTEs
        self._odd = frozenset[str]()  # and those that stay as they are
        self._inside: dict[str, tuple[exp.Expr, frozenset[int]]] = {}
        self._own: dict[str, Sequence[int]] = {}  # numbers of calls, by macro
        self._used = frozenset[str]()  # names of macros, models and parameters

    def step(self, library: Library) -> Library | None:
        """The library with the pairs that save most as one macro each, every query in one of them;
        None where no pair saves any."""
        return self._tried.best(library, self._pairs(library), self._made)

    # --- which

    def _pairs(self, library: Library) -> Iterator[Pair]:
        """Queries that do as many things, many of whose lines are in both. What is called more
        often comes first, as it stays what it is."""
        self._look_at(library)
        groups: dict[object, list[str]] = defaultdict(list)
        for name, tree in library.hosts.items():
            if name not in self._odd and isinstance(tree, exp.Select) and may_be_apart(tree):
                groups[_outline(tree)].append(name)
        trees = library.hosts
        for group in groups.values():
            said = {name: self._printed.of(name, trees[name]) for name in group}
            long = [name for name in group if said[name][0] >= _LINES]
            long.sort(
                key=lambda name: (name in library.models, -len(self._own.get(name, ())), name)
            )
            for at, one in enumerate(long):
                near = [(-len(said[one][1] & said[two][1]), two) for two in long[at + 1 :]]
                near = sorted(pair for pair in near if -pair[0] >= _IN_COMMON)
                yield from (Pair(one, two) for _, two in near[:_BESIDE_IT])

    def _look_at(self, library: Library) -> None:
        """What may not be taken apart in a library, and what has a name."""
        if self._seen is library:
            return
        self._seen = library
        self._own, calls = numbers_by_macro(library.calls), library.calls
        inside = (self._numbers(*host) for host in library.hosts.items())
        self._no_ctes = macros_inside(inside, calls)
        own = ((m, [calls[n] for n in self._own.get(m.name, ())]) for m in library.macros)
        self._odd = self._closed | {m.name for m, called in own if not _is_plain(m, called)}
        params = (param for macro in library.macros for param in macro.params)
        self._used = frozenset((*self._names, *library.hosts, *params))

    def _numbers(self, name: str, tree: exp.Expr) -> frozenset[int]:
        known = self._inside.get(name)
        if known is None or known[0] is not tree:
            known = self._inside[name] = tree, numbers_inside(tree, self._dialect)
        return known[1]

    # --- one pair

    def _made(self, library: Library, pair: Pair) -> tuple[int, Library] | None:
        """What a pair saves, and the library in which it is one macro."""
        self._look_at(library)
        trees, (one, two) = library.hosts, pair.hosts
        if not self._odd.isdisjoint(pair.hosts):
            return None
        parts = taken_apart(trees[one], trees[two], library.calls, self._dialect,
                             [self._taken(library, each) for each in (one, two)])  # fmt: skip
        if parts is None or all(part is None for part in parts):
            return None
        apart = [(name, part) for name, part in zip((one, two), parts, strict=True) if part]
        if any(name not in library.models and name in self._no_ctes for name, _ in apart):
            return None
        before = sum(self._size(library, name, trees[name]) for name in (one, two))
        split, called_so, numbers = library, {one: one, two: two}, {**self._own}
        for name, part in apart:
            about = two_queries_of((one, two))
            first = len(split.calls)
            params = [param for m in split.macros[len(library.macros) :] for param in m.params]
            taken = self._used.union(called_so.values(), params)
            split, called_so[name] = self._split(split, name, part, about, taken)
            for number, call in enumerate(split.calls[first:], first):
                numbers[call.macro] = (*numbers.get(call.macro, ()), number)
        rest = called_so[one], called_so[two]
        made = merged_pair(
            split, self._dialect, self._most, rest, self._names, self._limits, numbers
        )
        if made is None:
            return None
        saved, joined = made
        # what the halves cost beside the whole
        after = split.hosts
        cost = sum(self._size(split, n, after[n]) for n in {one, two, *rest}) - before
        gain = saved - cost
        if gain < max(_LEAST, self._limits.sharing.min_saved if len(apart) > 1 else 0):
            return None
        return gain, joined

    def _size(self, library: Library, name: str, tree: exp.Expr) -> int:
        more = sum(height_of(library.calls[n]) - 1 for n in numbers_of(tree))
        around = 0 if name in library.models else _AROUND
        known = self._printed.known(name, tree)
        lines = tree_lines(tree, self._dialect) if known is None else known
        return lines + more + around

    def _taken(self, library: Library, name: str) -> set[str]:
        """Names that no relation of a query may get: all in it, and in the macros that it calls."""
        trees = library.hosts
        found: set[str] = set()
        for each in (name, *called_by(library, [name])):
            found |= {node.name.lower() for node in trees[each].find_all(exp.Identifier)}
            for text in texts_within(trees[each], library.calls):
                found |= {*_WORD.findall(text.lower())}
        return found

    def _split(
        self, library: Library, name: str, part: Apart, about: str, taken: Collection[str]
    ) -> tuple[Library, str]:
        """The library in which a query is two, and the name of the macro around its relations,
        which is none that is ``taken``."""
        label = free_macro(common_stem([name, name]) or name, taken)
        renumber(part, len(library.calls))
        every = (*library.calls, *part.told)
        own = dict.fromkeys(
            n for text in texts_within(part.rest, every) for n in (*HOLE.findall(text),)
        )
        told = dict(part.said)
        said = tuple((n, told.get(n, Leaf("condition", f"h__{n}__h"))) for n in own)
        macro = Macro(label, tuple(own), part.rest, "query", about)
        call = MacroCall(label, said)
        number = len(library.calls) + len(part.told)
        host = copied(part.host)
        host.set("expressions", [exp.Var(this=f"call__{number}__call")])
        made = replace(
            library, macros=(*library.macros, macro), calls=(*library.calls, *part.told, call)
        )
        if name in library.models:
            return replace(made, models={**library.models, name: host}), label
        macros = (replace(m, tree=host) if m.name == name else m for m in made.macros)
        return replace(made, macros=tuple(macros)), label


def _is_plain(macro: Macro, calls: Sequence[MacroCall]) -> bool:
    return macro.kind == "query" and is_plain(macro) and says_all(macro, calls)


def _outline(tree: exp.Select) -> object:
    """What two queries have in common that do the same with other rows."""
    clauses = frozenset(k for k, v in tree.args.items() if v) - OPTIONAL - {"with_"}
    return clauses, len(tree.args.get("joins") or ())
