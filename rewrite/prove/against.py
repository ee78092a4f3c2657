"""What a project is compared against, taken from the pile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unwet.lineage.pile import Pile
from unwet.lineage.templating import Placeholder
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.roundtrip import Setting
from unwet.rewrite.script import Report, base_reads

_DEFAULTS = ("main", "public", "dbo", "default")


def dialect_of(pile: Pile) -> str:
    """The dialect of the pile: that of its first statement."""
    return next((s.dialect for script in pile.scripts for s in script.statements), "")


def placeholders(pile: Pile) -> tuple[Placeholder, ...]:
    """Every placeholder that is left in the pile, once per file."""
    masks = {id(s.masked): s.masked for script in pile.scripts for s in script.statements}
    return tuple(place for masked in masks.values() for place in masked.placeholders)


def variable(place: Placeholder) -> str:
    """The project's variable for a placeholder."""
    return place.token[3:-3].lower()


def setting(
    pile: Pile, reports: Iterable[Report], dialect: str, values: Mapping[str, str]
) -> Setting:
    """How to read a project back: ``values`` are those of variables without a placeholder."""
    left = placeholders(pile)
    return Setting(
        dialect,
        pile.catalog,
        {report.name: report.relation or report.name for report in reports},
        {**values, **{variable(place): place.token.lower() for place in left}},
        frozenset(place.token.lower() for place in left if place.binds),
        _unqualified(pile),
    )


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
