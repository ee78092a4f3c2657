"""Branches of a UNION ALL, or a UNION, that call one macro with other arguments: a loop over rows.

folded(tree, calls) -> the tree with ``loop__n__loop`` where a loop stands, and the loops

Which branch stands where makes no difference to these, but the first one names the columns:
it stays the first. Where the rows are all pairs of two lists, these lists are two loops. Macros
that are called with the same rows are called in one loop.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import found_in
from unwet.rewrite.library import HOLE, NO_CONDITION, MacroCall, call_at
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.unions import branches, is_top, says_more, spelled, united, word

LEAST = 3  # fewer calls are read as easily as a loop
_LINES = 5  # of a loop around its rows
_KINDS = 10  # of columns, which are cut in all ways; of more it would take long

_PLAIN: Final = re.compile(r"[\w .%+-]+")  # needs no escape in any language

Row = tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What one `for` goes over: names, and a row of values for each time."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """A call in a loop; ``fixed`` arguments are always the same."""

    macro: str
    fixed: tuple[tuple[str, Leaf], ...]
    names: tuple[str, ...]  # of all arguments, in the order in which they are said
    leading: tuple[str, ...] = ()  # those that are said without a name


@dataclass(frozen=True, slots=True)
class Loop:
    """Calls of macros with every combination of the levels' rows; with ``groups`` each row of the
    first level goes over so many rows of the second one, of which these are then all."""

    levels: tuple[Level, ...]
    bodies: tuple[Body, ...]
    union: str = "UNION ALL"  # what stands between the calls
    groups: tuple[int, ...] = ()


Bundle = tuple[tuple[int, ...], list[Loop]]  # the places of calls, and their loops
Grouping = Callable[[Sequence[Bundle], Mapping[int, MacroCall]], Sequence[Bundle]]


def folded(
    tree: exp.Expr,
    calls: Sequence[MacroCall],
    grouping: Grouping | None = None,
    dialect: str = "",
) -> tuple[exp.Expr, tuple[Loop, ...]]:
    """In place but for the tree's root. ``grouping`` makes one loop of several."""
    loops: list[Loop] = []
    for union in [node for node in found_in(tree, exp.Union) if is_top(node)]:
        chain = _Chain(branches(union), calls, spelled(word(union), dialect), grouping)
        found = list(chain.folded(loops))
        new = rebuilt(union, found) if len(found) < len(chain.branches) else None
        if new is not None:
            tree = new if union is tree else tree
            union.replace(new)
    return tree, tuple(loops)


def rebuilt(union: exp.Expr, branches: Sequence[exp.Expr]) -> exp.Expr | None:
    """The UNION ALL with other branches; None where one branch cannot say what it does."""
    tree = branches[0]
    if len(branches) == 1 and not says_more(union):
        return tree
    if len(branches) == 1:
        if not isinstance(tree, exp.Var):
            return None
        tree = exp.Select(expressions=[tree])  # printed without its SELECT
    for branch in branches[1:]:
        tree = united(tree, branch, union)
    for name in ("with_", "order", "limit", "offset"):
        if union.args.get(name) is not None:
            tree.set(name, union.args[name])
    return tree


class _Chain:
    """The branches of one UNION ALL."""

    def __init__(
        self,
        branches: list[exp.Expr],
        calls: Sequence[MacroCall],
        union: str,
        grouping: Grouping | None,
    ) -> None:
        self.branches, self.union = branches, union
        found: dict[int, MacroCall] = {}
        for at, branch in enumerate(branches):
            if (number := call_at(branch)) is not None:
                found[at] = calls[number]
        made: Sequence[Bundle] = bundles(found)
        made = grouping(made, found) if grouping is not None else made
        self._bundles = {min(each[0]): each for each in made}

    def folded(self, loops: list[Loop]) -> Iterator[exp.Expr]:
        """The branches that are left; the loops among them are added to ``loops``."""
        done = {at for places, _ in self._bundles.values() for at in places}
        for at, branch in enumerate(self.branches):
            if at not in done:
                yield branch
            elif at in self._bundles:
                for loop in self._bundles[at][1]:
                    loops.append(replace(loop, union=self.union))
                    yield exp.Var(this=f"loop__{len(loops) - 1}__loop")


