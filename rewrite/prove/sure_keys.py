"""Keys of ORDER BY that are never NULL as they are written: for queries without a plan.

    without_nulls(tree, dialect) -> tree

Where such a key has its NULLs is of no effect, and is not said in the tree that is returned.
"""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.rules.promises import RAISING

_NUMBERING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Count, exp.Grouping)


def without_nulls(tree: exp.Expr, dialect: str) -> exp.Expr:
    """ORDER BY GROUPING(a) NULLS FIRST -> ORDER BY GROUPING(a), in a copy."""
    made = copied(tree)
    for each in list(made.find_all(exp.Ordered)):
        key = _named(each)
        if key is not None and _is_never_null(key, dialect):
            each.set("nulls_first", None)
    return made


def _named(ordered: exp.Ordered) -> exp.Expr | None:
    """The key, or what the SELECT whose rows are ordered calls so: a bare name is that of an output
    before it is that of a column (SQL-92, 13.1). None: it is a position, or in doubt."""
    key, above = ordered.this, ordered.parent
    if isinstance(key, exp.Literal):
        return None
    if not isinstance(key, exp.Column):
        return key if isinstance(key, exp.Expr) else None
    query = above.parent if isinstance(above, exp.Order) else None
    if not isinstance(query, exp.Select) or len(key.parts) > 1:
        return None
    found = [e for e in query.expressions if e.alias_or_name.lower() == key.name.lower()]
    return found[0].unalias() if len(found) == 1 else None


def _is_never_null(node: exp.Expr, dialect: str) -> bool:
    match node:
        case exp.Paren():
            return _is_never_null(node.this, dialect)
        case exp.Window():
            return isinstance(node.this, _NUMBERING)
        case exp.Add() | exp.Sub() | exp.Mul():
            both = (node.this, node.expression)
            return dialect in RAISING and all(_is_never_null(e, dialect) for e in both)
        case exp.Literal():
            return not node.is_string
        case _:
            return isinstance(node, _NUMBERING)
