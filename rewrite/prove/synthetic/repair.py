"""The engine in the loop: what a unit's statements complain of changes the tables they run on.

Queries tell of their tables only what they use, and inference may be wrong. So every unit is run
over its tables without rows; a missing column is added, a type that does not fit is changed, a
function that the engine lacks gets a stub, and the unit runs again. What was done is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlglot import exp

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove.engines import DuckEngine
from unwet.rewrite.prove.legacy import LegacyFailure, run_legacy
from unwet.rewrite.prove.synthetic.database import Database, Table
from unwet.rewrite.prove.synthetic.diagnosis import (
    MissingColumn,
    MissingField,
    MissingFunction,
    WrongType,
    diagnose,
)
from unwet.rewrite.prove.synthetic.hints import named_kind
from unwet.rewrite.prove.synthetic.infer import Inferred
from unwet.rewrite.prove.synthetic.load import open_synthetic
from unwet.rewrite.prove.synthetic.owners import affinity
from unwet.rewrite.prove.synthetic.signatures import NOTHING, SIGNATURES
from unwet.rewrite.prove.synthetic.stubs import (
    calls,
    fields_of,
    macro,
    missing,
    whole_name,
)
from unwet.rewrite.prove.synthetic.types import TEXT, Evidence, Kind, SqlType
from unwet.rewrite.prove.synthetic.units import Unit

ROUNDS: Final = 12  # changes for one unit
_WORLD: Final = "unwet_tried"
_ARITIES: Final = range(7)  # of a function that sqlglot knows and DuckDB does not
_STRENGTH: Final[Mapping[Evidence, int]] = {"default": 0, "named": 1, "used": 2, "declared": 3}


@dataclass(frozen=True, slots=True)
class Fit:
    """A unit that has been tried: `macros` are statements that make the functions it needs,
    `failure` says why it does not run (empty: it does), `notes` what was changed for it."""

    macros: tuple[str, ...] = ()
    failure: str = ""
    notes: tuple[str, ...] = ()


class Repair:
    """The tables of a pile as they are known now; each unit that is tried may change them."""

    def __init__(self, inferred: Inferred, clock: datetime) -> None:
        self.inferred, self._clock = inferred, clock

    def fit(self, unit: Unit) -> Fit:
        """Tries a unit until it runs, or nothing helps any more."""
        macros: dict[str, str] = {}
        notes: list[str] = []
        while True:
            failure = self._tried(unit, macros)
            done = None
            if failure is not None and len(notes) < ROUNDS:
                done = self._mended(unit, failure.detail or failure.reason, macros)
            if done is None:
                reason = f"{failure.path}:{failure.line}: {failure.reason}" if failure else ""
                return Fit(tuple(macros.values()), reason, tuple(notes))
            notes.append(done)

    def _tried(self, unit: Unit, macros: dict[str, str]) -> LegacyFailure | None:
        tables = {name: self._table(name) for name in unit.inputs}
        try:
            with open_synthetic(Database(tables, macros=tuple(macros.values()))) as engine:
                self._add_stubs(engine, unit, macros)
                engine.world(_WORLD)
                run = run_legacy(engine, _WORLD, unit.scripts, self._clock)
        except EngineError as error:
            return LegacyFailure(unit.report.span.path, unit.report.span.line, error.message)
        return next(iter(run.failures), None)

    def _table(self, relation: str) -> Table:
        columns = self.inferred.tables.get(relation, {})
        return Table(tuple((name, kind.duckdb()) for name, kind in columns.items()))

    def _add_stubs(self, engine: DuckEngine, unit: Unit, macros: dict[str, str]) -> None:
        called = calls(unit.scripts)
        for name in missing(engine, called):
            made = macro(name, called[name], self.inferred.functions.get(name, TEXT))
            macros[name] = made
            engine.execute(made)

    # --- one change

    def _mended(self, unit: Unit, message: str, macros: dict[str, str]) -> str | None:
        """What was done about a complaint; None when nothing can be."""
        match diagnose(message):
            case MissingColumn(name=name, table=table):
                return self._added(unit, name, table)
            case MissingFunction(name=name) if name not in macros:
                macros[name] = macro(name, _ARITIES, self._returned(name))
                return f"the function {name} is a stub"
            case MissingField() as trouble:
                return self._with_field(unit, trouble, macros)
            case WrongType() as trouble:
                return self._other_stub(unit, trouble, macros) or self._changed(unit, trouble)
            case _:
                return None

    def _added(self, unit: Unit, name: str, table: str) -> str | None:
        having = self.inferred.tables
        known = [each for each in unit.inputs if each in having]
        without = [each for each in known if name not in having[each]]
        called = [each for each in without if each.rpartition(".")[2] == table]
        candidates = called or [*_aliased(unit, table, without)] or without
        if not candidates:
            return None
        owner = max(candidates, key=lambda each: affinity(name, each, having.get(each, ())))
        self._set(owner, name, SqlType(named_kind(name) or "text", evidence="used"))
        return f"{owner} has a column {name}"

    def _changed(self, unit: Unit, trouble: WrongType) -> str | None:
        found = list(self._suspects(unit, trouble))
        if not found:
            return None
        relation, column, old = min(found, key=lambda each: _STRENGTH[each[2].evidence])
        new = _other(old, trouble)
        if new is None:
            return None
        self._set(relation, column, new)
        return f"{relation}.{column} is {new.duckdb()}, not {old.duckdb()}"

    def _other_stub(self, unit: Unit, trouble: WrongType, macros: dict[str, str]) -> str | None:
        """The engine pointed at what a stub returns, of which nothing was known."""
        for name in _behind(unit, trouble.columns):
            old = self.inferred.functions.get(name, TEXT)
            is_open = name in macros and old.evidence == "default"
            new = _other(old, trouble) if is_open and old.duckdb() in trouble.types else None
            if new is not None:
                return self._set_stub(name, new, macros)
        return None

    def _with_field(self, unit: Unit, trouble: MissingField, macros: dict[str, str]) -> str | None:
        """A struct where the engine found none, with the fields that the unit reads."""
        stubs = [trouble.function, *_behind(unit, trouble.columns)]
        names = {trouble.name, *fields_of(unit.scripts, trouble.function, trouble.columns)}
        for name in (each for each in stubs if each in macros):
            if self.inferred.functions.get(name, TEXT).kind != "struct":
                return self._set_stub(name, _struct(sorted(names)), macros)
        for relation in unit.inputs:
            for column in trouble.columns:
                old = self.inferred.tables.get(relation, {}).get(column)
                if old is not None and old.evidence != "declared" and old.kind != "struct":
                    self._set(relation, column, _struct(sorted(names)))
                    return f"{relation}.{column} is a struct"
        return None

    def _set_stub(self, name: str, kind: SqlType, macros: dict[str, str]) -> str:
        functions = {**self.inferred.functions, name: kind}
        self.inferred = replace(self.inferred, functions=functions)
        del macros[name]  # it is made anew
        return f"the function {name} returns {kind.duckdb()}"

    def _suspects(self, unit: Unit, trouble: WrongType) -> Iterator[tuple[str, str, SqlType]]:
        """Columns of the unit's inputs that the engine pointed at, of a type it named."""
        for column in trouble.columns:
            for relation in unit.inputs:
                kind = self.inferred.tables.get(relation, {}).get(column)
                if kind is None or kind.evidence == "declared":
                    continue
                if (not trouble.types or kind.duckdb() in trouble.types) and _other(kind, trouble):
                    yield relation, column, kind

    def _set(self, relation: str, column: str, kind: SqlType) -> None:
        columns = {**self.inferred.tables.get(relation, {}), column: kind}
        self.inferred = replace(self.inferred, tables={**self.inferred.tables, relation: columns})

    def _returned(self, name: str) -> SqlType:
        """The type of a function's result, if sqlglot knows the function by that name."""
        known = exp.FUNCTION_BY_NAME.get(name.upper())
        gives = SIGNATURES.get(known.key, NOTHING).gives if known is not None else None
        kind: Kind = "json" if name.startswith("json_") else "text"
        match gives:
            case None:
                pass
            case "number":
                kind = "double"
            case "temporal":
                kind = "date"
            case exact:
                kind = exact
        return SqlType(kind, evidence="used")


