"""Small adversarial data for a pair: NULL-rich, duplicate-rich, sometimes empty, full of the
constants of the queries and their neighbours.

    databases(tables, queries, strict) -> ((Filled, ...), ...)

With ``strict`` the data keeps what the schema declares (NOT NULL, keys, foreign keys), without it
nothing is kept: what meets then needs no declaration.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.pairs.sets import Table

MANY = 8
NULL = "NULL"
_DATES = ("DATE '2014-04-01'", "DATE '2014-05-01'", "DATE '2020-12-11'", "DATE '1999-12-31'")
_FIXED = {
    "BOOLEAN": ("TRUE", "FALSE"),
    "DATE": _DATES,
    "TIMESTAMP": tuple(d.replace("DATE", "TIMESTAMP") for d in _DATES),
    "TIME": ("TIME '12:34:56'", "TIME '00:00:00'"),
}


@dataclass(frozen=True, slots=True)
class Filled:
    """A table with rows, each a row of a VALUES list."""

    table: Table
    rows: tuple[str, ...]

    def statements(self, order: int = 0) -> list[str]:
        """What makes and fills the table; each ``order`` but 0 shuffles its rows differently."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self.table.columns)
        made = [f'CREATE OR REPLACE TABLE "{self.table.name}" ({columns})']
        rows = list(self.rows)
        if order:
            random.Random(order).shuffle(rows)
        if rows:
            made.append(f'INSERT INTO "{self.table.name}" VALUES {", ".join(rows)}')
        return made


Database = tuple[Filled, ...]


def databases(
    tables: Sequence[Table], queries: Sequence[str], strict: bool, many: int = MANY
) -> tuple[Database, ...]:
    """Some databases over the tables; the same ones on every run."""
    pools = _pools(queries)
    return tuple(_Draw(random.Random(seed), pools, strict).fill(tables) for seed in range(many))


def dense_databases(
    tables: Sequence[Table], wanted: Mapping[str, Sequence[str]], many: int
) -> tuple[Database, ...]:
    """Databases for long queries, whose joins and conditions few random rows would pass: numbers
    are one of two, and a column that ``wanted`` names mostly has a constant it is compared with."""
    pools = {**_FIXED, "number": ("1", "2"), "text": ("'a'", "'b'")}
    return tuple(
        _Draw(random.Random(seed), pools, False, wanted).fill(tables) for seed in range(many)
    )


def _pools(queries: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Constants of the queries by kind, with their neighbours."""
    text = " ".join(queries)
    strings = sorted(set(re.findall(r"'((?:[^']|'')*)'", text)))[:6]
    bare = re.sub(r"'(?:[^']|'')*'", "", text)
    numbers = sorted({int(n) for n in re.findall(r"(?<![\w.])\d{1,9}(?![\w.])", bare)})
    near = sorted({m for n in numbers[:8] for m in (n - 1, n, n + 1)} | {0, 1, 2})
    texts = sorted({s.strip("%") for s in strings} | {"a", "b", ""})
    return {
        **_FIXED,
        "number": tuple(map(str, near)),
        "text": tuple(f"'{s}'" for s in texts),
    }


class _Draw:
    """One database while it is drawn."""

    def __init__(
        self,
        rng: random.Random,
        pools: Mapping[str, tuple[str, ...]],
        strict: bool,
        wanted: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.rng, self.pools, self.strict, self.wanted = rng, pools, strict, wanted
        self.made: dict[str, list[dict[str, str]]] = {}
        # few numbers in all columns of a database, so that joins and filters find partners
        self.few = tuple(rng.sample(pools["number"], min(4, len(pools["number"]))))

    def fill(self, tables: Sequence[Table]) -> Database:
        """Rows for all tables; those that others refer to come first."""
        for table in sorted(tables, key=lambda t: (len(t.foreign), t.name)):
            self.made[table.name] = self.rows(table)
        return tuple(
            Filled(t, tuple(f"({', '.join(r.values())})" for r in self.made[t.name]))
            for t in tables
        )

    def rows(self, table: Table) -> list[dict[str, str]]:
        sizes = (0, 1, 2, 4, 6, 8) if self.wanted is None else (3, 4, 6)
        rows = [self.row(table) for _ in range(self.rng.choice(sizes))]
        if not self.strict or not table.keys:
            rows += [dict(self.rng.choice(rows)) for _ in range(self.rng.randrange(3)) if rows]
        if self.strict:
            for key in table.keys:
                rows = list({tuple(r[c] for c in key): r for r in rows}.values())
                rows = [r for r in rows if NULL not in (r[c] for c in key)]
        return rows

    def row(self, table: Table) -> dict[str, str]:
        row = {name: self.value(table, name, kind) for name, kind in table.columns}
        for column, other, key in table.foreign if self.strict else ():
            known = [r[key] for r in self.made.get(other, ())]
            row[column] = self.rng.choice(known) if known else NULL
        return row

    def value(self, table: Table, column: str, kind: str) -> str:
        nullable = not (self.strict and column in table.not_null)
        if nullable and self.rng.random() < (0.3 if self.wanted is None else 0.05):
            return NULL
        likely = (self.wanted or {}).get(column, ())
        if likely and self.rng.random() < 0.8:
            return f"TRY_CAST({self.rng.choice(likely)} AS {kind})"
        if kind in ("VARCHAR", "CHAR"):
            return self.rng.choice(self.pools["text"])
        return self.rng.choice(self.pools.get(kind, self.few))
