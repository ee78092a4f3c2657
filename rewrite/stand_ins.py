"""Branches of a UNION ALL that differ in more than names and constants: rows of one table.

One branch has a column where another has a constant or NULL, one groups by two columns and another
by five, one joins by other conditions. Such a part is taken out as a whole: a word that holds its
text stands in for it, a leaf of the branch's shape, so that the branches are of one shape and the
part is a hole that is filled with text. A part that differs in names and constants only stays: its
leaves are holes already. What became no hole is put back by ``put_back``.

Where branches group by just the columns that they show, each groups by all that any of them shows:
a constant in the place of a column tells no rows apart. Then nobody has to say for a row what it
is grouped by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.lineage.trees import copied
from unwet.rewrite.list_parts import unsay
from unwet.rewrite.shapes import CONDITION, HOLE, WAS, Survey
from unwet.rewrite.unions import branches, is_top

LEAST: Final = 4  # branches; fewer are read as easily as a table
_CONSTANT_KEYS: Final = frozenset({"databricks", "duckdb", "spark"})  # may group by a text
_SHOWN: Final = "shown"  # note on a GROUP BY: which outputs its keys are, and what they were

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
                if dialect in _CONSTANT_KEYS:
                    _group_by_all_shown(group)
                changed += _changed(group, dialect)
    return changed


def put_back(tree: exp.Expr) -> None:
    """In place: the parts for which words stand in, and the keys of what became no row."""
    for word in [n for n in tree.find_all(exp.Var) if n._meta is not None and WAS in n._meta]:
        was = word.meta[WAS]
        if isinstance(was, exp.Group):
            assert word.parent is not None
            word.parent.set("expressions", was.copy().expressions)
        elif isinstance(was, list):
            unsay(word, [each.copy() for each in was])
        else:
            word.replace(was.copy())
    for by in tree.find_all(exp.Group):
        if by._meta is not None and _SHOWN in by._meta:
            _, keys = by.meta.pop(_SHOWN)
            if not any(key.name.startswith("h__") for key in by.expressions):
                by.set("expressions", [key.copy() for key in keys])


def _group_by_all_shown(group: Sequence[exp.Select]) -> None:
    """In place, where it makes keys alike that are not."""
    alike: dict[tuple[exp.Expr, ...], list[tuple[exp.Expr, list[exp.Expr]]]] = defaultdict(list)
    for branch in group:
        found = _grouping(branch)
        if found is None:
            continue
        shown = [part[0] if (part := _value(branch, at)) is not None else exp.Null()
                 for at in range(len(branch.expressions))]  # fmt: skip
        keys = found[0].expressions
        if {s for s in shown if isinstance(s, exp.Column)} <= {*keys}:
            more = tuple(key for key in dict.fromkeys(keys) if key not in shown)
            alike[more].append((found[0], shown))
    for more, found_alike in alike.items():
        values = zip(*(shown for _, shown in found_alike), strict=True)
        columns = [(at, each) for at, each in enumerate(values)
                   if any(isinstance(value, exp.Column) for value in each)]  # fmt: skip
        whole = any(_is_number(value) for _, each in columns for value in each)
        if len(found_alike) >= LEAST and not whole and _differ([by for by, _ in found_alike]):
            for by, shown in found_alike:
                places = [at for at, _ in columns]
                by.meta[_SHOWN] = places, [key.copy() for key in by.expressions]
                keys = [shown[at].copy() for at in places]
                by.set("expressions", [*keys, *(key.copy() for key in more)])


def _is_number(value: exp.Expr) -> bool:
    """As a key it would be the number of an output."""
    return isinstance(value, exp.Literal) and not value.is_string


def _differ(nodes: Sequence[exp.Expr]) -> bool:
    """Whether they are of several shapes."""
    return len({Survey(node).shape(node).digest for node in nodes}) > 1


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
        if not _differ([node for _, (node, _) in found]):
            continue
        for branch, (node, name) in found:
            if _is_plain(node):
                for each in (node, *_key_of(node, branch)):
                    _stand_in(each, name, dialect)
                changed[id(branch)] = branch
    return [branch for branch in group if id(branch) in changed]


def _key_of(node: exp.Expr, branch: exp.Select) -> Iterator[exp.Expr]:
    """The key that stands for an output in a GROUP BY of all that is shown."""
    group = branch.args.get("group")
    if group is None or group._meta is None or _SHOWN not in group._meta:
        return
    places, _ = group.meta[_SHOWN]
    for at, key in zip(places, list(group.expressions), strict=False):
        part = _value(branch, at)
        if part is not None and part[0] is node:
            yield key


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
    if group._meta is not None and _SHOWN in group._meta:
        return None  # its keys are the outputs
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
        keys = (as_said(key, dialect) for key in node.expressions)
        text = ", ".join(keys)
    else:
        text = as_said(node, dialect)
    word = exp.Var(this=text)
    word.meta.update({CONDITION: text, HOLE: name, WAS: copied(node)})
    if isinstance(node, exp.Group):
        node.set("expressions", [word])
    else:
        node.replace(word)
