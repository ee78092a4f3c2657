"""Decisions about the shape of a project, as the rewriting of one pile reads them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from unwet.rewrite.decisions.file import Decisions
from unwet.rewrite.decisions.shaping import Forbid, Meant, Pin, Rename, Shaping, Split
from unwet.rewrite.definitions import Report
from unwet.rewrite.limits import NO_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class Shape:
    """`alone`: reports that share nothing; `scripts`: those that stay scripts, and why; `limits`:
    what the choice of abstractions obeys; `renames`: of macros, models and parameters; `notes`:
    decisions that stand for nothing here."""

    alone: frozenset[str] = frozenset()
    scripts: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = NO_LIMITS
    renames: tuple[Rename, ...] = ()
    notes: tuple[str, ...] = ()


def shape(decisions: Decisions, reports: Iterable[Report], given: Container[str] = ()) -> Shape:
    """The decisions about these reports; `given`: names that some of them have been given."""
    known = tuple(reports)
    names = _names(known)
    found = Shape(limits=Limits(forbidden=frozenset(
        each.name for each in decisions.shaping if isinstance(each, Forbid))))  # fmt: skip
    for each in decisions.shaping:
        if isinstance(each, Rename) and each.to in given:
            continue
        found = _with(found, each, known, names)
    return found


def _with(found: Shape, each: Shaping, reports: tuple[Report, ...], names: Mapping[str, str]
          ) -> Shape:  # fmt: skip
    match each:
        case Pin(report=report, script=script) if report in names:
            name = names[report]
            if script:
                why = f"decided on {each.date}: {each.reason} ({each.at})"
                return replace(found, scripts={**found.scripts, name: why})
            return replace(found, alone=found.alone | {name})
        case Pin(report=report):
            return _noted(found, f"{each}: there is no report {report}")
        case Split(reports=some):
            apart = frozenset(names[one] for one in some if one in names)
            limits = replace(found.limits, apart=(*found.limits.apart, apart))
            missing = [one for one in some if one not in names]
            lost = (f"{each}: there is no report {one}" for one in missing)
            return _noted(replace(found, limits=limits), *lost)
        case Meant():
            plain = frozenset(_meant(each, reports))
            limits = replace(found.limits, plain=found.limits.plain | plain)
            if not plain:
                return _noted(found, f"{each}: no report has such a file")
            return replace(found, limits=limits)
        case Rename(name=name) if name not in names:
            return replace(found, renames=(*found.renames, each))
        case Rename() | Forbid():
            return found


def _meant(meant: Meant, reports: Iterable[Report]) -> Iterator[str]:
    """The reports that come from a file which the decision is about."""
    for report in reports:
        paths = {part.statement.path for part in report.definition.parts}
        if any(PurePath(path).match(meant.intended.path) for path in paths):
            yield report.name


def _noted(found: Shape, *notes: str) -> Shape:
    return replace(found, notes=(*found.notes, *notes))


def _names(reports: Iterable[Report]) -> dict[str, str]:
    """Reports by the names of their models and of their relations; a name means the model."""
    known = tuple(reports)
    names = {report.relation.lower(): report.name for report in known if report.relation}
    return names | {report.name.lower(): report.name for report in known}
