"""Texts of several rows in one, where nobody says what stands between them.

STRING_AGG(name ORDER BY name)  =  STRING_AGG(name, ',' ORDER BY name)

with_separators(trees, dialect)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp

# DuckDB, "Aggregate Functions"; MySQL, GROUP_CONCAT. It is none in LISTAGG of others, whatever is
# printed for it.
_COMMA: Final = frozenset({"duckdb", "mysql"})


def with_separators(trees: Sequence[exp.Expr | None], dialect: str) -> None:
    """In place: the comma is said, as it is printed."""
    if dialect not in _COMMA:
        return
    for call in (n for tree in trees if tree is not None for n in tree.find_all(exp.GroupConcat)):
        if call.args.get("separator") is None:
            call.set("separator", exp.Literal.string(","))
