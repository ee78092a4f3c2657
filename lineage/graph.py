"""The column graph of a pile: what feeds a column, what a column feeds, and its circles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from unwet.lineage.circles import strongly_connected
from unwet.lineage.columns import ColumnId, Edge, Traced
from unwet.lineage.errors import UsageError
from unwet.lineage.findings import Finding
from unwet.lineage.garbage import uncollected

if TYPE_CHECKING:
    import networkx

Kinds = Literal["direct", "all"]
Adjacency = list[list[int]]


class Graph:
    """Column lineage, indexed by int inside.

    `edges` are all edges, sorted, those of whole rows spread over the target's columns;
    `unresolved` are the names that are ambiguous or unknown.
    """

    def __init__(
        self,
        edges: Iterable[Edge] = (),
        unresolved: Sequence[Finding] = (),
        traced: Sequence[Traced] = (),
    ) -> None:
        self.unresolved = tuple(unresolved)
        self._given = tuple(edges)
        self._traced = tuple(traced)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges; equal ones of several statements are one, with all their places."""
        with uncollected():
            return tuple(sorted(_united(chain(self._given, *(t.edges() for t in self._traced)))))

    @cached_property
    def direct(self) -> tuple[Edge, ...]:
        """The edges that carry values."""
        per_statement = (t.direct for t in self._traced)
        found = (e for e in chain(self._given, *per_statement) if e.type == "DIRECT")
        return tuple(sorted(_united(found)))

    @cached_property
    def nodes(self) -> tuple[ColumnId, ...]:
        """Every column that an edge touches, sorted."""
        return tuple(sorted({end for e in self.edges for end in (e.source, e.target)}))

    @cached_property
    def index(self) -> dict[ColumnId, int]:
        """Position of each node."""
        return {node: i for i, node in enumerate(self.nodes)}

    def of_kinds(self, kinds: Kinds) -> tuple[Edge, ...]:
        """All edges, or those that carry values."""
        return self.direct if kinds == "direct" else self.edges

    def upstream(
        self, column: ColumnId, depth: int | None = None, kinds: Kinds = "direct"
    ) -> tuple[ColumnId, ...]:
        """Columns that feed `column`, within `depth` steps; sorted."""
        return self._closure(column, depth, self._backward[kinds == "direct"])

    def downstream(
        self, column: ColumnId, depth: int | None = None, kinds: Kinds = "direct"
    ) -> tuple[ColumnId, ...]:
        """Columns that `column` feeds, within `depth` steps; sorted."""
        return self._closure(column, depth, self._forward[kinds == "direct"])

    def around(
        self,
        column: ColumnId,
        upstream: bool = True,
        downstream: bool = True,
        depth: int | None = None,
        kinds: Kinds = "direct",
    ) -> Graph:
        """The part of the graph that feeds a column, or is fed by it."""
        kept: set[Edge] = set()
        if upstream:
            above = {column, *self.upstream(column, depth, kinds)}
            near = {column, *self.upstream(column, depth - 1, kinds)} if depth else above
            kept.update(e for e in self._linked(kinds) if e.target in near and e.source in above)
        if downstream:
            below = {column, *self.downstream(column, depth, kinds)}
            near = {column, *self.downstream(column, depth - 1, kinds)} if depth else below
            kept.update(e for e in self._linked(kinds) if e.source in near and e.target in below)
        return Graph(kept, self.unresolved)

    def column(self, name: str) -> ColumnId:
        """The node called `relation.column`, also by the end of its name.

        Raises UsageError when there is none (with the nearest names) or more than one.
        """
        wanted = name.strip().lower()
        by_name = {str(node).lower(): node for node in self.nodes}
        if wanted in by_name:
            return by_name[wanted]
        ending = [node for text, node in by_name.items() if text.endswith("." + wanted)]
        if len(ending) == 1:
            return ending[0]
        if ending:
            listed = ", ".join(sorted(str(node) for node in ending)[:10])
            raise UsageError(f"more than one column is called {name}", f"choose one of {listed}")
        near = get_close_matches(wanted, by_name, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "unwet lineage lists all columns"
        raise UsageError(f"no column {name} in the lineage", hint)

    def cycles(self, kinds: Kinds = "direct") -> tuple[tuple[ColumnId, ...], ...]:
        """Columns that feed each other in a circle: strongly connected components, sorted."""
        forward = self._forward[kinds == "direct"]
        found = (
            tuple(sorted(self.nodes[i] for i in component))
            for component in strongly_connected(forward)
            if len(component) > 1 or component[0] in forward[component[0]]
        )
        return tuple(sorted(found))

    def to_networkx(self) -> networkx.MultiDiGraph:
        """The graph with ColumnId nodes; edges carry type, subtype, certainty and spans."""
        import networkx

        graph = networkx.MultiDiGraph()
        graph.add_nodes_from(self.nodes)
        for e in self.edges:
            graph.add_edge(
                e.source,
                e.target,
                key=(e.type, e.subtype),
                type=e.type,
                subtype=e.subtype,
                certainty=e.certainty,
                spans=e.spans,
            )
        return graph

    # --- inside

    def _linked(self, kinds: Kinds) -> tuple[Edge, ...]:
        return (*self.of_kinds(kinds), *self._star_links)

    @cached_property
    def _star_links(self) -> tuple[Edge, ...]:
        """`t.*` feeds the columns of t that nothing else is known to feed."""
        fed = {e.target for e in self.direct}
        stars = {node.relation for node in fed if node.column == "*"}
        return tuple(
            Edge(ColumnId(node.relation, "*"), node, "DIRECT", "IDENTITY", "inferred")
            for node in self.nodes
            if node.relation in stars and node.column != "*" and node not in fed
        )

    @cached_property
    def _forward(self) -> tuple[Adjacency, Adjacency]:
        return self._adjacency("all", False), self._adjacency("direct", False)

    @cached_property
    def _backward(self) -> tuple[Adjacency, Adjacency]:
        return self._adjacency("all", True), self._adjacency("direct", True)

    def _adjacency(self, kinds: Kinds, backward: bool) -> Adjacency:
        neighbours: list[dict[int, None]] = [{} for _ in self.nodes]
        for e in self._linked(kinds):
            source, target = self.index[e.source], self.index[e.target]
            if backward:
                neighbours[target][source] = None
            else:
                neighbours[source][target] = None
        return [list(each) for each in neighbours]

    def _closure(
        self, column: ColumnId, depth: int | None, adjacency: Adjacency
    ) -> tuple[ColumnId, ...]:
        start = self.index.get(column)
        if start is None:
            return ()
        reached: set[int] = set()
        frontier = [start]
        while frontier and (depth is None or depth > 0):
            frontier = [n for i in frontier for n in adjacency[i] if n not in reached]
            frontier = list(dict.fromkeys(frontier))
            reached.update(frontier)
            depth = None if depth is None else depth - 1
        return tuple(self.nodes[i] for i in sorted(reached))


def _united(edges: Iterable[Edge]) -> list[Edge]:
    """Edges that differ only in places or certainty become one: the surer, with all places."""
    found: dict[tuple[ColumnId, ColumnId, str, str], Edge] = {}
    more: dict[tuple[ColumnId, ColumnId, str, str], list[Edge]] = {}
    for e in edges:
        key = e[:4]
        if found.setdefault(key, e) is not e:
            more.setdefault(key, [found[key]]).append(e)
    for key, equal in more.items():
        found[key] = _union(equal)
    return list(found.values())


def _union(equal: list[Edge]) -> Edge:
    order = ("certain", "inferred", "ambiguous", "unknown")
    best = min(equal, key=lambda e: order.index(e.certainty))
    spans = {span for e in equal for span in e.spans}
    return best._replace(spans=best.spans if len(spans) == 1 else tuple(sorted(spans)))
