"""Operators on clauses: WHERE, HAVING, joins, DISTINCT, UNION, windows, keys of GROUP BY."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.rewrite.prove.mutations.edits import Edit, Operator, setting, without


def _dropped_where(node: exp.Expr) -> Iterator[Edit]:
    if isinstance(node, exp.Select | exp.Update | exp.Delete) and node.args.get("where"):
        yield setting(where=None)


def _dropped_having(node: exp.Expr) -> Iterator[Edit]:
    if isinstance(node, exp.Select):
        if node.args.get("having"):
            yield setting(having=None)
        if node.args.get("qualify"):
            yield setting(qualify=None)


def _outer_to_inner(node: exp.Expr) -> Iterator[Edit]:
    """LEFT and RIGHT JOIN become JOIN, FULL JOIN becomes LEFT JOIN."""
    if not _is_plain_join(node):
        return
    if str(node.args.get("side")).upper() in ("LEFT", "RIGHT"):
        yield setting(side=None, kind=None)
    elif str(node.args.get("side")).upper() == "FULL":
        yield setting(side="LEFT", kind=None)


def _inner_to_left(node: exp.Expr) -> Iterator[Edit]:
    if _is_plain_join(node) and not node.args.get("side"):
        yield setting(side="LEFT", kind=None)


def _is_plain_join(node: exp.Expr) -> bool:
    """With a condition, and no SEMI, ANTI or CROSS."""
    if not isinstance(node, exp.Join) or not (node.args.get("on") or node.args.get("using")):
        return False
    return str(node.args.get("kind") or "").upper() in ("", "INNER", "OUTER")


def _distinct(node: exp.Expr) -> Iterator[Edit]:
    """DISTINCT is lost, or stands over a whole statement whose rows may be there twice."""
    if not isinstance(node, exp.Select):
        return
    if node.args.get("distinct"):
        yield setting(distinct=None)
    elif not _is_set_already(node):
        yield setting(distinct=exp.Distinct())


def _is_set_already(node: exp.Select) -> bool:
    """Whether it is a part of another query, or its rows are grouped or cut off."""
    if node.args.get("group") or node.args.get("limit") or node.args.get("from_") is None:
        return True
    if node.parent is not None and not isinstance(node.parent, exp.Create | exp.Insert):
        return True
    return any(_has_aggregate(each) for each in node.expressions)


def _has_aggregate(node: exp.Expr) -> bool:
    return any(
        isinstance(each, exp.AggFunc) and not isinstance(each.parent, exp.Window)
        for each in node.find_all(exp.AggFunc)
    )


def _union(node: exp.Expr) -> Iterator[Edit]:
    """UNION becomes UNION ALL, and the other way round; so do INTERSECT and EXCEPT."""
    if isinstance(node, exp.SetOperation):
        yield setting(distinct=not node.args.get("distinct"))


def _ties(node: exp.Expr) -> Iterator[Edit]:
    """A LIMIT lets rows through, too, that are equal to the last one; or it does no more."""
    if isinstance(node, exp.Fetch) and _with_ties(node):
        yield setting(limit_options=None)
    elif isinstance(node, exp.Limit) and node.parent is not None and node.parent.args.get("order"):
        yield _letting_ties_through


def _with_ties(node: exp.Fetch) -> bool:
    options = node.args.get("limit_options")
    return isinstance(options, exp.Expr) and bool(options.args.get("with_ties"))


def _letting_ties_through(node: exp.Expr) -> exp.Expr:
    return exp.Limit(expression=node.expression, limit_options=exp.LimitOptions(with_ties=True))


def _filter_above_window(node: exp.Expr) -> Iterator[Edit]:
    """Windows see the rows, too, that WHERE drops."""
    if isinstance(node, exp.Select) and node.args.get("where") and not node.args.get("group"):
        windows = (w for each in node.expressions for w in each.find_all(exp.Window))
        if any(w.parent_select is node for w in windows) and not node.args.get("qualify"):
            yield _later


def _later(node: exp.Expr) -> exp.Expr:
    node.set("qualify", exp.Qualify(this=node.args["where"].this))
    node.set("where", None)
    return node


def _partition(node: exp.Expr) -> Iterator[Edit]:
    """A key of PARTITION BY less."""
    if isinstance(node, exp.Window):
        keys = node.args.get("partition_by") or []
        yield from (without("partition_by", at) for at in range(len(keys)))


def _window_order(node: exp.Expr) -> Iterator[Edit]:
    """The first key of a window's ORDER BY is turned round."""
    if isinstance(node, exp.Window) and node.args.get("order"):
        yield _turned


def _turned(node: exp.Expr) -> exp.Expr:
    first = node.args["order"].expressions[0]
    if isinstance(first, exp.Ordered):
        first.set("desc", not first.args.get("desc"))
    return node


def _grouping(node: exp.Expr) -> Iterator[Edit]:
    """A key of GROUP BY less that is not shown, neither as it is nor by its name."""
    if not isinstance(node, exp.Group) or not isinstance(node.parent, exp.Select):
        return
    keys = node.expressions
    shown = {each.unalias().sql() for each in node.parent.expressions}
    shown |= {each.alias_or_name for each in node.parent.expressions}
    for at, key in enumerate(keys):
        if len(keys) > 1 and isinstance(key, exp.Column) and key.sql() not in shown:
            yield without("expressions", at)


CLAUSES: dict[str, Operator] = {
    "dropped WHERE": _dropped_where,
    "dropped HAVING": _dropped_having,
    "outer to inner join": _outer_to_inner,
    "inner to left join": _inner_to_left,
    "DISTINCT": _distinct,
    "UNION": _union,
    "WITH TIES": _ties,
    "filter above window": _filter_above_window,
    "PARTITION BY": _partition,
    "window order": _window_order,
    "GROUP BY": _grouping,
}