def _behind(unit: Unit, names: Iterable[str]) -> Iterator[str]:
    """The functions whose results the unit's statements give these names."""
    wanted = set(names)
    for script in unit.scripts:
        for statement in script.statements:
            for alias in statement.tree.find_all(exp.Alias):
                called = alias.this.find(exp.Anonymous) if alias.alias.lower() in wanted else None
                if called is not None:
                    yield whole_name(called)


def _struct(names: Iterable[str]) -> SqlType:
    fields = tuple((name, SqlType(named_kind(name) or "text", evidence="named")) for name in names)
    return SqlType("struct", None, fields, "used")


def _aliased(unit: Unit, alias: str, relations: list[str]) -> Iterator[str]:
    """The relations that the unit's statements call by that alias."""
    for script in unit.scripts:
        for statement in script.statements:
            for table in statement.tree.find_all(exp.Table):
                if alias and table.alias.lower() == alias:
                    yield from (e for e in relations if e.rpartition(".")[2] == table.name.lower())


def _other(old: SqlType, trouble: WrongType) -> SqlType | None:
    """The type that a column should have instead; None when it is that already."""
    wanted = trouble.wanted
    if wanted is None:
        others = [each for each in trouble.types if each != old.duckdb()]
        wanted = _BY_NAME.get(others[0].partition("(")[0]) if others else None
    if wanted is None or wanted == old.kind:
        return None
    if wanted == "array":
        return SqlType("array", replace(old, evidence="used"), (), "used")
    return SqlType(wanted, evidence="used")


_BY_NAME: Final[Mapping[str, Kind]] = {
    "BIGINT": "integer",
    "INTEGER": "integer",
    "INTEGER_LITERAL": "integer",
    "HUGEINT": "integer",
    "DOUBLE": "double",
    "DECIMAL": "double",
    "VARCHAR": "text",
    "STRING_LITERAL": "text",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "boolean",
    "TIME": "time",
    "JSON": "json",
}
