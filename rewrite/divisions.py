"""Quotients whose type their operands decide, as DuckDB writes them.

In PostgreSQL, SQL Server and others 7 / 2 is 3 and 7.0 / 2 is 3.5; DuckDB's / is 3.5 for both. Its
// is what they mean: it cuts off towards zero for integers, is a fraction for decimals and floats,
and an error for a zero (DuckDB's manual, Numeric Operators; executed in test_divisions.py). It is
not for intervals, and SQLite's quotient by zero is NULL.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

_FLOATS: Final = frozenset({exp.DataType.Type.FLOAT, exp.DataType.Type.DOUBLE})


def as_typed(tree: exp.Expr, dialect: str) -> None:
    """In place, in a tree that is going to be DuckDB's: // where / would be another quotient."""
    if dialect != "duckdb":
        return
    for node in list(tree.find_all(exp.Div)):
        plain = not is_typed(node) or node.args.get("safe")
        if plain or any(map(_is_fraction, (node.this, node.expression))):
            continue
        made = exp.IntDiv(this=node.this, expression=node.expression)
        made.comments = node.comments
        node.replace(made)


def is_typed(node: exp.Expr) -> bool:
    """Whether it is a quotient that the types of its operands decide, and not one of intervals."""
    typed = isinstance(node, exp.Div) and bool(node.args.get("typed"))
    return typed and not node.find(exp.Interval)


def _is_fraction(node: exp.Expr) -> bool:
    """Whether it is surely no integer: then / says the same, and is read more easily."""
    match node:
        case exp.Literal(is_string=False):
            return "." in node.name or "e" in node.name.lower()
        case exp.Paren():
            return _is_fraction(node.this)
        case exp.Mul() | exp.Add() | exp.Sub() | exp.Div():
            return _is_fraction(node.this) or _is_fraction(node.expression)
        case exp.Cast():
            return node.to.this in _FLOATS
        case _:
            return False
