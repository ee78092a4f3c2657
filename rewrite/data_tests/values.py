"""What can be tested of rows, as values that every target prints in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows have the same values in all of these columns; NULLs count as equal."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotNull:
    """A column without NULLs."""

    column: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A column of texts that holds nothing but these, and NULL."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Related:
    """Every value of a column that is not NULL stands in `field` of `relation`, a source."""

    column: str
    relation: str
    field: str


Check = Unique | NotNull | Accepted | Related


@dataclass(frozen=True, slots=True)
class DataTest:
    """A check, and how it is known. `certain`: the SQL of the model alone guarantees it, whatever
    the sources hold; it can fail only when somebody changes the model. Anything else is an
    assumption, which may fail on data that is right: a warning. `evidence`: in words."""

    check: Check
    certain: bool
    evidence: str


def words(test: DataTest) -> str:
    """What is tested, for people."""
    match test.check:
        case Unique(columns=columns):
            return f"{', '.join(columns)}: unique"
        case NotNull(column=column):
            return f"{column}: never NULL"
        case Accepted(column=column, values=values):
            return f"{column}: one of {', '.join(values)}"
        case Related(column=column, relation=relation, field=there):
            return f"{column}: found in {relation}.{there}"


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of a relation from outside. `type` as the project's dialect writes it, "" where
    nothing says it; `declared`: by the pile or the user, and not read off its uses."""

    name: str
    type: str = ""
    declared: bool = False


Cells = tuple[str | None, ...]  # values as texts that cast to the types of their columns


@dataclass(frozen=True, slots=True)
class Input:
    """Rows that go into a model. `kind`: whether `target` is the legacy name of a source or a
    model; `columns`: name and DuckDB type of each."""

    kind: Literal["source", "ref"]
    target: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class UnitTest:
    """Rows that go into a model, and those that the old scripts made of them."""

    model: str
    given: tuple[Input, ...]
    columns: tuple[str, ...]
    rows: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known beyond the SQL of a project. `models`: tests by model name; `sources` and
    `columns`: tests and columns by the legacy name of a relation from outside; `units`: examples
    of what models do."""

    models: Mapping[str, tuple[DataTest, ...]] = field(default_factory=dict)
    sources: Mapping[str, tuple[DataTest, ...]] = field(default_factory=dict)
    columns: Mapping[str, tuple[SourceColumn, ...]] = field(default_factory=dict)
    units: tuple[UnitTest, ...] = ()


NO_EVIDENCE: Final = Evidence()
