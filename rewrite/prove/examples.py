"""Small rows that go into a report, and the rows that its old scripts make of them.

They are for unit tests of a project. So the old scripts have to make the same of them whatever the
order of the rows and whatever day it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from unwet.lineage.errors import UnwetError
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.before import Before, ReportRef
from unwet.rewrite.prove.engines import quote
from unwet.rewrite.prove.generation import Generator
from unwet.rewrite.prove.strength import CLOCK
from unwet.rewrite.prove.synthetic.database import Cell, Database, Table
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.units import Unit, units
from unwet.rewrite.prove.worlds import LEGACY, SHUFFLED, OldSide

MOST_IN: Final = 14  # rows of all inputs: more is nothing that a person reads
MOST_OUT: Final = 8
_POOL: Final = 80  # rows, before those that show nothing are left out
_TRIED: Final = 25  # databases
_LATER: Final = CLOCK + timedelta(days=400)
_SIMPLE: Final = ("BIGINT", "INTEGER", "VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "DECIMAL",
                  "DOUBLE")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """`inputs` by relation; `columns` and `rows` are what comes out, sorted."""

    inputs: Mapping[str, Table]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def examples(meaning: Meaning, wanted: Iterable[str]) -> dict[str, Example]:
    """By report, for those of `wanted` that have one."""
    names = frozenset(wanted)
    found: dict[str, Example] = {}
    with closing(Generator(meaning, CLOCK)) as generator:
        for unit in units(meaning):
            if unit.name in names and unit.scripts and unit.inputs:
                example = _best(unit, _databases(generator, unit))
                if example is not None:
                    found[unit.name] = example
    return found


def _databases(generator: Generator, unit: Unit) -> tuple[Database, ...]:
    try:
        whole = generator.databases(unit)
    except UnwetError:
        return ()  # nothing can be made up for it: it has no example
    return tuple(part for each in whole for part in (each, *each.parts))


def _best(unit: Unit, databases: Sequence[Database]) -> Example | None:
    """Rows that a person can read, and that differ much in what comes out: those of one database,
    and of others as long as more comes of it; then without those that show nothing."""
    best: Example | None = None
    whole = Database({})
    for each in sorted(databases, key=lambda one: one.rows)[:_TRIED]:
        tried = _with(whole, each)
        plain = not each.macros and all(map(_is_plain, each.tables.values()))
        if plain and 0 < tried.rows <= _POOL:
            made = _made(unit, tried)
            if made is not None and (best is None or _variety(made) > _variety(best)):
                best, whole = made, tried
    return _readable(unit, whole, best) if best is not None else None


def _readable(unit: Unit, database: Database, example: Example) -> Example | None:
    """The example with so few rows that a person reads them, and as many values: leaves out halves,
    quarters and so on (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input,
    2002). None where that cannot be."""
    rows = [(name, row) for name, table in database.tables.items() for row in table.rows]
    size = len(rows)
    while size and not _is_short(example):
        at = 0
        while at < len(rows) and not _is_short(example):
            left = rows[:at] + rows[at + size :]
            made = _made(unit, _only(database, left)) if left else None
            if made is not None and _variety(made) >= _variety(example):
                rows, example = left, made
            else:
                at += size
        size //= 2
    return example if _is_short(example) else None


def _is_short(example: Example) -> bool:
    given = sum(len(table.rows) for table in example.inputs.values())
    return given <= MOST_IN and len(example.rows) <= MOST_OUT


def _only(database: Database, rows: Sequence[tuple[str, tuple[Cell, ...]]]) -> Database:
    """The database with these rows of its relations."""
    return Database({
        name: replace(table, rows=tuple(row for relation, row in rows if relation == name))
        for name, table in database.tables.items()
    })  # fmt: skip


def _with(one: Database, other: Database) -> Database:
    """The rows of both."""
    tables = dict(one.tables)
    for relation, table in other.tables.items():
        before = tables[relation].rows if relation in tables else ()
        tables[relation] = replace(table, rows=tuple(dict.fromkeys((*before, *table.rows))))
    return Database(tables)


def _variety(example: Example) -> int:
    """How many values there are in all columns that come out, up to three in each: a column that
    is a rule has few."""
    return sum(min(3, len(set(column))) for column in zip(*example.rows, strict=True))


def _is_plain(table: Table) -> bool:
    return all(kind.startswith(_SIMPLE) and not kind.endswith("]") for _, kind in table.columns)


def _made(unit: Unit, database: Database) -> Example | None:
    """The example on one database, if what comes out is firm."""
    now, later = _rows(unit, database, CLOCK, None), _rows(unit, database, _LATER, SHUFFLED)
    if now is None or later is None or Counter(now[1]) != Counter(later[1]):
        return None
    if not now[1]:
        return None
    return Example(database.tables, now[0], tuple(sorted(now[1], key=_order)))


def _order(row: tuple[Cell, ...]) -> list[tuple[bool, str]]:
    return [(cell is None, cell or "") for cell in row]


def _rows(
    unit: Unit, database: Database, clock: datetime, world: str | None
) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]] | None:
    """The columns and rows that the scripts leave; None where they do not run."""
    report, span = unit.report, unit.report.span
    try:
        with open_synthetic(database) as engine:
            old = OldSide(engine, unit.scripts, {}, clock)
            if old.random:
                return None
            places = old.shuffled if world else old.places
            ref = ReportRef(report.name, report.relation, report.name, span.path, span.line)
            answer = Before(old.run, old.scripts, old.random, places).answer(ref)
            if answer.unnamed:
                return None
            name = quote(world or LEGACY, *answer.place)
            columns = tuple(column for column, _ in engine.describe(f"SELECT * FROM {name}"))
            texts = ", ".join(f"CAST({quote(column)} AS VARCHAR)" for column in columns)
            found = engine.rows(f"SELECT {texts} FROM {name}")
    except UnwetError:
        return None
    return columns, [tuple(None if v is None else str(v) for v in row) for row in found]
