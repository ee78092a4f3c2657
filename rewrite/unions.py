"""The branches of a UNION ALL, however its brackets stand."""

from __future__ import annotations

from sqlglot import exp


def is_top(node: exp.Expr) -> bool:
    """Whether a node is a UNION ALL that is no branch of another one."""
    parent = node.parent
    return is_plain(node) and not (isinstance(parent, exp.Union) and is_plain(parent))


def is_plain(node: exp.Expr) -> bool:
    """Whether a node is a UNION ALL."""
    return isinstance(node, exp.Union) and node.args.get("distinct") is False


def says_more(union: exp.Expr) -> bool:
    """Whether it has CTEs, an order or a limit of its own."""
    return any(union.args.get(name) for name in ("with_", "order", "limit", "offset"))


def branches(union: exp.Expr) -> list[exp.Expr]:
    """The branches from left to right."""
    found: list[exp.Expr] = []
    stack = [union]
    while stack:
        node = stack.pop()
        if node is union or (is_plain(node) and not says_more(node)):
            stack += [node.expression, node.this]
        else:
            found.append(node)
    return found
