"""What of a graph is to be shown: all of it, or what is around some columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.graph import Graph, Kinds

RESULT = "(result)"  # stands for the relation "" of a bare SELECT


@dataclass(frozen=True)
class View:
    """A part of a graph: what feeds the columns `centers`, what they feed; all without centers.

    `depth`: how many statements away, None for no limit. `kinds`: without or with conditions.
    """

    whole: Graph = field(repr=False)
    kinds: Kinds = "direct"
    centers: tuple[ColumnId, ...] = ()
    upstream: bool = True
    downstream: bool = True
    depth: int | None = None

    @cached_property
    def graph(self) -> Graph:
        """The part that is shown."""
        return self.around(self.centers) if self.centers else self.whole

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges that are shown, sorted."""
        return self.graph.of_kinds(self.kinds)

    @cached_property
    def nodes(self) -> tuple[ColumnId, ...]:
        """The columns that are shown, sorted: ends of edges, and the centers."""
        return tuple(sorted({*self.centers, *(end for e in self.edges for end in e[:2])}))

    def around(self, centers: Iterable[ColumnId]) -> Graph:
        """The same part for some of the centers."""
        centers = tuple(centers)
        return self.whole.around(centers, self.upstream, self.downstream, self.depth, self.kinds)

    @property
    def title(self) -> str:
        """What the picture shows, in a few words."""
        what = "Column lineage" if self.kinds == "direct" else "Column lineage with conditions"
        if not self.centers:
            return what
        relations = {each.relation for each in self.centers}
        if len(self.centers) == 1:
            of = named(self.centers[0])
        elif len(relations) == 1:
            of = relations.pop() or RESULT
        else:
            of = f"{len(self.centers)} columns"
        one = {(True, False): "upstream of", (False, True): "downstream of"}
        steps = "" if self.depth is None else f", at most {_steps(self.depth)} away"
        return f"{what} {one.get((self.upstream, self.downstream), 'around')} {of}{steps}"


def named(node: ColumnId) -> str:
    """`relation.column`, also for a bare SELECT."""
    return f"{node.relation or RESULT}.{node.column}"


def _steps(depth: int) -> str:
    return "1 step" if depth == 1 else f"{depth} steps"
