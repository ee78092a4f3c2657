"""Macros that nearly say the same become one, with a parameter for what is different.

Macros are chosen one after the other, and each is the best for the queries that were left; so two
may say the same of another relation or with another formula in one column. The one with more calls
takes what the other one has as arguments: its own calls stay as they are. A model that is written
out, a CTE or a derived table is taken in the same way; two of these become one macro.

with_one_macro(library, ...) -> the library with fewer macros
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import texts
from unwet.rewrite.alternatives import NO_ALTERNATIVE
from unwet.rewrite.chosen_later import name_of_query
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.inner_queries import inner_queries, with_calls
from unwet.rewrite.library import (
    HOLE,
    LISTED,
    NO_CONDITION,
    Library,
    Macro,
    MacroCall,
    called_by,
    calls_within,
    numbers_in,
    numbers_of,
    says_all,
    says_one_of,
    texts_said,
    texts_within,
)
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.looped_calls import Union, lines_of, united_in
from unwet.rewrite.macro_names import common_stem
from unwet.rewrite.moved_calls import moved
from unwet.rewrite.naming import free_macro, free_parameter
from unwet.rewrite.opened_items import opened
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.qualifiers import qualifiers, renamed_in
from unwet.rewrite.query_parts import says
from unwet.rewrite.saying import New
from unwet.rewrite.shapes import Leaf, after_tables, in_order
from unwet.rewrite.side_by_side import (
    OPTIONAL,
    Aligned,
    Spares,
    ctes,
    has_parameters,
    own_words,
    side_by_side,
)
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.source_tables import table_name
from unwet.rewrite.told_of import two_queries_of

_MOST: Final = 3  # parameters more, for one that is taken
_SAVED_EACH: Final = 10  # lines that each of them saves, where there are more of them
_WORDS: Final = 3  # names and constants of its own that a macro has beside these
_GROUPED_WORDS: Final = 1  # of one that groups, is a macro already, and has one parameter more
_LEAST: Final = 4  # lines that are saved
_AROUND: Final = 2  # the first and the last line of a macro
_LINES: Final = 5  # of what is looked at
_PAIR: Final = 2  # models that become one macro
# of their words: those that both have; fewer where nothing else is left, and then conditions that
# one of them does without
_ROUNDS: Final = ((0.6, False), (0.4, False), (0.4, True))
_SHORT: Final = 3  # letters of a name
_BESIDE_IT: Final = 200  # models that one is compared with, at most
_LOOKS: Final = 200_000  # at pairs of a macro and a query inside of a model
_KINDS: Final = frozenset({"query", "tail", "items", "expression"})
_NAMED: Final = re.compile(r"(?:h|list)__(\w+?)__(?:h|list)(?![a-z])")


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
    work = _Work(library, dialect, most, stay, names, limits, about)
    for near, fewer in _ROUNDS:
        work.near, work.fewer = near, fewer
        if fewer:
            work.try_again()
        while not over() and work.step():
            pass
    return work.library()


def merged_pair(
    library: Library,
    dialect: str,
    most: int,
    pair: tuple[str, str],
    names: AbstractSet[str],
    limits: Limits,
) -> tuple[int, Library] | None:
    """The lines that are saved where a macro takes another one or a model, the second of the
    ``pair``, and the library then; None where it cannot, or that saves none."""
    work = _Work(library, dialect, most, frozenset(), names, limits)
    merge = work.tried_now(*pair)
    return (merge.saved, work.library()) if merge is not None else None


@dataclass(frozen=True, slots=True, eq=False)
class _Merge:
    """A macro as it would be, what it takes, and all calls then; ``numbers``: those of the calls
    which models would be. ``name``: of a macro, or of a model that becomes one."""

    saved: int
    name: str
    taken: str
    macro: Macro
    calls: Sequence[MacroCall]
    numbers: Mapping[str, int]


@dataclass
class _Work:
    """The library while it changes."""

    start: Library
    dialect: str
    most: int
    stay: frozenset[str]
    names: AbstractSet[str] = frozenset()
    limits: Limits = NO_LIMITS
    about: AbstractSet[str] | None = None
    near: float = _ROUNDS[0][0]
    fewer: bool = False
    macros: dict[str, Macro] = field(default_factory=dict)
    models: dict[str, exp.Expr] = field(default_factory=dict)
    calls: list[MacroCall] = field(default_factory=list)
    own: dict[str, list[int]] = field(default_factory=dict)  # numbers of calls, by macro
    lines: dict[str, tuple[exp.Expr, int]] = field(default_factory=dict)
    said: dict[str, tuple[exp.Expr, frozenset[str]]] = field(default_factory=dict)
    inner: dict[str, tuple[str, int, exp.Select]] = field(default_factory=dict)  # with their hosts
    unions: Mapping[int, Union] = field(default_factory=dict)
    spares: Spares = field(default_factory=Spares)
    blocked: set[tuple[str, str]] = field(default_factory=set)  # by conditions that one has not
    tried: dict[tuple[str, str], tuple[exp.Expr, exp.Expr, _Merge | None]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.macros = {m.name: m for m in self.start.macros}
        self.models = dict(self.start.models)
        self.calls = list(self.start.calls)
        self.own = defaultdict(list)
        for number, call in enumerate(self.calls):
            self.own[call.macro].append(number)

    def library(self) -> Library:
        """What has come of it."""
        return replace(
            self.start,
            models=self.models,
            macros=tuple(self.macros.values()),
            calls=tuple(self.calls),
        )

    def step(self) -> bool:
        """The merges that save most, each macro in one of them; whether there was any."""
        self._look_inside()
        pairs = (p for p in self._pairs() if self.about is None or p[0] in self.about)
        found = [m for pair in pairs if (m := self._merged(*pair)) is not None]
        found.sort(key=lambda m: (-m.saved, m.name, m.taken))
        touched: set[str] = set()
        for merge in found:
            places = {merge.name, merge.taken, self._host(merge.name), self._host(merge.taken)}
            if not places & touched and self._apply(merge):
                touched |= places
        return bool(touched)

    def try_again(self) -> None:
        """Forgets those attempts that may end otherwise now."""
        for pair in self.blocked:
            self.tried.pop(pair, None)

    def tried_now(self, name: str, taken: str) -> _Merge | None:
        """One merge alone, which is done where it can be."""
        merge = self._tried(name, taken)
        return merge if merge is not None and self._apply(merge) else None

    def _look_inside(self) -> None:
        """Finds the queries in models and macros, as these are now."""
        trees = self.models | {name: macro.tree for name, macro in self.macros.items()}
        self.unions = united_in(trees)
        self.inner = {
            name: (host, at, node)
            for host, tree in trees.items()
            if not isinstance(tree, exp.Var)
            for name, at, node in inner_queries(host, tree)
        }

    def _host(self, name: str) -> str:
        """The model or the macro that it stands in, or is."""
        return self.inner[name][0] if name in self.inner else name

    def _apply(self, merge: _Merge) -> bool:
        """What was tried is done, on the calls as they are now; whether it still can be."""
        made = self._tried(merge.name, merge.taken)
        if made is None:
            self.tried.pop((merge.name, merge.taken))
            return False
        known, self.calls = len(self.calls), [*made.calls]
        name = made.macro.name
        for number in range(known, len(self.calls)):
            self.own[self.calls[number].macro].append(number)
        for place, number in made.numbers.items():
            self._place(place, number)
        if self._host(merge.taken) in self.stay:
            self.stay |= self._called(made.macro, self.calls)
        if merge.taken in self.macros:
            del self.macros[merge.taken]
            self.own[name] += self.own.pop(merge.taken)
        self.macros[name] = made.macro
        return True

    def _place(self, place: str, number: int) -> None:
        if place in self.models:
            self.models[place] = exp.Var(this=f"call__{number}__call")
            return
        host, at, _ = self.inner[place]
        if host in self.models:
            self.models[host] = with_calls(self.models[host], {at: number})
        else:
            macro = self.macros[host]
            self.macros[host] = replace(macro, tree=with_calls(macro.tree, {at: number}))

    # --- what is looked at

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """A macro, and what it may take: a macro with no more calls, or a model."""
        groups: dict[object, list[str]] = defaultdict(list)
        for name, macro in self.macros.items():
            own = (self.calls[n] for n in self.own[name])
            if _is_plain(macro) and says_all(macro, own):
                groups[macro.kind, _outline(macro.tree)].append(name)
        models: dict[object, list[str]] = defaultdict(list)
        for name, tree in self.models.items():
            if name not in self.stay and isinstance(tree, exp.Query):
                models["query", _outline(tree)].append(name)
        inner: dict[object, list[str]] = defaultdict(list)
        for name, (_, _, query) in self.inner.items():
            if not any(LISTED.search(text) for text in texts(query)):
                inner["query", _outline(query)].append(name)
        new = self.limits.sharing.min_uses <= _PAIR and not self.limits.forbidden
        for key in {**models, **inner} if new else ():
            free = (each for each in inner[key] if self._host(each) not in self.stay)
            yield from self._models([*models[key], *free])
        for key, names in groups.items():
            names.sort(key=lambda n: (-len(self.own[n]), n))
            for at, name in enumerate(names):
                if self._lines(name) >= _LINES:
                    later = (other for other in names[at + 1 :] if other not in self.stay)
                    yield from ((name, other) for other in later)
                    yield from ((name, other) for other in models.get(key, ()))
            if len(names) * len(inner[key]) <= _LOOKS:
                yield from self._near(names, inner[key])

    def _near(self, names: Sequence[str], inner: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Macros, and queries that have most of their words in common with them."""
        long = [name for name in inner if self._lines(name) >= _LINES]
        for name in names:
            if self._lines(name) >= _LINES:
                yield from ((name, other) for other in long if self._is_near(name, other))

    def _is_near(self, name: str, other: str) -> bool:
        mine, theirs = self._words(name), self._words(other)
        return len(mine & theirs) >= self.near * max(len(mine), len(theirs))

    def _models(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Models that could be one macro: those that have most of their words in common."""
        long = [name for name in sorted(names) if self._lines(name) >= _LINES]
        for at, name in enumerate(long):  # those of nearly one name stand beside one another
            others = long[at + 1 : at + 1 + _BESIDE_IT]
            yield from ((name, other) for other in others if self._is_near(name, other))

    def _words(self, name: str) -> frozenset[str]:
        """What is said in it."""
        tree = self._tree(name)
        if name not in self.said or self.said[name][0] is not tree:
            words = {str(says(node)) for node in in_order(tree)} | {*texts(tree)}
            calls = [self.calls[n] for n in numbers_of(tree)]
            words = {word for word in words if not numbers_in(word)}
            words |= {call.macro for call in calls}
            words |= {f"{name}={leaf.text}" for call in calls for name, leaf in call.args}
            self.said[name] = tree, frozenset(words)
        return self.said[name][1]

    def _tree(self, name: str) -> exp.Expr:
        if name in self.inner:
            return self.inner[name][2]
        return self.macros[name].tree if name in self.macros else self.models[name]

    def _lines(self, name: str) -> int:
        tree = self._tree(name)
        if name not in self.lines or self.lines[name][0] is not tree:
            self.lines[name] = tree, self._height(tree, self.calls)
        return self.lines[name][1]

    def _height(self, tree: exp.Expr, calls: Sequence[MacroCall]) -> int:
        """Its lines, with those of the calls in it."""
        more = sum(height_of(calls[n]) - 1 for n in numbers_of(tree))
        return tree_lines(tree, self.dialect) + more

    # --- one merge

    def _merged(self, name: str, taken: str) -> _Merge | None:
        mine, other = self._tree(name), self._tree(taken)
        known = self.tried.get((name, taken))
        if known is None or known[0] is not mine or known[1] is not other:
            known = mine, other, self._tried(name, taken)
            self.tried[name, taken] = known
        return known[2]

    def _tried(self, name: str, taken: str) -> _Merge | None:
        macro = self.macros.get(name) or self._new(name, taken)
        made = self._made_of(macro, name, taken)
        if made is not None or taken not in self.macros:
            return made
        one, two = macro.tree, self._tree(taken)
        pair = [opened(*each, self.macros, self.calls) for each in ((one, two), (two, one))]
        if pair[0] is one and pair[1] is two:
            return None
        return self._made_of(replace(macro, tree=pair[0]), name, taken, pair[1])

    def _made_of(
        self, macro: Macro, name: str, taken: str, other: exp.Expr | None = None
    ) -> _Merge | None:
        """``macro``: the one of that ``name``, or a new one; ``other``: what is taken, as it is
        laid beside it."""
        other = other or self._tree(taken)
        most = max(_MOST, min(self._lines(name), self._lines(taken)) // _SAVED_EACH)
        found = side_by_side(
            macro.tree, other, self.calls, self.dialect, most, self.spares, self.fewer
        )
        if self.spares.fewer:
            self.blocked.add((name, taken))
        if found is None:
            return None
        if not self._stays_as_it_is(name, taken, found):
            return None
        if any(found.optional & {*HOLE.findall(text)} for text in macro.defaults.values()):
            return None
        made, new = _taken(macro, found, self.macros.keys())
        if not self._is_template(macro, made, found, len(new)):
            return None
        calls = found.calls
        places = [each for each in (taken, name) if each not in self.macros]
        if not self._called(made, calls).isdisjoint(map(self._host, places)):
            return None  # it would call itself
        models = {each: len(calls) + at for at, each in enumerate(places)}
        calls += [MacroCall(each, self._handed_on(each)) for each in places]
        theirs = [models[taken]] if taken in models else self.own[taken]
        mine = [models[name]] if name in models else self.own[name]
        if (found.renamed or found.added) and macro.kind == "tail":
            return None  # a tail's names stand beside those of its caller, too
        words = qualifiers(self._tree(taken), calls) if found.renamed else frozenset[str]()
        if found.renamed and self._is_told(taken, found.renamed, words):
            return None
        if found.added and self._is_told(name, found.added):
            return None
        told = [n for n in (*theirs, *mine) if n not in models.values()]
        before = lines_of(told, calls, self.unions)
        before += sum(self._lines(n) + (_AROUND if n in self.macros else 0) for n in (name, taken))
        others = {**found.said, **{n: each.other for n, each in new.items()}}
        own = {n: Leaf("condition", f"h__{n}__h") for n in macro.params}
        own |= {n: each.mine for n, each in new.items()}
        like = taken if taken in self.macros else ""
        for n in theirs if words else ():
            said_so = renamed_in(calls[n], words, found.names)
            if said_so is None:
                return None
            calls[n] = said_so
        for numbers, said, was in ((theirs, others, like), (mine, own, "")):
            for n in numbers:
                call = moved(calls[n], made, said, was, calls)
                if call is None:
                    return None
                calls[n] = call
        limit = self._limit(macro, taken, len(new))
        if _counted(made, [calls[n] for n in (*theirs, *mine)]) > limit:
            return None
        after = lines_of((*theirs, *mine), calls, self.unions) + _AROUND
        after += self._height(made.tree, calls) + (name in models)
        saved = before - after - len(new)
        least = _LEAST if len(new) <= _MOST else _SAVED_EACH * len(new)
        if name in models:
            least = max(least, self.limits.sharing.min_saved)
            if tree_lines(made.tree, self.dialect) < self.limits.sharing.min_lines:
                return None
        return _Merge(saved, name, taken, made, calls, models) if saved >= least else None

    def _limit(self, macro: Macro, taken: str, more: int) -> int:
        """How many parameters it may have: what both say is a table that has one column more."""
        other = self.macros.get(taken)
        widest = min(len(each.params) if each else 0 for each in (macro, other))
        return max(self.most, len(macro.params) + (more if widest > self.most else 0))

    def _stays_as_it_is(self, name: str, taken: str, found: Aligned) -> bool:
        """Whether what has to stay as it is would be the same text: parameters are what stood in
        their places, but a condition that is always true is only nothing in a WHERE."""
        mine, theirs = name in self.stay, self._host(taken) in self.stay
        if ((found.added or found.optional) and (mine or theirs)) or (found.renamed and theirs):
            return False
        if any(NO_ALTERNATIVE in (each.mine, each.other) for each in found.new) and (
            mine or theirs
        ):
            return False
        if theirs and NO_ALTERNATIVE in found.said.values():
            return False
        if found.tree.find(exp.Having) is None:
            return True
        empty = mine and any(each.mine == NO_CONDITION for each in found.new)
        return not empty and not (theirs and NO_CONDITION in found.said.values())

    def _is_told(
        self, taken: str, names: AbstractSet[str], but: AbstractSet[str] = frozenset()
    ) -> bool:
        """Whether a call says one of these names, of relations within what is taken: for one of its
        parameters ``but`` some, or for what hands that on."""
        host = self._host(taken)
        waiting = [(host, each) for each in self._parameters(self._tree(taken)) if each not in but]
        seen = set(waiting)
        while waiting:
            place, name = waiting.pop()
            for number in self.own.get(place, ()):
                call = self.calls[number]
                text = dict((*call.unsaid, *call.args)).get(name, NO_CONDITION).text
                if says_one_of(text, names, self.calls):
                    return True
                said = texts_said(text, self.calls)
                handed = {hole for each in said for hole in HOLE.findall(each)}
                for around in self._callers(number) if handed else ():
                    new = {(around, hole) for hole in handed} - seen
                    seen |= new
                    waiting += sorted(new)
        return False

    def _callers(self, number: int) -> list[str]:
        """The macros in which a call stands."""
        return [
            name
            for name, macro in self.macros.items()
            if number in calls_within(numbers_of(macro.tree), self.calls)
        ]

    def _is_template(self, macro: Macro, made: Macro, found: Aligned, more: int) -> bool:
        """Whether what a macro becomes says enough itself, with so many parameters more."""
        if _still_said(made.tree, {*macro.params} - {*made.params}, found.calls):
            return False
        texts_more = sum(each.mine.kind == "condition" for each in found.new)
        if texts_more > 1 and macro.name not in self.macros:
            return False  # two models that say other columns of other rows are two
        grouped = macro.name in self.macros and made.tree.args.get("group") is not None
        least = _GROUPED_WORDS if grouped and more <= 1 else _WORDS
        return own_words(made.tree, found.calls) >= least + more

    def _called(self, macro: Macro, calls: Sequence[MacroCall]) -> frozenset[str]:
        """A macro, those that it calls, and those that they do."""
        waiting, found = [(macro.name, macro.tree)], set[str]()
        while waiting:
            name, tree = waiting.pop()
            found.add(name)
            made = {calls[n].macro for n in calls_within(numbers_of(tree), calls)}
            waiting += [(n, self.macros[n].tree) for n in made - found if n in self.macros]
        return frozenset(found)

    def _new(self, name: str, taken: str) -> Macro:
        """A macro that says what a model does, or a query in it."""
        params = {param for macro in self.macros.values() for param in macro.params}
        tree, hosts = self._tree(name), (self._host(name), self._host(taken))
        stem = common_stem(hosts)
        if name in self.inner or len(stem) < _SHORT:
            stem = name_of_query(tree) or after_tables(tree)
        called = free_macro(stem, {*self.names, *self.models, *self.macros, *params})
        return Macro(called, self._parameters(tree), tree, "query", two_queries_of(hosts))

    def _handed_on(self, place: str) -> tuple[tuple[str, Leaf], ...]:
        """What a call in such a place says: the parameters of the macro around it as they are."""
        said = self._parameters(self._tree(place))
        return tuple((name, Leaf("condition", f"h__{name}__h")) for name in said)

    def _parameters(self, tree: exp.Expr) -> tuple[str, ...]:
        """Those of the macro around a query that stand in it, or in what it calls."""
        names = (n for text in texts_within(tree, self.calls) for n in HOLE.findall(text))
        return tuple(dict.fromkeys(names))


def _taken(macro: Macro, found: Aligned, hidden: Collection[str]) -> tuple[Macro, dict[str, New]]:
    """The macro with its new parameters, and these by name. What both macros have a parameter for
    beside others may be in these: such a parameter goes."""
    params, more = [name for name in macro.params if name in found.said], dict[str, New]()
    for new in found.new:
        wanted = f"{new.word}_value" if new.word in hidden else new.word
        name = free_parameter(wanted, {*params, *macro.params, *hidden})
        params.append(name)
        more[name] = new
        for put in new.puts:
            put(name)
    usual = {n: new.mine.text for n, new in more.items()
             if not has_parameters(new.mine, found.calls)}  # fmt: skip
    defaults = {n: text for n, text in {**macro.defaults, **usual}.items() if n in params}
    return replace(macro, tree=found.tree, params=tuple(params), defaults=defaults), more


def _counted(macro: Macro, calls: Sequence[MacroCall]) -> int:
    """How many parameters it has in the end: those for which each call says the same table, of
    other schemas, become one (`same_tables`)."""
    said = [dict((*call.args, *call.unsaid)) for call in calls]
    tables = [tuple(table_name(each[name].text) for each in said) for name in macro.params]
    return len({own if all(own) else at for at, own in enumerate(tables)})


def _still_said(tree: exp.Expr, names: Collection[str], calls: Sequence[MacroCall]) -> bool:
    """Whether a parameter of these is somewhere in the tree, or in what it hands on."""
    if not names:
        return False
    said = {name for text in texts_within(tree, calls) for name in _NAMED.findall(text)}
    return not said.isdisjoint(names)


def _is_plain(macro: Macro) -> bool:
    return macro.kind in _KINDS and not macro.uncounted and not macro.rows


def _outline(tree: exp.Expr) -> object:
    """What two trees that may be one have in common."""
    if not isinstance(tree, exp.Select):
        return type(tree)
    clauses = frozenset(k for k, v in tree.args.items() if v) - OPTIONAL
    return clauses, len(ctes(tree)), len(tree.args.get("joins") or ())
