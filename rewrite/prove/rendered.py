"""What reading a project back results in, whichever kind of project it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from unwet.lineage.errors import UsageError
from unwet.rewrite.prove.sandbox import TemplateFailure, Unparsed

Relation = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class RenderedModel:
    """One model as SQL. `refs`: model and seed names; `sources`: `schema.table` as located;
    `dialect`: what the project says that it is written in, where it says so."""

    name: str
    path: str
    sql: str
    refs: tuple[str, ...]
    sources: tuple[str, ...]
    materialized: str
    dialect: str = ""

    def misread_in(self, dialect: str) -> str:
        """Why its rows are not known to who reads it in this dialect; empty where they are."""
        if self.dialect in ("", dialect or "duckdb"):
            return ""
        return f"the project says that it is {self.dialect}, not {dialect or 'duckdb'}"


@dataclass(frozen=True, slots=True)
class Seed:
    """A CSV file that the project loads as a table. `configured`: YAML says how to read it."""

    name: str
    path: str
    configured: bool = False


@dataclass(frozen=True, slots=True)
class RenderFailure:
    """A file of the project that could not be read; `line` 0 when unknown. `unparsed`: it is no
    template or no SQL, whoever reads it."""

    name: str
    path: str
    line: int
    reason: str
    unparsed: bool = False


def failure_of(name: str, path: Path, failure: TemplateFailure) -> RenderFailure:
    """What is told of a file that could not be read."""
    wrong = isinstance(failure, Unparsed)
    return RenderFailure(name, str(path), failure.line, failure.message, wrong)


@dataclass(frozen=True, slots=True)
class RenderedProject:
    """Models in dependency order (inputs first), and what could not be rendered.

    `variables`: the values that variables have, those of its own configuration included. `target`:
    the folder dbt compiles into; `compiled`: models whose SQL is what it made of them; `notes` on
    that.
    `macros`: the names of its own; `described`: the YAML files beside its models; `scripts`: the
    paths below its root of old scripts that it still runs; `functions`: the statements by which it
    makes functions before its models; `doubt`: why the rows of all its models are not known.
    """

    name: str
    models: tuple[RenderedModel, ...]
    seeds: tuple[Seed, ...]
    failures: tuple[RenderFailure, ...]
    variables: Mapping[str, object] = field(default_factory=dict)
    target: str = "target"
    compiled: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    macros: frozenset[str] = frozenset()
    described: tuple[Path, ...] = ()
    scripts: tuple[str, ...] = ()
    doubt: str = ""
    functions: tuple[str, ...] = ()

    def doubted(self) -> RenderedProject:
        """The same, with a failure for each model where all are in doubt."""
        if not self.doubt:
            return self
        told = {failure.name for failure in self.failures}
        more = (
            RenderFailure(model.name, model.path, 0, self.doubt)
            for model in self.models
            if model.name not in told
        )
        return replace(self, failures=(*self.failures, *more))


class BadProject(UsageError):
    """A folder that is no project of any known kind, or whose configuration cannot be read."""


def plain(kind: str, name: str) -> str:
    """The default names: a ref is the bare model name, a source its `schema.table`."""
    return name


def ordered(
    models: list[RenderedModel], failures: list[RenderFailure]
) -> tuple[RenderedModel, ...]:
    """Inputs first, otherwise by name; models in a cycle come last, each with a failure."""
    by_name = {model.name: model for model in sorted(models, key=lambda model: model.name)}
    for model in models:
        if by_name[model.name] is not model:
            failures.append(RenderFailure(model.name, model.path, 0, "a second model of this name"))
    graph = {name: [r for r in model.refs if r in by_name] for name, model in by_name.items()}
    try:
        return tuple(by_name[name] for name in TopologicalSorter(graph).static_order())
    except CycleError as error:
        ring = error.args[1]
        for name in sorted(set(ring)):
            reason = f"models depend on each other in a circle: {' -> '.join(ring)}"
            failures.append(RenderFailure(name, by_name[name].path, 0, reason))
        return ordered([m for m in models if m.name not in ring], failures)
