"""Branches of a UNION ALL that call one macro with other arguments: a loop over their rows.

folded(tree, calls) -> the tree with ``loop__n__loop`` where a loop stands, and the loops

Which branch stands where makes no difference to a UNION ALL, but the first one names the columns:
it stays the first. Where the rows are all pairs of two lists, these lists are two loops.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from unwet.rewrite.library import NO_CONDITION, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.unions import branches, is_top, says_more

LEAST = 3  # fewer calls are read as easily as a loop
_LINES = 5  # of a loop around its rows
_CALL = re.compile(r"call__(\d+)__call")

Row = tuple[Leaf, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What one `for` goes over: names, and a row of values for each time."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """Calls of a macro with every combination of the levels' rows; ``fixed`` arguments are always
    the same."""

    macro: str
    levels: tuple[Level, ...]
    fixed: tuple[tuple[str, Leaf], ...]
    names: tuple[str, ...]  # of all arguments, in the order in which they are said


def folded(tree: exp.Expr, calls: Sequence[MacroCall]) -> tuple[exp.Expr, tuple[Loop, ...]]:
    """In place but for the tree's root."""
    loops: list[Loop] = []
    for union in [node for node in tree.find_all(exp.Union) if is_top(node)]:
        chain = _Chain(branches(union), calls)
        found = list(chain.folded(loops))
        if len(found) < len(chain.branches):
            new = _united(found)
            for name in ("with_", "order", "limit", "offset"):
                if union.args.get(name) is not None and isinstance(new, exp.Union):
                    new.set(name, union.args[name])
            if not isinstance(new, exp.Union) and says_more(union):
                continue
            tree = new if union is tree else tree
            union.replace(new)
    return tree, tuple(loops)


def _united(branches: Sequence[exp.Expr]) -> exp.Expr:
    tree = branches[0]
    for branch in branches[1:]:
        tree = exp.Union(this=tree, expression=branch, distinct=False)
    return tree


class _Chain:
    """The branches of one UNION ALL."""

    def __init__(self, branches: list[exp.Expr], calls: Sequence[MacroCall]) -> None:
        self.branches = branches
        self._of: dict[str, list[int]] = {}
        self._calls: dict[int, MacroCall] = {}
        for at, branch in enumerate(branches):
            hit = _CALL.fullmatch(branch.name) if isinstance(branch, exp.Var) else None
            if hit is not None:
                self._calls[at] = calls[int(hit[1])]
                self._of.setdefault(self._calls[at].macro, []).append(at)

    def folded(self, loops: list[Loop]) -> Iterator[exp.Expr]:
        """The branches that are left; the loops among them are added to ``loops``."""
        done: set[int] = set()
        for at, branch in enumerate(self.branches):
            if at in done:
                continue
            places = self._of[self._calls[at].macro] if at in self._calls else []
            made = loops_of([self._calls[place] for place in places])
            if not made:
                yield branch
                continue
            done.update(places)
            for loop in made:
                loops.append(loop)
                yield exp.Var(this=f"loop__{len(loops) - 1}__loop")


def loops_of(calls: Sequence[MacroCall]) -> list[Loop]:
    """Loops for calls of one macro, with as few rows in all as can be had; none where the calls are
    few, or all the same."""
    if len(calls) < LEAST or len(set(calls)) == 1:
        return []
    names = tuple(dict.fromkeys(name for call in calls for name, _ in call.args))
    said = [dict(call.args) for call in calls]
    table = [tuple(each.get(name, NO_CONDITION) for name in names) for each in said]
    varying = [at for at in range(len(names)) if _varies(table, at)]
    fixed = tuple((names[at], table[0][at]) for at in range(len(names)) if at not in varying)
    rows = [tuple(row[at] for at in varying) for row in table]
    best = min(
        (_grids(rows, left) for left in _splits(len(varying))),
        key=lambda grids: sum(len(a) + len(b) + _LINES for _, a, b in grids),
        default=[],
    )
    flat: list[_Grid] = [(tuple(range(len(varying))), rows, [()])]
    cost = sum(len(a) + len(b) + _LINES for _, a, b in best)
    chosen = best if best and cost < len(rows) + _LINES else flat
    macro = calls[0].macro
    return [
        Loop(macro, _levels(grid, [names[at] for at in varying]), fixed, names) for grid in chosen
    ]


def _varies(table: Sequence[Row], at: int) -> bool:
    """A parameter of the macro around would be hidden by the loop's variable of that name."""
    return len({row[at] for row in table}) > 1 or "h__" in table[0][at].text


_Grid = tuple[tuple[int, ...], list[Row], list[Row]]  # columns of the first list; the two lists


def _splits(width: int) -> Iterator[tuple[int, ...]]:
    """Which columns may be the first list: each way to cut once."""
    for many in range(1, width):
        for left in combinations(range(width), many):
            if 0 in left:
                yield left


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


def rows_of(loop: Loop) -> Iterable[tuple[tuple[str, Leaf], ...]]:
    """The arguments of each call, as they were before they became a loop."""
    rows: list[dict[str, Leaf]] = [dict(loop.fixed)]
    for level in loop.levels:
        more = [dict(zip(level.names, row, strict=True)) for row in level.rows]
        rows = [{**row, **new} for row in rows for new in more]
    return [tuple((name, row[name]) for name in loop.names) for row in rows]
