"""LIMITs that DuckDB has no words for, or that sqlglot prints without what they say."""

from __future__ import annotations

from sqlglot import exp

_NOT_BESIDE = ("distinct", "qualify", "offset")


def limit_with_ties(node: exp.Expr) -> exp.Expr:
    """FETCH FIRST n ROWS WITH TIES: printed as LIMIT n; rows are kept up to rank n instead."""
    options = _options(node)
    if not isinstance(node, exp.Select) or not options.get("with_ties") or unspoken(node):
        return node
    limit, order = node.args["limit"], node.args["order"]
    keys = [_spelled_out(key.copy(), node) for key in order.expressions]
    rank = exp.Window(this=exp.Rank(), order=exp.Order(expressions=keys))
    node.set("qualify", exp.Qualify(this=exp.LTE(this=rank, expression=_count(limit))))
    node.set("limit", None)
    return node


def limit_of_percent(node: exp.Expr) -> exp.Expr:
    """FETCH FIRST n PERCENT: printed as LIMIT n."""
    if isinstance(node, exp.Fetch) and _said(node).get("percent"):
        return exp.Limit(expression=_count(node), limit_options=exp.LimitOptions(percent=True))
    return node


def unspoken(node: exp.Expr) -> str:
    """What DuckDB would not do of a LIMIT, whatever is written; empty where it can be told."""
    options = _options(node)
    if not options.get("with_ties"):
        return ""
    order = node.args.get("order")
    if not isinstance(node, exp.Select) or order is None or options.get("percent"):
        return "a limit with ties"
    if any(node.args.get(each) for each in _NOT_BESIDE):
        return "a limit with ties"
    places = (key.this for key in order.expressions)
    return "a limit with ties" if any(isinstance(p, exp.Literal) for p in places) else ""


def _options(node: exp.Expr) -> dict[str, object]:
    limit = node.args.get("limit") if isinstance(node, exp.Query) else None
    return _said(limit) if isinstance(limit, exp.Expr) else {}


def _said(limit: exp.Expr) -> dict[str, object]:
    options = limit.args.get("limit_options")
    return options.args if isinstance(options, exp.Expr) else {}


def _count(limit: exp.Expr) -> exp.Expr:
    count: exp.Expr = limit.args.get("count") or limit.args["expression"]
    return count.copy()


def _spelled_out(key: exp.Expr, select: exp.Select) -> exp.Expr:
    """A key of an order, with what an output is computed from in the place of its name."""
    by_name = {e.alias.lower(): e.this for e in select.expressions if isinstance(e, exp.Alias)}
    column = key.this
    if isinstance(column, exp.Column) and not column.table and column.name.lower() in by_name:
        key.set("this", by_name[column.name.lower()].copy())
    return key