def bundles(calls: Mapping[int, MacroCall]) -> list[Bundle]:
    """The calls that loops stand for. Macros that are called with the same rows are called in one
    loop, where that makes fewer rows; a macro that is called with more of them has another one."""
    groups: dict[tuple[str, str], list[int]] = {}
    for at, call in calls.items():
        groups.setdefault((call.macro, call.like), []).append(at)
    found: list[Bundle] = []
    for macro in sorted(groups, key=lambda name: (len(groups[name]), groups[name])):
        if not groups[macro]:
            continue  # all in loops already
        rows = [groups[macro]]
        for other in groups:
            if other != macro and len(groups[other]) >= len(rows[0]) >= LEAST:
                more = _beside([calls[at] for at in rows[0]], groups[other], calls)
                left = [at for at in groups[other] if at not in more]
                if more and _pays(rows, more, left, calls):
                    rows.append(more)
                    groups[other] = left
        rows.sort(key=min)  # the first branch of a union names its columns
        order = sorted(range(len(rows[0])), key=lambda n: rows[0][n])
        made = loops_of(*([calls[places[n]] for n in order] for places in rows))
        if made:
            groups[macro] = []
            found.append((tuple(at for places in rows for at in places), made))
    return found


def _beside(
    asked: Sequence[MacroCall], places: Sequence[int], calls: Mapping[int, MacroCall]
) -> list[int]:
    """For each call that of another macro with the same values; none where one has not just one."""
    names, table = _table(asked)
    varying = sorted(_varying(names, table))
    known: dict[Row, list[int]] = {}
    for place in places:
        said = dict(calls[place].args)
        if any(names[at] not in said for at in varying):
            return []
        known.setdefault(tuple(said[names[at]] for at in varying), []).append(place)
    found = [known.get(tuple(row[at] for at in varying), []) for row in table]
    alone = all(len(each) == 1 for each in found) and len({*map(tuple, found)}) == len(found)
    return [each[0] for each in found] if alone else []


def _pays(
    rows: Sequence[list[int]], more: list[int], left: list[int], calls: Mapping[int, MacroCall]
) -> bool:
    """Whether it makes fewer lines when the calls at ``more`` are in the loops over the rows."""

    def made(*groups: list[int]) -> list[Loop]:
        return loops_of(*([calls[at] for at in places] for places in groups))

    def lines(*groups: list[int]) -> int:
        levels = [loop.levels for loop in made(*groups)]
        sizes = (_LINES + sum(len(level.rows) for level in each) for each in levels)
        return sum(sizes) if levels else 2 * sum(map(len, groups))

    apart = lines(*rows) + lines(sorted([*more, *left]))
    return bool(made(*rows, more)) and lines(*rows, more) + lines(left) < apart


def _table(calls: Sequence[MacroCall]) -> tuple[tuple[str, ...], list[Row]]:
    """The names of all arguments, and what each call says for them."""
    names = tuple(dict.fromkeys(name for call in calls for name, _ in call.args))
    said = [dict((*call.unsaid, *call.args)) for call in calls]
    return names, [tuple(each.get(name, NO_CONDITION) for name in names) for each in said]


def loops_of(*groups: Sequence[MacroCall]) -> list[Loop]:
    """Loops for calls of one macro, with as few rows in all as can be had; none where the calls are
    few, or all the same. Several groups: the n-th calls of all are made for one row; none where a
    name has two values in one row."""
    if len(groups[0]) < LEAST or any(len(set(calls)) == 1 for calls in groups):
        return []
    found = rows_of(*groups)
    if found is None:
        return []
    columns, bodies = found
    rows = list(zip(*columns.values(), strict=True))
    width = len(columns)
    best = min(
        (_grids(rows, left) for left in _splits(rows)),
        key=lambda grids: sum(len(a) + len(b) + _LINES for _, a, b in grids),
        default=[],
    )
    flat: list[_Grid] = [(tuple(range(width)), rows, [()])]
    cost = sum(len(a) + len(b) + _LINES for _, a, b in best)
    chosen = best if best and cost < len(rows) + _LINES else flat
    return [Loop(_levels(grid, list(columns)), tuple(bodies)) for grid in chosen]


