"""Rows whose floats are the same up to rounding: found by sorting, then by matching.

Works on a table of differences (columns, `copies`: > 0 rows of the old side, < 0 of the new one).
Within rows that agree on every exact column, both sides are sorted by their floats and paired in
that order, which is right wherever values are further apart than the tolerance. Groups where that
leaves something over (two float columns whose noise changes the order) get a real bipartite
matching, as long as they are few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unwet.rewrite.prove.engines import Engine

# Relative, by type; FLOAT has 24 bits: two units in its last place. There is no absolute part: any
# scale to take it from (the largest value of the column) makes small values in it equal zero.
TOLERANCES = {"DOUBLE": 1e-9, "FLOAT": 2.0**-22}
MATCHED = 1_000  # rows that the matching will look at; beyond, what sorting left is different

_EXPANDED = "unwet_expanded"

Point = tuple[float | None, ...]


def drop_close_pairs(
    engine: Engine,
    table: str,
    exact: Sequence[str],
    floats: Sequence[str],
    tolerances: Sequence[float],
) -> None:
    """Take every pair of rows out of `table` that differ by rounding only.

    `tolerances`: one for each of the columns `floats`.
    """
    _expand(engine, table, exact, floats, tolerances)
    homes, matched = _matched(engine, floats, tolerances)
    columns = ", ".join((*exact, *floats))
    gone = f"CASE WHEN home IN ({_list(homes)}) THEN id IN ({_list(matched)}) ELSE close END"
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {columns}, CAST(sum(sign) AS BIGINT) AS "
        f"copies FROM {_EXPANDED} WHERE NOT {gone} GROUP BY {columns}"
    )
    engine.execute(f"DROP TABLE {_EXPANDED}")


def near(old: Point, new: Point, tolerances: Sequence[float]) -> bool:
    """Within tolerance in every column; NULLs, NaNs and infinities are equal already."""
    return all(
        a is None
        or b is None
        or a == b
        or a != a  # NaN: then so is b
        or abs(a - b) <= t * max(abs(a), abs(b))
        for a, b, t in zip(old, new, tolerances, strict=True)
    )


def _expand(
    engine: Engine,
    table: str,
    exact: Sequence[str],
    floats: Sequence[str],
    tolerances: Sequence[float],
) -> None:
    """One row per copy, numbered within its group; `close`: its counterpart is within tolerance.

    `home` names the group: equal exact columns, and floats NULL, NaN or infinite alike.
    """
    groups = ", ".join((*exact, *(_class(c) for c in floats)))
    close = " AND ".join(_close(c, t) for c, t in zip(floats, tolerances, strict=True))
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {_EXPANDED} AS "
        "WITH copy AS (SELECT * EXCLUDE (copies), sign(copies) AS sign, "
        f"unnest(range(abs(copies))) AS nth FROM {table}), "
        "numbered AS (SELECT *, row_number() OVER () AS id, row_number() OVER "
        f"(PARTITION BY {groups}, sign ORDER BY {', '.join(floats)}) AS place FROM copy), "
        "grouped AS (SELECT *, min(id) OVER (PARTITION BY "
        f"{groups}) AS home FROM numbered) "
        f"SELECT *, count(*) OVER pair = 2 AND {close} AS close FROM grouped "
        "WINDOW pair AS (PARTITION BY home, place)"
    )


def _class(column: str) -> str:
    return (
        f"CASE WHEN {column} IS NULL THEN 0 WHEN isnan({column}) THEN 1 "
        f"WHEN isinf({column}) THEN 3 + sign({column}) ELSE 5 END"
    )


def _close(column: str, tolerance: float) -> str:
    low, high = f"min({column}) OVER pair", f"max({column}) OVER pair"
    allowed = f"CAST({tolerance!r} AS DOUBLE) * greatest(abs({low}), abs({high}))"
    # equal first: infinity minus itself is NaN; NULL: the class says both are
    return f"({low} IS NULL OR {low} = {high} OR {high} - {low} <= {allowed})"


def _matched(
    engine: Engine, floats: Sequence[str], tolerances: Sequence[float]
) -> tuple[list[int], list[int]]:
    """Groups where sorting left some over, and the ids of their rows that pair up after all.

    Such a group is matched anew as a whole; its pairs found by sorting no longer count.
    """
    left = (
        f"SELECT home FROM {_EXPANDED} GROUP BY home "
        "HAVING NOT bool_and(close) AND count(DISTINCT sign) = 2"
    )
    rows = engine.rows(
        f"SELECT home, sign, id, {', '.join(floats)} FROM {_EXPANDED} WHERE home IN ({left}) "
        f"ORDER BY id LIMIT {MATCHED + 1}"
    )
    if len(rows) > MATCHED:
        return [], []
    groups: dict[int, tuple[dict[int, Point], dict[int, Point]]] = {}
    for home, sign, id_, *point in rows:
        old, new = groups.setdefault(int(str(home)), ({}, {}))
        (old if sign == 1 else new)[int(str(id_))] = tuple(point)  # type: ignore[arg-type]
    pairs = [pair for old, new in groups.values() for pair in match(old, new, tolerances)]
    return list(groups), [id_ for pair in pairs for id_ in pair]


def _list(ids: Sequence[int]) -> str:
    """For IN (..); ids count from 1, so -1 stands for none."""
    return ", ".join(map(str, ids or (-1,)))


def match(
    old: Mapping[int, Point], new: Mapping[int, Point], tolerances: Sequence[float]
) -> list[tuple[int, int]]:
    """A largest set of disjoint (old, new) pairs that are near (augmenting paths)."""
    partner: dict[int, int] = {}  # new -> old

    def place(one: int, seen: set[int]) -> bool:
        for other, point in new.items():
            if other not in seen and near(old[one], point, tolerances):
                seen.add(other)
                if other not in partner or place(partner[other], seen):
                    partner[other] = one
                    return True
        return False

    for one in old:
        place(one, set())
    return [(one, other) for other, one in partner.items()]
