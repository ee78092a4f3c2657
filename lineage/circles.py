"""Circles in a graph of integers: its strongly connected components."""

from __future__ import annotations

from collections.abc import Sequence

Adjacency = Sequence[Sequence[int]]


def strongly_connected(forward: Adjacency) -> list[list[int]]:
    """Strongly connected components (Tarjan, explicit stack), a component after those it feeds."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    on_stack: set[int] = set()
    found: list[list[int]] = []
    for root in range(len(forward)):
        if root in order:
            continue
        work = [(root, 0)]
        while work:
            node, at = work.pop()
            if at == 0:
                order[node] = low[node] = len(order)
                waiting.append(node)
                on_stack.add(node)
            for position in range(at, len(forward[node])):
                other = forward[node][position]
                if other not in order:
                    work += [(node, position + 1), (other, 0)]
                    break
                if other in on_stack:
                    low[node] = min(low[node], order[other])
            else:
                _finish(node, order, low, waiting, on_stack, found)
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
    return found


def _finish(
    node: int,
    order: dict[int, int],
    low: dict[int, int],
    waiting: list[int],
    on_stack: set[int],
    found: list[list[int]],
) -> None:
    if low[node] != order[node]:
        return
    component: list[int] = []
    while not component or component[-1] != node:
        component.append(waiting.pop())
        on_stack.discard(component[-1])
    found.append(component)
