"""A small database as a value: nothing here knows how it was made."""

from __future__ import annotations

from collections.abc import Mapping
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
    when nothing can be said on all of them together.
    """

    tables: Mapping[str, Table]
    aim: str = ""
    macros: tuple[str, ...] = ()
    parts: tuple[Database, ...] = field(default=(), repr=False)

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(len(table.rows) for table in self.tables.values())

    def with_macros(self, macros: tuple[str, ...]) -> Database:
        """With those functions, its parts, too."""
        parts = tuple(each.with_macros(macros) for each in self.parts)
        return replace(self, macros=macros, parts=parts)

    def doubled(self, aim: str, ends: bool = True) -> Database:
        """With each row twice; without `ends` the first and the last of each table once."""
        tables = {name: replace(t, rows=_doubled(t.rows, ends)) for name, t in self.tables.items()}
        parts = tuple(each.doubled(aim, ends) for each in self.parts)
        return replace(self, tables=tables, aim=aim, parts=parts)


def _doubled(rows: tuple[tuple[Cell, ...], ...], ends: bool) -> tuple[tuple[Cell, ...], ...]:
    last = len(rows) - 1
    times = (2 if ends or 0 < at < last else 1 for at in range(len(rows)))
    return tuple(row for row, n in zip(rows, times, strict=True) for _ in range(n))
