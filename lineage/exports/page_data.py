"""What the HTML page knows: tables, columns and edges as flat lists of numbers, compact and sorted.

The explorer's model.js reads it; the two agree on the keys below and on nothing else.

    names     every column name once          columns   per column: index into names
    tables    name, width in columns, result (1: a bare SELECT), groups, positions
    edges     values: target (minus the one before), source, code, number of places
    sets      lists of target columns, as start and length in turn
    rows      conditions: source, set, code, number of places (the same for all of the set)
    places    file, line, column in turn; those of edges first, then those of rows
    evidence  of edges and rows, by index: places in turn

A code is 4 x the position in KINDS + the position in CERTAINTIES.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from unwet.lineage.columns import RANKS, ColumnId, Edge
from unwet.lineage.errors import UsageError
from unwet.lineage.exports.layout import Spacing, layout
from unwet.lineage.findings import Span
from unwet.lineage.graph import Graph

KINDS = ("IDENTITY", "TRANSFORMATION", "AGGREGATION",
         "JOIN", "FILTER", "GROUP_BY", "SORT", "WINDOW", "CONDITIONAL")  # fmt: skip
CERTAINTIES = RANKS
HEAD, ROW, MOST_ROWS = 30, 20, 12  # pixels of a title, of a column; columns shown in the overview
PLACES_EACH = 50  # places of one edge
PLACES_ALL = 400_000  # above it, one place of each edge

Key = tuple[str, str]  # relation and, for a bare SELECT, the file
Column = tuple[Key, str]
Numbers = list[int]


@dataclass(frozen=True, slots=True)
class Flow:
    """One edge to one column of a table, or one condition to several of them."""

    source: Column
    table: Key
    columns: tuple[str, ...]
    code: int
    spans: tuple[Span, ...]
    evidence: tuple[Span, ...]


def page_data(graph: Graph, center: ColumnId | None = None) -> dict[str, object]:
    """Everything of the graph that the page shows; the same for the same graph.

    Raises UsageError when no edge touches `center`.
    """
    values, rows = _flows(graph.edges)
    index = _Index(values, rows)
    values.sort(key=lambda f: (index.ids[f.table, f.columns[0]], index.ids[f.source], f.code))
    rows.sort(key=lambda f: (f.table, f.columns, index.ids[f.source], f.code, f.spans))
    most = _most_places([*values, *rows])
    files = sorted({at.path for f in (*values, *rows) for at in (*f.spans, *f.evidence)})
    places = _Places({path: i for i, path in enumerate([*files, *_other(graph, set(files))])}, most)
    return {
        "kinds": KINDS,
        "certainties": CERTAINTIES,
        "sizes": {"width": Spacing().width, "head": HEAD, "row": ROW, "rows": MOST_ROWS},
        "files": list(places.files),
        **index.columns_and_tables(),
        "edges": _edges(values, index, places),
        **_conditions(rows, index, places),
        "places": places.flat,
        "evidence": places.evidence([*values, *rows]),
        "circles": [[index.ids[one] for one in circle] for circle in _circles(graph, index)],
        "unresolved": [places.finding(f.code, f.message, f.at) for f in graph.unresolved],
        "left_out": places.left_out,
        "center": index.number(center) if center else -1,
    }


def result_key(path: str) -> Key:
    """The table that stands for the bare SELECTs of a file."""
    return ("", path)


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
        yield result_key(path), tuple(at for at in e.spans if at.path == path)


# --- tables and columns by number


class _Index:
    """Numbers of columns: table by table, in the order in which statements name them."""

    def __init__(self, values: Sequence[Flow], rows: Sequence[Flow]) -> None:
        every = dict.fromkeys(
            chain.from_iterable(
                (f.source, *((f.table, name) for name in f.columns)) for f in (*values, *rows)
            )
        )
        named = _named_at(values)
        last = ("~", 0, 0)
        ordered = sorted(every, key=lambda one: (_by_name(one[0]), named.get(one, last), one[1]))
        self.ids: dict[Column, int] = {one: i for i, one in enumerate(ordered)}
        self.widths = Counter(table for table, _ in ordered)
        self.tables = {table: i for i, table in enumerate(self.widths)}
        self.links = {(self.tables[f.source[0]], self.tables[f.table]) for f in (*values, *rows)}
        self.home = _homes((*values, *rows))

    def number(self, column: ColumnId) -> int:
        """That of a column of the graph; of bare SELECTs, the first one with such a column."""
        found = self.ids.get(((column.relation, ""), column.column))
        if found is None and not column.relation:
            alike = (i for (table, name), i in self.ids.items()
                     if not table[0] and name == column.column)  # fmt: skip
            found = next(alike, None)
        if found is None:
            raise UsageError(f"no column {column} in the lineage")
        return found

    def columns_and_tables(self) -> dict[str, object]:
        names = sorted({name for _, name in self.ids})
        at = {name: i for i, name in enumerate(names)}
        tables = list(self.tables)
        start = _shared_start([*self.home.values(), *(path for _, path in tables if path)])
        folders = {
            "schema": _numbered([_schema(table) for table in tables]),
            "folder": _numbered([_folder(self.home.get(t, ""), start) for t in tables]),
        }
        full = [HEAD + ROW * min(self.widths[t], MOST_ROWS + 1) + 4 for t in tables]
        return {
            "names": names,
            "columns": [at[name] for _, name in self.ids],
            "tables": {
                "name": [relation or path[start:] or "(result)" for relation, path in tables],
                "columns": [self.widths[table] for table in tables],
                "result": [int(not relation) for relation, _ in tables],
                "titles": _positions([HEAD] * len(tables), self.links),
                "full": _positions(full, self.links),
            },
            "groups": {
                way: {
                    "names": labels,
                    "of": of,
                    "titles": _positions(
                        [HEAD] * len(labels), {(of[a], of[b]) for a, b in self.links}
                    ),
                }
                for way, (labels, of) in folders.items()
            },
        }


def _named_at(values: Iterable[Flow]) -> dict[Column, tuple[str, int, int]]:
    """Where the first value of each column stands, for the order of the columns."""
    found: dict[Column, tuple[str, int, int]] = {}
    for f in values:
        if f.spans:
            place = (f.spans[0].path, f.spans[0].line, f.spans[0].column)
            key = (f.table, f.columns[0])
            found[key] = min(place, found.get(key, place))
    return found


def _homes(flows: Iterable[Flow]) -> dict[Key, str]:
    """The file that says most about what goes into a table."""
    counts: dict[Key, Counter[str]] = {}
    for f in flows:
        counts.setdefault(f.table, Counter()).update(at.path for at in f.spans[:1])
    return {t: min(c, key=lambda path: (-c[path], path)) for t, c in counts.items() if c}


def _schema(table: Key) -> str:
    """What stands before the name; a temporary table of several files is `name@file`."""
    relation, _ = table
    if not relation:
        return "results"
    return (relation[:1] + relation[1:].partition("@")[0]).rpartition(".")[0] or "no schema"


def _folder(path: str, start: int) -> str:
    if not path:
        return "not filled here"
    return _slashed(path)[start:].rpartition("/")[0] or "."


def _shared_start(paths: Iterable[str]) -> int:
    """How long the folder is that all the paths are in, with its slash."""
    slashed = sorted(map(_slashed, paths)) or [""]
    first, last = slashed[0], slashed[-1]
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return first[:same].rfind("/") + 1


def _slashed(path: str) -> str:
    return path.replace("\\", "/")


def _by_name(table: Key) -> tuple[bool, str, str]:
    return not table[0], *table


def _numbered(labels: Sequence[str]) -> tuple[list[str], Numbers]:
    names = sorted(set(labels))
    at = {name: i for i, name in enumerate(names)}
    return names, [at[label] for label in labels]


def _positions(heights: Sequence[int], links: set[tuple[int, int]]) -> dict[str, object]:
    places = layout(heights, links)
    return {
        "x": [int(place.x) for place in places],
        "y": [int(place.y) for place in places],
        "layer": [place.layer for place in places],
    }


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


def _edges(values: Sequence[Flow], index: _Index, places: _Places) -> dict[str, Numbers]:
    targets = [index.ids[f.table, f.columns[0]] for f in values]
    return {
        "target": [b - a for a, b in zip([0, *targets], targets, strict=False)],
        "source": [index.ids[f.source] for f in values],
        "code": [f.code for f in values],
        "places": [places.add(f.spans) for f in values],
    }


def _conditions(rows: Sequence[Flow], index: _Index, places: _Places) -> dict[str, object]:
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


def _circles(graph: Graph, index: _Index) -> Iterator[list[Column]]:
    """Circles among columns that carry values."""
    for circle in graph.cycles("direct"):
        members = [((node.relation, ""), node.column) for node in circle]
        if all(one in index.ids for one in members):
            yield members
