"""Branches of a UNION ALL that differ in more than names and constants: rows of one table.

One branch has a column where another has a constant or NULL, one groups by two columns and another
by five, one joins by other conditions. Such a part is taken out as a whole: a word that holds its
text stands in for it, a leaf of the branch's shape, so that the branches are of one shape and the
part is a hole that is filled with text. A part that differs in names and constants only stays: its
leaves are holes already. What became no hole is put back by ``put_back``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.rewrite.shapes import CONDITION, HOLE, Survey
from unwet.rewrite.unions import branches, is_top

LEAST: Final = 4  # branches; fewer are read as easily as a table
_WAS: Final = "was"  # note on a word: what it stands in for

_Part = tuple[exp.Expr, str]  # a part of a branch, and what a parameter for it is called


def stand_ins(tree: exp.Expr, dialect: str) -> list[exp.Select]:
    """In place: words stand in for the parts of branches that differ as a whole. Gives back the
    branches in which there are such."""
    changed: list[exp.Select] = []
    for union in [node for node in tree.find_all(exp.Union) if is_top(node)]:
        alike: dict[tuple[str, ...], list[exp.Select]] = defaultdict(list)
        for branch in branches(union):
            if isinstance(branch, exp.Select) and not branch.args.get("with_"):
                alike[_frame(branch)].append(branch)
        for group in alike.values():
            if len(group) >= LEAST:
                changed += _changed(group, dialect)
    return changed


def put_back(tree: exp.Expr) -> None:
    """In place: the parts for which words stand in."""
    for word in [n for n in tree.find_all(exp.Var) if n._meta is not None and _WAS in n._meta]:
        was = word.meta[_WAS]
        if isinstance(was, exp.Group):
            assert word.parent is not None
            word.parent.set("expressions", was.copy().expressions)
        else:
            word.replace(was.copy())


def _frame(branch: exp.Select) -> tuple[str, ...]:
    """What branches have in common that may be rows of one table: the names of their columns and
    relations, as a text that fills a hole speaks of these."""
    names = [item.alias_or_name.lower() for item in branch.expressions]
    joins = branch.args.get("joins") or []
    sources = [branch.args.get("from_"), *joins]
    return (*names, "", *(each.this.alias_or_name.lower() for each in sources if each is not None))


def _changed(group: Sequence[exp.Select], dialect: str) -> list[exp.Select]:
    changed: dict[int, exp.Select] = {}
    for parts_of in _parts(group[0]):
        found = [(branch, part) for branch in group if (part := parts_of(branch)) is not None]
        if len({Survey(node).shape(node).digest for _, (node, _) in found}) < 2:
            continue
        for branch, (node, name) in found:
            if _is_plain(node):
                _stand_in(node, name, dialect)
                changed[id(branch)] = branch
    return [branch for branch in group if id(branch) in changed]


def _parts(first: exp.Select) -> Iterator[Callable[[exp.Select], _Part | None]]:
    """How to find each part that may differ as a whole; None in a branch that has none there."""
    yield from (partial(_value, at=at) for at in range(len(first.expressions)))
    yield from (partial(_matching, at=at) for at in range(len(first.args.get("joins") or ())))
    yield _grouping


def _value(branch: exp.Select, at: int) -> _Part | None:
    """What an output is if it is a column, a constant or NULL, whatever type it is cast to."""
    item = branch.expressions[at]
    node = item.unalias()
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    plain = isinstance(node, exp.Column | exp.Literal | exp.Null)
    return (node, item.alias_or_name.lower() or "item") if plain else None


def _matching(branch: exp.Select, at: int) -> _Part | None:
    condition = branch.args["joins"][at].args.get("on")
    return (condition, "matching") if condition is not None else None


def _grouping(branch: exp.Select) -> _Part | None:
    group = branch.args.get("group")
    if group is None or {name for name, value in group.args.items() if value} != {"expressions"}:
        return None
    return group, "grouping"


def _is_plain(node: exp.Expr) -> bool:
    """Whether no query is in it, which may hold branches of its own, nor a hole that has been made
    before."""
    return not any(
        isinstance(each, exp.Query) or (each._meta is not None and CONDITION in each._meta)
        for each in node.walk()
    )


def _stand_in(node: exp.Expr, name: str, dialect: str) -> None:
    if isinstance(node, exp.Group):
        keys = (key.sql(dialect=dialect or None, comments=False) for key in node.expressions)
        text = ", ".join(keys)
    else:
        text = node.sql(dialect=dialect or None, comments=False)
    word = exp.Var(this=text)
    word.meta.update({CONDITION: text, HOLE: name, _WAS: node.copy()})
    if isinstance(node, exp.Group):
        node.set("expressions", [word])
    else:
        node.replace(word)
