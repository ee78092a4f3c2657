"""What a picture draws: columns in boxes, and arrows; conditions on whole rows are one arrow.

The results of bare SELECTs are all relation "" of the graph; here each file has a box of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports.view import RESULT, View, named
from unwet.lineage.findings import Span

ROW = ""  # the "column" of an arrow that points to its whole box


class Arrow(NamedTuple):
    """An edge as it is drawn; `target.column` is ROW where it stands for every column there.

    `subtype` of a condition may be several, as in "FILTER, JOIN": they are drawn alike.
    """

    source: ColumnId
    target: ColumnId
    type: str
    subtype: str
    certainty: str
    spans: tuple[Span, ...] = ()

    def __str__(self) -> str:
        kind = self.subtype if self.type == "DIRECT" else f"{self.type} {self.subtype}"
        sure = "" if self.certainty == "certain" else f" ({self.certainty})"
        rows = f"{self.target.relation or RESULT} (all rows)"
        target = rows if self.target.column == ROW else named(self.target)
        return f"{target} <- {named(self.source)}  {kind}{sure}"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A view as boxes and arrows, sorted; `centers` are the columns that were chosen."""

    nodes: tuple[ColumnId, ...]
    arrows: tuple[Arrow, ...]
    centers: frozenset[ColumnId]

    @property
    def boxes(self) -> list[list[ColumnId]]:
        """The columns by relation."""
        return boxes(self.nodes)


def drawing(view: View) -> Drawing:
    """The view's columns and edges; a condition on all that flows into a box is one arrow to it."""
    edges = [each for e in view.edges for each in _by_file(e)]
    direct = [_arrow(e, e.target) for e in edges if e.type == "DIRECT"]
    arrows = tuple(sorted([*direct, *_merged(_conditions(edges))]))
    ends = {end for e in edges for end in e[:2]}
    results = {in_graph(end) for end in ends if end != in_graph(end)}
    alone = {each for each in view.centers if each not in results}
    centers = frozenset(end for end in ends | alone if in_graph(end) in view.centers)
    return Drawing(tuple(sorted(ends | alone)), arrows, centers)


def boxes(nodes: Iterable[ColumnId]) -> list[list[ColumnId]]:
    """Sorted columns by relation."""
    return [list(group) for _, group in groupby(nodes, key=lambda node: node.relation)]


def in_graph(node: ColumnId) -> ColumnId:
    """The graph's name of a column that is drawn."""
    return ColumnId("", node.column) if node.relation.endswith(f" {RESULT}") else node


def _by_file(e: Edge) -> Iterator[Edge]:
    """An edge into the result of a bare SELECT, for every file that has such a one."""
    if e.target.relation or not e.spans:
        yield e
        return
    for path in dict.fromkeys(at.path for at in e.spans):
        target = ColumnId(f"{path} {RESULT}", e.target.column)
        yield e._replace(target=target, spans=tuple(at for at in e.spans if at.path == path))


# --- conditions


def _conditions(edges: Sequence[Edge]) -> Iterator[Arrow]:
    reached: dict[str, set[str]] = {}
    for e in edges:
        reached.setdefault(e.target.relation, set()).add(e.target.column)
    together: dict[tuple[ColumnId, str, str, str], list[Edge]] = {}
    for e in edges:
        if e.type != "DIRECT":
            key = (e.source, e.target.relation, e.subtype, e.certainty)
            together.setdefault(key, []).append(e)
    for (_, relation, _, _), same in together.items():
        columns = {e.target.column for e in same}
        if len(columns) > 1 and columns == reached[relation]:
            spans = sorted({span for e in same for span in e.spans})
            yield _arrow(same[0], ColumnId(relation, ROW))._replace(spans=tuple(spans))
        else:
            yield from (_arrow(e, e.target) for e in same)


def _merged(conditions: Iterable[Arrow]) -> Iterator[Arrow]:
    """Conditions between the same ends, equally certain, are one arrow."""
    together: dict[tuple[ColumnId, ColumnId, str], list[Arrow]] = {}
    for each in conditions:
        together.setdefault((each.source, each.target, each.certainty), []).append(each)
    for same in together.values():
        subtypes = ", ".join(sorted({each.subtype for each in same}))
        spans = tuple(sorted({span for each in same for span in each.spans}))
        yield same[0]._replace(subtype=subtypes, spans=spans)


def _arrow(e: Edge, target: ColumnId) -> Arrow:
    return Arrow(e.source, target, e.type, e.subtype, e.certainty, e.spans)
