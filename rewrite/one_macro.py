"""Macros that nearly say the same become one, with a parameter for what is different.

Macros are chosen one after the other, and each is the best for the queries that were left; so two
may say the same of another relation or with another formula in one column. The one with more calls
takes what the other one has as arguments: its own calls stay as they are. A model that is written
out, a CTE or a derived table is taken in the same way; two of these become one macro.

with_one_macro(library, ...) -> the library with fewer macros
with_branches_called(library, ...) -> the library in which branches of unions are calls, too
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import texts
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.group_all import is_by_all
from unwet.rewrite.grouped_rows import has_group_by
from unwet.rewrite.library import LISTED, Library, Macro, called_by, says_all
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.merging import LEAST, Gain, Merging
from unwet.rewrite.side_by_side import OPTIONAL, ctes

_LINES: Final = 5  # of what is looked at
_PAIR: Final = 2  # models that become one macro
# of their words: those that both have; fewer where nothing else is left, and then conditions that
# one of them does without
_ROUNDS: Final = ((0.6, False), (0.4, False), (0.4, True), (0.25, True))
_ALIKE: Final = 0.5  # of the words, of three that become one
_LOSS: Final = -4  # lines that the first two of them save
_MANY: Final = 80  # queries of one outline in which such ones are looked for
_BESIDE_IT: Final = 200  # models that one is compared with, at most
_LOOKS: Final = 200_000  # at pairs of a macro and a query inside of a model
_KINDS: Final = frozenset({"query", "tail", "items", "expression"})


def with_one_macro(
    library: Library,
    dialect: str,
    most: int,
    alone: Collection[str] = frozenset(),
    over: Over = never,
    names: AbstractSet[str] = frozenset(),
    limits: Limits = NO_LIMITS,
    about: AbstractSet[str] | None = None,
) -> Library:
    """``most``: parameters of a macro; ``alone``: models that stay as they are, and the macros that
    they call; ``names``: what no new macro may be called; ``limits``: of what a new one is; there
    is none where some are forbidden by name, which two of their members would be again. No more is
    looked for when the time is ``over``; ``about``: only what one of these macros may take."""
    stay = frozenset({*alone, *called_by(library, alone)})
    work = Merging(library, dialect, most, stay, names, limits)
    _merge(work, over, about)
    if about is None:
        work = _with_several(work, over)
    return work.library()


def with_branches_called(
    library: Library,
    dialect: str,
    most: int,
    alone: Collection[str],
    over: Over,
    names: AbstractSet[str],
    limits: Limits,
) -> Library:
    """The library in which branches of unions that nearly say what a macro does call it. Such ones
    that are alike may be a loop, or arms of one macro: so this is for what is left of them.
    Parameters as those of `with_one_macro`."""
    stay = frozenset({*alone, *called_by(library, alone)})
    work = Merging(library, dialect, most, stay, names, limits)
    _merge(work, over, frozenset(work.macros), branches=True)
    return work.library()


def merged_pair(
    library: Library,
    dialect: str,
    most: int,
    pair: tuple[str, str],
    names: AbstractSet[str],
    limits: Limits,
    own: Mapping[str, Sequence[int]],
) -> tuple[int, Library] | None:
    """The lines that are saved where a macro takes another one or a model, the second of the
    ``pair``, and the library then; None where it cannot, or that saves none. ``own``: the
    numbers of all calls by macro, which is known where many pairs of a library are tried."""
    work = Merging(library, dialect, most, frozenset(), names, limits, own={**own})
    merge = work.tried_now(*pair)
    return (merge.gain.saved, work.library()) if merge is not None else None


def _merge(
    work: Merging, over: Over, about: AbstractSet[str] | None, branches: bool = False
) -> None:
    """All merges, those of what is most alike first; ``about``, ``branches``: as in `_step`."""
    for near, fewer in _ROUNDS:
        work.fewer = fewer
        if fewer:
            work.try_again()
        while not over() and _step(work, near, about, branches):
            pass


def _step(
    work: Merging, near: float, about: AbstractSet[str] | None, branches: bool = False
) -> bool:
    """The merges that save most, each macro in one of them; whether there was any. ``branches``:
    only of branches of unions."""
    work.look_inside(branches=branches)
    pairs = (p for p in _Pairs(work, near).all() if about is None or p[0] in about)
    if branches:
        pairs = (p for p in pairs if p[1] in work.inner)
    found = [m for pair in pairs if (m := work.merged(*pair)) is not None]
    found.sort(key=lambda m: (-m.saved, m.name, m.taken))
    touched: set[str] = set()
    for merge in found:
        places = {merge.name, merge.taken, work.host(merge.name), work.host(merge.taken)}
        if not places & touched and work.apply(merge):
            touched |= places
    return bool(touched)


# --- what is looked at ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pairs:
    """``near``: of their words, those that two queries both have."""

    work: Merging
    near: float

    def all(self) -> Iterator[tuple[str, str]]:
        """A macro, and what it may take: a macro with no more calls, or a model."""
        work, groups = self.work, defaultdict[object, list[str]](list)
        for name, macro in work.macros.items():
            own = (work.calls[n] for n in work.own.get(name, ()))
            if is_plain(macro) and says_all(macro, own):
                groups[macro.kind, _outline(macro.tree)].append(name)
        models, inner = self._queries()
        for names in self._free(models, inner):
            yield from self._models(names)
        for key, names in groups.items():
            names.sort(key=lambda n: (-len(work.own.get(n, ())), n))
            for at, name in enumerate(names):
                if work.lines(name) >= _LINES:
                    yield from ((name, other) for other in names[at + 1 :])
                    yield from ((name, other) for other in models.get(key, ()))
            if len(names) * len(inner[key]) <= _LOOKS:
                yield from self._near(names, inner[key])

    def several(self, seen: set[str]) -> Iterator[tuple[str, list[str]]]:
        """A query that was not ``seen`` yet, and others like it, of which no two stand in one
        place."""
        for names in self._free(*self._queries()):
            long = [name for name in sorted(names) if self.work.lines(name) >= _LINES]
            for name in long if len(long) <= _MANY else ():
                if name in seen:
                    continue
                seen.add(name)
                like = [other for other in long if other != name and self._is_near(name, other)]
                yield name, like

    def _free(
        self, models: dict[object, list[str]], inner: dict[object, list[str]]
    ) -> Iterator[list[str]]:
        """The queries of each outline that may become a macro."""
        work = self.work
        if work.limits.sharing.min_uses > _PAIR or work.limits.forbidden:
            return
        for key in {**models, **inner}:
            free = (each for each in inner[key] if work.host(each) not in work.stay)
            yield [*models[key], *free]

    def _queries(self) -> tuple[dict[object, list[str]], dict[object, list[str]]]:
        """Models, and the queries in models and macros, by outline."""
        models: dict[object, list[str]] = defaultdict(list)
        for name, tree in self.work.models.items():
            if name not in self.work.stay and isinstance(tree, exp.Query):
                models["query", _outline(tree)].append(name)
        inner: dict[object, list[str]] = defaultdict(list)
        for name, (_, _, query) in self.work.inner.items():
            if not any(LISTED.search(text) for text in texts(query)):
                inner["query", _outline(query)].append(name)
        return models, inner

    def _near(self, names: Sequence[str], inner: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Macros, and queries that have most of their words in common with them."""
        long = [name for name in inner if self.work.lines(name) >= _LINES]
        for name in names:
            if self.work.lines(name) >= _LINES:
                yield from ((name, other) for other in long if self._is_near(name, other))

    def _models(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Models that could be one macro: those that have most of their words in common."""
        long = [name for name in sorted(names) if self.work.lines(name) >= _LINES]
        for at, name in enumerate(long):  # those of nearly one name stand beside one another
            others = long[at + 1 : at + 1 + _BESIDE_IT]
            yield from ((name, other) for other in others if self._is_near(name, other))

    def _is_near(self, name: str, other: str) -> bool:
        """Whether two queries have most of their words in common."""
        mine, theirs = self.work.words(name), self.work.words(other)
        return len(mine & theirs) >= self.near * max(len(mine), len(theirs))


# --- three and more, of which no two save enough -------------------------------------------------


def _with_several(work: Merging, over: Over) -> Merging:
    """The library in which several queries are one macro that saves enough in all."""
    seen = set[str]()
    work.look_inside()
    found = next(_several(work, seen, over), None)
    while found is not None:
        work = found
        work.look_inside()
        found = next(_several(work, seen, over), None)
    return work


def _several(work: Merging, seen: set[str], over: Over) -> Iterator[Merging]:
    """What becomes of the library with such a macro; ``seen``: where one was looked for."""
    for name, like in _Pairs(work, _ALIKE).several(seen):
        if over():
            return
        merges = [m for other in like if (m := work.merged_at_all(name, other)) is not None]
        merges = sorted((m for m in merges if m.saved >= _LOSS), key=lambda m: (-m.saved, m.taken))
        made = _together(work, name, merges) if len(merges) >= _PAIR else None
        if made is not None:
            yield made


def _together(work: Merging, name: str, merges: Sequence[Gain]) -> Merging | None:
    """A query is a macro that takes one after the other; None where that saves too little."""
    trial, touched, saved, many = work.copy(_LOSS), {work.host(name)}, 0, 0
    for merge in merges:
        if work.host(merge.taken) in touched:
            continue
        made = trial.tried_now(name, merge.taken)
        if made is not None:
            touched.add(work.host(merge.taken))
            name, saved, many = made.macro.name, saved + made.gain.saved, many + 1
            trial.least = 1
    enough = saved >= max(LEAST, work.limits.sharing.min_saved)
    trial.least = work.least
    return trial if enough and many >= _PAIR else None


def is_plain(macro: Macro) -> bool:
    """Whether all that its calls say is what its parameters are."""
    return macro.kind in _KINDS and not macro.uncounted and not macro.rows


def _outline(tree: exp.Expr) -> object:
    """What two trees that may be one have in common."""
    if not isinstance(tree, exp.Select):
        return type(tree)
    clauses = frozenset(k for k, v in tree.args.items() if v) - OPTIONAL
    if is_by_all(tree) or has_group_by(tree):
        clauses -= {"group"}  # which a parameter may say
    return clauses, len(ctes(tree)), len(tree.args.get("joins") or ())
