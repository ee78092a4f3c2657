"""What is known of a project beyond its SQL: tests, and columns of sources that nobody declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Final

from unwet.lineage.tables import Table
from unwet.rewrite.data_tests.gathered import Meant, of_models, of_sources
from unwet.rewrite.data_tests.values import Evidence, SourceColumn
from unwet.rewrite.lower import trim
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.project import Project
from unwet.rewrite.prove.roundtrip import ReadBack
from unwet.rewrite.prove.synthetic.infer import infer
from unwet.rewrite.prove.synthetic.types import SqlType
from unwet.rewrite.unit_tests import unit_tests

Types = Mapping[str, Mapping[str, SqlType]]  # of columns, by relation and column

_SHOWN: Final = ("declared", "used")  # a name or nothing at all is no evidence of a type


def evidence_of(
    project: Project, found: Mapping[str, ReadBack], meaning: Meaning, types: Types, made: bool
) -> Evidence:
    """Tests of models and sources, and the columns of sources that nothing declares. `found`: the
    models as they were read back; `types`: those of `types_of`; `made`: examples on rows that are
    made up, too."""
    meant = dict(_meant(project, found, meaning.normalizer))
    relations = {name: each.relation or name for name, each in project.reports.items()}
    outside = [each.relation for each in project.outside()]
    plans = {name: each.rel for name, each in meant.items() if name in project.reports}
    return Evidence(
        of_models(meant, relations, project.catalog),
        of_sources(outside, plans, project.catalog),
        _columns(project, outside, types),
        unit_tests(project, plans, meaning) if made else (),
    )


def _meant(
    project: Project, found: Mapping[str, ReadBack], normalizer: Normalizer
) -> Iterator[tuple[str, Meant]]:
    """What each model means, those it reads before it."""
    reads = {draft.name: draft.refs for draft in (*project.drafts, *project.intermediates)}
    for name in TopologicalSorter(reads).static_order():
        plan = found[name].plan if name in found else None
        if plan is not None:
            yield name, Meant(plan.names, normalizer.run(trim(plan))[0])


def types_of(meaning: Meaning, outside: Iterable[str]) -> Types:
    """The types of the columns that the pile uses of relations from outside that nothing
    declares."""
    unknown = {name for name in outside if not _is_declared(meaning.pile.catalog.get(name))}
    tables = infer(meaning).tables if unknown else {}
    return {name: dict(tables[name]) for name in sorted(unknown) if name in tables}


def _columns(
    project: Project, outside: list[str], tables: Types
) -> dict[str, tuple[SourceColumn, ...]]:
    """Columns of relations from outside, as far as the pile uses them."""
    unknown = [name for name in outside if not _is_declared(project.catalog.get(name))]
    return {
        name: tuple(
            SourceColumn(column, kind.sql(project.dialect) if kind.evidence in _SHOWN else "")
            for column, kind in sorted(tables[name].items())
        )
        for name in unknown
        if tables.get(name)
    }


def _is_declared(table: Table | None) -> bool:
    return table is not None and table.closed
