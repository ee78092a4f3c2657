"""What is known about relations: their columns, where that knowledge comes from, name lookup."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from unwet.lineage.findings import Span
from unwet.lineage.names import is_token


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `seen` is the place that shows it, when it is known from a use only. `spelled`:
    its name as it is declared; `bare`: without quotes; `collated`: it has its own collation."""

    name: str
    type: str = ""
    not_null: bool = False
    seen: Span | None = None
    spelled: str = field(default="", compare=False)
    bare: bool = field(default=False, compare=False)
    collated: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns whose values are those of a row of `table`, unless one of them is NULL; `to`: its
    columns there, in the same order, empty for its primary key. ``checked``: not one that is
    declared NOT ENFORCED, NOT VALID or the like."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...] = ()
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A relation with its columns.

    `closed`: the list is complete (DDL, given schema, output of a statement). An open table has
    only the columns that somebody was seen to use. `origin`: ddl, schema, statement or use.
    `keys`: column sets declared unique, primary key first; `foreign`: declared foreign keys.
    `agreed`: nobody declares other columns, or another order of them, and no ALTER TABLE makes one
    go, gives it another name, or puts it anywhere but behind the others. `trusted`: somebody says
    that its rows keep what is declared, whether or not its engine checks that.
    """

    name: str
    columns: tuple[Column, ...]
    closed: bool
    origin: str
    keys: tuple[tuple[str, ...], ...] = ()
    at: Span | None = None
    foreign: tuple[ForeignKey, ...] = ()
    agreed: bool = field(default=True, compare=False)
    trusted: bool = False
    index: Mapping[str, int] = field(init=False, compare=False, repr=False)
    names: tuple[str, ...] = field(init=False, compare=False, repr=False)  # of columns, in order

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))
        index = {column.name: i for i, column in reversed(tuple(enumerate(self.columns)))}
        object.__setattr__(self, "index", index)


CALLED = "()"  # ends the name of a function, which may be a table's name as well


def tail(name: str) -> str:
    """The last part of a dotted name."""
    return name.rpartition(".")[2]


def _plain(name: str) -> str:
    """The name without leading parts that are placeholders."""
    parts = name.split(".")
    while len(parts) > 1 and is_token(parts[0]):
        del parts[0]
    return ".".join(parts)


def _suffix(one: str, other: str) -> bool:
    return one.endswith("." + other) or other.endswith("." + one)


class Relations(Protocol):
    """What name resolution asks of a catalog, finished or still growing."""

    def find(self, name: str, path: str = "", before: int = -1) -> tuple[str, Table | None]: ...
    def relation(self, name: str, path: str = "", before: int = -1) -> str: ...
    def uses(self, relation: str, decides: bool = True) -> Table | None: ...


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every relation of a pile.

    `temps`: temporary relations live in one file and may be made anew there: (path, name) ->
    ((statement index, table), ...). `spellings`: short name -> the one longer name it stands for.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    default_schema: str = ""
    temps: Mapping[tuple[str, str], tuple[tuple[int, Table], ...]] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    by_tail: Mapping[str, tuple[str, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        by_tail: dict[str, tuple[str, ...]] = {}
        for name in self.tables:
            by_tail[tail(name)] = (*by_tail.get(tail(name), ()), name)
        object.__setattr__(self, "by_tail", by_tail)

    def get(self, name: str) -> Table | None:
        """The table of that name: exact, else the only one that ends in it or that it ends in."""
        exact = self.tables.get(name)
        if exact is not None:
            return exact
        matches = self.candidates(name)
        return self.tables[matches[0]] if len(matches) == 1 else None

    def type_of(self, name: str, column: str) -> str:
        """The type of a table's column, as it is written; empty where none is known."""
        table = self.get(name)
        at = table.index.get(column) if table is not None else None
        return table.columns[at].type if table is not None and at is not None else ""

    def types(self) -> Mapping[str, frozenset[str]]:
        """The types of all columns of a name, as they are written; "" where one has none."""
        found: dict[str, set[str]] = {}
        for table in self.tables.values():
            for column in table.columns:
                found.setdefault(column.name.lower(), set()).add(column.type)
        return {name: frozenset(types) for name, types in found.items()}

    def candidates(self, name: str) -> tuple[str, ...]:
        """Names that may be meant: longer ones ending in `name`, else shorter ones it ends in.

        A placeholder in a name may stand for any schema.
        """
        same = self.by_tail.get(tail(name), ())
        longer = tuple(known for known in same if known.endswith("." + name))
        shorter = longer or tuple(known for known in same if name.endswith("." + known))
        if shorter or not same:
            return shorter
        plain = _plain(name)
        return tuple(k for k in same if _plain(k) == plain or _suffix(_plain(k), plain))

    def find(self, name: str, path: str = "", before: int = -1) -> tuple[str, Table | None]:
        """The relation that `name` means in statement `before` of `path`, and what is known of it.

        A temporary table hides others from its definition on.
        """
        made = [t for at, t in self.temps.get((path, name), ()) if before < 0 or at < before]
        if made:
            return made[-1].name, made[-1]
        name = self.qualified(name)
        table = self.get(name)
        if table is None:
            return name, None
        wild = is_token(table.name.partition(".")[0]) or name.endswith("." + table.name)
        if table.origin == "schema" and wild:
            return name, table  # a given table without a schema may stand for several
        return table.name, table

    def relation(self, name: str, path: str = "", before: int = -1) -> str:
        """The relation that `find` finds."""
        return self.find(name, path, before)[0]

    def uses(self, relation: str, decides: bool = True) -> Table | None:
        """The open table that holds the columns a relation was seen with."""
        table = self.tables.get(relation)
        return table if table is not None and not table.closed else None

    def qualified(self, name: str) -> str:
        """The name the pile knows it by: default schema added, short spelling replaced."""
        name = self.spellings.get(name, name)
        if self.default_schema and "." not in name and name[:1] not in ("#", "@"):
            return f"{self.default_schema}.{name}"
        return name
