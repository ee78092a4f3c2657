"""How many lines calls take, about: those that one UNION puts together are rows of a loop there.

united_in(trees) -> in which union each call is a branch, by its number
lines_of(numbers, calls, unions) -> lines
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import MacroCall, call_at
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.unions import branches, is_top

_LEAST: Final = 3  # calls that are a loop
_AROUND: Final = 4  # lines of a loop beside its rows and its call
_ROW: Final = 110  # letters of a row in a line
_SIGNS: Final = 4  # around a value in a row

Union = tuple[str, int]  # the model or the macro that it is in, and which one there


def united_in(trees: Mapping[str, exp.Expr]) -> dict[int, Union]:
    """Of the calls that are no branch nothing is said."""
    found: dict[int, Union] = {}
    for host, tree in trees.items():
        for at, union in enumerate(node for node in tree.find_all(exp.Union) if is_top(node)):
            for branch in branches(union):
                if (number := call_at(branch)) is not None:
                    found[number] = host, at
    return found


def lines_of(
    numbers: Iterable[int], calls: Sequence[MacroCall], unions: Mapping[int, Union]
) -> int:
    """``numbers``: of calls of one macro, or of those that become calls of one."""
    alone = 0
    together: dict[tuple[Union, str, str], list[MacroCall]] = defaultdict(list)
    for number in numbers:
        call, union = calls[number], unions.get(number)
        if union is None:
            alone += height_of(call)
        else:
            together[union, call.macro, call.like].append(call)
    return alone + sum(map(_lines, together.values()))


def _lines(calls: Sequence[MacroCall]) -> int:
    heights = [height_of(call) for call in calls]
    if len(calls) < _LEAST:
        return sum(heights)
    said = [dict((*call.unsaid, *call.args)) for call in calls]
    names = dict.fromkeys(name for each in said for name in each)
    varying = [name for name in names if len({each.get(name) for each in said}) > 1]
    letters = (sum(len(each[name].text) + _SIGNS for name in varying if name in each)
               for each in said)  # fmt: skip
    rows = sum(1 + max(0, many - 1) // _ROW for many in letters)
    return min(sum(heights), rows + max(heights) + _AROUND)
