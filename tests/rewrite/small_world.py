"""Small NULL-rich, duplicate-rich DuckDB databases, and queries lowered against their catalog."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import duckdb
import sqlglot

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.lower import Env, lower

SCHEMA = {
    "t": {"a": "INTEGER", "b": "INTEGER", "c": "VARCHAR"},
    "u": {"a": "INTEGER", "k": "INTEGER", "d": "VARCHAR"},
    "v": {"k": "INTEGER", "b": "INTEGER", "e": "BOOLEAN"},
    "s": {"g": "INTEGER", "x": "DOUBLE", "y": "DATE"},
}
_VALUES = {
    "INTEGER": ("NULL", "0", "1", "2", "3"),
    "VARCHAR": ("NULL", "''", "'a'", "'b'"),
    "BOOLEAN": ("NULL", "true", "false"),
    "DOUBLE": ("NULL", "0.5", "1.0", "2.0"),
    "DATE": ("NULL", "DATE '2024-01-01'", "DATE '2024-02-29'"),
}
WORLDS = 6  # the last one is empty

Bag = Counter[tuple[object, ...]]


class Worlds:
    """A few databases in one engine."""

    def __init__(self, schema: dict[str, dict[str, str]] | None = None) -> None:
        self.engine = duckdb.connect(config={"threads": 1})
        self.schema = SCHEMA if schema is None else schema
        for seed in range(WORLDS):
            self.engine.execute(f"CREATE SCHEMA w{seed}; USE memory.w{seed}")
            for statement in _tables(self.schema, random.Random(seed), seed == WORLDS - 1):
                self.engine.execute(statement)

    def rows(self, sql: str, world: int) -> tuple[list[str], list[tuple[object, ...]]]:
        """Column names and rows of a query in one world. Raises duckdb.Error."""
        self.engine.execute(f"USE memory.w{world}")
        result = self.engine.execute(sql)
        names = [column[0] for column in result.description or ()]
        return names, result.fetchall()

    def difference(self, before: str, after: str) -> str:
        """Where two queries differ first, names and bags of rows; empty when nowhere."""
        found = (self.difference_in(world, before, after) for world in range(WORLDS))
        return next(filter(None, found), "")

    def difference_in(self, world: int, before: str, after: str) -> str:
        """Where two queries differ in one world."""
        (old_names, old), (new_names, new) = self.rows(before, world), self.rows(after, world)
        if not _same_names(old_names, new_names):
            return f"columns {old_names} became {new_names}"
        if bag(old) != bag(new):
            return f"world {world}\n{before}\n{old}\n{after}\n{new}"
        return ""


def _tables(schema: dict[str, dict[str, str]], rng: random.Random, empty: bool) -> Iterator[str]:
    for name, columns in schema.items():
        declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        yield f"CREATE TABLE {name} ({declared})"
        rows = [[rng.choice(_VALUES[kind]) for kind in columns.values()] for _ in range(6)]
        rows += [rng.choice(rows) for _ in range(2)]
        if not empty:
            values = ", ".join(f"({', '.join(row)})" for row in rows)
            yield f"INSERT INTO {name} VALUES {values}"


def _same_names(old: Sequence[str], new: Sequence[str]) -> bool:
    """Whether all columns that somebody named have their names; engines name the others."""
    pairs = zip(old, new, strict=False)
    named = [(a, b) for a, b in pairs if a.isidentifier() and not b.startswith("_col_")]
    return len(old) == len(new) and all(a.lower() == b.lower() for a, b in named)


def bag(rows: Sequence[tuple[object, ...]]) -> Bag:
    """The rows without their order; floats rounded, as sums of them depend on the order."""
    return Counter(tuple(_rounded(value) for value in row) for row in rows)


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 9)
    return repr(value) if isinstance(value, list | dict) else value


def pile_of(sql: str, dialect: str = "duckdb", **files: str) -> Pile:
    """A pile of one file, a.sql, and any others, over the tables of the worlds."""
    texts = {"a": sql, **files}
    sources = [Source(f"{name}.sql", text, dialect) for name, text in texts.items()]
    schema: dict[str, object] = {name: dict(columns) for name, columns in SCHEMA.items()}
    return load(sources, dialect, schema)  # type: ignore[arg-type]


def plan_of(sql: str, dialect: str = "duckdb") -> Plan:
    """The plan of the only statement."""
    pile = pile_of(sql, dialect)
    [resolved] = pile.resolved
    assert resolved.query is not None
    return lower(resolved.query, Env(pile.catalog))


def reason(plan: Plan) -> str:
    """Why the plan is Opaque; empty when it is not."""
    return next((node.reason for node in walk(plan.rel) if isinstance(node, Opaque)), "")


def as_duckdb(sql: str, dialect: str) -> str:
    """The same query in the engine's words."""
    return sqlglot.transpile(sql, read=dialect, write="duckdb")[0] if dialect != "duckdb" else sql
