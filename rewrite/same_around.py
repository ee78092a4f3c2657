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
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, texts
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LISTED,
    Library,
    Macro,
    MacroCall,
    called_by,
    calls_within,
    numbers_by_macro,
    numbers_in,
    numbers_of,
    says_all,
    says_one_of,
    texts_within,
)
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.macro_names import common_stem
from unwet.rewrite.naming import free, free_macro, free_parameter, snake
from unwet.rewrite.one_macro import merged_pair
from unwet.rewrite.own_relations import NAME, called, may_be_own, numbers_inside
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.query_parts import sources
from unwet.rewrite.shapes import Leaf, as_leaf
from unwet.rewrite.side_by_side import OPTIONAL, ctes, side_by_side
from unwet.rewrite.sizes import code_lines, tree_lines, tree_text
from unwet.rewrite.told_of import two_queries_of

_AROUND: Final = 2  # the first and the last line of a macro
_LEAST: Final = 4  # lines that are saved
_LINES: Final = 8  # of what is taken apart
_IN_COMMON: Final = 8  # lines of two that are equal
_BESIDE_IT: Final = 60  # others that one is compared with, at most
_WORD: Final = re.compile(r"\w+")
_CALL: Final = re.compile(r"call__\d+__call")
_LIFTED: Final = frozenset({"query", "call"})  # what becomes a CTE


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


@dataclass(frozen=True, slots=True, eq=False)
class _Apart:
    """A query in two: what is left in its place, with CTEs in front, and what is around them."""

    host: exp.Expr
    rest: exp.Select
    said: tuple[tuple[str, Leaf], ...]  # relations that the rest is told
    told: tuple[MacroCall, ...] = ()  # the calls in it that hand these on
    first: int = 0  # the number of the first one of these


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
        self._poor: dict[tuple[str, str], tuple[exp.Expr, exp.Expr]] = {}
        self._no_ctes = frozenset[str]()  # macros that cannot begin with CTEs
        self._odd = frozenset[str]()  # and those that stay as they are
        self._texts: dict[str, tuple[exp.Expr, int, frozenset[str]]] = {}
        self._inside: dict[str, tuple[exp.Expr, frozenset[int]]] = {}
        self._own: dict[str, Sequence[int]] = {}  # numbers of calls, by macro
        self._used = frozenset[str]()  # names of macros, models and parameters

    def step(self, library: Library) -> Library | None:
        """The library with the pairs that save most as one macro each, every query in one of them;
        None where no pair saves any."""
        trees = library.hosts
        found: list[tuple[int, str, str]] = []
        for one, two in self._pairs(library):
            pair = trees[one], trees[two]
            known = self._poor.get((one, two))
            if known is not None and known[0] is pair[0] and known[1] is pair[1]:
                continue
            made = self._made(library, one, two)
            if made is None:
                self._poor[one, two] = pair
            else:
                found.append((-made[0], one, two))
        before = library
        for _, one, two in sorted(found):
            if all(library.hosts.get(each) is trees[each] for each in (one, two)):
                library = self._applied(library, one, two)
        return library if library is not before else None

    def _applied(self, library: Library, one: str, two: str) -> Library:
        """The library with such a pair as one macro, if it still can be, and saves lines."""
        self._look_at(library)
        made = self._made(library, one, two) if self._odd.isdisjoint((one, two)) else None
        return made[1] if made is not None else library

    # --- which

    def _pairs(self, library: Library) -> Iterator[tuple[str, str]]:
        """Queries that do as many things, many of whose lines are in both. What is called more
        often comes first, as it stays what it is."""
        self._look_at(library)
        groups: dict[object, list[str]] = defaultdict(list)
        for name, tree in library.hosts.items():
            if name not in self._odd and isinstance(tree, exp.Select) and _may_be_apart(tree):
                groups[_outline(tree)].append(name)
        trees = library.hosts
        for group in groups.values():
            said = {name: self._printed(name, trees[name]) for name in group}
            long = [name for name in group if said[name][0] >= _LINES]
            long.sort(
                key=lambda name: (name in library.models, -len(self._own.get(name, ())), name)
            )
            for at, one in enumerate(long):
                near = [(-len(said[one][1] & said[two][1]), two) for two in long[at + 1 :]]
                near = sorted(pair for pair in near if -pair[0] >= _IN_COMMON)
                yield from ((one, two) for _, two in near[:_BESIDE_IT])

    def _look_at(self, library: Library) -> None:
        """What may not be taken apart in a library, and what has a name."""
        self._own, calls = numbers_by_macro(library.calls), library.calls
        said = (text for call in calls for text in call.texts)
        inside = {number for text in said for number in numbers_in(text)}
        inside.update(*(self._numbers(*host) for host in library.hosts.items()))
        self._no_ctes = frozenset(calls[number].macro for number in inside)
        own = ((m, [calls[n] for n in self._own.get(m.name, ())]) for m in library.macros)
        self._odd = self._closed | {m.name for m, called in own if not _is_plain(m, called)}
        params = (param for macro in library.macros for param in macro.params)
        self._used = frozenset((*self._names, *library.hosts, *params))

    def _numbers(self, name: str, tree: exp.Expr) -> frozenset[int]:
        known = self._inside.get(name)
        if known is None or known[0] is not tree:
            known = self._inside[name] = tree, numbers_inside(tree, self._dialect)
        return known[1]

    def _printed(self, name: str, tree: exp.Expr) -> tuple[int, frozenset[str]]:
        """How many lines a query has, and what these are; calls do not have their numbers."""
        known = self._texts.get(name)
        if known is None or known[0] is not tree:
            text = tree_text(tree, self._dialect)
            lines = frozenset(_CALL.sub("call", line.strip()) for line in text.splitlines())
            known = self._texts[name] = tree, code_lines(text), lines
        return known[1:]

    # --- one pair

    def _made(self, library: Library, one: str, two: str) -> tuple[int, Library] | None:
        """What a pair saves, and the library in which it is one macro."""
        trees = library.hosts
        parts = _taken_apart(trees[one], trees[two], library.calls, self._dialect,
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
        known = self._texts.get(name)
        if known is not None and known[0] is tree:
            return known[1] + more + around
        return tree_lines(tree, self._dialect) + more + around

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
        self, library: Library, name: str, part: _Apart, about: str, taken: Collection[str]
    ) -> tuple[Library, str]:
        """The library in which a query is two, and the name of the macro around its relations,
        which is none that is ``taken``."""
        label = free_macro(common_stem([name, name]) or name, taken)
        _renumber(part, len(library.calls))
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
    return (
        macro.kind == "query" and not macro.uncounted and not macro.rows and says_all(macro, calls)
    )


