"""Lineage as a Mermaid flowchart for Markdown pages; for views of up to about 50 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from unwet.lineage.columns import ColumnId
from unwet.lineage.exports.arrows import ROW, Arrow, Drawing, boxes, drawing, in_graph
from unwet.lineage.exports.view import RESULT, View

LIMIT = 50  # columns; GitHub stops drawing not far above
EDGES = 400  # arrows; Mermaid refuses more than 500 (its setting maxEdges)
_CENTER = "stroke:#b98b00,stroke-width:3px"  # no fill: themes choose the colour of the text


def mermaid(view: View, limit: int = LIMIT) -> str:
    """A flowchart with a subgraph per relation; what is over `limit` is counted in a note.

    Of a view that is too large those columns are kept that are nearest to its centers.
    """
    drawn = drawing(view)
    shown = _nearest(view, drawn, limit)
    groups = boxes(shown)
    ids = {node: f"c{i}" for i, node in enumerate(shown)}
    ids |= {ColumnId(columns[0].relation, ROW): f"r{i}" for i, columns in enumerate(groups)}
    lines = ["flowchart LR", f"  accTitle: {_plain(view.title)}"]
    for at, columns in enumerate(groups):
        lines.append(f'  subgraph r{at}["{_escaped(columns[0].relation or RESULT)}"]')
        lines += [f'    {ids[node]}["{_escaped(node.column)}"]' for node in columns]
        lines.append("  end")
    links = list(_links(list(_apart(drawn)), ids))
    lines += links[:EDGES]
    if marked := [ids[node] for node in shown if node in drawn.centers]:
        lines += [f"  classDef center {_CENTER}", f"  class {','.join(marked)} center"]
    for left, what in ((len(drawn.nodes) - len(shown), "columns"), (len(links) - EDGES, "arrows")):
        if left > 0:
            lines.append(f"  %% {left} more {what} are not shown; choose one with --column")
            lines.append(f'  more_{what}["{left} more {what} are not shown"]')
    return "\n".join(lines) + "\n"


def _apart(drawn: Drawing) -> Iterator[Arrow]:
    """An arrow from inside a box to the box itself is one to each column: Mermaid has no such."""
    for each in drawn.arrows:
        relation = each.target.relation
        if each.target.column != ROW or each.source.relation != relation:
            yield each
            continue
        columns = {one.target for one in drawn.arrows if one.target.relation == relation}
        for column in sorted(columns - {each.target}):
            yield each._replace(target=column)


def _links(drawn: Sequence[Arrow], ids: dict[ColumnId, str]) -> Iterator[str]:
    """Solid for values, dotted for conditions; a label where it is no plain, certain copy."""
    ends = [(each, ids.get(each.source), ids.get(each.target)) for each in drawn]
    both = [(each.type, a, b, each) for each, a, b in ends if a and b]
    for (type_, source, target), same in groupby(
        sorted(both, key=lambda one: (_number(one[1]), _number(one[2]), one[0])),
        key=lambda one: one[:3],
    ):
        line = "-->" if type_ == "DIRECT" else "-.->"
        words = list(dict.fromkeys(_word(each) for *_, each in same))
        label = ", ".join(each or "identity" for each in words) if words != [""] else ""
        yield f"  {source} {line}{f'|{label}|' if label else ''} {target}"


def _number(id: str) -> tuple[str, int]:
    return id[0], int(id[1:])


def _word(each: Arrow) -> str:
    kind = "" if each.subtype == "IDENTITY" else each.subtype.lower().replace("_", " ")
    return " ".join(filter(None, (kind, "" if each.certainty == "certain" else each.certainty)))


def _nearest(view: View, drawn: Drawing, limit: int) -> list[ColumnId]:
    """At most `limit` columns, sorted: those fewest steps away from the centers."""
    if len(drawn.nodes) <= limit or not view.centers:
        return list(drawn.nodes[:limit])
    away = dict.fromkeys(view.centers, 0)
    depth, before = 0, 0
    while before < len(away) < limit:
        before, depth = len(away), depth + 1
        for near in (view.graph.upstream, view.graph.downstream):
            for node in near(view.centers, depth, view.kinds):
                away.setdefault(node, depth)
    far = len(view.nodes)
    by_distance = sorted(drawn.nodes, key=lambda node: (away.get(in_graph(node), far), node))
    return sorted(by_distance[:limit])


# --- escaping


def _escaped(name: str) -> str:
    """Mermaid knows entities by number; quotes, brackets and hashes would end the label."""
    special = '"#<>[]{}|&;`\\'
    clean = "".join(f"#{ord(c)};" if c in special else c if c >= " " else " " for c in name)
    return clean or " "


def _plain(title: str) -> str:
    """A title may hold no mark of Mermaid's own language."""
    return "".join(c if c.isalnum() or c in " ._-(),*" else " " for c in title)
