"""Are two relations equal as bags of rows? Plain DuckDB SQL, on purpose independent of the engine.

    compare(connection, before, after) -> Comparison

Columns are compared by position and by name (case does not count). NULL equals NULL. Duplicates
count. Floating columns: exact first; rows left over are paired within equal other columns and
accepted within a relative tolerance, because a sum of doubles depends on the order of the rows.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

IDENTICAL, DIFFERENT, MISSING = "identical", "different", "missing"
TOLERANCE = {"DOUBLE": 1e-9, "FLOAT": 1e-6}  # FLOAT has 24 bits: one unit in the last place is 1e-7
MOST_ROWS = 200_000  # left-over rows that are still paired in memory
SAMPLE = 5

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of one relation. `sample`: rows with their signed count (+ only before)."""

    status: str
    rows_before: int
    rows_after: int
    note: str = ""
    sample: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """Column names (lower case) and DuckDB types, in order."""

    names: tuple[str, ...]
    types: tuple[str, ...]


def compare(connection: duckdb.DuckDBPyConnection, before: str, after: str) -> Comparison:
    """Compare two relations; `before` and `after` are names as SQL would have them."""
    old, new = _shape(connection, before), _shape(connection, after)
    rows_before, rows_after = (
        _count(connection, name) if shape else 0 for name, shape in ((before, old), (after, new))
    )
    if old is None or new is None:
        note = f"no relation {before if old is None else after}"
        return Comparison(MISSING, rows_before, rows_after, note)
    if note := _other_columns(connection, (before, old), (after, new)):
        return Comparison(DIFFERENT, rows_before, rows_after, note)
    left = _left_over(connection, before, after, len(old.names))
    status, note, sample = _judge(left, old, new)
    return Comparison(status, rows_before, rows_after, note, sample)


def _shape(connection: duckdb.DuckDBPyConnection, name: str) -> Shape | None:
    try:
        rows = connection.execute(f"DESCRIBE SELECT * FROM {name}").fetchall()
    except duckdb.CatalogException:
        return None
    return Shape(tuple(str(row[0]).lower() for row in rows), tuple(str(row[1]) for row in rows))


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    (count,) = _rows(connection, f"SELECT count(*) FROM {name}")[0]
    assert isinstance(count, int)
    return count


def _other_columns(
    connection: duckdb.DuckDBPyConnection, before: tuple[str, Shape], after: tuple[str, Shape]
) -> str:
    """Why the columns are not the same ones, or ""; INTEGER may become BIGINT."""
    old, new = before[1], after[1]
    if old.names != new.names:
        return f"columns {', '.join(old.names)} became {', '.join(new.names)}"
    for index, pair in enumerate(zip(old.types, new.types, strict=True)):
        kinds = {_kind(type) for type in pair}
        if len(kinds) > 1 and not all(
            _all_null(connection, name, index) for name in (before[0], after[0])
        ):
            return f"type of {old.names[index]}: {pair[0]} became {pair[1]}"
    return ""


def _kind(type: str) -> str:
    """INTEGER, DOUBLE and DECIMAL(3,1) are all numbers; TIMESTAMP is not a DATE."""
    if type.startswith("DECIMAL") or type in ("FLOAT", "DOUBLE") or type.endswith("INT"):
        return "number"
    return "number" if type in ("INTEGER", "UINTEGER", "BIGNUM") else type


def _all_null(connection: duckdb.DuckDBPyConnection, name: str, index: int) -> bool:
    column = f"SELECT * FROM {name}) AS t({', '.join(f'c{i}' for i in range(index + 1))})"
    (count,) = _rows(connection, f"SELECT count(c{index}) FROM ({column}")[0]
    return count == 0


def _left_over(
    connection: duckdb.DuckDBPyConnection, before: str, after: str, width: int
) -> list[Row]:
    """Rows whose signed count is not zero, the count first; one more than MOST_ROWS at most."""
    columns = ", ".join(f"c{i}" for i in range(width))
    sides = " UNION ALL ".join(
        f"SELECT {columns}, {sign} AS sign FROM (SELECT * FROM {name}) AS t({columns})"
        for name, sign in ((before, "1"), (after, "-1"))
    )
    return _rows(
        connection,
        f"SELECT sum(sign)::BIGINT AS n, {columns} FROM ({sides}) "
        f"GROUP BY {columns} HAVING sum(sign) <> 0 ORDER BY ALL LIMIT {MOST_ROWS + 1}",
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    return connection.execute(sql).fetchall()


def _judge(left: list[Row], old: Shape, new: Shape) -> tuple[str, str, tuple[Row, ...]]:
    if not left:
        return IDENTICAL, "", ()
    tolerances = [
        max(TOLERANCE.get(a, 0.0), TOLERANCE.get(b, 0.0))
        for a, b in zip(old.types, new.types, strict=True)
    ]
    if any(tolerances) and len(left) <= MOST_ROWS and _within(left, tolerances):
        most = max(tolerances)
        count = sum(abs(_signed(row)) for row in left) // 2
        return IDENTICAL, f"{count} rows equal within a relative {most:g}", ()
    return DIFFERENT, f"{sum(abs(_signed(row)) for row in left)} rows differ", tuple(left[:SAMPLE])


def _signed(row: Row) -> int:
    assert isinstance(row[0], int)
    return row[0]


def _within(left: Iterable[Row], tolerances: Sequence[float]) -> bool:
    """Can the left-over rows of both sides be paired so that only floats differ, and by little?"""
    exact = [i for i, tolerance in enumerate(tolerances) if not tolerance]
    loose = [i for i, tolerance in enumerate(tolerances) if tolerance]
    sides: dict[Row, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for row in left:
        count, values = _signed(row), row[1:]
        side = sides[tuple(values[i] for i in exact)][0 if count > 0 else 1]
        side.extend([tuple(values[i] for i in loose)] * abs(count))
    allowed = [tolerances[i] for i in loose]
    return all(_paired(before, after, allowed) for before, after in sides.values())


def _paired(before: list[Row], after: list[Row], allowed: Sequence[float]) -> bool:
    # in sorted order; floats that cross over within the tolerance would fail, never pass, wrongly
    if len(before) != len(after):
        return False
    return all(
        _near(x, y, tolerance)
        for a, b in zip(sorted(before, key=_order), sorted(after, key=_order), strict=True)
        for x, y, tolerance in zip(a, b, allowed, strict=True)
    )


def _order(row: Row) -> tuple[tuple[bool, float], ...]:
    return tuple((value is None, _number(value) if value is not None else 0.0) for value in row)


def _near(x: object, y: object, tolerance: float) -> bool:
    if x is None or y is None:
        return x is y
    a, b = _number(x), _number(y)
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance)


def _number(value: object) -> float:
    return float(str(value))