def _outline(tree: exp.Select) -> object:
    """What two queries have in common that do the same with other rows."""
    clauses = frozenset(k for k, v in tree.args.items() if v) - OPTIONAL - {"with_"}
    return clauses, len(tree.args.get("joins") or ())


def _may_be_apart(tree: exp.Select) -> bool:
    """Whether its relations could stand in front: all of its CTEs are plain, and only it reads
    them by name."""
    block = tree.args.get("with_")
    if block is not None and block.args.get("recursive"):
        return False
    if any(LISTED.search(text) for text in texts(tree)):
        return False
    alone = len(tree.expressions) == 1 and HANDED_ON.fullmatch(tree.expressions[0].name)
    return bool(_sources_of(tree)) and not (alone and tree.args.get("from_") is None)


def _sources_of(tree: exp.Select) -> list[exp.Expr]:
    """What a query reads itself."""
    return [source for source, _ in sources(tree)]


def _taken_apart(
    one: exp.Expr,
    two: exp.Expr,
    calls: Sequence[MacroCall],
    dialect: str,
    taken: Sequence[AbstractSet[str]],
) -> tuple[_Apart | None, _Apart | None] | None:
    """Two queries, each in two where it has to be; None where their relations cannot stand in front
    alike."""
    if not (isinstance(one, exp.Select) and isinstance(two, exp.Select)):
        return None
    trees = copied(one), copied(two)
    assert isinstance(trees[0], exp.Select) and isinstance(trees[1], exp.Select)
    own = [{cte.alias.lower() for cte in ctes(tree)} for tree in trees]
    left, right = (_sources_of(tree) for tree in trees)
    kinds = [(_kind(a, own[0]), _kind(b, own[1])) for a, b in zip(left, right, strict=True)]
    places: list[tuple[list[exp.CTE], list[tuple[str, Leaf]]]] = [([], []), ([], [])]
    used = [{*each} for each in taken]
    for (a, b), kind in zip(zip(left, right, strict=True), kinds, strict=True):
        if kind == ("other", "other") or not {*kind} & {*_LIFTED, "cte"}:
            continue
        if "other" in kind:
            return None
        apart = kind[0] != kind[1] or _reads(a, own[0]) or _reads(b, own[1])
        if not apart and side_by_side(a.this, b.this, calls, dialect, 1) is not None:
            continue
        _put_in_front((a, b), kind, used, places)
    if not any(made for made, _ in places) and not any(own):
        return None
    made: list[_Apart | None] = []
    for at, tree in enumerate(trees):
        lifted, said = places[at]
        mine = ctes(tree)
        if not lifted and not said and not mine:
            made.append(None)
            continue
        tree.set("with_", None)
        more = _told(tree, own[at], calls, said)
        every = [*calls, *more]
        told = [text for n in calls_within(numbers_of(tree), every) for text in every[n].texts]
        if _reads(tree, own[at], but=_sources_of(tree)) or any(
            says_one_of(text, own[at], every) for text in told
        ):
            return None  # a query within it reads a CTE, or a call hands its name on
        front = [*mine, *lifted]
        if not front:
            made.append(None)
            continue
        host = exp.Select(with_=exp.With(expressions=front))
        made.append(_Apart(host, tree, tuple(said), tuple(more), len(calls)))
    return made[0], made[1]


