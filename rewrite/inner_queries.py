"""Queries inside of models and macros that a call may stand for: CTEs and derived tables.

inner_queries(host, tree) -> each with its place in the tree, by a name of its own
with_calls(tree, numbers) -> the tree in which calls stand in such places
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.told_of import is_trivial


def inner_queries(
    host: str, tree: exp.Expr, trivial: bool = False
) -> Iterator[tuple[str, int, exp.Query]]:
    """Not those that nobody would look up, unless the ``trivial`` ones are asked for, too."""
    for at, node in enumerate(tree.walk()):
        if not isinstance(node, exp.Query) or node is tree:
            continue
        if isinstance(node, exp.Subquery) or (is_trivial(node) and not trivial):
            continue
        parent = node.parent
        derived = isinstance(parent, exp.Subquery) and isinstance(
            parent.parent, exp.From | exp.Join
        )
        if derived or isinstance(parent, exp.CTE):
            yield f"{host}\0{at}", at, node


def with_calls(tree: exp.Expr, numbers: Mapping[int, int]) -> exp.Expr:
    """A copy. ``numbers``: of the calls, by their places in the tree as it was."""
    made = copied(tree)
    nodes = [(node, numbers[at]) for at, node in enumerate(made.walk()) if at in numbers]
    for node, number in nodes:
        node.replace(exp.Var(this=f"call__{number}__call"))
    return made
