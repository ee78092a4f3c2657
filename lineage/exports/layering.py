"""Layers for a drawing from left to right: what feeds stands left of what it feeds.

Longest path over the strongly connected components; inside a component some links have to run
backwards, and a greedy order (Eades, Lin and Smyth 1993, without its second list) picks which.
All of it is linear but for one heap, and depends on nothing but the numbers given.
"""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush

from unwet.lineage.circles import strongly_connected

Adjacency = list[list[int]]


def neighbours(count: int, links: Iterable[tuple[int, int]]) -> tuple[Adjacency, Adjacency]:
    """What each node feeds and is fed by, each neighbour once; loops of one node are left out."""
    after: Adjacency = [[] for _ in range(count)]
    before: Adjacency = [[] for _ in range(count)]
    for source, target in sorted(set(links)):
        if source != target:
            after[source].append(target)
            before[target].append(source)
    return after, before


def layers(after: Adjacency) -> list[int]:
    """The layer of each node, from 0; links inside a circle may run backwards."""
    order = _order(after)
    place = {node: at for at, node in enumerate(order)}
    found = [0] * len(after)
    for node in order:
        for other in after[node]:
            if place[other] > place[node]:
                found[other] = max(found[other], found[node] + 1)
    return _pulled(found, after, place)


def islands(after: Adjacency, before: Adjacency) -> list[list[int]]:
    """Nodes that hang together by links in any direction; each sorted, by first node."""
    seen = [False] * len(after)
    found: list[list[int]] = []
    for start in range(len(after)):
        if seen[start]:
            continue
        seen[start] = True
        island = [start]
        for node in island:  # grows while it is read
            for other in (*after[node], *before[node]):
                if not seen[other]:
                    seen[other] = True
                    island.append(other)
        found.append(sorted(island))
    return found


# --- inside


def _order(after: Adjacency) -> list[int]:
    """All nodes, so that only links inside a circle lead back."""
    order: list[int] = []
    for component in reversed(strongly_connected(after)):
        order += component if len(component) == 1 else _greedy(component, after)
    return order


def _greedy(component: Sequence[int], after: Adjacency) -> list[int]:
    """The nodes of a circle, those first that feed more than they are fed by."""
    inside = set(component)
    fed = dict.fromkeys(component, 0)
    feeds = {node: [other for other in after[node] if other in inside] for node in component}
    back: dict[int, list[int]] = {node: [] for node in component}
    for node, others in feeds.items():
        for other in others:
            fed[other] += 1
            back[other].append(node)
    out = {node: len(others) for node, others in feeds.items()}

    def rank(node: int) -> tuple[bool, int, int]:
        return fed[node] > 0, fed[node] - out[node], node

    heap = [rank(node) for node in component]
    heapify(heap)
    order: list[int] = []
    while inside:
        entry = heappop(heap)
        node = entry[2]
        if node not in inside or entry != rank(node):
            continue  # an entry from before a neighbour left
        inside.discard(node)
        order.append(node)
        for other in feeds[node]:
            fed[other] -= 1
        for other in back[node]:
            out[other] -= 1
        for other in {*feeds[node], *back[node]} & inside:
            heappush(heap, rank(other))
    return order


def _pulled(found: list[int], after: Adjacency, place: dict[int, int]) -> list[int]:
    """What nothing feeds moves next to the first that reads it: links stay short."""
    fed = {other for node in place for other in after[node] if place[other] > place[node]}
    return [
        layer if node in fed or not later else min(later) - 1
        for node, layer in enumerate(found)
        for later in [[found[o] for o in after[node] if place[o] > place[node]]]
    ]
