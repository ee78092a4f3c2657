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
    lines     by file and number: the SQL at the places

A code is 4 x the position in KINDS + the position in CERTAINTIES.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from unwet.lineage.columns import RANKS, ColumnId, Edge
from unwet.lineage.exports.page_places import Places
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


def page_data(
    graph: Graph, centers: Sequence[ColumnId] = (), texts: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Everything of the graph that the page shows; the same for the same graph.

    `centers`: what it opens at; several columns of one relation stand for that relation. `texts`:
    the sources by path; of each place, the page shows the line. Raises UsageError when no edge
    touches the first of the centers.
    """
    with uncollected():
        return _page_data(graph, centers, texts or {})


def _page_data(
    graph: Graph, centers: Sequence[ColumnId], texts: Mapping[str, str]
) -> dict[str, object]:
    values, rows = _flows(graph.edges)
    index = Index(values, rows)
    values.sort(key=lambda f: (index.ids[f.table, f.columns[0]], index.ids[f.source], f.code))
    rows.sort(key=lambda f: (f.table, f.columns, index.ids[f.source], f.code, f.spans))
    places = Places([*values, *rows], graph.unresolved)
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
        "unresolved": [places.finding(f) for f in graph.unresolved],
        "lines": places.lines(texts),
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


# --- the lists of numbers


def _edges(values: Sequence[Flow], index: Index, places: Places) -> dict[str, Numbers]:
    targets = [index.ids[f.table, f.columns[0]] for f in values]
    return {
        "target": [b - a for a, b in zip([0, *targets], targets, strict=False)],
        "source": [index.ids[f.source] for f in values],
        "code": [f.code for f in values],
        "places": [places.add(f.spans) for f in values],
    }


def _conditions(rows: Sequence[Flow], index: Index, places: Places) -> dict[str, object]:
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
