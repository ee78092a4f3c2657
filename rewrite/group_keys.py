"""GROUP BY of two templates, of which one has keys more that tell no rows apart.

    GROUP BY region, 'NULL', region  =  GROUP BY region

A constant is the same in all rows, and a key that stands there twice is one; so what a parameter of
the one template would have to be for the other one may be such a key. Only beside other keys: those
of no rows are no group. In the words of an engine that groups by a text in quotes.

same_keys(left, right, ...) -> whether they group alike
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HOLE
from unwet.rewrite.shapes import Leaf

_SETS: Final = (exp.Cube, exp.Rollup, exp.GroupingSets, exp.Tuple)  # which may be of no key
# Databricks and Spark, "GROUP BY clause"; DuckDB, "GROUP BY": any expression. BigQuery, PostgreSQL,
# T-SQL and Oracle refuse a constant, or take it for the number of an output
_BY_TEXT: Final = frozenset({"databricks", "spark", "duckdb"})


def may_differ(mine: object, other: object, dialect: str) -> bool:
    """Whether two GROUP BYs say nothing but keys, and not as many."""
    if not (isinstance(mine, exp.Group) and isinstance(other, exp.Group)):
        return False
    plain = all({k for k, v in each.args.items() if v} == {"expressions"} for each in (mine, other))
    keys = [key for each in (mine, other) for key in each.expressions]
    plain = plain and not any(isinstance(key, _SETS) for key in keys)
    return plain and dialect in _BY_TEXT and len(mine.expressions) != len(other.expressions)


def same_keys(
    left: Sequence[exp.Expr],
    right: Sequence[exp.Expr],
    tried: Callable[[exp.Expr, exp.Expr], bool],
    said: Callable[[str], Leaf | None],
    leaf_of: Callable[[exp.Expr], Leaf | None],
) -> bool:
    """``tried``: whether one expression is the other; ``said``: what parameters of the first
    template are for the second one; ``leaf_of``: what one would be for an expression of it."""
    rest = [*right]
    keys = {leaf_of(key) for key in right if not _is_text(key)}
    for key in left:
        while rest and not tried(key, rest[0]) and _is_text(rest[0]):
            rest.pop(0)
        if rest and tried(key, rest[0]):
            rest.pop(0)
            continue
        hole = HOLE.fullmatch(key.name) if isinstance(key, exp.Var) else None
        value = said(hole[1]) if hole is not None else None
        if not (_is_text(key) or (value is not None and (value in keys or _says_text(value)))):
            return False
    return bool(keys) and all(map(_is_text, rest))


def _is_text(key: exp.Expr) -> bool:
    return isinstance(key, exp.Literal) and key.is_string


def _says_text(leaf: Leaf) -> bool:
    """Whether a parameter is a constant text, whatever is in it."""
    inner = leaf.text[1:-1]
    return leaf.kind == "condition" and leaf.text == f"'{inner}'" and "'" not in inner
