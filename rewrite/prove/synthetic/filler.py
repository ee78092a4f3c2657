"""Whole rows from the values that matter, and the types of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from unwet.rewrite.prove.synthetic.database import Cell, Database, Table
from unwet.rewrite.prove.synthetic.entities import composed
from unwet.rewrite.prove.synthetic.fresh import fresh
from unwet.rewrite.prove.synthetic.symbols import JSON, Symbols, Variable, number, numbers
from unwet.rewrite.prove.synthetic.types import TEXT, SqlType

_NESTED: Final = frozenset({"array", "struct"})


class Facts(Protocol):
    """What is known of the relations of a pile."""

    @property
    def tables(self) -> Mapping[str, Mapping[str, SqlType]]:
        """Relation -> column -> type."""
        ...


class Filler:
    """Rows of whole tables, from the columns that matter."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._rows: dict[str, list[tuple[Cell, ...]]] = {}

    def put(self, relation: str, row: tuple[Cell, ...]) -> None:
        """One more row."""
        self._rows.setdefault(relation, []).append(row)

    def row(
        self, relation: str, values: Mapping[tuple[str, tuple[str, ...]], Cell], n: int
    ) -> tuple[Cell, ...]:
        """One row; columns that nobody asked anything of get the `n`-th value of their type."""
        known = self._facts.tables.get(relation, {})
        row: dict[str, Cell] = {}
        by_column: dict[str, dict[tuple[str, ...], Cell]] = {}
        for (column, path), value in values.items():
            by_column.setdefault(column, {})[path] = value
        for salt, (column, kind) in enumerate(known.items()):
            parts = by_column.get(column)
            if parts is None:
                row[column] = composed(kind, {(): fresh(kind, n, 50 + salt)})
            elif set(parts) == {()}:
                row[column] = composed(kind, parts) if kind.kind in _NESTED else parts[()]
            else:
                inner = {p: v for p, v in parts.items() if p}
                row[column] = composed(kind, inner)
        return tuple(row[column] for column in known)

    def database(self, relations: Sequence[str], aim: str) -> Database:
        tables = {}
        for relation in dict.fromkeys((*relations, *self._rows)):
            known = self._facts.tables.get(relation, {})
            columns = tuple((name, kind.duckdb()) for name, kind in known.items())
            tables[relation] = Table(columns, tuple(self._rows.get(relation, ())))
        return Database(tables, aim)


def empty(relations: Sequence[str], facts: Facts) -> Database:
    """Tables without rows."""
    return Filler(facts).database(relations, "empty tables")


def by_types(relations: Sequence[str], facts: Facts) -> Database:
    """A few rows of each table, of whatever its columns can hold."""
    filler = Filler(facts)
    for relation in relations:
        for n in range(8):
            filler.put(relation, filler.row(relation, {}, n % 6))
    return filler.database(relations, "values of each type")


def kind_of(variable: Variable, symbols: Symbols, facts: Facts) -> SqlType:
    """The type of a variable."""
    match variable.role:
        case "cell":
            known = facts.tables.get(symbols.scans[variable.scan], {})
            return _below(known.get(variable.column, TEXT), variable.path)
        case "element":
            at = number(variable.of[0])
            array = kind_of(symbols.variables[at], symbols, facts) if at is not None else TEXT
            return _below(array.element or TEXT, variable.path)
        case "count" | "rank":
            return SqlType("integer")
        case _:
            inside = [n for each in variable.of for n in numbers(each)]
            kinds = [kind_of(symbols.variables[n], symbols, facts) for n in inside[:1]]
            return kinds[0] if kinds else TEXT


def _below(kind: SqlType, path: tuple[str, ...]) -> SqlType:
    for name in path:
        if name == JSON:
            return TEXT
        kind = dict(kind.fields).get(name, TEXT)
    return kind
