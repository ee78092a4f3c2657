"""The branches of a UNION ALL, or of a UNION, however its brackets stand."""

from __future__ import annotations

from typing import Final

from sqlglot import Dialect, exp

BY_NAME: Final = "UNION ALL BY NAME"
DISTINCT: Final = "UNION"
_ODD: Final = ("side", "kind", "on")  # which columns BY NAME keeps


def word(node: exp.Expr) -> str:
    """What stands between the branches of a UNION ALL or a UNION; empty for any other node."""
    if not isinstance(node, exp.Union) or any(map(node.args.get, _ODD)):
        return ""
    by_name, distinct = bool(node.args.get("by_name")), node.args.get("distinct")
    if distinct is not False:
        return DISTINCT if distinct is True and not by_name else ""
    return BY_NAME if by_name else "UNION ALL"


def spelled(between: str, dialect: str) -> str:
    """What stands between branches, as a dialect says it: BigQuery has no UNION without a word."""
    plain = {DISTINCT: exp.Union, "INTERSECT": exp.Intersect}.get(between)
    if plain is None or Dialect.get_or_raise(dialect).SET_OP_DISTINCT_BY_DEFAULT[plain] is True:
        return between
    return f"{between} DISTINCT"


def united(this: exp.Expr, branch: exp.Expr, like: exp.Expr) -> exp.Union:
    """Two branches with between them what is there in another node."""
    distinct = word(like) == DISTINCT
    return exp.Union(this=this, expression=branch, distinct=distinct, by_name=word(like) == BY_NAME)


def is_top(node: exp.Expr) -> bool:
    """Whether a node is a UNION ALL or a UNION that is no branch of another one of its kind."""
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
