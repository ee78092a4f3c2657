"""A database on which old and new differ, as SQL that DuckDB runs: tables, both queries, and the
rows that only one of them returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.rewrite.prove.adapt import to_duckdb
from unwet.rewrite.prove.bags import query_of_unit
from unwet.rewrite.prove.engines import quote
from unwet.rewrite.prove.models import needed, query_of
from unwet.rewrite.prove.places import target
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.strength import CLOCK
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.load import statements
from unwet.rewrite.prove.synthetic.units import Unit
from unwet.rewrite.prove.tested import MODELS

_OLD = "unwet_old"
SAYS = "old and new return other rows on these tables."  # in the first line


def script(
    unit: Unit,
    database: Database,
    project: RenderedProject,
    standing: Mapping[str, str],
    dialect: str,
) -> str:
    """The whole text; where a side is no single query, only a comment says what would be run."""
    report = unit.report
    lines = [
        f"-- {_comment(report.relation or report.name)}: {SAYS}",
        f"-- Old: {_comment(report.span.path)}:{report.span.line}. "
        "Run this with DuckDB on an empty database.",
        "",
        *_tables(database),
        *_standing(database, standing),
        *_old(unit, database),
        *_new(unit, database, project, standing, dialect),
    ]
    return "\n".join(lines) + "\n"


def _tables(database: Database) -> Iterator[str]:
    for relation, table in sorted(database.tables.items()):
        schema, name = _place(relation)
        yield f"CREATE SCHEMA IF NOT EXISTS {quote(schema)};"
        yield from (f"{each};" for each in statements(quote(schema, name), table))


def _standing(database: Database, standing: Mapping[str, str]) -> Iterator[str]:
    """The results of other reports are given under the names of their models."""
    yield f"CREATE SCHEMA {quote(MODELS)};"
    places = {_key(relation): _place(relation) for relation in database.tables}
    for model, relation in sorted(standing.items()):
        if place := places.get(_key(relation)):
            yield f"CREATE VIEW {quote(MODELS, model)} AS SELECT * FROM {quote(*place)};"


def _old(unit: Unit, database: Database) -> Iterator[str]:
    query = query_of_unit(unit)
    if query is None:
        yield "-- the old scripts are several statements: run them here"
        return
    yield from _view((_OLD,), query, database)


def _new(
    unit: Unit,
    database: Database,
    project: RenderedProject,
    standing: Mapping[str, str],
    dialect: str,
) -> Iterator[str]:
    names = needed(project, [unit.name], frozenset(standing))
    try:
        for model in project.models:
            if model.name in names and model.name not in standing:
                tree = query_of(model, dialect)
                yield from _view((MODELS, model.name), tree, database)
    except UnwetError as error:
        yield f"-- the new side cannot be written here: {_comment(error.message)}"
        return
    new, old = quote(MODELS, unit.name), quote(_OLD)
    if query_of_unit(unit) is not None:
        yield f"SELECT 'only old' AS unwet, * FROM (FROM {old} EXCEPT ALL FROM {new});"
        yield f"SELECT 'only new' AS unwet, * FROM (FROM {new} EXCEPT ALL FROM {old});"


def _view(name: tuple[str, ...], tree: exp.Expr, database: Database) -> Iterator[str]:
    sql = to_duckdb(tree, CLOCK, _located, database.declared)
    yield f"CREATE VIEW {quote(*name)} AS\n{sql};"


def _located(parts: Sequence[str]) -> tuple[str, ...] | None:
    return target(parts)


def _place(relation: str) -> tuple[str, str]:
    place = target(relation.split("."))
    return (place[-2] if len(place) > 1 else "main", place[-1])


def _key(relation: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in _place(relation))


def _comment(text: str) -> str:
    return " ".join(text.split())
