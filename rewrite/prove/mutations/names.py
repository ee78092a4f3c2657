"""Operators on columns: two of a select list change places, another one of the same source."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.rewrite.prove.mutations.edits import Edit, Operator

_HOLDERS = (exp.Select, exp.Alias, exp.Sum, exp.Min, exp.Max, exp.Avg)


def _column_swap(node: exp.Expr) -> Iterator[Edit]:
    """Two neighbours of a select list change their values, not their names."""
    if not isinstance(node, exp.Select):
        return
    items = node.expressions
    for at in range(len(items) - 1):
        one, other = items[at].unalias(), items[at + 1].unalias()
        if _is_plain(one) and _is_plain(other) and one != other:
            yield _swapped(at)


def _is_plain(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not isinstance(node.this, exp.Star)


def _swapped(at: int) -> Edit:
    def edit(node: exp.Expr) -> exp.Expr:
        items = list(node.expressions)
        first, second = items[at], items[at + 1]
        items[at] = exp.alias_(second.unalias().copy(), _name(first))
        items[at + 1] = exp.alias_(first.unalias().copy(), _name(second))
        node.set("expressions", items)
        return node

    return edit


def _name(item: exp.Expr) -> exp.Identifier:
    """The name of a select item, quoted if it was."""
    named = item.args.get("alias") if isinstance(item, exp.Alias) else item.this
    assert isinstance(named, exp.Identifier)
    return named.copy()


def _other_column(node: exp.Expr) -> Iterator[Edit]:
    """The next column, by name, that the same SELECT takes from the same source: where a column
    is shown, or summed up."""
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        return
    if not isinstance(node.parent, _HOLDERS):
        return
    select = node.find_ancestor(exp.Select)
    if not isinstance(select, exp.Select) or (not node.table and select.args.get("joins")):
        return
    names = sorted({each.name for each in _beside(node, select)})
    if names:
        yield _renamed(next((name for name in names if name > node.name), names[0]))


def _beside(node: exp.Column, select: exp.Select) -> Iterator[exp.Column]:
    """The columns of the same source in the same SELECT, others than this one."""
    ctes = select.args.get("with_")
    for each in select.find_all(exp.Column):
        same = each.table == node.table and each.name.lower() != node.name.lower()
        if same and isinstance(each.this, exp.Identifier) and not each.this.args.get("quoted"):
            above = each.find_ancestor(exp.Select)
            if above is select and not (ctes and each.find_ancestor(exp.With) is ctes):
                yield each


def _renamed(name: str) -> Edit:
    def edit(node: exp.Expr) -> exp.Expr:
        shown = node.this.copy() if isinstance(node.parent, exp.Select) else None
        node.set("this", exp.to_identifier(name))
        return node if shown is None else exp.alias_(node.copy(), shown)

    return edit


NAMES: dict[str, Operator] = {
    "column swap": _column_swap,
    "other column": _other_column,
}
