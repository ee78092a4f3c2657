"""Reports that put the same calls together, each for what it is about, are one macro.

    {{ rows(app='focus', pings=ref('crash_focus')) }}
    UNION ALL
    {{ rows(app='focus_beta', pings=ref('crash_focus_beta')) }}

and so for other pings: `{{ rows_focus(pings=ref("crash_focus"), pings_2=...) }}`.
Calls that were taken apart as branches, as one macro says them all, are alike by twos and threes
again. It comes last, as only then it is known which macros the branches call.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import HANDED_ON, HOLE, Library, Macro, MacroCall, call_at, called_by
from unwet.rewrite.limits import Owners
from unwet.rewrite.named_alike import named_alike
from unwet.rewrite.naming import free_macro, free_parameter
from unwet.rewrite.said_less import LEAST, height
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.unions import branches, is_top, says_more, united, word

_OVERHEAD: Final = 3  # the macro's first and last line, and one more name to know
_LOOP: Final = 5  # lines of a loop around its rows and the call
_PAIR: Final = 2  # reports that one macro is for
_FEW: Final = 3  # calls of one macro that are a loop

_NUMBER: Final = re.compile(r"(_\d+)+\Z")  # behind the name of a parameter

_Value = tuple[object, ...]
_Place = tuple[int, str]  # a branch, and a parameter of what it calls


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """A UNION ALL of calls, and what each of them says, by parameter."""

    host: str
    node: exp.Expr
    calls: tuple[MacroCall, ...]
    said: tuple[Mapping[str, Leaf], ...]

    @property
    def key(self) -> tuple[object, ...]:
        """Sites of one key call the same macros with the same parameters."""
        names = (tuple(sorted(said)) for said in self.said)
        return word(self.node), *zip((call.macro for call in self.calls), names, strict=True)


@dataclass(frozen=True, slots=True)
class _Form:
    """What the sites of a macro have in common: by place, the parameter that stands there."""

    holes: Mapping[_Place, str]
    calls: tuple[MacroCall, ...]

    @property
    def params(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.holes.values()))

    def call(self, site: _Site) -> tuple[tuple[str, Leaf], ...]:
        """What one site says."""
        return tuple({name: site.said[at][each] for (at, each), name in self.holes.items()}.items())


def with_united_calls(
    library: Library, taken: AbstractSet[str], most: int, stay: Collection[str], owners: Owners
) -> Library:
    """The library with macros for such reports, as far as they make lines fewer. ``taken``: names
    that no macro may have; ``most``: parameters of a macro; models that ``stay``, and the macros
    that they call, are left alone."""
    work = _Work(library, frozenset(taken), most)
    closed = {*stay, *called_by(library, stay)}
    trees = dict(library.models) | {macro.name: macro.tree for macro in library.macros}
    trees = {host: copied(tree) if host not in closed else tree for host, tree in trees.items()}
    groups: dict[tuple[object, ...], list[_Site]] = defaultdict(list)
    for host, tree in trees.items():
        for site in _sites(host, tree, library.calls) if host not in closed else ():
            groups[site.key].append(site)
    for sites in groups.values():
        for part in work.parts(sites):
            name, form = work.add(part)
            owners.note(name, [site.host for site in part])
            for site in part:
                call = exp.Var(this=work.call(name, form, site))
                if trees[site.host] is site.node:
                    trees[site.host] = call
                else:
                    site.node.replace(call)
    macros = [replace(macro, tree=trees[macro.name]) for macro in library.macros]
    models = {name: trees[name] for name in library.models}
    return Library(models, (*macros, *work.macros), tuple(work.calls))


def _sites(host: str, tree: exp.Expr, calls: Sequence[MacroCall]) -> Iterator[_Site]:
    for node in tree.find_all(exp.Union):
        if not is_top(node) or says_more(node):
            continue
        numbers = [call_at(each) for each in branches(node)]
        own = tuple(calls[number] for number in numbers if number is not None)
        if len(own) == len(numbers):
            yield _Site(host, node, own, tuple(dict((*c.unsaid, *c.args)) for c in own))


@dataclass
class _Work:
    """The macros and calls that are made."""

    library: Library
    taken: frozenset[str]
    most: int

    def __post_init__(self) -> None:
        self.calls, self.macros = [*self.library.calls], list[Macro]()

    def parts(self, sites: Sequence[_Site]) -> list[list[_Site]]:
        """Those sites that one macro says, as it saves most: all, those that say the same for one
        parameter, or those that say the same value in the same places."""
        names = {name: None for said in sites[0].said for name in said}
        options = [[[*sites]]]
        for name in names:
            same: dict[_Value, list[_Site]] = defaultdict(list)
            for site in sites:
                said = (each[name] for each in site.said if name in each)
                same[tuple(map(self._value, said))].append(site)
            options.append([*same.values()])
        alike: dict[_Value, list[_Site]] = defaultdict(list)
        for site in sites:
            alike[self._places(site)].append(site)
        options.append([*alike.values()])
        fitting = [[self._fitting(part) for part in parts] for parts in options]
        gains = [[(self._gain(part), part) for part in parts] for parts in fitting]
        kept = [[each for each in found if each[0] > 0] for found in gains]
        best = max(kept, key=lambda found: sum(gain for gain, _ in found))
        return [part for _, part in best]

    def _places(self, site: _Site) -> _Value:
        """Which of its values are said again, and where: by place, the first one that says it."""
        first: dict[_Value, int] = {}
        values = (self._value(said[name]) for said in site.said for name in sorted(said))
        return tuple(first.setdefault(value, at) for at, value in enumerate(values))

    def _fitting(self, sites: list[_Site]) -> list[_Site]:
        """Those that say no more than a call may, where some do."""
        form = self._form(sites, self.taken)
        if form is None:
            return sites
        said = self._said(sites, form)
        return [site for site, call in zip(sites, said, strict=True)
                if len(call.args) <= self.most]  # fmt: skip

    def _gain(self, sites: Sequence[_Site]) -> int:
        if len({site.host for site in sites}) < _PAIR:
            return 0
        form = self._form(sites, self.taken)
        if form is None:
            return 0
        said = self._said(sites, form)
        if max(len(call.args) for call in said) > self.most:
            return 0
        before = sum(self._lines(site.calls) for site in sites)
        after = sum(height(call, self.calls) for call in said)
        return before - after - self._lines(form.calls) - _OVERHEAD

    def _said(self, sites: Sequence[_Site], form: _Form) -> list[MacroCall]:
        """What the calls will say: names of models that differ in one word are that word."""
        name = max((call.macro for call in form.calls), key=len)
        calls = {at: MacroCall(name, form.call(site)) for at, site in enumerate(sites)}
        if len(calls) >= LEAST:
            macro = Macro(name, form.params, exp.Var(this=""), "query")
            change = named_alike(macro, calls, self.taken)
            calls |= change.calls if change is not None else {}
        return [*calls.values()]

    def _lines(self, calls: Sequence[MacroCall]) -> int:
        """The lines of calls that are put together, in a loop where they are of one macro."""
        heights = [height(call, self.calls) for call in calls]
        plain = sum(heights) + len(calls) - 1
        alike = len(calls) >= _FEW and len({call.macro for call in calls}) == 1
        return min(plain, len(calls) + max(heights) + _LOOP) if alike else plain

    def _form(self, sites: Sequence[_Site], hidden: Collection[str]) -> _Form | None:
        """What the sites have in common; None where it cannot be said."""
        params: dict[_Value, str] = {}
        holes: dict[_Place, str] = {}
        calls: list[MacroCall] = []
        for at, call in enumerate(sites[0].calls):
            args: list[tuple[str, Leaf]] = []
            unsaid: list[tuple[str, Leaf]] = []
            for name, leaf in sites[0].said[at].items():
                leaves = [site.said[at][name] for site in sites]
                values = tuple(map(self._value, leaves))
                if len({*values}) == 1 and not self._is_open(leaf):
                    usual = any(name in dict(site.calls[at].unsaid) for site in sites)
                    (unsaid if usual else args).append((name, leaf))
                    continue
                if any(each.kind == "names" for each in leaves):
                    return None  # a list of columns is said where it is meant
                if values not in params:
                    stem = _NUMBER.sub("", name)
                    params[values] = free_parameter(stem, {*params.values(), *hidden})
                holes[at, name] = params[values]
                args.append((name, Leaf("condition", f"h__{params[values]}__h")))
            calls.append(MacroCall(call.macro, tuple(args), tuple(unsaid), call.like, call.named))
        return _Form(holes, tuple(calls)) if params else None

    def add(self, sites: Sequence[_Site]) -> tuple[str, _Form]:
        """A macro for these sites: its name, and what it says."""
        macros = {macro.name for macro in (*self.library.macros, *self.macros)}
        form = self._form(sites, macros)
        assert form is not None
        params = {name for macro in self.library.macros for name in macro.params}
        name = free_macro(_name(sites), {*self.taken, *self.library.models, *macros, *params})
        words: list[exp.Expr] = []
        for call in form.calls:
            self.calls.append(call)
            words.append(exp.Var(this=f"call__{len(self.calls) - 1}__call"))
        tree: exp.Expr = words[0]
        for each in words[1:]:
            tree = united(tree, each, sites[0].node)
        about = f"What {len(sites)} models put together"
        self.macros.append(Macro(name, form.params, tree, "query", about))
        return name, form

    def call(self, name: str, form: _Form, site: _Site) -> str:
        """The word for the call of a macro that a site is."""
        self.calls.append(MacroCall(name, form.call(site)))
        return f"call__{len(self.calls) - 1}__call"

    def _value(self, leaf: Leaf) -> _Value:
        """A value that is equal for equal arguments, whichever call they are."""
        hit = HANDED_ON.fullmatch(leaf.text) if leaf.kind == "condition" else None
        if hit is None:
            return leaf.kind, leaf.text, leaf.quoted
        call = self.calls[int(hit[1])]
        said = sorted((name, self._value(each)) for name, each in (*call.unsaid, *call.args))
        return call.macro, *said

    def _is_open(self, leaf: Leaf) -> bool:
        """Whether a parameter of the macro around stands in it."""
        if (hit := HANDED_ON.fullmatch(leaf.text)) is not None:
            return any(self._is_open(each) for _, each in self.calls[int(hit[1])].args)
        return HOLE.search(leaf.text) is not None


def _name(sites: Sequence[_Site]) -> str:
    """After what is called, and the words that the names of all models end with."""
    macro = sites[0].calls[0].macro
    of = _end([site.host for site in sites])
    return f"{macro}_of_{of}" if of else f"{macro}_rows"


def _end(names: Sequence[str]) -> str:
    split = [name.split("_")[::-1] for name in names]
    pairs = takewhile(lambda words: len({*words}) == 1, zip(*split, strict=False))
    return "_".join(reversed([words[0] for words in pairs]))
