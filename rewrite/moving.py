"""An expression of one author's block, said in a block of another author.

Only its columns are said otherwise: each becomes the column of that name of the input that is most
like the one it came from, or, where the other author has no such column, what it is made of. What
the other author has computed in a query of its own is a column there. These
are proposals, too: whether the query means what it should is found out by its normal form.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.scopes import Input
from unwet.lineage.trees import copied, in_line
from unwet.rewrite.restated import Said, behind
from unwet.rewrite.shapes import children

_DEEP = 4  # subqueries that a column is looked up in


class Computed:
    """The columns that the queries of blocks compute, by what they are made of: found out once for
    all expressions that are brought there."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Query, Mapping[str, exp.Column]]] = {}  # kept: by identity

    def of(self, block: Query) -> Mapping[str, exp.Column]:
        """Those of a block of a tree that nobody changes."""
        if id(block) not in self._known:
            self._known[id(block)] = block, _computed(block)
        return self._known[id(block)][1]


def moved(said: Said, block: Query, computed: Computed | None = None) -> exp.Expr | None:
    """The expression with its columns called as the block calls them; None where that has no
    such, and for expressions with queries of their own. ``computed``: what is known of blocks."""
    if said.node.find(exp.Query):
        return None
    return _moved(said, block, _DEEP) or _with_computed(said, block, computed or Computed())


def _moved(said: Said, block: Query, deep: int) -> exp.Expr | None:
    whole = exp.Paren(this=copied(said.node))  # a root may be a column
    for column in list(whole.find_all(exp.Column)):
        owner = _owner(block, column, _source(said.block, column))
        if owner is not None:
            if len(block.inputs) > 1 and not owner.alias:
                return None  # FROM (SELECT ..) JOIN ..: nothing says whose column it is
            named = owner.alias and (column.table or len(block.inputs) > 1)
            column.set("table", exp.to_identifier(owner.alias) if named else None)
            continue
        made = behind(Said(column, said.block)) if deep else None
        inner = _moved(made, block, deep - 1) if made is not None else None
        if inner is None:
            return None
        column.replace(exp.Paren(this=inner) if isinstance(inner, exp.Binary) else inner)
    found: exp.Expr = whole.this
    found.pop()
    return found


# --- what is computed there already -------------------------------------------------------------


def _with_computed(said: Said, block: Query, computed: Computed) -> exp.Expr | None:
    """The expression over columns in which the block's queries have computed parts of it."""
    columns = computed.of(block)
    return _folded(said, block, columns) if columns else None


def _folded(said: Said, block: Query, columns: Mapping[str, exp.Column]) -> exp.Expr | None:
    node = said.node
    if (base := _base(said, _DEEP)) is not None and in_line(base) in columns:
        return copied(columns[in_line(base)])
    if isinstance(node, exp.Column):
        return _moved(said, block, _DEEP)
    copy = copied(node)
    for old, new in zip([*children(node)], [*children(copy)], strict=True):
        if old.find(exp.Column) is None:
            continue
        inner = _folded(Said(old, said.block), block, columns)
        if inner is None:
            return None
        new.replace(inner)
    return copy


def _computed(block: Query) -> dict[str, exp.Column]:
    """The columns that the block's queries compute, by what they are made of."""
    found: dict[str, exp.Column] = {}
    for item in block.inputs:
        if not item.alias and len(block.inputs) > 1:
            continue
        for output in item.query.outputs if item.query is not None else ():
            column = exp.column(output.name, table=item.alias or None)
            base = _base(Said(column, block), _DEEP)
            if base is not None and not isinstance(base, exp.Column):
                found.setdefault(in_line(base), column)
    return found


def _base(said: Said, deep: int) -> exp.Expr | None:
    """The expression over columns of tables."""
    if said.node.find(exp.Query, exp.AggFunc, exp.Window):
        return None
    whole = exp.Paren(this=copied(said.node))
    for column in [*whole.find_all(exp.Column)]:
        made = behind(Said(column, said.block)) if deep else None
        inner = _base(made, deep - 1) if made is not None else _of_table(said.block, column)
        if inner is None:
            return None
        column.replace(exp.Paren(this=inner) if isinstance(inner, exp.Binary) else inner)
    for paren in [*whole.this.find_all(exp.Paren)]:
        if paren.parent is not None and not isinstance(paren.this, exp.Binary | exp.Connector):
            paren.replace(paren.this)
    found: exp.Expr = whole.this
    found.pop()
    return found


def _of_table(block: Query, column: exp.Column) -> exp.Column | None:
    source = _source(block, column)
    known = source is not None and source.query is None and source.relation
    return exp.column(column.name.lower(), table=str(known)) if known else None


# --- whose column ------------------------------------------------------------------------------


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
