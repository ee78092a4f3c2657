"""The graph without some of its relations: what they pass on goes straight to their readers.

Meant for temporary tables, which are steps of a script and no places where data stays.
"""

from collections import deque
from collections.abc import Iterable, Set

from unwet.lineage.columns import RANKS, ColumnId, Edge
from unwet.lineage.flows import ROW_COUNT, combine
from unwet.lineage.graph import Graph


def without(graph: Graph, relations: Set[str]) -> Graph:
    """The same lineage with `relations` read through; places are those of the first reading.

    An edge through several is as certain as the least certain of them, and DIRECT only if all
    are. Columns of a removed relation that nothing feeds end there: they vanish.
    """
    if not relations:
        return graph
    through = _Through(graph.edges, relations)
    edges = [
        passed
        for edge in graph.edges
        if edge.target.relation not in relations
        for passed in through.edges(edge)
    ]
    return Graph(edges, graph.unresolved)


class _Through:
    """What flows into the columns of the removed relations, from those that stay."""

    def __init__(self, edges: Iterable[Edge], relations: Set[str]) -> None:
        self._relations = relations
        self._into: dict[ColumnId, list[Edge]] = {}
        self._columns: dict[str, set[ColumnId]] = {}
        self._done: dict[ColumnId, tuple[Edge, ...]] = {}
        for edge in edges:
            if edge.target.relation in relations:
                self._into.setdefault(edge.target, []).append(edge)
                self._columns.setdefault(edge.target.relation, set()).add(edge.target)

    def edges(self, edge: Edge) -> Iterable[Edge]:
        """An edge as it is, or in its place those from what feeds its removed source."""
        if edge.source.relation not in self._relations:
            return (edge,)
        return (_joined(first, edge) for first in self._flows(edge.source))

    def _flows(self, column: ColumnId) -> tuple[Edge, ...]:
        """What feeds a removed column from outside, the nearest first; circles are walked once."""
        if column not in self._done:
            seen: dict[tuple[ColumnId, str, str], Edge] = {}
            todo = deque(self._feeding(column))
            while todo:
                edge = todo.popleft()
                key = (edge.source, edge.type, edge.subtype)
                if key in seen:
                    continue
                seen[key] = edge
                if edge.source.relation in self._relations:
                    todo.extend(_joined(first, edge) for first in self._feeding(edge.source))
            outside = (e for e in seen.values() if e.source.relation not in self._relations)
            self._done[column] = tuple(outside)
        return self._done[column]

    def _feeding(self, column: ColumnId) -> Iterable[Edge]:
        own = self._into.get(column, [])
        if own or column.column != "*":
            # a column of a table that was filled by a star over unknown columns
            return own or self._into.get(ColumnId(column.relation, "*"), [])
        return self._row_edges(column)

    def _row_edges(self, rows: ColumnId) -> Iterable[Edge]:
        """What decides how many rows a removed relation has: the rows it is made from."""
        for column in sorted(self._columns.get(rows.relation, ())):
            for edge in self._into[column]:
                if edge.type == "INDIRECT":
                    yield edge._replace(target=rows)
                source = ColumnId(edge.source.relation, "*")
                yield Edge(source, rows, *ROW_COUNT, edge.certainty, edge.spans)


def _joined(first: Edge, second: Edge) -> Edge:
    """`first` into a removed column, `second` out of it, as one edge."""
    own = first.type, first.subtype
    counted = second.source.column == "*" and (second.type, second.subtype) == ROW_COUNT
    kept = counted and first.type == "INDIRECT"  # what decides the rows says more than their count
    kind, subtype = own if kept else combine(own, (second.type, second.subtype))
    certainty = max(first.certainty, second.certainty, key=RANKS.index)
    return Edge(first.source, second.target, kind, subtype, certainty, first.spans, first.evidence)
