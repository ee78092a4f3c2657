"""The column graph by integers: who feeds whom, for closures that cost what they reach.

A condition on whole rows (FILTER, JOIN, ...) reaches every column that its statement writes.
Here the rows of such a statement are one node of their own between the two sides, so that
`m` sources and `n` columns are m + n links, not m * n; the passage through it is no step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from unwet.lineage.columns import ColumnId, Edge, Traced
from unwet.lineage.garbage import uncollected

Adjacency = list[list[int]]


class Links:
    """Adjacency over the positions in `nodes`; positions from len(nodes) on are row groups."""

    def __init__(
        self,
        nodes: Sequence[ColumnId],
        index: Mapping[ColumnId, int],
        given: Sequence[Edge],
        traced: Sequence[Traced],
    ) -> None:
        self._nodes, self._index = nodes, index
        self._given, self._traced = given, traced
        self._groups = tuple(each for each in traced if each.rows)

    def reach(
        self, starts: Iterable[int], depth: int | None, direct: bool, backward: bool
    ) -> set[int]:
        """Positions within `depth` steps of any of `starts`; these only if a circle leads back."""
        adjacency, size = self._adjacency(direct, backward), len(self._nodes)
        reached: set[int] = set()
        passed: set[int] = set()
        frontier = set(starts)
        while frontier and (depth is None or depth > 0):
            beside: set[int] = set()
            for i in frontier:
                beside.update(adjacency[i])
            if not direct:
                groups = {i for i in beside if i >= size}
                beside -= groups
                for i in groups - passed:
                    beside.update(adjacency[i])
                passed |= groups
            frontier = beside - reached
            reached |= frontier
            depth = None if depth is None else depth - 1
        return reached

    def edges_at(self, positions: Iterable[int], direct: bool, backward: bool) -> Iterator[Edge]:
        """Edges into these nodes (`backward`), or out of them; equal ones of several statements."""
        columns, rows = self._edges_into if backward else self._edges_from
        groups: dict[int, set[ColumnId]] = {}
        for i in positions:
            yield from (e for e in columns[i] if not direct or e.type == "DIRECT")
            for group in () if direct else rows.get(i, ()):
                groups.setdefault(group, set()).add(self._nodes[i])
        for group, wanted in sorted(groups.items()):
            spread = self._groups[group].spread()
            yield from (e for e in spread if (e.target if backward else e.source) in wanted)

    def forward(self, direct: bool) -> Adjacency:
        """Neighbours of every node downstream; without the row groups only when `direct`."""
        return self._adjacency(direct, False)

    # --- built once, on first use

    def _adjacency(self, direct: bool, backward: bool) -> Adjacency:
        if direct:
            return self._direct_backward if backward else self._direct_forward
        return self._all_backward if backward else self._all_forward

    @cached_property
    def _direct_forward(self) -> Adjacency:
        return self._built(True, False)

    @cached_property
    def _direct_backward(self) -> Adjacency:
        return self._built(True, True)

    @cached_property
    def _all_forward(self) -> Adjacency:
        return self._built(False, False)

    @cached_property
    def _all_backward(self) -> Adjacency:
        return self._built(False, True)

    def _built(self, direct: bool, backward: bool) -> Adjacency:
        with uncollected():
            return self._neighbours(direct, backward)

    def _neighbours(self, direct: bool, backward: bool) -> Adjacency:
        index, size = self._index, len(self._nodes)
        adjacency: Adjacency = [[] for _ in range(size + (0 if direct else len(self._groups)))]
        for e in self._column_edges():
            if not direct or e.type == "DIRECT":
                source, target = index[e.source], index[e.target]
                adjacency[target if backward else source].append(source if backward else target)
        for at, each in enumerate(() if direct else self._groups, size):
            sources = {index[e.source] for e in each.rows}
            targets = {index[target] for target in each.targets()}
            into, out = (targets, sources) if backward else (sources, targets)
            for i in into:
                adjacency[i].append(at)
            adjacency[at] = sorted(out)
        return adjacency

    @cached_property
    def _edges_into(self) -> tuple[list[list[Edge]], dict[int, list[int]]]:
        return self._edges_by(True)

    @cached_property
    def _edges_from(self) -> tuple[list[list[Edge]], dict[int, list[int]]]:
        return self._edges_by(False)

    def _edges_by(self, backward: bool) -> tuple[list[list[Edge]], dict[int, list[int]]]:
        """Per node its edges of single columns; and the row groups it takes part in."""
        with uncollected():
            return self._grouped(backward)

    def _grouped(self, backward: bool) -> tuple[list[list[Edge]], dict[int, list[int]]]:
        columns: list[list[Edge]] = [[] for _ in self._nodes]
        for e in self._column_edges():
            columns[self._index[e.target if backward else e.source]].append(e)
        rows: dict[int, list[int]] = {}
        for at, each in enumerate(self._groups):
            ends = each.targets() if backward else {e.source for e in each.rows}
            for end in sorted(ends):
                rows.setdefault(self._index[end], []).append(at)
        return columns, rows

    def _column_edges(self) -> Iterator[Edge]:
        yield from self._given
        for each in self._traced:
            yield from each.direct
        yield from self._star_links

    @cached_property
    def _star_links(self) -> tuple[Edge, ...]:
        """`t.*` feeds the columns of t that nothing else is known to feed."""
        edges = [e for part in (self._given, *(t.direct for t in self._traced)) for e in part]
        fed = {e.target for e in edges if e.type == "DIRECT"}
        stars = {node.relation for node in fed if node.column == "*"}
        return tuple(
            Edge(ColumnId(node.relation, "*"), node, "DIRECT", "IDENTITY", "inferred")
            for node in self._nodes
            if node.relation in stars and node.column != "*" and node not in fed
        )
