"""A small database as a value: nothing here knows how it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

Cell = str | None
"""One value as text that casts to the type of its column; None is NULL."""


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: name and DuckDB type of each; every row has one cell per column."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Database:
    """`tables` by the relation's name (its last two parts are schema and table).

    `aim` says in words what the rows are there for. `macros`: statements that make functions
    which the engine lacks, for the whole session. `parts`: the same rows in smaller databases, for
    when nothing can be said on all of them together. `declared`: the types of columns in the
    pile's own dialect, by their names.
    """

    tables: Mapping[str, Table]
    aim: str = ""
    macros: tuple[str, ...] = ()
    parts: tuple[Database, ...] = field(default=(), repr=False)
    declared: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(len(table.rows) for table in self.tables.values())

    @property
    def has_one_order(self) -> bool:
        """Whether there is only one order of its rows."""
        return all(len(table.rows) < 2 for table in self.tables.values())

    def with_macros(self, macros: tuple[str, ...]) -> Database:
        """With those functions, its parts, too."""
        parts = tuple(each.with_macros(macros) for each in self.parts)
        return replace(self, macros=macros, parts=parts)

    def with_declared(self, declared: Mapping[str, frozenset[str]]) -> Database:
        """With those types, its parts, too."""
        parts = tuple(each.with_declared(declared) for each in self.parts)
        return replace(self, declared=declared, parts=parts)

    def doubled(self, aim: str, ends: bool = True) -> Database:
        """With each row twice; without `ends` the first and the last of each table once."""
        tables = {name: replace(t, rows=_doubled(t.rows, ends)) for name, t in self.tables.items()}
        parts = tuple(each.doubled(aim, ends) for each in self.parts)
        return replace(self, tables=tables, aim=aim, parts=parts)

    @property
    def has_arrays(self) -> bool:
        """Whether a column of some table is an array."""
        return any(kind.endswith("[]") for t in self.tables.values() for _, kind in t.columns)

    def with_arrays(self, aim: str, many: bool) -> Database:
        """With arrays of several elements, the last of them twice and not in order; or, without
        `many`, with some that are empty, and some that are NULL."""
        change = _longer if many else _without_elements
        tables = {name: _with_arrays(table, change) for name, table in self.tables.items()}
        parts = tuple(each.with_arrays(aim, many) for each in self.parts)
        return replace(self, tables=tables, aim=aim, parts=parts)


_Change = Callable[[str, str, int], Cell]
"""An array, that of the next row, and the number of its row."""


def _with_arrays(table: Table, change: _Change) -> Table:
    rows = [list(row) for row in table.rows]
    for at, (_, kind) in enumerate(table.columns):
        before = [row[at] for row in rows]
        for number, cell in enumerate(before):
            other = before[(number + 1) % len(before)]
            if kind.endswith("[]") and cell is not None:
                rows[number][at] = change(cell, other or cell, number)
    return replace(table, rows=tuple(map(tuple, rows)))


def _longer(cell: str, other: str, _: int) -> Cell:
    last, first = sorted((cell[1:-1], other[1:-1]))
    return f"[{', '.join(filter(None, (first, last, last)))}]"


def _without_elements(cell: str, _: str, number: int) -> Cell:
    return (None, "[]", cell)[number % 3]


def _doubled(rows: tuple[tuple[Cell, ...], ...], ends: bool) -> tuple[tuple[Cell, ...], ...]:
    last = len(rows) - 1
    times = (2 if ends or 0 < at < last else 1 for at in range(len(rows)))
    return tuple(row for row, n in zip(rows, times, strict=True) for _ in range(n))
