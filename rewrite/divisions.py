"""Quotients whose type their operands decide, as DuckDB writes them.

In PostgreSQL, SQL Server and others 7 / 2 is 3 and 7.0 / 2 is 3.5; DuckDB's / is 3.5 for both. Its
// is what they mean: it cuts off towards zero for integers, is a fraction for decimals and floats,
and an error for a zero (DuckDB's manual, Numeric Operators; executed in test_divisions.py). It is
not for intervals, and SQLite's quotient by zero is NULL. Which are fractions: `quotients`.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp


def as_typed(tree: exp.Expr, dialect: str, is_fraction: Callable[[exp.Div], bool]) -> None:
    """In place, in a tree that is going to be DuckDB's: // where / would be another quotient.
    `is_fraction`: whether one is surely none of integers; then / says the same, and is read more
    easily."""
    if dialect != "duckdb":
        return
    for node in reversed(list(tree.find_all(exp.Div))):
        if not is_typed(node) or node.args.get("safe"):
            continue
        if is_fraction(node):
            node.set("typed", False)
            continue
        made = exp.IntDiv(this=node.this, expression=node.expression)
        made.comments = node.comments
        node.replace(made)


def is_typed(node: exp.Expr) -> bool:
    """Whether it is a quotient that the types of its operands decide, and not one of intervals."""
    typed = isinstance(node, exp.Div) and bool(node.args.get("typed"))
    return typed and not node.find(exp.Interval)
