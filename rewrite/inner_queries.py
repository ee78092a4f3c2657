"""Queries inside of models and macros that a call may stand for: CTEs, derived tables, and the
branches of a UNION that is one of these, or all of a model or a macro.

inner_queries(host, tree) -> each with its place in the tree, by a name of its own
with_calls(tree, numbers) -> the tree in which calls stand in such places
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.told_of import is_trivial
from unwet.rewrite.unions import says_more, word


def inner_queries(
    host: str, tree: exp.Expr, trivial: bool = False, branches: bool = False
) -> Iterator[tuple[str, int, exp.Query]]:
    """Not those that nobody would look up, unless the ``trivial`` ones are asked for, too.
    ``branches``: those of unions, and no others."""
    for at, node in enumerate(tree.walk()):
        if not isinstance(node, exp.Query) or node is tree:
            continue
        if isinstance(node, exp.Subquery) or (is_trivial(node) and not trivial):
            continue
        if _is_branch(node, tree) if branches else _is_relation(node):
            yield f"{host}\0{at}", at, node


def with_calls(tree: exp.Expr, numbers: Mapping[int, int]) -> exp.Expr:
    """A copy. ``numbers``: of the calls, by their places in the tree as it was."""
    made = copied(tree)
    nodes = [(node, numbers[at]) for at, node in enumerate(made.walk()) if at in numbers]
    for node, number in nodes:
        node.replace(exp.Var(this=f"call__{number}__call"))
    return made


def _is_relation(query: exp.Expr) -> bool:
    """Whether it is a CTE or a derived table, which reads nothing of the query around it."""
    parent = query.parent
    derived = isinstance(parent, exp.Subquery) and isinstance(parent.parent, exp.From | exp.Join)
    return derived or isinstance(parent, exp.CTE)


def _is_branch(query: exp.Query, tree: exp.Expr) -> bool:
    """Whether it is a branch of a UNION that reads nothing of another query; not one with CTEs,
    which a dialect may want at the beginning."""
    around = query.parent
    if not isinstance(query, exp.Select) or says_more(query) or around is None or not word(around):
        return False
    while around is not tree and around.parent is not None and word(around.parent):
        around = around.parent
    return around is tree or _is_relation(around)
