"""The order of a query that SQL Server makes a view of, or reads as a table.

    SELECT day FROM t ORDER BY day  ->  SELECT day FROM t ORDER BY day OFFSET 0 ROWS

There it takes an ORDER BY only with TOP, OFFSET or FOR XML ("ORDER BY clause (Transact-SQL)",
Limitations), and dbt, SQLMesh and all.sql put every model into a view or a subquery. To leave out
no row changes none. As everywhere, whoever reads a view has to say the order that he wants.
"""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.rewrite.clauses import is_limited, order_items


def with_order_kept(tree: exp.Expr, dialect: str) -> None:
    """In place: every ORDER BY of a query of T-SQL that has no rows left out leaves out none."""
    if dialect not in TSQL:
        return
    for query in tree.find_all(exp.Query):
        if order_items(query) and not is_limited(query) and not query.args.get("for_"):
            query.set("offset", exp.Offset(expression=exp.Literal.number(0)))
