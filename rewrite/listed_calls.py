"""Reports that put together what one macro says of some words are one macro, with a list of them.

    {{ pages_of(table='2022_06_01', condition="kind = 'a'") }}
    UNION ALL
    {{ pages_of(table='2021_07_01', condition="kind = 'a'") }}
    ORDER BY pages

and so of other tables, and on another condition:

    {{ pages_of_tables(tables=['2022_06_01', '2021_07_01'], condition="kind = 'a'") }}

where the macro is a loop: f(a) UNION ALL f(b) is `UNION ALL of f(word) for word in [a, b]`. A word
is what the branches say that say others, wherever they say it: a table, in sources of any schemas,
a date, or the year at its beginning. All else that sites say otherwise is a parameter, and so is
the order of the rows, which may be none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.lineage.trees import copied
from unwet.rewrite.branch_runs import run_of_branches
from unwet.rewrite.library import HOLE, Library, Macro, MacroCall, call_at, called_by
from unwet.rewrite.limits import Owners
from unwet.rewrite.naming import free_macro, free_parameter
from unwet.rewrite.optional_orders import optional_order
from unwet.rewrite.said_less import head, height
from unwet.rewrite.said_of_words import (
    Made,
    Value,
    filled,
    key_of,
    merged,
    said_of_words,
    spoken,
)
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.unions import branches, is_top, word

_LOOP: Final = 3  # lines of a loop around the call
_FEW: Final = 3  # calls of one macro that are a loop
_AROUND: Final = 2  # the last line of a macro, and one more name to know
_PAIR: Final = 2  # hosts that one macro is for
_SORTED_BY: Final = "sorted_by"
_NUMBER: Final = re.compile(r"(_\d+)+\Z")  # behind the name of a parameter
_SPECIAL: Final = re.compile(r"h__|call__|\[")  # in a default: a parameter, a call, or a list
_MORE: Final = ("with_", "limit", "offset")


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    """A UNION ALL of calls of one macro: the words that they say, and what each says of its own;
    ``order``: the keys of its rows, as a text."""

    host: str
    node: exp.Expr
    words: tuple[str, ...]
    form: Made
    calls: tuple[MacroCall, ...]
    order: str


def with_listed_calls(
    library: Library,
    dialect: str,
    taken: AbstractSet[str],
    most: int,
    stay: Collection[str],
    owners: Owners,
) -> Library:
    """The library with macros for such reports, as far as they make lines fewer. ``taken``: names
    that no macro may have; ``most``: what a call says, at most; models that ``stay``, and the
    macros that they call, are left alone."""
    closed = {*stay, *called_by(library, stay)}
    trees = {h: copied(t) if h not in closed else t for h, t in library.hosts.items()}
    groups: dict[object, list[_Site]] = defaultdict(list)
    for host, tree in trees.items():
        for site in _sites(host, tree, library.calls, dialect) if host not in closed else ():
            groups[key_of(site.form)].append(site)
    work = _Work(library, frozenset(taken), most)
    for sites in groups.values():
        for part in work.parts(sites):
            draft = work.add(part)
            owners.note(draft.name, [site.host for site in part])
            for site, call in zip(part, draft.calls, strict=True):
                new = exp.Var(this=work.call(draft.macro, call))
                if trees[site.host] is site.node:
                    trees[site.host] = new
                else:
                    site.node.replace(new)
    macros = [replace(macro, tree=trees[macro.name]) for macro in library.macros]
    models = {name: trees[name] for name in library.models}
    return Library(models, (*macros, *work.macros), tuple(work.calls))


# --- what there is


def _sites(host: str, tree: exp.Expr, calls: Sequence[MacroCall], dialect: str) -> Iterator[_Site]:
    for node in tree.find_all(exp.Union):
        if not is_top(node) or word(node) != "UNION ALL" or any(map(node.args.get, _MORE)):
            continue
        numbers = [call_at(each) for each in branches(node)]
        own = tuple(calls[number] for number in numbers if number is not None)
        order = node.args.get("order")
        keys = order.expressions if order is not None else []
        text = ", ".join(as_said(key, dialect) for key in keys)
        if len(own) < len(numbers) or len({call.macro for call in own}) > 1 or HOLE.search(text):
            continue
        if (found := said_of_words(own, calls)) is not None:
            yield _Site(host, node, *found, own, text)


# --- what it becomes


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    """A macro, the call in its loop, and what each site says."""

    name: str
    macro: Macro
    inner: Made
    one: str
    calls: tuple[tuple[tuple[str, Value], ...], ...]


@dataclass
class _Work:
    """The macros and calls that are made."""

    library: Library
    taken: frozenset[str]
    most: int

    def __post_init__(self) -> None:
        self.calls, self.macros = [*self.library.calls], list[Macro]()

    def parts(self, sites: Sequence[_Site]) -> list[list[_Site]]:
        """Those sites that one macro says: all, or those of one order, as that saves most."""
        by_order: dict[str, list[_Site]] = defaultdict(list)
        for site in sites:
            by_order[site.order].append(site)
        options = [[[*sites]], [*by_order.values()]]
        kept = [[part for part in parts if self._gain(part) > 0] for parts in options]
        return max(kept, key=lambda parts: sum(map(self._gain, parts)))

    def _gain(self, sites: Sequence[_Site]) -> int:
        if len({site.host for site in sites}) < _PAIR:
            return 0
        draft, known = self._draft(sites), len(self.calls)
        short = [self._made(_said_to(draft.macro, args)) for args in draft.calls]
        inner = height(self._made(filled(draft.inner, draft.one)), self.calls)
        after = sum(height(call, self.calls) for call in short) + head(draft.macro) + _AROUND
        after += _LOOP + inner + _order_lines(draft.macro.tree)
        before = sum(self._lines(site) for site in sites)
        del self.calls[known:]
        return before - after if max(len(call.args) for call in short) <= self.most else 0

    def _lines(self, site: _Site) -> int:
        """The lines of a site as it is, a loop where it has so many branches."""
        heights = [height(call, self.calls) for call in site.calls]
        plain = sum(heights) + len(heights) - 1
        lines = min(plain, max(heights) + _LOOP) if len(heights) >= _FEW else plain
        return lines + _order_lines(site.node)

    def _draft(self, sites: Sequence[_Site]) -> _Draft:
        """The macro for some sites."""
        macros = {macro.name for macro in (*self.library.macros, *self.macros)}
        own = sites[0].form
        stem = _NUMBER.sub("", next(spoken(own)))
        many = free_parameter(f"{stem}_values" if stem.endswith("s") else f"{stem}s", macros)
        one = free_parameter(many.removesuffix("s"), ())
        holes: dict[tuple[Value, ...], str] = {}
        inner = merged([site.form for site in sites], "", holes, {*macros, many, one, _SORTED_BY})
        usual = self._usual(own.macro, inner)
        assert isinstance(inner, Made), "they have one key"
        name = free_macro(f"{own.macro}_of_{many}", {*self.taken, *self.library.models, *macros,
                          *(p for m in self.library.macros for p in m.params)})  # fmt: skip
        tree = run_of_branches(many, "UNION ALL", exp.Var(this="call__0__call"))
        by_order = len({site.order for site in sites}) > 1
        if by_order:
            tree.set("order", optional_order(_SORTED_BY))
        elif (order := sites[0].node.args.get("order")) is not None:
            tree.set("order", copied(order))
        params = (many, *holes.values(), *((_SORTED_BY,) if by_order else ()))
        calls: list[tuple[tuple[str, Value], ...]] = []
        for at, site in enumerate(sites):
            said: list[tuple[str, Value]] = [(many, Leaf("list", ", ".join(site.words)))]
            said += [(hole, values[at]) for values, hole in holes.items()]
            said += [(_SORTED_BY, Leaf("condition", site.order))] if by_order else []
            calls.append(tuple(said))
        about = f"What {len(sites)} models put together"
        if by_order:
            orders = [site.order for site in sites]
            usual[_SORTED_BY] = max(orders, key=lambda each: (orders.count(each), each))
        macro = Macro(name, params, tree, "query", about, usual)
        return _Draft(name, macro, inner, one, tuple(calls))

    def _usual(self, called: str, inner: Value) -> dict[str, str]:
        """The defaults of the macro that is called, where a parameter is one of its own."""
        own = next(macro.defaults for macro in self.library.macros if macro.name == called)
        found: dict[str, str] = {}
        for name, value in inner.args if isinstance(inner, Made) else ():
            hole = HOLE.fullmatch(value.text) if isinstance(value, Leaf) else None
            if hole is not None and name in own and not _SPECIAL.search(own[name]):
                found[hole[1]] = own[name]
        return found

    def add(self, sites: Sequence[_Site]) -> _Draft:
        """A macro for these sites."""
        draft = self._draft(sites)
        made = self._made(filled(draft.inner, draft.one))
        self.calls.append(made)
        number = len(self.calls) - 1
        tree = copied(draft.macro.tree)
        for each in [n for n in tree.find_all(exp.Var) if n.name == "call__0__call"]:
            each.set("this", f"call__{number}__call")
        self.macros.append(replace(draft.macro, tree=tree))
        return replace(draft, calls=tuple(draft.calls))

    def call(self, macro: Macro, said: tuple[tuple[str, Value], ...]) -> str:
        """The word for the call that a site is."""
        self.calls.append(self._made(_said_to(macro, said)))
        return f"call__{len(self.calls) - 1}__call"

    def _made(self, call: Made) -> MacroCall:
        """A call, those that it says with numbers."""
        args = [(name, self._leaf(value)) for name, value in call.args]
        return MacroCall(
            call.macro,
            tuple(each for each in args if each[0] not in call.unsaid),
            tuple(each for each in args if each[0] in call.unsaid),
            named=True,
        )

    def _leaf(self, value: Value) -> Leaf:
        if isinstance(value, Made):
            self.calls.append(self._made(value))
            return Leaf("condition", f"call__{len(self.calls) - 1}__call")
        assert isinstance(value, Leaf), "words have a name by now"
        return value


def _said_to(macro: Macro, said: tuple[tuple[str, Value], ...]) -> Made:
    """The call of a macro that says this, but for what is its default."""
    idle = (name for name, value in said
            if isinstance(value, Leaf) and value.text == macro.defaults.get(name))  # fmt: skip
    return Made(macro.name, said, frozenset(idle))


def _order_lines(node: exp.Expr) -> int:
    order = node.args.get("order")
    if order is None:
        return 0
    return (
        1 if any(isinstance(e, exp.Var) for e in order.expressions) else 1 + len(order.expressions)
    )
