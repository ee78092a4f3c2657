"""What the HTML page knows: tables, columns and edges as flat lists of numbers, compact and sorted.

The explorer's model.js reads it; the two agree on the keys below and on nothing else.

    names     every column name once          columns   per column: index into names
    tables    name, number of columns, result (1: a bare SELECT), positions
    shared    what titles leave out
    edges     values: target (minus the one before), source, code, number of places
    sets      lists of target columns, as start and length in turn
    rows      conditions: source, set, code, number of places (the same for all of the set)
    places    file, line, column in turn; those of edges first, then those of rows
    evidence  of edges and rows, by index: places in turn

A code is 4 x the position in KINDS + the position in CERTAINTIES.
"""

from collections.abc import Iterable, Iterator, Sequence

from unwet.lineage.columns import RANKS, ColumnId, Edge
from unwet.lineage.exports.page_tables import (
    HEAD,
    MOST_ROWS,
    ROW,
    Column,
    Flow,
    Index,
    Key,
    Numbers,
)
from unwet.lineage.findings import Span
from unwet.lineage.garbage import uncollected
from unwet.lineage.graph import Graph

KINDS = ("IDENTITY", "TRANSFORMATION", "AGGREGATION",
         "JOIN", "FILTER", "GROUP_BY", "SORT", "WINDOW", "CONDITIONAL")  # fmt: skip
CERTAINTIES = RANKS
PLACES_EACH = 50  # places of one edge
PLACES_ALL = 400_000  # above it, one place of each edge


def page_data(graph: Graph, centers: Sequence[ColumnId] = ()) -> dict[str, object]:
    """Everything of the graph that the page shows; the same for the same graph.

    `centers`: what it opens at; several columns of one relation stand for that relation. Raises
    UsageError when no edge touches the first of them.
    """
    with uncollected():
        return _page_data(graph, centers)


def _page_data(graph: Graph, centers: Sequence[ColumnId]) -> dict[str, object]:
    values, rows = _flows(graph.edges)
    index = Index(values, rows)
    values.sort(key=lambda f: (index.ids[f.table, f.columns[0]], index.ids[f.source], f.code))
    rows.sort(key=lambda f: (f.table, f.columns, index.ids[f.source], f.code, f.spans))
    most = _most_places([*values, *rows])
    files = sorted({at.path for f in (*values, *rows) for at in (*f.spans, *f.evidence)})
    places = _Places({path: i for i, path in enumerate([*files, *_other(graph, set(files))])}, most)
    return {
        "kinds": KINDS,
        "certainties": CERTAINTIES,
        "sizes": {"head": HEAD, "row": ROW, "rows": MOST_ROWS},
        "files": list(places.files),
        **index.columns_and_tables(),
        "edges": _edges(values, index, places),
        **_conditions(rows, index, places),
        "places": places.flat,
        "evidence": places.evidence([*values, *rows]),
        "circles": [[index.ids[one] for one in circle] for circle in _circles(graph, index)],
        "unresolved": [places.finding(f.code, f.message, f.at) for f in graph.unresolved],
        "left_out": places.left_out,
        "center": list(index.center(centers)),
    }


# --- edges of the graph as flows


def _flows(edges: Iterable[Edge]) -> tuple[list[Flow], list[Flow]]:
    """Edges that carry values, and conditions with all the columns of a table that they share."""
    values: list[Flow] = []
    shared: dict[tuple[Column, Key, int, tuple[Span, ...], tuple[Span, ...]], list[str]] = {}
    for e in edges:
        code = 4 * KINDS.index(e.subtype) + CERTAINTIES.index(e.certainty)
        source = ((e.source.relation, ""), e.source.column)
        for table, spans in _tables(e):
            if e.type == "DIRECT":
                flow = Flow(source, table, (e.target.column,), code, spans, e.evidence)
                values.append(flow)
            else:
                key = (source, table, code, spans, e.evidence)
                shared.setdefault(key, []).append(e.target.column)
    rows = [
        Flow(source, table, tuple(sorted(columns)), code, spans, evidence)
        for (source, table, code, spans, evidence), columns in shared.items()
    ]
    return values, rows


