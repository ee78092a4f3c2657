"""Lineage for the terminal: a tree around each column, or every target with its sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports.view import RESULT, View, named

Links = dict[ColumnId, list[Edge]]


def text(view: View) -> str:
    """Trees around the view's columns; without columns every target, then what is unresolved."""
    if view.centers:
        lines = [line for center in view.centers for line in _tree(view, center)]
    else:
        lines = list(_listing(view))
    return "\n".join(map(_printable, lines)) + ("\n" if lines else "")


def _listing(view: View) -> Iterator[str]:
    by_target = sorted(view.edges, key=lambda e: (e.target, e.type, e.source, e.subtype))
    for relation, edges in groupby(by_target, key=lambda e: e.target.relation):
        yield relation or RESULT
        for target, sources in groupby(edges, key=lambda e: e.target):
            yield f"  {target.column}"
            yield from (f"    <- {_described(e, e.source)}" for e in sources)
    for circle in view.graph.cycles("direct"):
        yield "circle: " + " -> ".join(str(node) for node in (*circle, circle[0]))
    yield from (f"unresolved: {finding}" for finding in view.graph.unresolved)


# --- trees


def _tree(view: View, center: ColumnId) -> Iterator[str]:
    """What feeds a column, then what it feeds, indented by distance; a repetition is marked."""
    edges = view.around([center]).of_kinds(view.kinds)
    yield named(center)
    if view.upstream:
        yield from _branches(_linked((e.target, e) for e in edges), center, upstream=True)
    if view.downstream:
        yield from _branches(_linked((e.source, e) for e in edges), center, upstream=False)


def _linked(pairs: Iterable[tuple[ColumnId, Edge]]) -> Links:
    links: Links = {}
    for end, e in pairs:
        links.setdefault(end, []).append(e)
    return links


def _branches(links: Links, column: ColumnId, upstream: bool) -> Iterator[str]:
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


def _ordered(links: Links, column: ColumnId) -> list[Edge]:
    return sorted(links.get(column, []), key=lambda e: (e.type, e.source, e.target, e.subtype))


def _described(e: Edge, end: ColumnId) -> str:
    kind = e.subtype if e.type == "DIRECT" else f"{e.type} {e.subtype}"
    sure = "" if e.certainty == "certain" else f" ({e.certainty})"
    place = f"  {e.spans[0]}" if e.spans else ""
    more = f" and {len(e.spans) - 1} more" if len(e.spans) > 1 else ""
    return f"{named(end)}  {kind}{sure}{place}{more}"


def _printable(line: str) -> str:
    """A line that stays one, and does nothing to a terminal, whatever is quoted in a name."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
