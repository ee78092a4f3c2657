"""Which columns of a world influence which outputs of a script.

observe(world, script) -> Observed
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from bench.oracle.world import MARK, WAYS, World, quoted

Column = tuple[str, str]  # relation, column
Known = Mapping[str, Sequence[Column]]  # by output


@dataclass(frozen=True, slots=True)
class Script:
    """One script, and what is looked at: the relation `result` that it makes, or the rows of its
    last statement where that is "". `drops`: what has to go before it runs again."""

    name: str
    text: str
    result: str
    drops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """`influences`: source -> outputs that changed with it; `marked`: source -> outputs in which
    its marks came out. `rows` of the unchanged result; `error` when it does not run."""

    outputs: tuple[str, ...]
    rows: int
    influences: Mapping[Column, frozenset[str]]
    marked: Mapping[Column, frozenset[str]]
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Rows:
    names: tuple[str, ...]
    count: int
    values: tuple[Counter[str], ...]  # by column, order ignored


def observe(world: World, script: Script) -> Observed:
    """Run a script on the world as it is, then once per change of each column it may read."""
    with world.unchanged():
        try:
            before = _run(world, script)
        except duckdb.Error as error:
            return Observed((), 0, {}, {}, str(error).splitlines()[0])
    influences: dict[Column, set[str]] = {}
    marked: dict[Column, set[str]] = {}
    for table, column in _candidates(world, script):
        for how in WAYS:
            try:
                with world.changed(table, column, how):
                    after = _run(world, script)
            except duckdb.Error:
                continue  # the changed value does not fit: this change shows nothing
            source = (table, column)
            influences.setdefault(source, set()).update(_differing(before, after))
            marked.setdefault(source, set()).update(_marked(after))
    return Observed(
        before.names,
        before.count,
        {source: frozenset(found) for source, found in influences.items() if found},
        {source: frozenset(found) for source, found in marked.items() if found},
    )


def _candidates(world: World, script: Script) -> Iterator[Column]:
    """Columns of tables that the text names; those alone that it names too, if it has no star."""
    words = set(re.findall(r"\w+", script.text.lower()))
    starred = re.search(r"\*\s*(?:from|,|exclude|except)", script.text, re.I) is not None
    for table, columns in world.tables.items():
        if table.rpartition(".")[2] in words and table != script.result:
            for column in columns:
                if starred or column in words:
                    yield table, column


def _run(world: World, script: Script) -> _Rows:
    for name in script.drops:
        world.connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
    cursor = world.connection
    for statement in world.connection.extract_statements(script.text):
        cursor = world.connection.execute(statement)
    if script.result:
        cursor = world.connection.execute(f"SELECT * FROM {quoted(script.result)}")
    names = tuple(each[0].lower() for each in cursor.description or ())
    rows = cursor.fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return _Rows(names, len(rows), tuple(Counter(map(_shown, column)) for column in columns))


def _differing(before: _Rows, after: _Rows) -> Iterator[str]:
    for name, old, new in zip(before.names, before.values, after.values, strict=True):
        if old != new:
            yield name


def _marked(after: _Rows) -> Iterator[str]:
    for name, values in zip(after.names, after.values, strict=True):
        if any(MARK in value for value in values):
            yield name


def missing(
    observed: Observed,
    edges: Mapping[str, Sequence[Column]],
    direct: Mapping[str, Sequence[Column]],
) -> list[tuple[Column, str, str]]:
    """(source, output, "influence" or "value") that was seen and is in no edge.

    `edges`, `direct`: by output, its sources of any kind, and those whose value it takes.
    """
    found: list[tuple[Column, str, str]] = []
    for seen, known, kind in (
        (observed.influences, edges, "influence"),
        (observed.marked, direct, "value"),
    ):
        for source, outputs in sorted(seen.items()):
            found += [(source, o, kind) for o in sorted(outputs) if source not in known.get(o, ())]
    return found


def _shown(value: object) -> str:
    """A value as text; sums of doubles differ in their last digits by the order of the rows."""
    return repr(round(value, 6)) if isinstance(value, float) else repr(value)
