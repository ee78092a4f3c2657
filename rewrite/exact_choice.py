"""Which of the families that pay are taken together: exactly, where few stand in one another's way.

Two families that want one query, or items of one run, cannot both have it; to take the best first
can cost two that save more together. A component of that conflict graph is chosen exactly if it is
small: the set without a conflict that saves most. As an integer program: max sum s_f x_f with
x_f + x_g <= 1 for each conflict; solved as a clique of greatest weight in the complement. A family
inside of what another one takes is no conflict: it is found in that one's macro later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from unwet.rewrite.abstract import Family, Unit
from unwet.rewrite.replaced import taken_off

if TYPE_CHECKING:
    import networkx as nx

SMALL: Final = 24  # families of a component; in larger ones the best come first
Paying = tuple[int, Family]  # with the lines that it saves


def without_worse(found: Sequence[Paying]) -> list[Paying]:
    """The families, in their order, without those that an exact choice leaves out."""
    families = [family for _, family in found]
    if len({at for pair in _conflicting(families) for at in pair}) < 3:
        return [*found]
    import networkx as nx  # a third of all that a run of a small pile loads: only where it counts

    out: set[int] = set()
    graph = conflicts(families)
    for component in nx.connected_components(graph):
        if 2 < len(component) <= SMALL:
            out |= component - most_saving(graph.subgraph(component), [s for s, _ in found])
    return [pair for at, pair in enumerate(found) if at not in out]


def most_saving(graph: nx.Graph[int], saved: Sequence[int]) -> set[int]:
    """The nodes without an edge between them that save most; those that come first (the greedy
    choice) where no others save more. ``saved``: by node."""
    import networkx as nx

    first: list[int] = []
    for node in sorted(graph):
        if not any(graph.has_edge(node, other) for other in first):
            first.append(node)
    apart = nx.complement(graph)
    nx.set_node_attributes(apart, {node: saved[node] for node in apart}, "saved")
    best, most = nx.max_weight_clique(apart, "saved")
    return {*best} if most > sum(saved[node] for node in first) else {*first}


def conflicts(families: Sequence[Family]) -> nx.Graph[int]:
    """The graph of the families, by their places; an edge is a conflict."""
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(families)))
    graph.add_edges_from(_conflicting(families))
    return graph


def _conflicting(families: Sequence[Family]) -> Iterator[tuple[int, int]]:
    wanted: dict[int, list[tuple[int, Unit]]] = defaultdict(list)  # by node
    for at, family in enumerate(families):
        for unit in family.units:
            for node in taken_off(unit):
                others = wanted[id(node)]
                yield from ((at, n) for n, u in others if n != at and _overlap(unit, u))
                others.append((at, unit))


def _overlap(one: Unit, two: Unit) -> bool:
    """Whether units of one node have something of it in common: runs of items may not."""
    if one.kind == two.kind == "items":
        return one.skip < two.stop and two.skip < one.stop
    return True
