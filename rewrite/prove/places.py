"""Which relations a world has, and which of them a name means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlglot import exp

from unwet.rewrite.prove.adapt import to_duckdb
from unwet.rewrite.prove.engines import DuckEngine, quote, text
from unwet.rewrite.prove.routines import make_function

TEMP = "temp"


class Site(Protocol):
    """Where scripts run: what is there, and how something is put there.

    A place is (schema, table), or (table,) for a temporary one; names compare without case.
    """

    def find(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """What a name means; None when nothing, or nobody knows which."""
        ...

    def exact(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """As `find`, without looking into other schemas."""
        ...

    def kind(self, place: Sequence[str]) -> str:
        """TABLE, VIEW, or nothing."""
        ...

    def full(self, place: Sequence[str]) -> str:
        """What stands for it in SQL."""
        ...

    def sql(self, tree: exp.Expr, clock: datetime) -> str:
        """The tree as the engine reads it: names placed, clock pinned."""
        ...

    def run(self, sql: str) -> None:
        """Execute what changes rows."""
        ...

    def make(
        self, kind: str, place: tuple[str, ...], query: str, names: Sequence[str], definition: str
    ) -> None:
        """CREATE kind (TABLE or VIEW) AS query, with `names` for its columns, or of a definition
        without rows."""
        ...

    def function(self, tree: exp.Create, clock: datetime) -> None:
        """CREATE FUNCTION; raises EngineError for one that is not run here."""
        ...

    def drop(self, place: tuple[str, ...]) -> None:
        """DROP what is there."""
        ...

    def own(self, place: tuple[str, ...]) -> None:
        """Rows of a place are about to change: from now on it is a copy of the data."""
        ...

    def refill(self, place: tuple[str, ...], query: str) -> None:
        """The rows of a query in place of those that are there."""
        ...

    def temporaries(self) -> list[tuple[str, ...]]:
        """The temporary tables and views that there are, sorted."""
        ...

    def refresh(self) -> None:
        """Look again, after something happened that nobody told of."""
        ...


class Places:
    """The tables and views of one world; names compare without case.

    Names of the old engine have up to three parts; the catalog is left away, since one world
    stands for one server: `db.dbo.t` is schema dbo, table t.
    """

    def __init__(self, engine: DuckEngine, world: str) -> None:
        self._engine = engine
        self.world = world
        self.refresh()

    def refresh(self) -> None:
        """Look again, after something happened that nobody told of."""
        rows = self._engine.rows(
            "SELECT database_name, schema_name, table_name, 'TABLE' FROM duckdb_tables() "
            f"WHERE database_name IN ({text(self.world)}, 'temp') UNION ALL "
            "SELECT database_name, schema_name, view_name, 'VIEW' FROM duckdb_views() "
            f"WHERE NOT internal AND database_name IN ({text(self.world)}, 'temp')"
        )
        self._kinds: dict[tuple[str, ...], str] = {}
        self._spelled: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._by_table: dict[str, set[tuple[str, ...]]] = {}
        self._schemas: dict[str, str] = {}  # as the first table spells it
        for database, schema, table, kind in rows:
            place = (str(table),) if database == TEMP else (str(schema), str(table))
            self._add(place, str(kind))

    def create(self, kind: str, place: tuple[str, ...], body: str) -> None:
        """CREATE kind (TABLE or VIEW) place body, in a schema that need not exist yet."""
        if len(place) == 2 and place[0].lower() not in self._schemas:
            self._engine.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(self.world, place[0])}")
        temporary = "TEMP " if len(place) == 1 else ""
        self._engine.execute(f"CREATE {temporary}{kind} {self.full(place)}{body}")
        self._add(place, kind)

    def make(
        self, kind: str, place: tuple[str, ...], query: str, names: Sequence[str], definition: str
    ) -> None:
        """As `create`; a view onto the data of that name gives way."""
        if len(place) == 2 and self.kind(place) == "VIEW" and kind == "TABLE":
            self.drop(place)
        columns = f" ({', '.join(map(quote, names))})" if names else ""
        self.create(kind, place, f" ({definition})" if definition else f"{columns} AS {query}")

    def function(self, tree: exp.Create, clock: datetime) -> None:
        """A macro for the whole session, so that the new side knows it, too."""
        make_function(self._engine, tree, lambda body: self.sql(body, clock))

    def run(self, sql: str) -> None:
        """Execute what changes rows."""
        self._engine.execute(sql)

    def own(self, place: tuple[str, ...]) -> None:
        """A view onto the data becomes a copy of it."""
        if self.kind(place) != "VIEW" or len(place) != 2:
            return
        name, copy = self.full(place), (place[0], f"unwet_copy_{place[1]}")
        self._engine.execute(f"CREATE TABLE {self.full(copy)} AS SELECT * FROM {name}")
        self._engine.execute(f"DROP VIEW {name}")
        self._engine.execute(f"ALTER TABLE {self.full(copy)} RENAME TO {quote(place[1])}")
        self.refresh()

    def refill(self, place: tuple[str, ...], query: str) -> None:
        """The query may read what it replaces."""
        self._engine.execute(f"CREATE OR REPLACE TEMP TABLE unwet_stage AS {query}")
        self._engine.execute(f"DELETE FROM {self.full(place)}")
        self._engine.execute(f"INSERT INTO {self.full(place)} SELECT * FROM unwet_stage")
        self._engine.execute("DROP TABLE unwet_stage")

    def sql(self, tree: exp.Expr, clock: datetime) -> str:
        """As DuckDB reads it."""
        return to_duckdb(tree, clock, self.located, self._engine.declared)

    def drop(self, place: tuple[str, ...]) -> None:
        """DROP what is there."""
        self._engine.execute(f"DROP {self.kind(place)} {self.full(place)}")
        key = _key(place)
        del self._kinds[key], self._spelled[key]
        self._by_table.get(key[-1], set()).discard(key)

    def temporaries(self) -> list[tuple[str, ...]]:
        """The temporary tables and views that there are, sorted."""
        return sorted(place for place in self._spelled.values() if len(place) == 1)

    def _add(self, place: tuple[str, ...], kind: str) -> None:
        key = _key(place)
        if len(place) == 2:
            place = (self._schemas.setdefault(key[0], place[0]), place[1])
        self._kinds[key], self._spelled[key] = kind, place
        if len(place) == 2:
            self._by_table.setdefault(key[-1], set()).add(key)

    def find(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """(schema, table), or (table,) for a temporary one; None when unknown or ambiguous.

        An exact match, else the only relation with that table name in any schema: data is often
        exported under other schema names than it was queried by.
        """
        exact = self.exact(parts)
        if exact is not None:
            return exact
        same = self._by_table.get(parts[-1].lower(), ())
        return self._spelled[next(iter(same))] if len(same) == 1 else None

    def located(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """As `find`, with the world in front."""
        place = self.find(parts)
        return place if place is None or len(place) == 1 else (self.world, *place)

    def exact(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """As `find`, without looking into other schemas."""
        if len(parts) == 1 and _key(parts) in self._spelled:
            return self._spelled[_key(parts)]  # temporary tables come first
        return self._spelled.get(_key(target(parts)))

    def kind(self, place: Sequence[str]) -> str:
        """TABLE, VIEW, or nothing."""
        return self._kinds.get(_key(place), "")

    def full(self, place: Sequence[str]) -> str:
        """The quoted name of a place, good in any world."""
        return quote(*place) if len(place) == 1 else quote(self.world, *place)


def target(parts: Sequence[str]) -> tuple[str, ...]:
    """Where a new relation of that name is put."""
    if parts[-1].startswith("#"):
        return (parts[-1],)
    return (parts[-2] if len(parts) > 1 else "main", parts[-1])


def _key(place: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.lower() for part in place)
