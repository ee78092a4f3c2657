"""Queries inside of others that do what a macro does with other rows: what they read becomes CTEs
of the query around them, and the rest a call.

    WITH requests AS (SELECT client, COUNT(0) AS n FROM r JOIN (SELECT ...) USING (page) ...) ...
 -> WITH pages AS (SELECT ...), requests AS ({{ requests_rows('r') }}) ...

where the macro reads `FROM {{ relation }} JOIN pages USING (page)`. A derived table of a FROM or
JOIN is a CTE with another place for its text: it reads nothing of the query around it.

with_same_inside(library, ...) -> the library in which such queries call the macro
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.library import (
    Library,
    Macro,
    called_by,
    numbers_by_macro,
    says_all,
    texts_said,
    texts_within,
    with_tree,
)
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.merging import Merging
from unwet.rewrite.one_macro import is_plain
from unwet.rewrite.own_relations import called, is_of_a_query, without_ctes
from unwet.rewrite.pairs_tried import Pair, Printed, Tried
from unwet.rewrite.query_parts import sources
from unwet.rewrite.side_by_side import OPTIONAL, ctes
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.taken_apart import kind_of

_LEAST: Final = 4  # lines that are saved
_LINES: Final = 8  # of what is looked at
_IN_COMMON: Final = 8  # lines of two that are equal
_LIFTED: Final = frozenset({"query", "call"})  # what becomes a CTE
_WORD: Final = re.compile(r"\w+")


def with_same_inside(
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
    if limits.forbidden:
        return library
    closed = frozenset({*stay, *called_by(library, stay)})
    work = _Work(dialect, most, closed, names, limits)
    while not over() and (found := work.step(library)) is not None:
        library = found
    return library


@dataclass(frozen=True, slots=True)
class _Inner:
    """A query inside of a model or a macro, and its place in the tree: a CTE, or a derived
    table."""

    host: str
    at: int
    query: exp.Select

    @property
    def place(self) -> str:
        """A name of its own."""
        return f"{self.host}\0{self.at}"


@dataclass(frozen=True, slots=True)
class _Pair(Pair):
    """A macro, and a query inside of another one that may call it."""

    inner: _Inner

    @property
    def key(self) -> tuple[str, str]:
        return self.one, self.inner.place


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
        self._own: dict[str, Sequence[int]] = {}  # numbers of calls, by macro
        self._seen: Library | None = None

    def step(self, library: Library) -> Library | None:
        """The library with the calls that save most, each macro in one of them; None where none
        saves any."""
        return self._tried.best(library, self._pairs(library), self._made)

    # --- which

    def _pairs(self, library: Library) -> Iterator[_Pair]:
        """A macro, and a query many of whose lines it says, and that reads derived tables where
        the macro reads what its callers have."""
        outlines: dict[object, list[Macro]] = defaultdict(list)
        own = self._numbers(library)
        for macro in library.macros:
            calls = [library.calls[n] for n in own.get(macro.name, ())]
            if macro.name not in self._closed and says_all(macro, calls) and _is_plain(macro):
                outlines[_outline(macro.tree)].append(macro)
        for inner in self._inner(library):
            for macro in outlines.get(_outline(inner.query), ()):
                if macro.name != inner.host and _lifted(macro.tree, inner.query):
                    many, lines = self._printed.of(inner.place, inner.query)
                    common = lines & self._printed.of(macro.name, macro.tree)[1]
                    if many >= _LINES and len(common) >= _IN_COMMON:
                        yield _Pair(macro.name, inner.host, inner)

    def _inner(self, library: Library) -> Iterator[_Inner]:
        """CTEs of models and macros, and derived tables of those that may begin with CTEs."""
        no_ctes = without_ctes(library.hosts, library.calls, self._dialect)
        odd = self._closed | {macro.name for macro in library.macros if macro.kind != "query"}
        for host, tree in library.hosts.items():
            if host in odd or not isinstance(tree, exp.Select):
                continue  # the CTEs of a tail stand beside those of its callers
            block = tree.args.get("with_")
            own = [cte.this for cte in ctes(tree)]
            if block is not None or host in library.models or host not in no_ctes:
                derived = (each for each, _ in sources(tree) if isinstance(each, exp.Subquery))
                own += [each.this for each in derived]
            wanted = {*map(id, own)}
            if not wanted or (block is not None and block.args.get("recursive")):
                continue
            for at, node in enumerate(tree.walk()):
                if id(node) in wanted and isinstance(node, exp.Select) and _lifts(node):
                    yield _Inner(host, at, node)

    def _numbers(self, library: Library) -> Mapping[str, Sequence[int]]:
        if self._seen is not library:
            self._seen, self._own = library, numbers_by_macro(library.calls)
        return self._own

    # --- one pair

    def _made(self, library: Library, pair: _Pair) -> tuple[int, Library] | None:
        """What a call saves, and the library with it."""
        trees, name, inner = library.hosts, pair.one, pair.inner
        own = self._numbers(library)
        found = _with_ctes(trees[inner.host], trees[name], inner, self._taken(library, inner.host))
        if found is None:
            return None
        tree, query = found
        at = next(at for at, node in enumerate(tree.walk()) if node is query)
        split, place = with_tree(library, inner.host, tree), replace(inner, at=at).place
        more = tree_lines(tree, self._dialect) - tree_lines(trees[inner.host], self._dialect)
        for fewer in (False, True):
            work = Merging(
                split, self._dialect, self._most, self._closed, self._names, self._limits, fewer,
                own={**own}, inner={place: (inner.host, at, query)},
            )  # fmt: skip
            merge = work.tried_now(name, place)
            if merge is not None:
                saved = merge.gain.saved - more
                return (saved, work.library()) if saved >= _LEAST else None
        return None

    def _taken(self, library: Library, host: str) -> set[str]:
        """Names that no CTE of a query may get: all in it, in the macros that it calls, and in what
        its own callers say."""
        trees, found = library.hosts, set[str]()
        for each in (host, *called_by(library, [host])):
            found |= {node.name.lower() for node in trees[each].find_all(exp.Identifier)}
            for text in texts_within(trees[each], library.calls):
                found |= {*_WORD.findall(text.lower())}
        for call in library.calls:
            for text in call.texts if call.macro == host else ():
                for said in texts_said(text, library.calls):
                    found |= {*_WORD.findall(said.lower())}
        return found


def _is_plain(macro: Macro) -> bool:
    tree = macro.tree
    whole = macro.kind == "query" and is_plain(macro)
    return whole and isinstance(tree, exp.Select) and tree.args.get("with_") is None


def _outline(tree: exp.Expr) -> object:
    """What two queries have in common that do the same with other rows."""
    clauses = frozenset(k for k, v in tree.args.items() if v) - OPTIONAL
    return clauses, len(tree.args.get("joins") or ())


def _lifts(query: exp.Select) -> bool:
    """Whether it reads what could be a CTE."""
    kinds = {kind_of(source, ()) for source, _ in sources(query)}
    return query.args.get("with_") is None and not kinds.isdisjoint(_LIFTED)


def _lifted(tree: exp.Expr, query: exp.Select) -> dict[int, str]:
    """The places of derived tables that become CTEs, and what the macro calls these; empty where it
    is told the name."""
    found: dict[int, str] = {}
    if not isinstance(tree, exp.Select):
        return found
    pairs = zip(sources(tree), sources(query), strict=True)
    for at, ((mine, _), (other, _)) in enumerate(pairs):
        kind = kind_of(mine, ())
        if kind_of(other, ()) in _LIFTED and kind == "hole":
            found[at] = ""
        elif kind_of(other, ()) in _LIFTED and kind == "table" and is_of_a_query(mine.name):
            found[at] = mine.name
    return found


def _with_ctes(
    tree: exp.Expr, macro: exp.Expr, inner: _Inner, taken: set[str]
) -> tuple[exp.Expr, exp.Select] | None:
    """A tree in which a query reads CTEs as the macro does, and that query; None where it already
    has others of their names."""
    made = copied(tree)
    query = next(node for at, node in enumerate(made.walk()) if at == inner.at)
    assert isinstance(query, exp.Select)
    read = [source for source, _ in sources(query)]
    new: list[exp.CTE] = []
    for at, given in _lifted(macro, query).items():
        name = given or called([read[at]], taken)
        if name.lower() in taken:
            return None
        taken.add(name.lower())
        own, alias = exp.to_identifier(name), read[at].args.get("alias")
        new.append(exp.CTE(this=read[at].this, alias=exp.TableAlias(this=own)))
        read[at].replace(exp.Table(this=own.copy(), alias=alias))
    block = made.args.get("with_")
    before = [*block.expressions] if block is not None else []
    place = next((at for at, cte in enumerate(before) if cte is query.parent), len(before))
    made.set("with_", exp.With(expressions=[*before[:place], *new, *before[place:]]))
    return made, query
