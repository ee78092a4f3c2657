"""Operators on what is easily overlooked: where NULLs come, ties, time zones, case, NULLs in IN."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.rewrite.prove.mutations.edits import Edit, Operator, becoming, child, setting, without


def _nulls_first(node: exp.Expr) -> Iterator[Edit]:
    """NULLs come at the other end: where that decides what comes out."""
    if isinstance(node, exp.Ordered) and _decides(node.parent):
        yield setting(nulls_first=not node.args.get("nulls_first"))


def _decides(order: exp.Expr | None) -> bool:
    """Whether an ORDER BY is more than the order of the result."""
    query = order.parent if isinstance(order, exp.Order) else None
    if isinstance(query, exp.Query):
        return bool(query.args.get("limit") or query.args.get("offset"))
    return query is not None


def _tie_breaker(node: exp.Expr) -> Iterator[Edit]:
    """The last key of a window's ORDER BY is lost."""
    if isinstance(node, exp.Order) and isinstance(node.parent, exp.Window):
        last = len(node.expressions) - 1
        if last > 0:
            yield without("expressions", last)


def _time_zone(node: exp.Expr) -> Iterator[Edit]:
    """x AT TIME ZONE 'UTC' becomes x, DATE(x, 'UTC') becomes DATE(x)."""
    if isinstance(node, exp.AtTimeZone):
        yield child("this")
    elif node.args.get("zone") and not isinstance(node, exp.FromTimeZone):
        yield setting(zone=None)


def _case(node: exp.Expr) -> Iterator[Edit]:
    """ILIKE becomes LIKE; UPPER and LOWER are lost."""
    if isinstance(node, exp.ILike):
        yield becoming(exp.Like)
    elif isinstance(node, exp.Lower | exp.Upper):
        yield child("this")


def _null_in_list(node: exp.Expr) -> Iterator[Edit]:
    """NOT IN (SELECT x ...) passes over x that is NULL, as NOT EXISTS does."""
    query = node.args.get("query") if isinstance(node, exp.In) else None
    select = query.this if isinstance(query, exp.Subquery) else None
    if isinstance(select, exp.Select) and isinstance(node.parent, exp.Not) and _is_plain(select):
        yield _without_nulls


def _is_plain(select: exp.Select) -> bool:
    """One column of a query without groups."""
    grouped = ("group", "distinct", "having", "limit", "qualify")
    if len(select.expressions) != 1 or any(select.args.get(each) for each in grouped):
        return False
    shown = select.expressions[0].unalias()
    return isinstance(shown, exp.Column) and not isinstance(shown.this, exp.Star)


def _without_nulls(node: exp.Expr) -> exp.Expr:
    select = node.args["query"].this
    test: exp.Expr = exp.Not(
        this=exp.Is(this=select.expressions[0].unalias().copy(), expression=exp.Null())
    )
    where = select.args.get("where")
    if where is not None:
        test = exp.And(this=_grouped(where.this), expression=test)
    select.set("where", exp.Where(this=test))
    return node


def _grouped(test: exp.Expr) -> exp.Expr:
    return exp.Paren(this=test) if isinstance(test, exp.Or) else test


DETAILS: dict[str, Operator] = {
    "NULLS FIRST": _nulls_first,
    "tie-breaker": _tie_breaker,
    "time zone": _time_zone,
    "upper and lower case": _case,
    "NULL in NOT IN": _null_in_list,
}