def rows_of(*groups: Sequence[MacroCall]) -> tuple[dict[str, Row], list[Body]] | None:
    """What varies, by the loop's variable for it, and the calls; None where a name would have two
    values in one row."""
    bodies: list[Body] = []
    columns: dict[str, Row] = {}
    tables = [_table(calls) for calls in groups]
    for calls, (names, table), said in zip(groups, tables, _looped(tables), strict=True):
        varying = sorted(said)
        follow = _following(names, table, varying)
        fixed = tuple((names[at], follow.get(at, table[0][at])) for at in range(len(names))
                      if at in follow or at not in varying)  # fmt: skip
        bodies.append(Body(calls[0].macro, fixed, names, calls[0].leading))
        for at in varying:
            if at in follow:
                continue
            column = tuple(row[at] for row in table)
            if columns.setdefault(names[at], column) != column:
                return None
    return columns, bodies


def _varying(names: Sequence[str], table: Sequence[Row]) -> set[int]:
    return {at for at in range(len(names)) if len({row[at] for row in table}) > 1}


def _looped(tables: Sequence[tuple[Sequence[str], Sequence[Row]]]) -> list[set[int]]:
    """For each table the columns that the loop has variables for: those that vary, and what says a
    parameter of the macro around that would be hidden by the loop's variable of that name."""
    found = [_varying(*each) for each in tables]
    while True:
        taken = {names[at] for (names, _), own in zip(tables, found, strict=True) for at in own}
        more = [
            {at for at in range(len(names)) if taken & {*HOLE.findall(table[0][at].text)}} - own
            for (names, table), own in zip(tables, found, strict=True)
        ]
        if not any(more):
            return found
        found = [own | new for own, new in zip(found, more, strict=True)]


def _following(
    names: Sequence[str], table: Sequence[Row], varying: Sequence[int]
) -> dict[int, Leaf]:
    """The conditions that have the value of another column in them and are the same but for that,
    with the loop's variable in its place."""
    found: dict[int, Leaf] = {}
    for at in varying:
        texts = [row[at].text for row in table]
        if table[0][at].kind != "condition" or any("__" in text for text in texts):
            continue
        for key in varying:
            values = [row[key].text for row in table]
            if any(row[key].kind != "string" or not _PLAIN.fullmatch(row[key].text)
                   for row in table):  # fmt: skip
                continue
            made = {text.replace(f"'{value}'", f"'h__{names[key]}__h'")
                    for text, value in zip(texts, values, strict=True)}  # fmt: skip
            if len(made) == 1:
                found[at] = Leaf("condition", made.pop())
                break
    return found


_Grid = tuple[tuple[int, ...], list[Row], list[Row]]  # columns of the first list; the two lists


def _splits(rows: Sequence[Row]) -> Iterator[tuple[int, ...]]:
    """Which columns may be the first list: each way to cut once. Columns that tell one another
    stay together."""
    together: dict[tuple[int, ...], list[int]] = {}
    for at, column in enumerate(zip(*rows, strict=True)):
        first: dict[Leaf, int] = {}
        together.setdefault(
            tuple(first.setdefault(leaf, len(first)) for leaf in column), []
        ).append(at)
    every = list(together.values())
    for many in range(1, len(every)) if len(every) <= _KINDS else ():
        for left in combinations(every, many):
            if 0 in left[0]:
                yield tuple(sorted(at for columns in left for at in columns))


def _grids(rows: Sequence[Row], left: tuple[int, ...]) -> list[_Grid]:
    """The rows as products of two lists each, cut at these columns; in the order of the rows."""
    right = [at for at in range(len(rows[0])) if at not in left]
    beside: dict[Row, list[Row]] = {}
    for row in rows:
        one = tuple(row[at] for at in left)
        beside.setdefault(one, []).append(tuple(row[at] for at in right))
    groups: dict[tuple[Row, ...], list[Row]] = {}
    for one, others in beside.items():
        groups.setdefault(tuple(others), []).append(one)
    return [(left, ones, list(others)) for others, ones in groups.items()]


def _levels(grid: _Grid, names: Sequence[str]) -> tuple[Level, ...]:
    left, ones, others = grid
    right = [at for at in range(len(names)) if at not in left]
    first = Level(tuple(names[at] for at in left), tuple(ones))
    second = Level(tuple(names[at] for at in right), tuple(others))
    return tuple(level for level in (first, second) if level.names)
