"""The relations of a server, as scripts see them: what is there, and what they make themselves.

`Nested` makes nothing: what a script creates from a query stays a query, and stands as a CTE in
whatever reads it. `Scratch` makes tables in the schema that the user named, and drops them again.
Neither touches what it did not make; a table of the data that is to be changed is copied first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.lineage.templating import TOKEN
from unwet.rewrite.prove.adapt import to_server
from unwet.rewrite.prove.places import target
from unwet.rewrite.prove.servers.flavours import Flavour
from unwet.rewrite.prove.servers.forbidden import forbidden
from unwet.rewrite.prove.servers.parity import quoted
from unwet.rewrite.prove.servers.there import Server

SCRATCH = "name a scratch schema with --scratch"
MAIN = "main"
_LONGEST = 40  # of a name within ours; PostgreSQL cuts identifiers at 63 bytes


@dataclass(frozen=True, slots=True)
class Made:
    """A relation that a script made. `name`: what it is called in SQL, part by part; `head` and
    `query`: the CTE that it is, where it is no table; `reads`: the other ones it reads."""

    place: tuple[str, ...]
    kind: str
    name: tuple[str, ...]
    head: str = ""
    query: str = ""
    reads: frozenset[str] = frozenset()


class Data:
    """The tables that a server has, and how their names are looked up: as the server does it, but
    for the case of names. A table that is not where a script says it is, is not another one."""

    def __init__(self, tables: Iterable[tuple[str, str]], path: Sequence[str] = ()) -> None:
        self.tables = tuple(tables)
        self._path = [schema.lower() for schema in path]
        self._spelled: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self._by_table: dict[str, list[tuple[str, str]]] = {}
        for place in self.tables:
            self._spelled.setdefault(_key(place), []).append(place)
            self._by_table.setdefault(place[1].lower(), []).append(place)

    def exact(self, parts: Sequence[str]) -> tuple[str, str] | None:
        """By schema and name, or by name alone on the search path."""
        if len(parts) > 1:
            found = self._named(parts[-2], parts[-1])
            if found is not None or not is_bare(parts):
                return found
        for schema in self._path:
            if found := self._named(schema, parts[-1]):
                return found
        return None

    def only(self, name: str) -> tuple[str, str] | None:
        """The one table of that name in any schema."""
        same = self._by_table.get(name.lower(), [])
        return same[0] if len(same) == 1 else None

    def on_path(self, schema: str) -> bool:
        """Whether unqualified names are looked up there."""
        return schema.lower() in self._path

    def _named(self, schema: str, table: str) -> tuple[str, str] | None:
        """Of names that differ by case only: the one as it is written, else the one without
        capitals, which is what PostgreSQL takes an unquoted name for."""
        same = self._spelled.get((schema.lower(), table.lower()), [])
        for wanted in ((schema, table), (schema, table.lower()), (schema.lower(), table.lower())):
            if wanted in same:
                return wanted
        return same[0] if len(same) == 1 else None


def is_bare(parts: Sequence[str]) -> bool:
    """Written without a schema: a project says `main` where the pile says nothing."""
    return len(parts) == 1 or (len(parts) == 2 and parts[0].lower() == MAIN)


class Nested:
    """A site that writes nothing. `shuffle`: tables of the data are read in another order;
    `below`: a site whose relations are seen where there is none of that name here; `pinned`:
    whether the clock stands still.

    `borrowed`: places of that other site that the tree of the last `sql` reads, in lower case.
    """

    def __init__(
        self,
        flavour: Flavour,
        data: Data,
        prefix: str,
        shuffle: bool = False,
        below: Nested | None = None,
        pinned: bool = True,
    ) -> None:
        self._pinned = pinned
        self.flavour, self._data, self._shuffle, self._below = flavour, data, shuffle, below
        self.borrowed: set[tuple[str, ...]] = set()
        self._prefix = prefix
        self._made: dict[tuple[str, ...], Made] = {}
        self._all: dict[str, Made] = {}  # by the name of the CTE; also what was dropped since
        self._gone: set[tuple[str, ...]] = set()  # tables of the data that a script dropped
        self._read: set[str] = set()
        self._count = 0

    # --- names

    def exact(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        keys = [_key(parts), _key(target(parts))]
        if len(parts) == 2 and self._data.on_path(parts[0]):
            keys.append((MAIN, parts[1].lower()))
        for site in self._stack():
            for key in keys:
                if key in site._made:
                    return site._made[key].place
        found = self._data.exact(parts)
        return found if found is not None and _key(found) not in self._gone else None

    def find(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        found = self.exact(parts)
        if found is not None or not is_bare(parts):
            return found
        name = parts[-1].lower()
        same = {
            each.place: None
            for site in self._stack()
            for key, each in site._made.items()
            if key[-1] == name and len(key) == 2
        }
        if len(same) == 1:
            return next(iter(same))
        other = self._data.only(name) if not same else None
        return other if other is not None and _key(other) not in self._gone else None

    def _stack(self) -> list[Nested]:
        return [self, self._below] if self._below is not None else [self]

    def kind(self, place: Sequence[str]) -> str:
        made = self._made.get(_key(place))
        if made is not None:
            return made.kind
        return "VIEW" if self._data.exact(place) and _key(place) not in self._gone else ""

    def full(self, place: Sequence[str]) -> str:
        return ".".join(quoted(part, self.flavour) for part in self._located(place))

    def located(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """The parts that stand in SQL for a name; None when it is unknown."""
        place = self.find(parts)
        if place is None:
            return None
        found = self._located(place)
        if len(parts) > 2 and found == place and self.flavour.catalogs:
            return (*parts[:-2], *found)
        return found

    def _located(self, place: Sequence[str]) -> tuple[str, ...]:
        made = self._made.get(_key(place))
        if made is None and self._below is not None:
            made = self._below._made.get(_key(place))
            if made is not None:
                self.borrowed.add(_key(place))
        if made is None and self._shuffle:
            made = self._shuffled(tuple(place))
        if made is None:
            return tuple(place)
        if made.query:
            self._read.add(made.name[0])
        return made.name

    def _shuffled(self, place: tuple[str, ...]) -> Made:
        self._make("VIEW", place, self._other_order(place), (), frozenset())
        return self._made[_key(place)]

    def _other_order(self, place: Sequence[str]) -> str:
        return self.flavour.shuffled(".".join(quoted(part, self.flavour) for part in place))

    def _name(self, place: Sequence[str]) -> str:
        self._count += 1
        plain = "".join(c if c.isalnum() and c.isascii() else "_" for c in place[-1])
        return f"{self._prefix}{self._count}_{plain[:_LONGEST].lower()}"

    # --- statements

    def sql(self, tree: exp.Expr, clock: datetime) -> str:
        """Raises EngineError for what a query may not call on somebody's server."""
        if names := forbidden(tree, self.flavour.dialect):
            raise EngineError(f"is not run on a server: calls {', '.join(names)}")
        self._read, self.borrowed = set(), set()
        moment = clock if self._pinned else None
        sql = to_server(tree, moment, self.located, self.flavour.dialect)
        if left := TOKEN.search(sql):
            raise EngineError(f"{left.group()} has no value")
        return sql

    def make(
        self, kind: str, place: tuple[str, ...], query: str, names: Sequence[str], definition: str
    ) -> None:
        if definition:
            raise EngineError(f"{'.'.join(place)} is filled by statements that write: {SCRATCH}")
        self._make(kind, place, query, names, frozenset(self._read))
        self._read = set()

    def _make(
        self,
        kind: str,
        place: tuple[str, ...],
        query: str,
        names: Sequence[str],
        reads: frozenset[str],
    ) -> None:
        name = self._name(place)
        head = quoted(name, self.flavour)
        if names:
            head += f"({', '.join(quoted(each, self.flavour) for each in names)})"
        self._made[_key(place)] = self._all[name] = Made(place, kind, (name,), head, query, reads)

    def drop(self, place: tuple[str, ...]) -> None:
        if self._made.pop(_key(place), None) is None:
            self._gone.add(_key(place))

    def own(self, place: tuple[str, ...]) -> None:
        raise EngineError(f"changes rows of {'.'.join(place)}, and data is only read: {SCRATCH}")

    def function(self, tree: exp.Create, clock: datetime) -> None:
        raise EngineError("CREATE FUNCTION is not run here")

    def run(self, sql: str) -> None:
        raise EngineError(f"a statement that writes is not run here: {SCRATCH}")

    def refill(self, place: tuple[str, ...], query: str) -> None:
        self.own(place)

    def temporaries(self) -> list[tuple[str, ...]]:
        return sorted(made.place for made in self._made.values() if len(made.place) == 1)

    def refresh(self) -> None:
        """Nobody else makes anything here."""

    # --- what was made

    def definitions(self, *places: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """(head, query) of the CTEs that places are made of, inputs first."""
        found: dict[str, Made] = {}

        def add(name: str) -> None:
            made = next(site._all[name] for site in self._stack() if name in site._all)
            if name not in found and made.query:
                for read in sorted(made.reads):
                    add(read)
                found[name] = made

        for place in places:
            made = self._made.get(_key(place))
            if made is not None and made.query:
                add(made.name[0])
        return tuple((made.head, made.query) for made in found.values())

    def close(self) -> None:
        """Nothing was made."""


class Scratch(Nested):
    """A site in a schema of the server; all that is made there is dropped by `close`."""

    def __init__(
        self,
        engine: Server,
        data: Data,
        schema: str,
        prefix: str,
        shuffle: bool = False,
        below: Nested | None = None,
    ) -> None:
        super().__init__(engine.flavour, data, prefix, shuffle, below)
        self._engine, self._schema = engine, schema
        self._there: list[tuple[str, str]] = []  # kind and full name of what we made

    def make(
        self, kind: str, place: tuple[str, ...], query: str, names: Sequence[str], definition: str
    ) -> None:
        columns = f"({', '.join(quoted(each, self.flavour) for each in names)})" if names else ""
        body = f" ({definition})" if definition else f"{columns} AS {query}"
        self._create(kind, place, body)

    def own(self, place: tuple[str, ...]) -> None:
        made = self._made.get(_key(place))
        if made is None or made.query or made.kind == "VIEW":
            self._create("TABLE", place, f" AS SELECT * FROM {self.full(place)}")

    def run(self, sql: str) -> None:
        self._engine.restart()
        self._engine.execute(sql)

    def refill(self, place: tuple[str, ...], query: str) -> None:
        """A new table: the query may read the old one."""
        self._create("TABLE", place, f" AS {query}")

    def close(self) -> None:
        """Drop what was made, the last first; what a script dropped is still there until then,
        since views may read it."""
        while self._there and not self._engine.forgets:
            kind, full = self._there.pop()
            self._engine.execute(f"DROP {kind} {full}")

    def _shuffled(self, place: tuple[str, ...]) -> Made:
        self._create("VIEW", place, f" AS {self._other_order(place)}")
        return self._made[_key(place)]

    def _create(self, kind: str, place: tuple[str, ...], body: str) -> None:
        name = (self._schema, self._name(place))
        full = ".".join(quoted(part, self.flavour) for part in name)
        self._engine.restart()
        self._engine.execute(f"CREATE {kind} {full}{body}")
        self._there.append((kind, full))
        self._made[_key(place)] = Made(place, kind, name)


def _key(place: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.lower() for part in place)
