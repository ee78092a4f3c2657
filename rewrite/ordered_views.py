"""Queries that take the rows of a view as they come.

    CREATE VIEW lines AS SELECT ... ORDER BY place;
    SELECT STRING_AGG(text, ' ') FROM lines

The order of a view is no part of its report, as that of a table is not, and so none of a proof.
Engines keep it, though, as that of a subquery, and the author of the second query has seen it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.rewrite.clauses import order_items
from unwet.rewrite.definitions import Definition
from unwet.rewrite.row_order import reads_order


def order_that_counts(query: Query, reads: Iterable[Definition]) -> str:
    """Why a query that reads these has rows of which nothing is known; empty where it has not."""
    ordered = next((view for view in _views(reads) if _is_ordered(view)), None)
    if ordered is None or not reads_order(query.node, query.dialect):
        return ""
    return f"it takes the rows of the view {ordered.relation} as they come, which are in an order"


def _views(reads: Iterable[Definition]) -> Iterator[Definition]:
    """The views that are read, and those that these read, each once."""
    waiting, seen = [*reads], set[int]()
    while waiting:
        view = waiting.pop(0)
        if view.is_view and id(view) not in seen:
            seen.add(id(view))
            yield view
            waiting += view.reads


def _is_ordered(view: Definition) -> bool:
    """Whether its rows may be in an order that nothing of a plan says."""
    queries = (part.query.node for part in view.parts if part.query is not None)
    return any(order_items(node) and not node.args.get("limit")
               for query in queries for node in query.find_all(exp.Query))  # fmt: skip
