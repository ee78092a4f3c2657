"""Macros, models and queries in them while some become one: what a merge would be, and doing it.

Merging(library, ...).merged(name, taken) -> what one macro saves that says what two did
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import texts
from unwet.rewrite.chosen_later import name_of_query
from unwet.rewrite.inner_queries import inner_queries, with_calls
from unwet.rewrite.library import (
    HOLE,
    Library,
    Macro,
    MacroCall,
    calls_within,
    numbers_by_macro,
    numbers_in,
    numbers_of,
    texts_within,
)
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.looped_calls import Union, lines_of, united_in
from unwet.rewrite.macro_names import common_stem
from unwet.rewrite.may_merge import is_template, is_told, stays_as_it_is
from unwet.rewrite.merged_calls import Uses, counted, taken_in
from unwet.rewrite.naming import free_macro, snake
from unwet.rewrite.opened_items import has_calls, opened
from unwet.rewrite.own_relations import ReadOfCallers
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.qualifiers import qualifiers
from unwet.rewrite.query_parts import says
from unwet.rewrite.shapes import Leaf, after_tables, in_order
from unwet.rewrite.side_by_side import (
    Aligned,
    Spares,
    side_by_side,
)
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.told_of import two_queries_of

_MOST: Final = 3  # parameters more, for one that is taken
_SAVED_EACH: Final = 10  # lines that each of them saves, where there are more of them
LEAST: Final = 4
"""Lines that a merge saves."""
_AROUND: Final = 2  # the first and the last line of a macro
_SHORT: Final = 3  # letters of a name


@dataclass(frozen=True, slots=True)
class Gain:
    """What a merge saves, without what it makes, which is large: thousands of pairs are tried for
    each merge that is done. ``name``: of a macro, or of a model that becomes one (``is_new``);
    ``more``: parameters that it has more."""

    saved: int
    name: str
    taken: str
    more: int
    is_new: bool


@dataclass(frozen=True, slots=True, eq=False)
class Merge:
    """A macro as it would be, and all calls then; ``numbers``: those of the calls which models
    would be."""

    gain: Gain
    macro: Macro
    calls: Sequence[MacroCall]
    numbers: Mapping[str, int]


@dataclass
class Merging:
    """The library while it changes. ``most``: parameters of a macro; ``stay``: what stays as it is;
    ``names``: what no new macro may be called; ``fewer``: whether conditions may be none;
    ``least``: lines that each merge saves."""

    start: Library
    dialect: str
    most: int
    stay: frozenset[str]
    names: AbstractSet[str] = frozenset()
    limits: Limits = NO_LIMITS
    fewer: bool = False
    least: int = LEAST
    macros: dict[str, Macro] = field(default_factory=dict)
    models: dict[str, exp.Expr] = field(default_factory=dict)
    calls: list[MacroCall] = field(default_factory=list)
    own: dict[str, Sequence[int]] = field(default_factory=dict)  # numbers of calls, by macro
    inner: dict[str, tuple[str, int, exp.Query]] = field(default_factory=dict)  # with their hosts
    _heights: dict[str, tuple[exp.Expr, int]] = field(default_factory=dict)
    _words_of: dict[str, tuple[exp.Expr, frozenset[str]]] = field(default_factory=dict)
    _opens: dict[str, tuple[exp.Expr, bool]] = field(default_factory=dict)
    _taken: tuple[frozenset[str], frozenset[str]] | None = None
    _unions: Mapping[int, Union] = field(default_factory=dict)
    _spares: Spares = field(default_factory=Spares)
    _blocked: set[tuple[str, str]] = field(default_factory=set)  # by conditions that one has not
    _known: dict[tuple[str, str], tuple[exp.Expr, exp.Expr, Gain | None]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        self.macros = {m.name: m for m in self.start.macros}
        self.models = dict(self.start.models)
        self.calls = list(self.start.calls)
        self.own = {**(self.own or numbers_by_macro(self.calls))}  # others may have these, too

    def library(self) -> Library:
        """What has come of it."""
        return replace(
            self.start,
            models=self.models,
            macros=tuple(self.macros.values()),
            calls=tuple(self.calls),
        )

    def copy(self, least: int) -> Merging:
        """Another one to try merges with, each of which saves so many lines at least."""
        made = copy(self)
        made.least, made._spares = least, Spares()
        made.own = {**self.own}
        made.macros, made.models, made.calls = {**self.macros}, {**self.models}, [*self.calls]
        made.inner, made._known, made._blocked = {**self.inner}, {**self._known}, {*self._blocked}
        return made

    def try_again(self) -> None:
        """Forgets those attempts that may end otherwise now."""
        for pair in self._blocked:
            self._known.pop(pair, None)

    def tried_now(self, name: str, taken: str) -> Merge | None:
        """One merge alone, which is done where it can be."""
        merge = self._try(name, taken)
        if merge is None or not self._saves(merge.gain):
            return None
        self._do(merge)
        return merge

    def look_inside(self, trivial: bool = False, branches: bool = False) -> None:
        """Finds the queries in models and macros, as these are now; ``trivial``: those also that
        nobody would look up; ``branches``: those of unions, and no others."""
        trees = self.models | {name: macro.tree for name, macro in self.macros.items()}
        self._unions = united_in(trees)
        self.inner = {
            name: (host, at, node)
            for host, tree in trees.items()
            if not isinstance(tree, exp.Var)
            for name, at, node in inner_queries(host, tree, trivial, branches)
        }

    def host(self, name: str) -> str:
        """The model or the macro that it stands in, or is."""
        return self.inner[name][0] if name in self.inner else name

    def apply(self, gain: Gain) -> bool:
        """What was tried is done, on the calls as they are now; whether it still can be."""
        if self.tried_now(gain.name, gain.taken) is not None:
            return True
        self._known.pop((gain.name, gain.taken), None)
        return False

    def _do(self, merge: Merge) -> None:
        known, self.calls, self._taken = len(self.calls), [*merge.calls], None
        name, taken = merge.macro.name, merge.gain.taken
        for number in range(known, len(self.calls)):
            macro = self.calls[number].macro
            self.own[macro] = (*self.own.get(macro, ()), number)
        for place, number in merge.numbers.items():
            self._place(place, number)
        if self.host(taken) in self.stay:
            self.stay |= self._called(merge.macro, self.calls)
        if taken in self.macros:
            del self.macros[taken]
            self.own[name] = (*self.own.get(name, ()), *self.own.pop(taken, ()))
        self.macros[name] = merge.macro

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

    def words(self, name: str) -> frozenset[str]:
        """What is said in it."""
        tree = self.tree(name)
        if name not in self._words_of or self._words_of[name][0] is not tree:
            words = {str(says(node)) for node in in_order(tree)} | {*texts(tree)}
            calls = [self.calls[n] for n in numbers_of(tree)]
            words = {word for word in words if not numbers_in(word)}
            words |= {call.macro for call in calls}
            words |= {f"{name}={leaf.text}" for call in calls for name, leaf in call.args}
            self._words_of[name] = tree, frozenset(words)
        return self._words_of[name][1]

    def tree(self, name: str) -> exp.Expr:
        """Of a macro, a model, or a query in one."""
        if name in self.inner:
            return self.inner[name][2]
        return self.macros[name].tree if name in self.macros else self.models[name]

    def lines(self, name: str) -> int:
        """How long it is."""
        tree = self.tree(name)
        if name not in self._heights or self._heights[name][0] is not tree:
            self._heights[name] = tree, self._height(tree, self.calls)
        return self._heights[name][1]

    def _height(self, tree: exp.Expr, calls: Sequence[MacroCall]) -> int:
        """Its lines, with those of the calls in it."""
        more = sum(height_of(calls[n]) - 1 for n in numbers_of(tree))
        return tree_lines(tree, self.dialect) + more

    def _may_open(self, name: str) -> bool:
        """Whether a call stands among its items, which may be several columns."""
        tree = self.tree(name)
        if name not in self._opens or self._opens[name][0] is not tree:
            self._opens[name] = tree, has_calls(tree)
        return self._opens[name][1]

    def merged(self, name: str, taken: str) -> Gain | None:
        """What the merge saves of a macro, or of what becomes one, with what it takes; None where
        there is none, or it saves too little."""
        found = self.merged_at_all(name, taken)
        return found if found is not None and self._saves(found) else None

    def merged_at_all(self, name: str, taken: str) -> Gain | None:
        """The same, however little it saves."""
        mine, other = self.tree(name), self.tree(taken)
        known = self._known.get((name, taken))
        if known is None or known[0] is not mine or known[1] is not other:
            made = self._try(name, taken)
            known = mine, other, made.gain if made is not None else None
            self._known[name, taken] = known
        return known[2]

    def _saves(self, gain: Gain) -> bool:
        """Whether it saves enough: a new macro, what the limits say."""
        least = self.least if gain.more <= _MOST else _SAVED_EACH * gain.more
        if gain.is_new and least >= LEAST:
            least = max(least, self.limits.sharing.min_saved)
        return gain.saved >= least

    def _try(self, name: str, taken: str) -> Merge | None:
        macro = self.macros.get(name) or self._new(name, taken)
        made = self._made_of(macro, name, taken)
        if taken not in self.macros or (made is not None and self._saves(made.gain)):
            return made
        one, two = macro.tree, self.tree(taken)
        if not (self._may_open(name) or self._may_open(taken)):
            return made
        pair = [opened(*each, self.macros, self.calls) for each in ((one, two), (two, one))]
        if pair[0] is one and pair[1] is two:
            return made
        return self._made_of(replace(macro, tree=pair[0]), name, taken, pair[1])

    def _made_of(
        self, macro: Macro, name: str, taken: str, other: exp.Expr | None = None
    ) -> Merge | None:
        """``macro``: the one of that ``name``, or a new one; ``other``: what is taken, as it is
        laid beside it."""
        other = other or self.tree(taken)
        most = max(_MOST, min(self.lines(name), self.lines(taken)) // _SAVED_EACH)
        found = side_by_side(
            macro.tree, other, self.calls, self.dialect, most, self._spares, self.fewer
        )
        if self._spares.fewer:
            self._blocked.add((name, taken))
        if found is None or not self._may_be_one(macro, name, taken, found):
            return None
        made, new = taken_in(macro, found, self.macros.keys())
        if not is_template(macro, made, found, len(new), name not in self.macros):
            return None
        uses = self._uses(name, taken, made, found.calls)
        words = qualifiers(self.tree(taken), found.calls) if found.renamed else frozenset[str]()
        if uses is None or self._tells_names(name, taken, found, words):
            return None
        before = self._lines_before(name, taken, uses)
        if not (uses.say(words, found.names) and uses.move(macro, made, found, new)):
            return None
        limit = self._limit(macro, taken, len(new))
        if counted(made, [uses.calls[n] for n in uses.every]) > limit:
            return None
        after = lines_of(uses.every, uses.calls, self._unions) + _AROUND
        after += self._height(made.tree, uses.calls) + (name in uses.models)
        least = self.limits.sharing.min_lines
        if name in uses.models and tree_lines(made.tree, self.dialect) < least:
            return None
        saved = before - after - len(new)
        gain = Gain(saved, name, taken, len(new), name in uses.models)
        return Merge(gain, made, uses.calls, uses.models)

    def _may_be_one(self, macro: Macro, name: str, taken: str, found: Aligned) -> bool:
        """Whether one may stand for both where their trees are laid side by side so."""
        mine, theirs = name in self.stay, self.host(taken) in self.stay
        if not stays_as_it_is(found, mine, theirs, taken in self.macros):
            return False
        if (found.renamed or found.added) and macro.kind == "tail":
            return False  # a tail's names stand beside those of its caller, too
        usual = macro.defaults.values()
        return not any(found.optional & {*HOLE.findall(text)} for text in usual)

    def _uses(self, name: str, taken: str, made: Macro, calls: list[MacroCall]) -> Uses | None:
        """The calls of both, with those that what is no macro yet will be; None where the new one
        would call itself."""
        places = [each for each in (taken, name) if each not in self.macros]
        if not self._called(made, calls).isdisjoint(map(self.host, places)):
            return None
        models = {each: len(calls) + at for at, each in enumerate(places)}
        calls += [MacroCall(each, self._handed_on(each)) for each in places]
        theirs = [models[taken]] if taken in models else self.own.get(taken, ())
        mine = [models[name]] if name in models else self.own.get(name, ())
        return Uses(calls, models, mine, theirs, taken if taken in self.macros else "")

    def _tells_names(self, name: str, taken: str, found: Aligned, words: AbstractSet[str]) -> bool:
        """Whether a call says a relation that has another name, or none, in the other one.
        ``words``: parameters that say which relation a column is of."""
        if found.renamed and self._is_told(taken, found.renamed, words):
            return True
        if found.renamed and not found.renamed.isdisjoint(self._read_in(taken)):
            return True
        return bool(found.added) and self._is_told(name, found.added)

    def _read_in(self, place: str) -> frozenset[str]:
        """What the macros that are called there read of who calls them, by its name."""
        trees = {name: macro.tree for name, macro in self.macros.items()}
        return ReadOfCallers(trees, self.calls).read_in(self.tree(place))

    def _is_told(
        self, place: str, names: AbstractSet[str], but: AbstractSet[str] = frozenset()
    ) -> bool:
        """Whether a call says one of these names for a parameter of what stands there, ``but``
        some."""
        params = [each for each in self._parameters(self.tree(place)) if each not in but]
        return is_told(self.host(place), params, names, self.macros, self.own, self.calls)

    def _lines_before(self, name: str, taken: str, uses: Uses) -> int:
        """Of both, and of the calls that there are."""
        around = (_AROUND if n in self.macros else 0 for n in (name, taken))
        lines = sum(map(self.lines, (name, taken))) + sum(around)
        return lines + lines_of(uses.told, uses.calls, self._unions)

    def _limit(self, macro: Macro, taken: str, more: int) -> int:
        """How many parameters it may have: what both say is a table that has one column more."""
        other = self.macros.get(taken)
        widest = min(len(each.params) if each else 0 for each in (macro, other))
        return max(self.most, len(macro.params) + (more if widest > self.most else 0))

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
        params, taken_names = self._names_taken()
        tree, hosts = self.tree(name), (self.host(name), self.host(taken))
        stem, both = common_stem(hosts), {self._called_so(name), self._called_so(taken)}
        if len(both) == 1 and "" not in both:
            [stem] = both
            stem += "_rows" * (stem in params)
        elif name in self.inner or len(stem) < _SHORT:
            stem = name_of_query(tree, self.tree(taken)) or after_tables(tree)
        called = free_macro(stem, taken_names)
        return Macro(called, self._parameters(tree), tree, "query", two_queries_of(hosts))

    def _names_taken(self) -> tuple[frozenset[str], frozenset[str]]:
        """The parameters of all macros, and all that no new macro may be called."""
        if self._taken is None:
            params = frozenset(param for macro in self.macros.values() for param in macro.params)
            self._taken = params, params | self.names | self.models.keys() | self.macros.keys()
        return self._taken

    def _called_so(self, place: str) -> str:
        """What a model or a CTE is called; empty for a derived table."""
        if place not in self.inner:
            return place.removeprefix("int_")
        around = self.inner[place][2].parent
        return snake(around.alias) if isinstance(around, exp.CTE) else ""

    def _handed_on(self, place: str) -> tuple[tuple[str, Leaf], ...]:
        """What a call in such a place says: the parameters of the macro around it as they are."""
        said = self._parameters(self.tree(place))
        return tuple((name, Leaf("condition", f"h__{name}__h")) for name in said)

    def _parameters(self, tree: exp.Expr) -> tuple[str, ...]:
        """Those of the macro around a query that stand in it, or in what it calls."""
        names = (n for text in texts_within(tree, self.calls) for n in HOLE.findall(text))
        return tuple(dict.fromkeys(names))
