"""A neutral case: SQL, what is known of its tables, and the lineage that its suite expects."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple


class Edge(NamedTuple):
    """Source column -> target column. Relation "": a bare SELECT; "?": not known which."""

    source_relation: str
    source_column: str
    target_relation: str
    target_column: str

    def __str__(self) -> str:
        source, target = ".".join(self[:2]), ".".join(self[2:])
        return f"{source} -> {target}"


Edges = frozenset[Edge]


@dataclass(frozen=True, slots=True)
class Tables:
    """Relations that a case reads and writes."""

    sources: frozenset[str]
    targets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """One question with the answer of its suite.

    `origin`: the suite. `dialect`: sqlglot's name, "" for standard SQL. `schema`: columns by
    relation, in order. `tables`, `columns`: None when the suite does not say. `outputs`: when
    given, only edges into these columns of the last statement's result are asked for.
    """

    id: str
    origin: str
    sql: str
    dialect: str = ""
    schema: tuple[tuple[str, tuple[str, ...]], ...] = ()
    default_schema: str = ""
    tables: Tables | None = None
    columns: Edges | None = None
    outputs: tuple[str, ...] = ()

    def question(self) -> dict[str, Any]:
        """What a tool is told, as JSON would have it."""
        return {
            "id": self.id,
            "origin": self.origin,
            "sql": self.sql,
            "dialect": self.dialect,
            "schema": {relation: list(columns) for relation, columns in self.schema},
            "default_schema": self.default_schema,
            "outputs": list(self.outputs),
        }


def columns_of(schema: Mapping[str, Iterable[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A schema in the form of Case.schema, sorted by relation."""
    return tuple(sorted((relation, tuple(names)) for relation, names in schema.items()))


def write(cases: Iterable[Case], file: Path) -> None:
    """One JSON line per case; sets are sorted, so that two runs write the same file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(case), default=sorted, sort_keys=True) for case in cases)
    file.write_text("".join(line + "\n" for line in lines), "utf-8")
