"""The order of a CTE or a derived table, which no row of the result depends on:

    SELECT day, COUNT(*) FROM (SELECT day, url FROM t GROUP BY day, url ORDER BY day) GROUP BY day
 =  SELECT day, COUNT(*) FROM (SELECT day, url FROM t GROUP BY day, url) GROUP BY day

Not where it decides which rows there are (LIMIT, DISTINCT ON, WITH FILL), nor where anything in the
statement takes rows as they come: an aggregate that collects them, a window without an order. Nor
where the result is just those rows: no engine promises their order, but their author may look at
it. It goes before copies are looked for, as one of them has an order that another has not.

Rows that several INSERTs write into one table have no order among one another, either:

    (SELECT day FROM t ORDER BY day) UNION ALL (SELECT day FROM u ORDER BY day)
 =  SELECT day FROM t UNION ALL SELECT day FROM u
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from unwet.rewrite.clauses import is_limited, order_items
from unwet.rewrite.row_order import reads_order, sees_order

_OTHER_ROWS = ("joins", "group", "order", "distinct", "having", "laterals")


def without_idle_orders(tree: exp.Expr, dialect: str) -> None:
    """In place."""
    idle = [query for query in tree.find_all(exp.Query) if _is_inside(query) and _is_idle(query)]
    if idle and reads_order(tree, dialect):
        idle = [query for query in idle if not sees_order(tree, query, dialect)]
    if not idle:
        return
    if not isinstance(tree, exp.Select) and not order_items(tree):
        return  # branches one behind the other
    shown = [*_shown(tree)]
    for query in idle:
        if not any(query is each for each in shown):
            query.set("order", None)


def without_orders_of_parts(tree: exp.Expr, dialect: str, parts: int) -> None:
    """In place; ``parts``: how many INSERTs the branches of the tree are, on its left side."""
    if reads_order(tree, dialect):
        return
    for _ in range(parts - 1):
        if not isinstance(tree, exp.Union):
            return
        for branch in (tree.this, tree.expression):
            query = branch.this if isinstance(branch, exp.Subquery) else None
            if isinstance(query, exp.Select) and _is_idle(query):
                query.set("order", None)
                if not query.args.get("with_"):
                    branch.replace(query)
        tree = tree.this


def _is_inside(query: exp.Expr) -> bool:
    above = query.parent
    if isinstance(above, exp.Subquery):
        return isinstance(above.parent, exp.From | exp.Join)
    return isinstance(above, exp.CTE)


def _is_idle(query: exp.Expr) -> bool:
    """Whether it has an order, by which nothing is chosen."""
    items, distinct = order_items(query), query.args.get("distinct")
    if not items or is_limited(query) or any(item.args.get("with_fill") for item in items):
        return False
    return not (isinstance(distinct, exp.Distinct) and distinct.args.get("on"))


def _shown(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The queries whose rows are the result's, one for one."""
    ctes = {cte.alias.lower(): cte.this for cte in tree.find_all(exp.CTE)}
    query: exp.Expr | None = tree
    while isinstance(query, exp.Select) and not any(query.args.get(key) for key in _OTHER_ROWS):
        source = query.args.get("from_")
        item = source.this if source is not None else None
        query = item.this if isinstance(item, exp.Subquery) else None
        if isinstance(item, exp.Table):
            query = ctes.pop(item.name.lower(), None)
        if query is not None:
            yield query
