"""The branches of a UNION ALL, however its brackets stand."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

BY_NAME: Final = "UNION ALL BY NAME"
_ODD: Final = ("side", "kind", "on")  # which columns BY NAME keeps


def word(node: exp.Expr) -> str:
    """What stands between the branches of a UNION ALL; empty for any other node."""
    if not isinstance(node, exp.Union) or node.args.get("distinct") is not False:
        return ""
    if any(map(node.args.get, _ODD)):
        return ""
    return BY_NAME if node.args.get("by_name") else "UNION ALL"


def is_top(node: exp.Expr) -> bool:
    """Whether a node is a UNION ALL that is no branch of another one of its kind."""
    said, parent = word(node), node.parent
    return said != "" and (parent is None or word(parent) != said)


def says_more(union: exp.Expr) -> bool:
    """Whether it has CTEs, an order or a limit of its own."""
    return any(union.args.get(name) for name in ("with_", "order", "limit", "offset"))


def branches(union: exp.Expr) -> list[exp.Expr]:
    """The branches from left to right."""
    found: list[exp.Expr] = []
    stack = [union]
    while stack:
        node = stack.pop()
        if node is union or (word(node) == word(union) and not says_more(node)):
            stack += [node.expression, node.this]
        else:
            found.append(node)
    return found
