"""Do two queries return the same bag of rows? Exact, without a key, NULL-safe, counting duplicates.

Three steps. First each side is reduced to a row count and two hash sums; sums, not XOR, because XOR
cannot see rows that come in pairs, and two sums over differently combined hashes, because the
engine's own way of combining columns is weak. Only when these differ the same is done for 1,024
buckets, and the rows of the buckets that differ are grouped by all columns with signed counts,
which shows the rows themselves with multiplicities.

Columns must agree in count, order, name (any case) and type. Within the exact numbers (INTEGER,
BIGINT, DECIMAL ...), within the floats, and between timestamps of other precision a type change
is a note: values are compared in the common type. Exact against float, DATE against TIMESTAMP or
VARCHAR, TIMESTAMP with against without time zone are failures.

DOUBLE and FLOAT columns (not those inside lists or structs) depend on the order of summation, so
rows that find no exact partner are paired once more: all other columns equal, floats NULL, NaN or
infinite together, else within 1e-9 relative (FLOAT: two units in its last place). Nothing is ever
rounded. A sum that cancels to nearly zero stays a difference: shuffling shows what it is worth.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unwet.rewrite.prove.columns import FLOATS, shape
from unwet.rewrite.prove.engines import Engine, bare
from unwet.rewrite.prove.pairing import TOLERANCES, drop_close_pairs

SAMPLE = 5
BUCKETS = 1024
PAIRED = 100_000  # differing rows up to which every column is tried as the one that changed
DIFFERENCES = "unwet_differences"
ANOTHER_ORDER = "the same rows in another order"


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that one side has `copies` times more often; values as text, None is NULL."""

    change: Literal["removed", "added"]
    row: tuple[str | None, ...]
    copies: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows, in dbt-audit-helper's words."""

    identical: int
    modified: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of the rows, in dbt-audit-helper's words.

    identical + modified + removed = rows_before; identical + modified + added = rows_after.
    Without a key, `modified` is the largest number of removed and added rows that pair up when
    one column is left out, or on the columns whose values are the same bag on both sides.
    `problems`: why the columns do not match; `notes`: type changes that lose nothing.
    """

    rows_before: int
    rows_after: int
    identical: int
    added: int
    removed: int
    modified: int
    sample: tuple[Difference, ...]
    columns: tuple[str, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Same columns, same rows."""
        return not self.problems and self.identical == self.rows_before == self.rows_after

    @property
    def counts(self) -> Counts:
        """How many rows became what."""
        return Counts(self.identical, self.modified, self.added, self.removed)


