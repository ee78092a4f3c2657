"""Conditions that are values, which T-SQL does not have: a report with one keeps its words.

    SELECT x > 1 AS large, NOT done AS open, BOOL_OR(done) AS some, COALESCE(x > 1, FALSE) ...

A BIT is what its column says, and CASE WHEN x > 1 THEN 1 WHEN .. END what somebody writes for one;
that is for a person to choose, as it has other words for NULL.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

WITHOUT: Final = frozenset({"tsql", "fabric"})
_CONDITIONS: Final = (exp.Predicate, exp.Connector, exp.Not)
_PARTS: Final = (exp.Any, exp.All, exp.Func)  # of a comparison; what a function is, nobody knows
_AROUND: Final = (exp.Connector, exp.Not, exp.Where, exp.Having, exp.Qualify, exp.Join)
_AGGREGATED: Final = (exp.LogicalAnd, exp.LogicalOr)


def condition_value(tree: exp.Expr) -> exp.Expr | None:
    """A condition of the tree that stands where a value does."""
    for node in tree.walk():
        if isinstance(node, _AGGREGATED) or (_is_condition(node) and _is_value(node)):
            return node
    return None


def _is_condition(node: exp.Expr) -> bool:
    return isinstance(node, _CONDITIONS) and (
        isinstance(node, exp.Connector | exp.Exists) or not isinstance(node, _PARTS)
    )


def _is_value(node: exp.Expr) -> bool:
    child, parent = node, node.parent
    while isinstance(parent, exp.Paren):
        child, parent = parent, parent.parent
    match parent:
        case None:
            return False
        case exp.If():
            return child.arg_key != "this" or _is_compared(parent)
        case _:
            return not isinstance(parent, _AROUND)


def _is_compared(node: exp.If) -> bool:
    """Whether it is a WHEN that is compared with a value: CASE x WHEN a = b."""
    return isinstance(node.parent, exp.Case) and node.parent.this is not None
