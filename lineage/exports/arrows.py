"""What a picture draws: columns in boxes, and arrows; conditions on whole rows are one arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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


def arrows(view: View) -> tuple[Arrow, ...]:
    """The view's edges, sorted; a condition on all that flows into a box is one arrow to it."""
    direct = [_arrow(e, e.target) for e in view.edges if e.type == "DIRECT"]
    return tuple(sorted([*direct, *_merged(_conditions(view.edges))]))


def boxes(view: View) -> list[list[ColumnId]]:
    """The columns that are shown, by relation."""
    return [list(group) for _, group in groupby(view.nodes, key=lambda node: node.relation)]


# --- conditions


def _conditions(edges: Sequence[Edge]) -> Iterable[Arrow]:
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
