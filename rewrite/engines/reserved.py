"""Names that are words of SQL to another engine: in quotes, where they stay the same names."""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.names import is_reserved_by


def in_quotes(tree: exp.Expr, source: str, target: str) -> None:
    """In place: names that are words of the target's SQL, in quotes."""
    if source == target:
        return
    for name in tree.find_all(exp.Identifier):
        if not name.args.get("quoted") and is_reserved_by(name.name, target):
            name.set("quoted", True)
