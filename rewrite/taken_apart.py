"""Queries in two: what each reads, as CTEs in front, and the rest, which is told their names.

    SELECT app, COUNT(*) FROM (SELECT ...) JOIN origins USING (url) GROUP BY ALL
 -> WITH apps AS (SELECT ...)          and          SELECT app, COUNT(*) FROM apps JOIN ...

A derived table of a FROM or JOIN is a CTE with another place for its text, if that is all it is: it
reads nothing of the query around it, and its alias does not name its columns. No query within the
rest reads a CTE, and no call in it hands the name of one on, but where it is told the name itself.

may_be_apart(query) -> whether that may be tried
taken_apart(one, two, ...) -> two queries, each in two where it has to be, alike
renumber(part, first) -> the calls in such a rest have their numbers in a library
kind_of(source, ctes) -> what a query reads there
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, texts
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LISTED,
    MacroCall,
    calls_within,
    numbers_of,
    says_one_of,
)
from unwet.rewrite.naming import free, free_parameter, snake
from unwet.rewrite.own_relations import NAME, called, may_be_own
from unwet.rewrite.query_parts import sources
from unwet.rewrite.shapes import Leaf, as_leaf
from unwet.rewrite.side_by_side import ctes, side_by_side

_CALL: Final = re.compile(r"call__\d+__call")
_LIFTED: Final = frozenset({"query", "call"})  # what becomes a CTE


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """A query in two: what is left in its place, with CTEs in front, and what is around them."""

    host: exp.Expr
    rest: exp.Select
    said: tuple[tuple[str, Leaf], ...]  # relations that the rest is told
    told: tuple[MacroCall, ...] = ()  # the calls in it that hand these on
    first: int = 0  # the number of the first one of these


def may_be_apart(tree: exp.Select) -> bool:
    """Whether its relations could stand in front: all of its CTEs are plain, and only it reads
    them by name."""
    block = tree.args.get("with_")
    if block is not None and block.args.get("recursive"):
        return False
    if any(LISTED.search(text) for text in texts(tree)):
        return False
    alone = len(tree.expressions) == 1 and HANDED_ON.fullmatch(tree.expressions[0].name)
    return bool(_sources_of(tree)) and not (alone and tree.args.get("from_") is None)


def taken_apart(
    one: exp.Expr,
    two: exp.Expr,
    calls: Sequence[MacroCall],
    dialect: str,
    taken: Sequence[AbstractSet[str]],
) -> tuple[Apart | None, Apart | None] | None:
    """Two queries, each in two where it has to be; None where their relations cannot stand in front
    alike."""
    if not (isinstance(one, exp.Select) and isinstance(two, exp.Select)):
        return None
    trees = copied(one), copied(two)
    assert isinstance(trees[0], exp.Select) and isinstance(trees[1], exp.Select)
    own = [{cte.alias.lower() for cte in ctes(tree)} for tree in trees]
    left, right = (_sources_of(tree) for tree in trees)
    kinds = [(kind_of(a, own[0]), kind_of(b, own[1])) for a, b in zip(left, right, strict=True)]
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
    made: list[Apart | None] = []
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
        made.append(Apart(host, tree, tuple(said), tuple(more), len(calls)))
    return made[0], made[1]


def renumber(part: Apart, first: int) -> None:
    """In place: the numbers that its own calls have in a library."""
    wanted = {f"call__{part.first + n}__call": f"call__{first + n}__call"
              for n in range(len(part.told))}  # fmt: skip
    for word in part.rest.find_all(exp.Var) if first != part.first else ():
        word.set("this", wanted.get(word.name, word.name))


def _sources_of(tree: exp.Select) -> list[exp.Expr]:
    """What a query reads itself."""
    return [source for source, _ in sources(tree)]


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


def kind_of(source: exp.Expr, own: Collection[str]) -> str:
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
