"""What a project is compared against, taken from the pile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from unwet.lineage.pile import Pile
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.templating import Placeholder
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.roundtrip import Setting
from unwet.rewrite.script import Report, base_reads
from unwet.rewrite.stars import made_table

_DEFAULTS = ("main", "public", "dbo", "default")


def dialect_of(pile: Pile) -> str:
    """The dialect of the pile: that of its first statement."""
    return next((s.dialect for script in pile.scripts for s in script.statements), "")


def read_as(pile: Pile) -> str | None:
    """The same; None where nothing of it was read."""
    return dialect_of(pile) if any(script.statements for script in pile.scripts) else None


def placeholders(pile: Pile) -> tuple[Placeholder, ...]:
    """Every placeholder that is left in the pile, once per file."""
    masks = {id(s.masked): s.masked for script in pile.scripts for s in script.statements}
    return tuple(place for masked in masks.values() for place in masked.placeholders)


def variable(place: Placeholder) -> str:
    """The project's variable for a placeholder."""
    return place.token[3:-3].lower()


# {{ var('limit', 7) }}: what it is where nobody says otherwise
_USUAL: Final = re.compile(
    r"""\{\{-?\s*var\(\s*(['"])\w+\1\s*,\s*(?:(['"])([^'"\\{}]*)\2|(-?[\d.]+))\s*\)\s*-?\}\}"""
)


def usual_values(places: Iterable[Placeholder]) -> dict[str, str]:
    """By variable: the value that the pile itself gives it, if it gives it one only."""
    found: dict[str, set[str | None]] = {}
    for place in places:
        hit = _USUAL.fullmatch(place.text.strip())
        value = None if hit is None else hit[4] or hit[3]
        found.setdefault(variable(place), set()).add(value)
    only = {name: values.pop() for name, values in found.items() if len(values) == 1}
    return {name: value for name, value in only.items() if value}


def setting(
    pile: Pile,
    reports: Iterable[Report],
    dialect: str,
    values: Mapping[str, str],
    functions: Mapping[str, OwnFunction],
) -> Setting:
    """How to read a project back: ``values`` are those of variables without a placeholder;
    ``functions``: what the pile's scripts define for themselves, by name."""
    left = placeholders(pile)
    reports = tuple(reports)
    return Setting(
        dialect,
        _with_own_states(pile.catalog, reports),
        {report.name: report.relation or report.name for report in reports},
        {**values, **{variable(place): place.token for place in left}},
        frozenset(place.token.lower() for place in left if place.binds),
        _unqualified(pile),
        {name: each.meaning for name, each in functions.items()},
    )


def _with_own_states(catalog: Catalog, reports: Iterable[Report]) -> Catalog:
    """The catalog with the relations that are one script's own states of others; of one whose
    columns nobody knows the new queries know no more than the old ones."""
    made: dict[str, Table] = {}
    for each in reports:
        known = catalog.get(each.definition.of) if each.definition.of else None
        if known is not None and not known.closed:
            made[each.relation] = replace(known, name=each.relation)
        elif known is not None and each.definition.plan is not None:
            made[each.relation] = made_table(each.relation, each.definition.plan.names)
    return replace(catalog, tables={**catalog.tables, **made}) if made else catalog


def _unqualified(pile: Pile) -> dict[str, str]:
    """Relations that the pile reads without a schema; as sources of a project they have one: main,
    or the one where the engine looks for them."""
    queries = (each.query for each in pile.resolved if each.query is not None)
    names = {name for query in queries for name in base_reads(query)}
    plain = [name for name in names if "." not in name]
    found = ((f"{schema}.{name}", name) for name in plain for schema in _DEFAULTS)
    return {full: name for full, name in found if full not in names}


def reference(report: Report) -> ReportRef:
    """Where a test on data finds the report's old rows, and the model of its name."""
    span = report.span
    return ReportRef(report.name, report.relation, report.name, span.path, span.line)