def _renumber(part: _Apart, first: int) -> None:
    """In place: the numbers that its own calls have in a library."""
    wanted = {f"call__{part.first + n}__call": f"call__{first + n}__call"
              for n in range(len(part.told))}  # fmt: skip
    for word in part.rest.find_all(exp.Var) if first != part.first else ():
        word.set("this", wanted.get(word.name, word.name))


def _told(
    tree: exp.Select,
    own: Collection[str],
    calls: Sequence[MacroCall],
    said: list[tuple[str, Leaf]],
) -> list[MacroCall]:
    """In place: calls that say a CTE's name hand on what the rest is told, to which the name is
    added. Gives back these calls, whose numbers follow those of all others."""
    more: list[MacroCall] = []
    words = [word for word in tree.find_all(exp.Var) if _CALL.fullmatch(word.name)]
    for word in words if own else ():
        call = calls[numbers_of(word)[0]]
        names = {leaf.text: name for name, leaf in (*call.args, *call.unsaid)
                 if leaf.kind == "name" and leaf.text.lower() in own}  # fmt: skip
        if len(names) != 1:
            continue
        [(text, name)] = names.items()
        hole = free_parameter(name, {n for n, _ in said})
        said.append((hole, Leaf("name", text)))
        args = dict((*call.args, *call.unsaid)) | {name: Leaf("condition", f"h__{hole}__h")}
        unsaid = tuple((n, args[n]) for n, _ in call.unsaid if n != name)
        args = {n: leaf for n, leaf in args.items() if n not in dict(unsaid)}
        word.set("this", f"call__{len(calls) + len(more)}__call")
        more.append(replace(call, args=tuple(args.items()), unsaid=unsaid, named=True))
    return more


def _kind(source: exp.Expr, own: Collection[str]) -> str:
    """What a query reads there: a derived table, a call, a CTE, a parameter, or a table."""
    said = {name for name, value in source.args.items() if value}
    if isinstance(source, exp.Subquery) and said <= {"this", "alias"} and not _has_columns(source):
        is_query = isinstance(source.this, exp.Select | exp.SetOperation)
        return "query" if is_query else "call" if isinstance(source.this, exp.Var) else "other"
    if not may_be_own(source):
        return "other"
    if HOLE.fullmatch(source.name):
        return "hole"
    return "cte" if source.name.lower() in own else "table"


def _has_columns(source: exp.Expr) -> bool:
    """Whether its alias names its columns, too."""
    alias = source.args.get("alias")
    return alias is not None and bool(alias.args.get("columns"))


def _reads(tree: exp.Expr, names: Collection[str], but: Sequence[exp.Expr] = ()) -> bool:
    """Whether something in it reads one of these relations by name."""
    return bool(names) and any(
        table.name.lower() in names
        for table in tree.find_all(exp.Table)
        if all(table is not each for each in but)
    )


def _put_in_front(
    pair: tuple[exp.Expr, exp.Expr],
    kinds: tuple[str, str],
    taken: Sequence[set[str]],
    places: Sequence[tuple[list[exp.CTE], list[tuple[str, Leaf]]]],
) -> None:
    """In place: names where relations stand. ``taken``: those that each query has, to which new
    ones are added; ``places``: the CTEs of each, and what its rest is told."""
    lifted = [kind in _LIFTED for kind in kinds]
    given = [each.name for each, kind in zip(pair, kinds, strict=True) if kind == "cte"]
    label = _label([each for each, is_new in zip(pair, lifted, strict=True) if is_new], taken)
    if len(given) == 1 and any(lifted) and given[0].lower() not in taken[lifted.index(True)]:
        label = given[0]
    read = [label if is_new else each.name for each, is_new in zip(pair, lifted, strict=True)]
    alike = read[0] == read[1] and not {"table", "hole"} & {*kinds}
    hole = free_parameter("relation", {n for _, said in places for n, _ in said})
    for source, kind, name, (front, said), words in zip(
        pair, kinds, read, places, taken, strict=True
    ):
        if kind == "hole":
            continue
        alias = source.args.get("alias")
        place = exp.to_identifier(name) if kind in _LIFTED else source.this
        if kind in _LIFTED:
            words.add(name.lower())
            front.append(exp.CTE(this=source.this, alias=exp.TableAlias(this=place.copy())))
        if not alike:
            said.append((hole, _leaf_of(place, kind)))
            place = exp.to_identifier(f"h__{hole}__h")
        source.replace(exp.Table(this=place, alias=alias))


def _leaf_of(place: exp.Expr, kind: str) -> Leaf:
    """What the rest is told: a CTE's name is spelled as where it is given."""
    leaf = as_leaf(place)
    assert leaf is not None
    return leaf if kind == "table" else Leaf("name", place.name, leaf.quoted)


def _label(lifted: Sequence[exp.Expr], taken: Sequence[set[str]]) -> str:
    """What the CTEs are called that derived tables become."""
    every = set[str]().union(*taken)
    queries = [each for each in lifted if isinstance(each.this, exp.Query)]
    if queries:
        return called(queries, every)
    said = [snake(each.alias) for each in lifted if len(each.alias) > 2]
    return free(said[0] if said else NAME, every)
