"""Which of the families that pay are taken together: exactly, where few stand in one another's way.

Two families that want one query, or items of one run, cannot both have it; to take the best first
can cost two that save more together. A component of that conflict graph is chosen exactly if it is
small: the set without a conflict that saves most. As an integer program: max sum s_f x_f with
x_f + x_g <= 1 for each conflict; solved as a clique of greatest weight in the complement. A family
inside of what another one takes is no conflict: it is found in that one's macro later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import networkx as nx

from unwet.rewrite.abstract import Family, Unit
from unwet.rewrite.replaced import taken_off

SMALL: Final = 24  # families of a component; in larger ones the best come first
Paying = tuple[int, Family]  # with the lines that it saves


def without_worse(found: Sequence[Paying]) -> list[Paying]:
    """The families, in their order, without those that an exact choice leaves out."""
    out: set[int] = set()
    graph = conflicts([family for _, family in found])
    for component in nx.connected_components(graph):
        if 2 < len(component) <= SMALL:
            out |= component - most_saving(graph.subgraph(component), [s for s, _ in found])
    return [pair for at, pair in enumerate(found) if at not in out]


def most_saving(graph: nx.Graph[int], saved: Sequence[int]) -> set[int]:
    """The nodes without an edge between them that save most; those that come first (the greedy
    choice) where no others save more. ``saved``: by node."""
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
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(families)))
    wanted: dict[int, list[tuple[int, Unit]]] = defaultdict(list)  # by node
    for at, family in enumerate(families):
        for unit in family.units:
            for node in taken_off(unit):
                others = wanted[id(node)]
                graph.add_edges_from((at, n) for n, u in others if n != at and _overlap(unit, u))
                others.append((at, unit))
    return graph


def _overlap(one: Unit, two: Unit) -> bool:
    """Whether units of one node have something of it in common: runs of items may not."""
    if one.kind == two.kind == "items":
        return one.skip < two.stop and two.skip < one.stop
    return True
