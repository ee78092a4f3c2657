"""DuckDB's ORDER BY ALL, for an engine that does not know it.

SELECT a, b FROM t ORDER BY ALL DESC  ->  SELECT a, b FROM t ORDER BY 1 DESC, 2 DESC
"""

from __future__ import annotations

from sqlglot import exp

from unwet.rewrite.clauses import all_by_number, orders_by_all


def counted_out(tree: exp.Query, source: str, target: str) -> None:
    """In place, for a query that is written for another engine; not behind a star."""
    if source == target:
        return
    for order in tree.find_all(exp.Order):
        query = order.parent
        if not isinstance(query, exp.Select | exp.SetOperation):
            continue
        outputs = query.selects
        if orders_by_all(order.expressions, source) and not any(o.is_star for o in outputs):
            order.set("expressions", all_by_number(order.expressions[0], len(outputs)))
