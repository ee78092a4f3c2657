"""Lineage for the terminal: a tree of what feeds a column, or every target with its sources."""

from collections.abc import Iterator
from itertools import groupby

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.graph import Graph, Kinds

_RESULT = "(result)"  # what stands for the relation of a bare SELECT


def text(graph: Graph, kinds: Kinds = "all") -> str:
    """Every target column with its sources, by relation; then what is unresolved."""
    lines: list[str] = []
    by_target = sorted(graph.of_kinds(kinds), key=lambda e: (e.target, e.type, e.source, e.subtype))
    for relation, edges in groupby(by_target, key=lambda e: e.target.relation):
        lines.append(relation or _RESULT)
        for target, sources in groupby(edges, key=lambda e: e.target):
            lines.append(f"  {target.column}")
            lines += [f"    <- {_described(e)}" for e in sources]
    for circle in graph.cycles("direct"):
        lines.append("circle: " + " -> ".join(str(node) for node in (*circle, circle[0])))
    lines += [f"unresolved: {finding}" for finding in graph.unresolved]
    return "\n".join(lines) + ("\n" if lines else "")


def tree(graph: Graph, column: ColumnId, upstream: bool, kinds: Kinds = "direct") -> str:
    """What feeds a column (or what it feeds), indented by distance; a repetition is marked."""
    links: dict[ColumnId, list[Edge]] = {}
    for e in graph.of_kinds(kinds):
        links.setdefault(e.target if upstream else e.source, []).append(e)
    lines = [str(column), *_branches(links, column, upstream)]
    return "\n".join(lines) + "\n"


def _branches(links: dict[ColumnId, list[Edge]], column: ColumnId, upstream: bool) -> Iterator[str]:
    arrow = "<-" if upstream else "->"
    shown = {column}
    stack = [(e, 1) for e in reversed(_ordered(links, column))]
    while stack:
        e, level = stack.pop()
        end = e.source if upstream else e.target
        again = end in shown and end in links
        mark = " (shown above)" if again else ""
        yield f"{'  ' * level}{arrow} {_described(e, end)}{mark}"
        if end not in shown:
            shown.add(end)
            stack += [(below, level + 1) for below in reversed(_ordered(links, end))]


def _ordered(links: dict[ColumnId, list[Edge]], column: ColumnId) -> list[Edge]:
    return sorted(links.get(column, []), key=lambda e: (e.type, e.source, e.target, e.subtype))


def _described(e: Edge, end: ColumnId | None = None) -> str:
    kind = e.subtype if e.type == "DIRECT" else f"{e.type} {e.subtype}"
    sure = "" if e.certainty == "certain" else f" ({e.certainty})"
    place = f"  {e.spans[0]}" if e.spans else ""
    return f"{end or e.source}  {kind}{sure}{place}"
