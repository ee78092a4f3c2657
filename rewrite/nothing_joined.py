"""LEFT JOINs of a CTE that never has rows: its columns are NULL, whatever the condition.

    WITH e AS (SELECT CAST(NULL AS INT) AS k, CAST(NULL AS INT) AS n WHERE 1 = 0)
    SELECT t.a, e.n FROM t LEFT JOIN e ON e.k = t.k
 =  SELECT t.a, CAST(NULL AS INT) AS n FROM t

A generator writes them, for rules that a report has none of. What is computed of them and read by
nobody goes, too, where the query around it takes columns by their names. They go before copies are
looked for.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

_PLAIN: Final = frozenset({"expressions", "from_", "joins", "where", "group", "having", "with_"})
_WITHIN: Final = (exp.Window, exp.Lateral, exp.Star)  # where a NULL is no column, or all are meant


def without_nothing_joined(tree: exp.Expr) -> None:
    """In place."""
    block = tree.args.get("with_")
    if block is None or block.args.get("recursive"):
        return
    for cte in list(block.expressions):
        nulls = _nulls(cte)
        named = [each for each in tree.find_all(exp.CTE) if each.alias.lower() == cte.alias.lower()]
        if nulls is None or len(named) > 1:
            continue
        readers = [t for t in tree.find_all(exp.Table) if t.name.lower() == cte.alias.lower()]
        if not all(map(_is_bare, readers)):
            continue
        left = [each for each in readers if not _without(each, nulls)]
        if readers and not left:
            block.expressions.remove(cte)
    if not block.expressions:
        tree.set("with_", None)


def _nulls(cte: exp.CTE) -> dict[str, exp.Expr] | None:
    """The NULLs that a CTE has as its columns, by their names; None if it may have rows."""
    query = cte.this
    said = {key for key, value in query.args.items() if value}
    if not isinstance(query, exp.Select) or said != {"expressions", "where"}:
        return None
    if cte.args["alias"].args.get("columns") or not _is_never(query.args["where"].this):
        return None
    items = {item.alias.lower(): item.unalias() for item in query.expressions}
    values = [value.this if isinstance(value, exp.Cast) else value for value in items.values()]
    if len(items) < len(query.expressions) or not all(isinstance(v, exp.Null) for v in values):
        return None
    return items


def _is_never(test: exp.Expr) -> bool:
    """Whether a condition is one of two different whole numbers."""
    if not isinstance(test, exp.EQ):
        return False
    sides = (test.this, test.expression)
    numbers = [s.name for s in sides if isinstance(s, exp.Literal) and not s.is_string]
    return len(numbers) == 2 and all(map(str.isdecimal, numbers)) and len({*map(int, numbers)}) == 2


def _is_bare(table: exp.Table) -> bool:
    said = {key for key, value in table.args.items() if value}
    return said <= {"this", "alias"} and not table.this.args.get("quoted")


def _without(table: exp.Table, nulls: dict[str, exp.Expr]) -> bool:
    """In place: the query without the join, where that says the same."""
    join, name = table.parent, table.alias_or_name.lower()
    if not isinstance(join, exp.Join) or not isinstance(join.parent, exp.Select):
        return False
    select = join.parent
    said = {key for key, value in join.args.items() if value} - {"this", "on", "side", "kind"}
    if said or join.side != "LEFT" or join.kind not in ("", "OUTER"):
        return False
    read = [c for c in select.find_all(exp.Column) if c.table.lower() == name]
    outside = [c for c in read if not _is_in(c, join)]
    if not _may_go(select, join, name, nulls) or not all(_may_be_null(c, select) for c in outside):
        return False
    if any(column.name.lower() not in nulls for column in read):
        return False
    join.pop()
    items = [item for item in select.expressions if any(_is_in(c, item) for c in outside)]
    for column in outside:
        value = nulls[column.name.lower()].copy()
        if column.parent is select:
            value = exp.alias_(value, column.name)
        column.replace(value)
    _take_out(select, items)
    return True


def _take_out(select: exp.Select, items: list[exp.Expr]) -> None:
    """In place: without the items that the query around does not read."""
    around = select.parent.parent if isinstance(select.parent, exp.Subquery) else None
    outer = around.parent_select if isinstance(around, exp.From | exp.Join) else None
    if outer is None or not {key for key, value in select.args.items() if value} <= _PLAIN:
        return
    group = select.args.get("group")
    keys = group.expressions if group is not None else []
    if any(isinstance(key, exp.Literal) for key in keys) or not keys:
        return
    if any(isinstance(node, exp.Star) and not _counts(node) for node in outer.walk()):
        return
    read = {c.name.lower() for c in outer.find_all(exp.Column)
            if not any(_is_in(c, item) for item in items)}  # fmt: skip
    for item in items:
        if item.alias and item.alias.lower() not in read and len(select.expressions) > 1:
            item.pop()


def _may_go(select: exp.Select, join: exp.Join, name: str, nulls: dict[str, exp.Expr]) -> bool:
    """Whether no other relation is called so, nor a column read without saying whose it is."""
    others = [t for t in select.find_all(exp.Table, exp.Subquery) if t is not join.this]
    if any(t.alias_or_name.lower() == name for t in others):
        return False
    if any(isinstance(node, _WITHIN) and not _counts(node) for node in select.walk()):
        return False
    bare = (c.name.lower() for c in select.find_all(exp.Column) if not c.table)
    return not any(each in nulls for each in bare)


def _counts(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star) and isinstance(node.parent, exp.Count)


def _may_be_null(column: exp.Column, select: exp.Select) -> bool:
    """Whether a NULL may stand there: no key of groups or of an order."""
    at: exp.Expr | None = column
    while at is not None and at.parent is not select:
        at = at.parent
    return at is not None and at.arg_key in ("expressions", "where", "having", "joins")


def _is_in(node: exp.Expr, other: exp.Expr) -> bool:
    at: exp.Expr | None = node
    while at is not None and at is not other:
        at = at.parent
    return at is not None