def _tables(e: Edge) -> Iterator[tuple[Key, tuple[Span, ...]]]:
    """The target table; bare SELECTs are told apart by their files."""
    if e.target.relation or not e.spans:
        yield (e.target.relation, ""), e.spans
        return
    for path in dict.fromkeys(at.path for at in e.spans):
        yield ("", path), tuple(at for at in e.spans if at.path == path)


# --- places


class _Places:
    """Places as numbers; what is cut off is counted."""

    def __init__(self, files: dict[str, int], most: int) -> None:
        self.files = files
        self.flat: Numbers = []
        self._most = most
        self._cut = 0

    def add(self, spans: Sequence[Span]) -> int:
        """Put the places at the end of the list; how many were put."""
        for at in spans[: self._most]:
            self.flat += self._place(at)
        self._cut += max(0, len(spans) - self._most)
        return min(len(spans), self._most)

    def evidence(self, flows: Sequence[Flow]) -> dict[str, Numbers]:
        """By index of the edge or condition."""
        return {
            str(i): [number for at in f.evidence[:PLACES_EACH] for number in self._place(at)]
            for i, f in enumerate(flows)
            if f.evidence
        }

    def finding(self, code: str, message: str, at: Span) -> list[object]:
        return [code, message, *self._place(at)]

    @property
    def left_out(self) -> list[str]:
        """What the page does not hold, in words."""
        if not self._cut:
            return []
        kept = "the first place" if self._most == 1 else f"the first {self._most} places"
        return [f"{self._cut:,} places: of each edge, only {kept} are here"]

    def _place(self, at: Span) -> tuple[int, int, int]:
        return self.files[at.path], at.line, at.column


def _most_places(flows: Sequence[Flow]) -> int:
    total = sum(min(len(f.spans), PLACES_EACH) for f in flows)
    return PLACES_EACH if total <= PLACES_ALL else 1


def _other(graph: Graph, known: set[str]) -> list[str]:
    return sorted({f.at.path for f in graph.unresolved} - known)


# --- the lists of numbers


def _edges(values: Sequence[Flow], index: Index, places: _Places) -> dict[str, Numbers]:
    targets = [index.ids[f.table, f.columns[0]] for f in values]
    return {
        "target": [b - a for a, b in zip([0, *targets], targets, strict=False)],
        "source": [index.ids[f.source] for f in values],
        "code": [f.code for f in values],
        "places": [places.add(f.spans) for f in values],
    }


def _conditions(rows: Sequence[Flow], index: Index, places: _Places) -> dict[str, object]:
    sets: dict[tuple[int, ...], int] = {}
    flat: dict[str, Numbers] = {"source": [], "set": [], "code": [], "places": []}
    for f in rows:
        members = _stretches(sorted(index.ids[f.table, name] for name in f.columns))
        flat["source"].append(index.ids[f.source])
        flat["set"].append(sets.setdefault(members, len(sets)))
        flat["code"].append(f.code)
        flat["places"].append(places.add(f.spans))
    return {"sets": [list(each) for each in sets], "rows": flat}


def _stretches(numbers: Sequence[int]) -> tuple[int, ...]:
    """3 4 5 9 as 3 3 9 1: where a stretch starts, and how long it is."""
    found: Numbers = []
    for number in numbers:
        if found and number == found[-2] + found[-1]:
            found[-1] += 1
        else:
            found += (number, 1)
    return tuple(found)


def _circles(graph: Graph, index: Index) -> Iterator[list[Column]]:
    """Circles among columns that carry values."""
    for circle in graph.cycles("direct"):
        members = [((node.relation, ""), node.column) for node in circle]
        if all(one in index.ids for one in members):
            yield members
