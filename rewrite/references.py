"""What expressions and plans refer to: columns of their own node, and rows around them.

A *free reference* of an expression is seen from where the expression stands: level 0 is a column
of what its node sees (``Col``), level k the row of the k-th enclosing query (``Outer``). Inside
the plan of a subquery expression the same row is one level further out.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from unwet.rewrite.algebra import Col, Expr, Outer, Rel, Subquery, expressions, inputs, parts

_CACHE = 1 << 16


@lru_cache(maxsize=_CACHE)
def columns_of(expr: Expr) -> frozenset[int]:
    """The columns of its node that an expression needs, through its subqueries too."""
    return frozenset(index for level, index in free_refs(expr) if level == 0)


@lru_cache(maxsize=_CACHE)
def free_refs(expr: Expr) -> frozenset[tuple[int, int]]:
    """All free references as (level, index)."""
    found: set[tuple[int, int]] = set()
    for part in parts(expr):
        match part:
            case Col(index=index):
                found.add((0, index))
            case Outer(level=level, index=index):
                found.add((level, index))
            case Subquery(rel=rel):
                found.update((level - 1, index) for level, index in free_outers(rel))
    return frozenset(found)


@lru_cache(maxsize=_CACHE)
def free_outers(rel: Rel) -> frozenset[tuple[int, int]]:
    """The references of a plan to rows of enclosing queries, as (level >= 1, index)."""
    found: set[tuple[int, int]] = set()
    for node in tree_order(rel):
        for expr in expressions(node):
            found.update((level, index) for level, index in free_refs(expr) if level > 0)
    return frozenset(found)


def is_correlated(rel: Rel) -> bool:
    """Does the plan of a subquery read the row it stands beside?"""
    return any(level == 1 for level, _ in free_outers(rel))


def reads_outer_row(expr: Expr) -> bool:
    """Does it read the row of an enclosing query?"""
    return any(level > 0 for level, _ in free_refs(expr))


def used(exprs: Iterable[Expr]) -> frozenset[int]:
    """The columns that any of the expressions needs."""
    return frozenset().union(*(columns_of(e) for e in exprs))


def tree_order(rel: Rel) -> list[Rel]:
    """The distinct relations below and including ``rel``, inputs first, no subquery plans."""
    seen: set[bytes] = set()
    out: list[Rel] = []
    stack: list[tuple[Rel, bool]] = [(rel, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            out.append(node)
        elif node.digest not in seen:
            seen.add(node.digest)
            stack.append((node, True))
            stack.extend((child, False) for child in inputs(node))
    return out
