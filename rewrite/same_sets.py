"""GROUPING SETS that have several sets beside one another in common say these once.

    GROUPING SETS ((a, b), (a, b, c), c, d)    and    GROUPING SETS ((a, b), (a, b, c), c)

 -> GROUPING SETS ({{ a_sets() }}, d)          and    GROUPING SETS ({{ a_sets() }})

The macro is the text of these sets; each of both prints what it did, set by set, in its order. One
of them may be what another macro is: that one calls it then. Only sets without parameters.

with_same_sets(library, ...) -> the library with such macros, where that makes it smaller
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import combinations
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import Library, Macro, MacroCall, call_at, called_by
from unwet.rewrite.limits import Limits
from unwet.rewrite.naming import free_macro, slug, snake
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.told_of import listed

_LEAST: Final = 3  # sets
_AROUND: Final = 2  # the first and the last line of a macro
_MANY: Final = 60  # places that are compared with one another
_TOKEN: Final = re.compile(r"(?:h|call|tail|loop|list)__\w", re.IGNORECASE)

Run = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """GROUPING SETS: where they stand, which of those there they are, and their sets as texts."""

    host: str
    number: int
    sets: Run

    def at(self, run: Run) -> int | None:
        """Where these sets stand in it."""
        many = len(run)
        starts = range(len(self.sets) - many + 1)
        return next((at for at in starts if self.sets[at : at + many] == run), None)

    def node(self, tree: exp.Expr) -> exp.GroupingSets:
        """Them, in their host's tree, or in a copy of it."""
        return [*tree.find_all(exp.GroupingSets)][self.number]


def with_same_sets(
    library: Library,
    dialect: str,
    taken: AbstractSet[str],
    alone: Collection[str],
    limits: Limits,
) -> Library:
    """``taken``: names that no macro may have; ``alone``: models that share nothing."""
    if limits.forbidden:
        return library
    stay = {*alone, *called_by(library, alone)}
    done: set[Run] = set()
    while (best := _best(library, dialect, stay, limits, done)) is not None:
        done.add(best[0])
        library = _with_macro(library, dialect, taken, *best)
    return library


def _best(
    library: Library, dialect: str, stay: Collection[str], limits: Limits, done: AbstractSet[Run]
) -> tuple[Run, list[_Place]] | None:
    """The sets that save most lines, and where they stand."""
    places = [*_places(library, dialect, stay)]
    found: list[tuple[int, Run, list[_Place]]] = []
    for run in dict.fromkeys(_runs(places)) if len(places) <= _MANY else ():
        uses = [place for place in places if place.at(run) is not None]
        lines = sum(tree_lines(node, dialect) for node in _sets(library, uses[0], run))
        saved = lines * (len(uses) - 1) - _AROUND - len(uses)
        enough = saved >= max(limits.sharing.min_saved, 1) and lines >= limits.sharing.min_lines
        if enough and len(uses) >= limits.sharing.min_uses and run not in done:
            found.append((saved, run, uses))
    best = max(found, key=lambda each: (each[0], each[1]), default=None)
    return best[1:] if best is not None else None


def _places(library: Library, dialect: str, stay: Collection[str]) -> Iterator[_Place]:
    for host, tree in library.hosts.items():
        for number, node in enumerate(tree.find_all(exp.GroupingSets) if host not in stay else ()):
            place = f"{host} {number}"
            texts = (_text(each, at, place, library, dialect)
                     for at, each in enumerate(node.expressions))  # fmt: skip
            yield _Place(host, number, tuple(texts))


def _text(each: exp.Expr, at: int, place: str, library: Library, dialect: str) -> str:
    """A set, or a call that is some of them; what is said of a parameter is like no other."""
    number = call_at(each)
    if number is not None and not library.calls[number].texts:
        return f"call of {library.calls[number].macro}"
    text = each.sql(dialect or None)
    return f"{place} {at}: {text}" if _TOKEN.search(text) else text


def _runs(places: Sequence[_Place]) -> Iterator[Run]:
    """The longest stretch of sets that two places have in common."""
    for one, other in combinations(places, 2):
        same = SequenceMatcher(None, one.sets, other.sets, autojunk=False).find_longest_match()
        run = one.sets[same.a : same.a + same.size]
        if same.size >= _LEAST:
            yield run


def _sets(library: Library, place: _Place, run: Run) -> list[exp.Expr]:
    node = place.node(library.hosts[place.host])
    at = place.at(run)
    assert at is not None
    return list(node.expressions[at : at + len(run)])


def _with_macro(
    library: Library, dialect: str, taken: AbstractSet[str], run: Run, uses: Sequence[_Place]
) -> Library:
    tree = exp.Select(expressions=[copied(each) for each in _sets(library, uses[0], run)])
    params = (param for macro in library.macros for param in macro.params)
    used = {*taken, *library.models, *(macro.name for macro in library.macros), *params}
    name = _name(tree, used)
    hosts = [*dict.fromkeys(place.host for place in uses)]
    comment = f"{len(uses)} lists of grouping sets, in part the same: {listed(hosts, len(uses))}"
    calls, trees = [*library.calls], dict[str, exp.Expr]()
    for place in uses:
        whole = trees.setdefault(place.host, copied(library.hosts[place.host]))
        node = place.node(whole)
        at = place.at(run)
        assert at is not None
        word = exp.Var(this=f"call__{len(calls)}__call")
        node.set("expressions", [*node.expressions[:at], word, *node.expressions[at + len(run) :]])
        calls.append(MacroCall(name, ()))
    macros = [replace(each, tree=trees.get(each.name, each.tree)) for each in library.macros]
    models = {model: trees.get(model, old) for model, old in library.models.items()}
    made = Macro(name, (), tree, "items", comment)
    return replace(library, models=models, macros=(*macros, made), calls=tuple(calls))


def _name(tree: exp.Expr, used: Collection[str]) -> str:
    """After its first columns, as many as it takes to tell it from others."""
    names = [*dict.fromkeys(snake(c.name) for c in tree.find_all(exp.Column, bfs=False))] or ["all"]
    wished = [slug(f"{'_'.join(names[:n])}_sets") for n in range(1, len(names) + 1)]
    free = (name for name in wished if free_macro(name, used) == name)
    return next(free, free_macro(wished[0], used))
