"""Numbers of syntax trees: two have the same one if they say the same, letter by letter.

A look at a tree gives the numbers of all its nodes, so that what was found of a part is known again
in each copy of it, in whatever report, without a walk through every part.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from unwet.lineage.trees import PLACES

_Said = tuple[object, ...]


class Numbers:
    """What was said so far. A comment says nothing; nor does the place where something stands."""

    def __init__(self) -> None:
        self._known: dict[_Said, int] = {}

    def of(self, tree: exp.Expr) -> Mapping[int, int]:
        """The number of each node of a tree, by the node's identity."""
        found: dict[int, int] = {}
        known = self._known
        for node in reversed([*tree.walk()]):  # what is below a node comes before it
            found[id(node)] = known.setdefault(_said(node, found), len(known))
        return found


def _said(node: exp.Expr, found: Mapping[int, int]) -> _Said:
    """What a node says, with the numbers of those below it."""
    words: list[object] = [type(node)]
    for name, value in node.args.items():
        words.append(name)
        if isinstance(value, exp.Expr):
            words.append(found[id(value)])
        elif type(value) is list:
            words.append(tuple(_word(item, found) for item in value))
        else:
            words.append(_word(value, found))
    if node._meta and not PLACES.issuperset(node._meta):
        words.append(repr([pair for pair in node._meta.items() if pair[0] not in PLACES]))
    if node._type is not None:
        words.append(("type", repr(node._type)))
    return tuple(words)


def _word(value: object, found: Mapping[int, int]) -> object:
    """A text, or the number of a node; else what it is and how it reads: True is not 1."""
    if isinstance(value, exp.Expr):
        return found[id(value)]
    return value if type(value) is str else (type(value), repr(value))