class Seen:
    """What comparisons found out about queries over tables that stand still: no query is described
    or summed up twice."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._columns: dict[str, tuple[tuple[str, str], ...]] = {}
        self._sums: dict[str, tuple[int, ...]] = {}

    def columns(self, sql: str) -> tuple[tuple[str, str], ...]:
        """Name and type of each column."""
        if sql not in self._columns:
            self._columns[sql] = self._engine.describe(sql)
        return self._columns[sql]

    def sums(self, rows: str, hashed: Sequence[str]) -> tuple[int, ...]:
        """Row count and two hash sums."""
        if rows not in self._sums:
            (found,) = self._engine.rows(f"SELECT {_hash_sums(hashed)} FROM ({rows})")
            self._sums[rows] = tuple(map(_int, found))
        return self._sums[rows]


def compare(
    engine: Engine,
    before_sql: str,
    after_sql: str,
    ordered: bool | Sequence[int] = False,
    unnamed: Collection[int] = (),
    seen: Seen | None = None,
) -> Comparison:
    """Compare the rows of two queries on one engine.

    `ordered`: the sequence matters too, or that of the values in these columns (0-based).
    `unnamed`: positions (0-based) whose names are not compared, since the old query gave them
    none. `seen`: of comparisons before, for whoever knows that the tables are the same still.
    Raises EngineError when a side does not run.
    """
    seen = seen or Seen(engine)
    before, after = seen.columns(before_sql), seen.columns(after_sql)
    columns = tuple(name for name, _ in before)
    if len(before) != len(after):
        return incomparable(engine, before_sql, after_sql, columns, len(after))
    types, problems, notes = shape(before, after, unnamed)
    result = _rows(engine, seen, Sides(before_sql, after_sql, tuple(types)))
    found = replace(result, columns=columns, problems=tuple(problems), notes=tuple(notes))
    keys = range(len(types)) if ordered is True else ordered or ()
    if keys and found.equal and not _same_sequence(engine, before_sql, after_sql, types, keys):
        return replace(found, problems=(ANOTHER_ORDER,))
    return found


# --- rows -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sides:
    """The two queries as rows of c0, c1, ... in common types."""

    before: str
    after: str
    types: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        return [f"c{place}" for place in range(len(self.types))]

    @property
    def floats(self) -> list[str]:
        return [c for c, type_ in zip(self.columns, self.types, strict=True) if type_ in FLOATS]

    @property
    def exact(self) -> list[str]:
        return [c for c in self.columns if c not in self.floats]

    @property
    def hashed(self) -> list[str]:
        """What is hashed of each column."""
        return [_hashed(c, type_) for c, type_ in zip(self.columns, self.types, strict=True)]

    def rows(self, query: str) -> str:
        casts = (f"CAST({c} AS {t}) AS {c}" for c, t in zip(self.columns, self.types, strict=True))
        return f"SELECT {', '.join(casts)} FROM (\n{bare(query)}) AS q({', '.join(self.columns)})"

    def bucketed(self, query: str) -> str:
        """Rows with their bucket: by the exact columns, so that nearly equal rows meet in one."""
        bucket = f"hash(hash({', '.join(self.exact)}), 1) & {BUCKETS - 1}" if self.exact else "0"
        return f"SELECT *, CAST({bucket} AS SMALLINT) AS bucket FROM ({self.rows(query)})"


def _rows(engine: Engine, seen: Seen, sides: Sides) -> Comparison:
    old, new = (seen.sums(sides.rows(q), sides.hashed) for q in (sides.before, sides.after))
    rows_before, rows_after = old[0], new[0]
    same = Comparison(rows_before, rows_after, rows_before, 0, 0, 0, (), ())
    if old == new:
        return same
    before, after = _digest(engine, sides, sides.before), _digest(engine, sides, sides.after)
    differing = [b for b in sorted({*before, *after}) if before.get(b) != after.get(b)]
    _collect(engine, sides, differing)
    return settled(engine, sides, same)


def settled(engine: Engine, sides: Sides, same: Comparison) -> Comparison:
    """What the rows in the table DIFFERENCES (c0, c1, ..., copies; > 0: before) make of `same`,
    in which all rows are identical."""
    if sides.floats:
        tolerances = [TOLERANCES[type_] for type_ in sides.types if type_ in FLOATS]
        drop_close_pairs(engine, DIFFERENCES, sides.exact, sides.floats, tolerances)
    removed, added = _both(engine, "TRUE")
    modified = _modified(engine, sides) if removed and added else 0
    return replace(
        same,
        identical=same.rows_before - removed,
        removed=removed - modified,
        added=added - modified,
        modified=modified,
        sample=_sample(engine, sides),
    )


def _digest(engine: Engine, sides: Sides, query: str) -> dict[int, tuple[int, int, int]]:
    """Bucket -> rows and two hash sums."""
    found = engine.rows(
        f"SELECT bucket, {_hash_sums(sides.hashed)} FROM ({sides.bucketed(query)}) GROUP BY bucket"
    )
    return {_int(b): (_int(n), _int(one), _int(two)) for b, n, one, two in found}


_FLAT = re.compile(
    r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|BOOLEAN|VARCHAR|ENUM\(.*|DATE|INTERVAL|BLOB|"
    r"UUID|TIME(STAMP)?(_S|_MS|_NS)?( WITH TIME ZONE)?|DECIMAL\((\d|1[0-8]),\s*\d+\)"
)
_WIDE = re.compile(r"U?HUGEINT|DECIMAL\(.*")


def _hashed(column: str, type_: str) -> str:
    """What DuckDB can tell apart by its hash. For numbers of 128 bits it XORs the hashes of both
    halves, so that 0 and -1 are one (seen in 2.0.1): the nearest double goes with them. The hash
    of a list does not see how long it is, [] and [NULL] and NULL are one: its text is hashed."""
    if _FLAT.fullmatch(type_):
        return column
    if _WIDE.fullmatch(type_):
        return f"{column}, CAST({column} AS DOUBLE)"
    return f"CAST({column} AS VARCHAR)"


def _hash_sums(hashed: Sequence[str]) -> str:
    """hash(hash(..)): the sum must not run over raw hashes, in which the last columns' bits are
    only XORed. No rows sum up to 0."""
    forth, back = ", ".join(hashed), ", ".join(reversed(hashed))
    sums = (
        f"coalesce(sum({h}), 0)" for h in (f"hash(hash({forth}), 2)", f"hash(hash({back}, 3), 4)")
    )
    return f"count(*), {', '.join(sums)}"


def _collect(engine: Engine, sides: Sides, buckets: Sequence[int]) -> None:
    """A temporary table of the rows that one side has more often: c0, c1, ..., copies (> 0:
    before)."""
    among = f"WHERE bucket IN ({', '.join(map(str, buckets))})" if len(buckets) < BUCKETS else ""
    signed = " UNION ALL ".join(
        f"SELECT * EXCLUDE (bucket), {sign} AS sign FROM ({sides.bucketed(query)}) {among}"
        for query, sign in ((sides.before, 1), (sides.after, -1))
    )
    columns = ", ".join(sides.columns)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {DIFFERENCES} AS SELECT {columns}, "
        f"CAST(sum(sign) AS BIGINT) AS copies FROM ({signed}) GROUP BY {columns} "
        "HAVING sum(sign) <> 0"
    )


def _both(engine: Engine, where: str) -> tuple[int, int]:
    (row,) = engine.rows(
        "SELECT coalesce(sum(greatest(copies, 0)), 0), coalesce(sum(greatest(-copies, 0)), 0) "
        f"FROM {DIFFERENCES} WHERE {where}"
    )
    return _int(row[0]), _int(row[1])


def _modified(engine: Engine, sides: Sides) -> int:
    """The most pairs of a removed and an added row that some choice of columns makes."""
    keys = [[c for c in sides.columns if _is_stable(engine, c)]]
    (row,) = engine.rows(f"SELECT count(*) FROM {DIFFERENCES}")
    if _int(row[0]) <= PAIRED:
        keys += [[k for k in sides.columns if k != c] for c in sides.columns]
    return max((_pairs(engine, key) for key in keys if key), default=0)


def _is_stable(engine: Engine, column: str) -> bool:
    """Do removed and added rows have the same values here, equally often?"""
    moved = f"SELECT {column} FROM {DIFFERENCES} GROUP BY {column} HAVING sum(copies) <> 0 LIMIT 1"
    return not engine.rows(moved)


def _pairs(engine: Engine, key: Sequence[str]) -> int:
    (row,) = engine.rows(
        "SELECT coalesce(sum(least(old, new)), 0) FROM (SELECT sum(greatest(copies, 0)) AS old, "
        f"sum(greatest(-copies, 0)) AS new FROM {DIFFERENCES} GROUP BY {', '.join(key)})"
    )
    return _int(row[0])


def _sample(engine: Engine, sides: Sides) -> tuple[Difference, ...]:
    """The first few differing rows in column order, so that old and new versions stand together."""
    shown = ", ".join(f"CAST({c} AS VARCHAR)" for c in sides.columns)
    order = ", ".join((*sides.columns, "copies DESC"))
    found = engine.rows(
        f"SELECT copies, {shown} FROM {DIFFERENCES} ORDER BY {order} LIMIT {SAMPLE}"
    )
    return tuple(
        Difference(
            "removed" if _int(copies) > 0 else "added",
            tuple(None if value is None else str(value) for value in row),
            abs(_int(copies)),
        )
        for copies, *row in found
    )


def _same_sequence(
    engine: Engine, before: str, after: str, types: Sequence[str], keys: Sequence[int]
) -> bool:
    """Compare the keys again, with the row number as one more column."""
    columns = ", ".join(f"c{place}" for place in range(len(types)))
    shown = ", ".join(f"c{place}" for place in keys)
    numbered = [
        f"SELECT {shown}, row_number() OVER () FROM (\n{bare(sql)}) AS q({columns})"
        for sql in (before, after)
    ]
    sides = Sides(numbered[0], numbered[1], (*(types[place] for place in keys), "BIGINT"))
    return _rows(engine, Seen(engine), sides).equal


def incomparable(
    engine: Engine, before_sql: str, after_sql: str, columns: tuple[str, ...], now: int
) -> Comparison:
    """Another number of columns: no row can be the same."""
    old, new = (
        _int(engine.rows(f"SELECT count(*) FROM (\n{bare(sql)}) AS q")[0][0])
        for sql in (before_sql, after_sql)
    )
    problem = f"{len(columns)} columns before, {now} after"
    return Comparison(old, new, 0, new, old, 0, (), columns, (problem,))


def _int(value: object) -> int:
    assert isinstance(value, int), value
    return value
