"""Relations that each copy has of its own: a CTE of the caller, which the macro reads by its name.

    SELECT p.client, COUNT(*) FROM (SELECT ...) AS p JOIN r USING (page) GROUP BY ALL
 -> WITH pages AS (SELECT ...) {{ images_per_client() }}

where the macro reads `FROM pages AS p`. A derived table is a CTE with another place for its text:
it reads nothing of the query around it (LATERAL is none). What is a table in some of the copies
is an argument: the table there, the name of the CTE elsewhere.

may_be_own(node) -> whether a copy may have it of its own
with_own(places, taken) -> in place: names for derived tables, and their CTEs
ReadOfCallers(macros, calls) -> what the macros that a tree calls name such CTEs
is_of_a_query(name) -> whether a relation of that name is such a CTE
clash(units) -> whether two of them would have CTEs of one name in one query
place_own(unit, call) -> the host's tree with the call and its own CTEs
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import found_in
from unwet.rewrite.abstract import Unit
from unwet.rewrite.library import HANDED_ON, MacroCall, calls_within, numbers_in, numbers_of
from unwet.rewrite.naming import free, snake
from unwet.rewrite.placed_calls import calls_in
from unwet.rewrite.query_parts import has_inner_with

_TOKEN: Final = re.compile(r"(?:src|ref|h)__(\w+?)__(?:src|ref|h)", re.IGNORECASE)
NAME: Final = "own_rows"
_WORD: Final = re.compile(r"[A-Za-z]{3}")


def may_be_own(node: exp.Expr) -> bool:
    """Whether a node is a table, or a derived table of a FROM or a JOIN, with an alias at most."""
    said = {name for name, value in node.args.items() if value}
    alias = node.args.get("alias")
    plain = said <= {"this", "alias"} and not (alias is not None and alias.args.get("columns"))
    if not plain or not isinstance(node.parent, exp.From | exp.Join):
        return False
    if isinstance(node, exp.Subquery):
        return isinstance(node.this, exp.Select)
    return isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier)


def called(relations: Iterable[exp.Expr], taken: Iterable[str]) -> str:
    """A name for what copies have there: that of most of their authors, else after what most of
    them read."""
    queries = [each for each in relations if isinstance(each, exp.Subquery)]
    said = [
        snake(each.alias) if len(each.alias) > 2 else named_after(each.this) for each in queries
    ]
    name, times = Counter(said).most_common(1)[0]
    return free(name if 2 * times > len(said) else NAME, {*taken})


def named_after(query: exp.Expr) -> str:
    """A name after what a query reads first."""
    table = query.find(exp.Table)
    words = _TOKEN.sub(r"\1", table.name).split("__") if table is not None else []
    named = [snake(word) for word in reversed(words) if _WORD.match(word)]
    return f"{named[0].removesuffix('_rows')}_rows" if named else NAME


def with_own(
    places: Sequence[tuple[exp.Expr, str]], taken: Sequence[exp.Expr | str]
) -> tuple[exp.CTE, ...]:
    """In place: names where derived tables stand, those that are given or of each alone, and which
    nothing in the trees that are `taken` has; gives back the CTEs so called."""
    found: dict[str, exp.CTE] = {}
    used = {node.name.lower() for each in taken if isinstance(each, exp.Expr)
            for node in each.find_all(exp.Identifier)}  # fmt: skip
    used |= {each for each in taken if isinstance(each, str)}
    for place, given in places:
        if isinstance(place, exp.Subquery):
            name = given or called([place], {*used, *found})
            alias = place.args.get("alias")
            place.replace(exp.Table(this=exp.to_identifier(name), alias=alias))
            own = exp.TableAlias(this=exp.to_identifier(name))
            found[name] = exp.CTE(this=place.this, alias=own)
    return tuple(found.values())


def without_ctes(
    hosts: Mapping[str, exp.Expr], calls: Sequence[MacroCall], dialect: str
) -> frozenset[str]:
    """The macros that cannot begin with CTEs, as not all of their calls stand where a query may."""
    return macros_inside((numbers_inside(tree, dialect) for tree in hosts.values()), calls)


def macros_inside(inside: Iterable[Collection[int]], calls: Sequence[MacroCall]) -> frozenset[str]:
    """The same; ``inside``: what `numbers_inside` gives of each model and macro."""
    said = (text for call in calls for text in call.texts)
    numbers = {number for text in said for number in numbers_in(text)}
    numbers.update(*inside)
    return frozenset(calls[number].macro for number in numbers)


def numbers_inside(tree: exp.Expr, dialect: str) -> frozenset[int]:
    """The numbers of the calls that stand in a tree where no query may begin with CTEs."""
    words = (word for word in tree.find_all(exp.Var) if word is not tree)
    odd = (word for word in words if not (_may_begin(word) and has_inner_with(dialect)))
    return frozenset(number for word in odd for number in numbers_in(word.name))


def _may_begin(call: exp.Var) -> bool:
    """Whether a call inside of a query stands where one may begin with WITH."""
    match call.parent:
        case exp.CTE():
            return HANDED_ON.fullmatch(call.name) is not None
        case exp.Subquery() as query:
            return not isinstance(query.parent, exp.SetOperation)
        case _:
            return False


def may_have_own(unit: Unit) -> bool:
    """Whether CTEs can be put in front of a query: a report, a CTE, or a derived table of one."""
    if unit.kind not in ("whole", "block") or not isinstance(unit.node, exp.Select):
        return False
    root = unit.node.root()
    if unit.node is not root and unit.node.args.get("with_"):
        return False
    up = unit.node.parent
    while up is not None:
        if isinstance(up, exp.Query) and not isinstance(up, exp.Subquery):
            if up is not root and (up.args.get("with_") or not isinstance(up, exp.Select)):
                return False
        elif not isinstance(up, exp.Subquery | exp.From | exp.Join | exp.CTE | exp.With):
            return False
        up = up.parent
    return isinstance(root, exp.Select)


def reads(ctes: Iterable[exp.Expr], names: Collection[str]) -> bool:
    """Whether one of the CTEs reads a relation of these names."""
    tables = (table for cte in ctes for table in cte.find_all(exp.Table))
    return any(table.name.lower() in names for table in tables)


class ReadOfCallers:
    """What macros name the relations that they have no query for: CTEs of who calls them.
    ``macros``: their trees, as they are now; found out when it is asked for, and once."""

    def __init__(self, macros: Mapping[str, exp.Expr], calls: Sequence[MacroCall]) -> None:
        self._macros, self._calls = macros, calls
        self._known: dict[str, frozenset[str]] = {}

    @cached_property
    def _every(self) -> frozenset[str]:
        return frozenset().union(*map(self._reads, self._macros))

    def one_of(self, tree: exp.Expr, names: Collection[str]) -> bool:
        """Whether a macro that is called in a tree, or one that it calls, reads one of these."""
        return not self._every.isdisjoint(names) and not self.read_in(tree).isdisjoint(names)

    def read_in(self, tree: exp.Expr) -> frozenset[str]:
        """All that is read by those that are called in a tree, and by those that they call."""
        found, waiting, seen = set[str](), [tree], set[str]()
        while waiting:
            for name in _called_in(waiting.pop(), self._calls) - seen:
                seen.add(name)
                if name in self._macros:
                    found |= self._reads(name)
                    waiting.append(self._macros[name])
        return frozenset(found)

    def _reads(self, macro: str) -> frozenset[str]:
        """What it reads itself."""
        if macro not in self._known:
            self._known[macro] = _not_its_own(self._macros[macro])
        return self._known[macro]


def _not_its_own(tree: exp.Expr) -> frozenset[str]:
    own = {cte.alias.lower() for cte in found_in(tree, exp.CTE)}
    names = {table.name.lower() for table in found_in(tree, exp.Table)} - own
    return frozenset(filter(is_of_a_query, names))


def is_of_a_query(name: str) -> bool:
    """Whether it is the name of a CTE, and none that stands for a table or for what is told."""
    return _TOKEN.fullmatch(name) is None


def _called_in(tree: exp.Expr, calls: Sequence[MacroCall]) -> set[str]:
    """The macros that a tree calls, whether its calls have numbers by now or not, and those of what
    these say."""
    placed = {node.name.partition("__")[2] for node in calls_in(tree)}
    numbers = calls_within(numbers_of(tree), calls)
    return placed | {calls[number].macro for number in numbers}


def clash(units: Iterable[Unit]) -> bool:
    """Whether two CTEs of one query would have one name, were the units' own ones put in it."""
    found: dict[int, list[str]] = {}
    for unit in units:
        if unit.own:
            root = unit.node.root()
            names = found.setdefault(id(root), [*ctes_of(root)])
            names += [cte.alias.lower() for cte in unit.own]
    return any(len({*names}) < len(names) for names in found.values())


def ctes_of(query: exp.Expr) -> list[str]:
    """The names of a query's CTEs."""
    block = query.args.get("with_")
    return [cte.alias.lower() for cte in block.expressions] if block is not None else []


def place_own(unit: Unit, call: exp.Expr) -> exp.Expr:
    """The host's tree in which a query has become a call, with its own CTEs in front of that."""
    own = [cte.copy() for cte in unit.own]
    root = unit.node.root()
    if unit.node is root:
        return exp.Select(expressions=[call], with_=exp.With(expressions=own))
    around = unit.node.find_ancestor(exp.CTE)
    unit.node.replace(call)
    block = root.args.get("with_")
    ctes = list(block.expressions) if block is not None else []
    at = next((i for i, cte in enumerate(ctes) if cte is around), len(ctes))
    if block is None:
        root.set("with_", exp.With(expressions=own))
    else:
        block.set("expressions", [*ctes[:at], *own, *ctes[at:]])
    return root
