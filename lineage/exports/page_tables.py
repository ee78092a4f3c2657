"""The tables, columns and folders of the HTML page by number, with positions for the map."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from unwet.lineage.columns import ColumnId
from unwet.lineage.errors import UsageError
from unwet.lineage.exports.layout import Box, layout
from unwet.lineage.findings import Span

HEAD, ROW, MOST_ROWS = 30, 20, 12  # pixels of a title, of a column; columns shown in the overview

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


class Index:
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

    def center(self, centers: Sequence[ColumnId]) -> tuple[int, int]:
        """Table and column to open at; -1 for all columns of the table, and for no table."""
        if not centers:
            return -1, -1
        column = self._number(centers[0])
        table = next(i for i, end in enumerate(accumulate(self.widths.values())) if column < end)
        together = len(centers) > 1 and len({each.relation for each in centers}) == 1
        return table, -1 if together else column

    def _number(self, column: ColumnId) -> int:
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
            "folder": _numbered([_folder(t, self.home.get(t, ""), start) for t in tables]),
        }
        titles = [relation or path[start:] or "(result)" for relation, path in tables]
        shared = _shared_catalog(relation for relation, _ in tables)
        heads = [Box(_title_width(each, shared), HEAD) for each in titles]
        return {
            "shared": shared,
            "names": names,
            "columns": [at[name] for _, name in self.ids],
            "tables": {
                "name": titles,
                "columns": [self.widths[table] for table in tables],
                "result": [int(not relation) for relation, _ in tables],
                "titles": _positions(heads, self.links),
                "full": _positions(self._full(heads), self.links),
            },
            "groups": {
                way: {
                    "names": labels,
                    "of": of,
                    "titles": _positions(
                        [Box(_title_width(label, shared), HEAD) for label in labels],
                        {(of[a], of[b]) for a, b in self.links},
                    ),
                }
                for way, (labels, of) in folders.items()
            },
        }

    def _full(self, heads: Sequence[Box]) -> list[Box]:
        """Boxes with as many columns as the overview shows, and a line for the rest."""
        longest: dict[Key, list[int]] = {}
        for table, name in self.ids:
            longest.setdefault(table, []).append(len(name))
        return [
            Box(
                max(head.width, _within(44 + 6.4 * max(lengths[:MOST_ROWS]))),
                HEAD + ROW * min(len(lengths), MOST_ROWS + 1) + 4,
            )
            for head, lengths in zip(heads, longest.values(), strict=True)
        ]


def _title_width(title: str, shared: str) -> float:
    """About what the browser needs, whose fonts nobody knows here."""
    folders = title.rpartition("@")[2].split("/")
    short = "/".join(folders[-2:]) if len(folders) > 2 else title.removeprefix(shared)
    return _within(52 + 7.2 * len(short))


def _within(width: float) -> float:
    return round(min(260.0, max(110.0, width)))


def _shared_catalog(relations: Iterable[str]) -> str:
    """`project.` when most tables are `project.dataset.table`: titles leave it out."""
    named = [relation for relation in relations if relation]
    parts = [relation.split(".") for relation in named]
    counts = Counter(each[0] for each in parts if len(each) > 2)
    first, most = min(counts.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return f"{first}." if most > max(3, len(named) / 2) else ""


# --- what tables and columns are sorted and grouped by


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


def _folder(table: Key, path: str, start: int) -> str:
    """Where the file is that fills a table; what nothing here fills is a source."""
    if not path:
        return f"{_schema(table)} (sources)"
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


def _positions(boxes: Sequence[Box], links: set[tuple[int, int]]) -> dict[str, object]:
    places = layout(boxes, links)
    return {
        "x": [int(place.x) for place in places],
        "y": [int(place.y) for place in places],
        "width": [int(place.width) for place in places],
        "layer": [place.layer for place in places],
    }
