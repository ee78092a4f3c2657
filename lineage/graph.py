"""The column graph of a pile: what feeds a column, what a column feeds, and its circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Literal

from unwet.lineage import finder
from unwet.lineage.circles import strongly_connected
from unwet.lineage.columns import ColumnId, Edge, Traced
from unwet.lineage.findings import Finding
from unwet.lineage.garbage import uncollected
from unwet.lineage.links import Links
from unwet.lineage.uniting import spread, united

if TYPE_CHECKING:
    import networkx

Kinds = Literal["direct", "all"]
Start = str | ColumnId | Iterable[ColumnId]  # a name, as `find` takes it; a column; several


class Graph:
    """Column lineage, indexed by int inside.

    `edges` are all edges, sorted, those of whole rows spread over the target's columns;
    `unresolved` are the names that are ambiguous or unknown. `traced` are the edges by statement,
    in the order of the pile; a part of a graph has none.
    """

    def __init__(
        self,
        edges: Iterable[Edge] = (),
        unresolved: Sequence[Finding] = (),
        traced: Sequence[Traced] = (),
    ) -> None:
        self.unresolved = tuple(unresolved)
        self._given = tuple(edges)
        self.traced = tuple(traced)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges; equal ones of several statements are one, with all their places."""
        with uncollected():
            return tuple(sorted(united((self._given, *spread(self.traced)))))

    @cached_property
    def direct(self) -> tuple[Edge, ...]:
        """The edges that carry values."""
        per_statement = (t.direct for t in self.traced)
        found = (e for e in chain(self._given, *per_statement) if e.type == "DIRECT")
        with uncollected():
            return tuple(sorted(united((found,))))

    @cached_property
    def nodes(self) -> tuple[ColumnId, ...]:
        """Every column that an edge touches, sorted."""
        with uncollected():
            return tuple(sorted(set(self._ends())))

    @cached_property
    def index(self) -> dict[ColumnId, int]:
        """Position of each node."""
        return {node: i for i, node in enumerate(self.nodes)}

    def of_kinds(self, kinds: Kinds) -> tuple[Edge, ...]:
        """All edges, or those that carry values."""
        return self.direct if kinds == "direct" else self.edges

    def upstream(
        self, column: Start, depth: int | None = None, kinds: Kinds = "direct"
    ) -> tuple[ColumnId, ...]:
        """Columns that feed `column` (or any of several), within `depth` steps; sorted.

        A step is one statement: CTEs and subqueries are no steps of their own. The column itself
        is among them only when a circle leads back to it. Raises UsageError for an unknown name.
        """
        return self._named(self._reach(column, depth, kinds, backward=True))

    def downstream(
        self, column: Start, depth: int | None = None, kinds: Kinds = "direct"
    ) -> tuple[ColumnId, ...]:
        """Columns that `column` (or any of several) feeds, within `depth` steps; sorted."""
        return self._named(self._reach(column, depth, kinds, backward=False))

    def impact(self, column: Start, depth: int | None = None) -> tuple[ColumnId, ...]:
        """Columns whose values may change when `column` does, for whatever reason; sorted.

        Downstream over edges of all kinds: a column that only filters, joins, groups or sorts the
        rows of a statement has an impact on every column which that statement writes.
        """
        return self.downstream(column, depth, "all")

    def around(
        self,
        column: Start,
        upstream: bool = True,
        downstream: bool = True,
        depth: int | None = None,
        kinds: Kinds = "direct",
    ) -> Graph:
        """The part of the graph that feeds a column (or several), or is fed by it.

        Its `unresolved` are those names whose reads it shows.
        """
        wanted = [backward for backward, on in ((True, upstream), (False, downstream)) if on]
        kept: set[Edge] = set()
        for backward in wanted:
            near = self._positions(column)
            if depth is None or depth > 1:
                closer = None if depth is None else depth - 1
                near |= self._reach(column, closer, kinds, backward)
            kept.update(self._links.edges_at(near, kinds == "direct", backward))
        places = {at for e in kept for at in e.spans}
        return Graph(kept, [each for each in self.unresolved if each.at in places])

    def column(self, name: str) -> ColumnId:
        """The node called `relation.column`, also by the end of its name.

        Raises UsageError when there is none (with the nearest names) or more than one.
        """
        return finder.column(self.nodes, name)

    def find(self, name: str, tables_only: bool = False) -> tuple[ColumnId, ...]:
        """The column called so, or all columns of the relation called so; see `column`."""
        return finder.find(self.nodes, name, tables_only)

    def cycles(self, kinds: Kinds = "direct") -> tuple[tuple[ColumnId, ...], ...]:
        """Columns that feed each other in a circle: strongly connected components, sorted."""
        forward = self._links.forward(kinds == "direct")
        size = len(self.nodes)
        found = (
            self._named(i for i in component if i < size)
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

    def _ends(self) -> Iterator[ColumnId]:
        for e in chain(self._given, *(each.direct for each in self.traced)):
            yield e.source
            yield e.target
        for each in self.traced:
            if each.rows:
                yield from (e.source for e in each.rows)
                yield from each.targets()

    @cached_property
    def _links(self) -> Links:
        return Links(self.nodes, self.index, self._given, self.traced)

    def _positions(self, column: Start) -> set[int]:
        if isinstance(column, str):
            column = self.find(column)
        columns = (column,) if isinstance(column, ColumnId) else column
        return {self.index[each] for each in columns if each in self.index}

    def _reach(self, column: Start, depth: int | None, kinds: Kinds, backward: bool) -> set[int]:
        return self._links.reach(self._positions(column), depth, kinds == "direct", backward)

    def _named(self, positions: Iterable[int]) -> tuple[ColumnId, ...]:
        return tuple(self.nodes[i] for i in sorted(positions))
