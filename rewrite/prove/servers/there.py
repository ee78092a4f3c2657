"""Compare two queries inside the engine that has the data: hashes are summed up there, and only
rows that differ travel.

Up to TRAVELLING of them are looked at here, as any comparison does it: floats pair up within their
tolerance, changed rows are told from lost and new ones. When more rows differ they stay where they
are: floats are paired there by sorting, and changed rows count as removed and added.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

from sqlglot import exp

from unwet.rewrite.prove import compare as here
from unwet.rewrite.prove.columns import FLOATS, shape
from unwet.rewrite.prove.compare import DIFFERENCES, SAMPLE, Comparison
from unwet.rewrite.prove.engines import Engine, Row, open_duckdb
from unwet.rewrite.prove.pairing import TOLERANCES
from unwet.rewrite.prove.servers.flavours import TEXT, Flavour, sql_type
from unwet.rewrite.prove.servers.parity import BUCKETS, Sides, with_definitions

TRAVELLING = 20_000


class Server(Engine, Protocol):
    """An engine that has data of its own. `describe` names types as DuckDB would."""

    @property
    def flavour(self) -> Flavour:
        """Its words."""
        ...

    def restart(self) -> None:
        """What follows has its own time limit, and sees the data of one moment if it can."""
        ...

    @property
    def forgets(self) -> bool:
        """Whether all that was made is gone when the connection is, however that ends."""
        ...


def compare_there(
    engine: Server,
    before: str,
    after: str,
    unnamed: Collection[int] = (),
    definitions: Sequence[tuple[str, str]] = (),
    travelling: int = TRAVELLING,
) -> Comparison:
    """As `compare`, for an engine that is only read. `definitions`: (name, query) of what both
    queries may read beside the engine's tables. Raises EngineError when a side does not run."""
    queries = [with_definitions(definitions, each) for each in (before, after)]
    old, new = (engine.describe(query) for query in queries)
    names = tuple(name for name, _ in old)
    if len(old) != len(new):
        return here.incomparable(engine, queries[0], queries[1], names, len(new))
    types, problems, notes = shape(old, new, unnamed)
    sides = Sides(
        engine.flavour,
        before,
        after,
        tuple(
            _compared(engine.flavour, a, b, c)
            for (_, a), (_, b), c in zip(old, new, types, strict=True)
        ),
        tuple(place for place, type_ in enumerate(types) if type_ not in FLOATS),
        tuple(definitions),
    )
    found = _rows(engine, sides, types, travelling)
    return replace(found, columns=names, problems=tuple(problems), notes=tuple(notes))


def _compared(flavour: Flavour, old: str, new: str, common: str) -> exp.DataType | None:
    """What a column is cast to: nothing where both sides have one type that can be grouped by."""
    if old == new:
        return TEXT if flavour.is_opaque(old) else None
    return sql_type(common, flavour)


def _rows(engine: Server, sides: Sides, types: Sequence[str], travelling: int) -> Comparison:
    totals = engine.rows(sides.totals())
    sums = {number(sign): (number(n), str(one), str(two)) for sign, n, one, two in totals}
    old, new = (sums.get(sign, (0, "", "")) for sign in (1, -1))
    same = Comparison(old[0], new[0], old[0], 0, 0, 0, (), ())
    if old == new:
        return same
    found = sorted(number(bucket) for (bucket,) in engine.rows(sides.buckets()))
    buckets = found if sides.exact and len(found) < BUCKETS else ()
    differences = sides.differences(buckets)
    ((count, removed, added),) = engine.rows(sides.counts(differences))
    floats = _floats(types)
    if number(count) <= travelling:
        rows = engine.rows(sides.rows(differences, travelling, floats))
        return _settled_here(rows, types, same)
    if floats:
        tolerances = {place: TOLERANCES[types[place]] for place in floats}
        ((removed, added),) = engine.rows(sides.unpaired(tolerances, buckets))
    changed = replace(
        same,
        identical=same.rows_before - number(removed),
        removed=number(removed),
        added=number(added),
    )
    if changed.identical == changed.rows_before == changed.rows_after:
        return changed
    some = engine.rows(sides.rows(differences, travelling if floats else SAMPLE, floats))
    return replace(changed, sample=_settled_here(some, types, same).sample)


def _floats(types: Sequence[str]) -> tuple[int, ...]:
    return tuple(place for place, type_ in enumerate(types) if type_ in FLOATS)


def _settled_here(rows: Sequence[Row], types: Sequence[str], same: Comparison) -> Comparison:
    """What the differing rows mean, found out in a DuckDB of their own."""
    local = [type_ if type_ in FLOATS else "VARCHAR" for type_ in types]
    sides = here.Sides("", "", tuple(local))
    with open_duckdb(None) as engine:
        columns: list[list[object]] = [[number(row[0]) for row in rows]]
        columns += [[row[place + 1] for row in rows] for place in range(len(types))]
        engine.load(
            DIFFERENCES,
            {"copies": "BIGINT", **dict(zip(sides.columns, local, strict=True))},
            columns,
        )
        return here.settled(engine, sides, same)


def number(value: object) -> int:
    """A count as an engine gives it: as an integer, a decimal, or digits."""
    return int(str(value))
