"""Lists that differ in their middle: columns of a SELECT, keys of a GROUP BY or an ORDER BY.

One report has a column more, or counts where another adds up. What its list begins and ends with is
the same; the rest is one argument, which a word stands in for among the other items. A short rest
is a text; a longer one is a macro of its own, whose call is the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.rewrite.library import HANDED_ON
from unwet.rewrite.placed_calls import is_placed
from unwet.rewrite.shapes import CONDITION, HOLE, LIST, WAS

_LONGEST: Final = 100  # letters of a list that is a text; a longer one is a macro
_WORDS: Final = (exp.Identifier, exp.Literal, exp.Var)
_CALLED: Final[Mapping[type[exp.Expr], str]] = {
    exp.Select: "columns",
    exp.Group: "keys",
    exp.Order: "sorted_by",
}


@dataclass(frozen=True, slots=True)
class Ends:
    """How many items two lists have in common, at the beginning and at the end."""

    first: int
    last: int

    def both(self, other: Ends) -> Ends:
        """What more lists have in common."""
        return Ends(min(self.first, other.first), min(self.last, other.last))

    def rest(self, items: Sequence[exp.Expr]) -> Sequence[exp.Expr]:
        """The items between."""
        return items[self.first : len(items) - self.last]


def has_list(node: exp.Expr) -> bool:
    """Whether a node has a list that may differ from that of the next copy."""
    return type(node) in _CALLED


def ends(
    mine: Sequence[exp.Expr],
    theirs: Sequence[exp.Expr],
    same: Callable[[exp.Expr, exp.Expr], bool],
    alike: Callable[[exp.Expr, exp.Expr], bool],
) -> Ends | None:
    """What two lists have in common, so that each has something else between: first what is the
    ``same`` in both, then what is ``alike``. None where one list says nothing."""
    shorter = min(len(mine), len(theirs))
    first = last = 0
    while first < shorter and same(mine[first], theirs[first]):
        first += 1
    for test in (same, alike):
        while last < shorter - first and test(mine[-1 - last], theirs[-1 - last]):
            last += 1
    while first < shorter - last and alike(mine[first], theirs[first]):
        first += 1
    if first + last == shorter:  # nothing is left of one: it says what is beside it, too
        first, last = (first - 1, last) if first else (first, last - 1)
    return None if min(first, last) < 0 else Ends(first, last)


def may_be_said(node: exp.Expr, items: Sequence[exp.Expr], dialect: str) -> bool:
    """Whether the items may be an argument: a text, or columns that are worth a macro."""
    nodes = [each for item in items for each in item.walk()]
    if any(isinstance(each, exp.Query | exp.Star) or is_placed(each) for each in nodes):
        return False
    handed_on = [each for each in nodes if isinstance(each, _WORDS) and "h__" in each.name]
    if are_text(items, dialect):
        return not any(each._meta is not None and LIST in each._meta for each in handed_on)
    return isinstance(node, exp.Select) and len(items) > 1 and not handed_on


def is_text(text: str) -> bool:
    """Whether the items are said as they are: they are short, and no call is among them."""
    return len(text) <= _LONGEST and ("call__" not in text or HANDED_ON.fullmatch(text) is not None)


def are_text(items: Sequence[exp.Expr], dialect: str) -> bool:
    """Whether the items are said as they are; of long ones not all are printed to find that out."""
    parts, letters = list[str](), -2
    for item in items:
        parts.append(as_said(item, dialect))
        letters += 2 + len(parts[-1])
        if letters > _LONGEST:
            return False
    return is_text(", ".join(parts))


def text_of(items: Sequence[exp.Expr], dialect: str) -> str:
    """The items as they are written."""
    return ", ".join(as_said(item, dialect) for item in items)


def say(node: exp.Expr, common: Ends, dialect: str) -> None:
    """In place: a word stands in for what a list has between its ends."""
    items = list(node.expressions)
    rest = common.rest(items)
    text = text_of(rest, dialect)
    word = exp.Var(this=text)
    was = [item.copy() for item in rest]
    word.meta.update({CONDITION: text, HOLE: _CALLED[type(node)], WAS: was})
    node.set("expressions", [*items[: common.first], word, *items[len(items) - common.last :]])


def unsay(word: exp.Expr, items: Sequence[exp.Expr]) -> None:
    """In place: the items that the word stands in for."""
    node = word.parent
    assert node is not None
    found = [[*items] if each is word else [each] for each in node.expressions]
    node.set("expressions", [each for part in found for each in part])
