"""An expression of one author's block, said in a block of another author.

Only its columns are said otherwise: each becomes the column of that name of the input that is most
like the one it came from, or, where the other author has no such column, what it is made of. These
are proposals, too: whether the query means what it should is found out by its normal form.
"""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.scopes import Input
from unwet.lineage.trees import copied
from unwet.rewrite.restated import Said, behind

_DEEP = 4  # subqueries that a column is looked up in


def moved(said: Said, block: Query, deep: int = _DEEP) -> exp.Expr | None:
    """The expression with its columns called as the block calls them; None where that has no
    such, and for expressions with queries of their own."""
    if said.node.find(exp.Query):
        return None
    whole = exp.Paren(this=copied(said.node))  # a root may be a column
    for column in list(whole.find_all(exp.Column)):
        owner = _owner(block, column, _source(said.block, column))
        if owner is not None:
            named = bool(column.table) or len(block.inputs) > 1
            column.set("table", exp.to_identifier(owner.alias) if named else None)
            continue
        made = behind(Said(column, said.block)) if deep else None
        inner = moved(made, block, deep - 1) if made is not None else None
        if inner is None:
            return None
        column.replace(exp.Paren(this=inner) if isinstance(inner, exp.Binary) else inner)
    found: exp.Expr = whole.this
    found.pop()
    return found


def _source(block: Query, column: exp.Column) -> Input | None:
    """The input of its block that a column is of."""
    name, qualifier = column.name.lower(), column.table.lower()
    found = [
        item
        for item in block.inputs
        if (item.alias.lower() == qualifier if qualifier else name in item.index)
    ]
    return found[0] if len(found) == 1 else None


def _owner(block: Query, column: exp.Column, source: Input | None) -> Input | None:
    """The input that has the column: one that is like its own, then one of the same alias."""
    found = [item for item in block.inputs if column.name.lower() in item.index]
    if len(found) == 1 or not found:
        return found[0] if found else None

    def key(item: Input) -> tuple[float, bool]:
        alike = _alike(item, source) if source is not None else 0.0
        return alike, item.alias.lower() == column.table.lower()

    first, second = sorted(found, key=key, reverse=True)[:2]
    return first if key(first) > key(second) else None


def _alike(one: Input, other: Input) -> float:
    """How much of their columns two inputs have in common; of one table, all."""
    if one.relation is not None and one.relation == other.relation:
        return 1.0
    mine, theirs = {*one.index}, {*other.index}
    return len(mine & theirs) / max(1, len(mine | theirs))
