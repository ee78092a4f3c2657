"""`verify --sql-out`: the comparison of old and new as files, where nobody can connect from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.parse import check_dialect
from unwet.rewrite.decisions.decided import decided
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.naming_again import called_before
from unwet.rewrite.prove.against import dialect_of, reference
from unwet.rewrite.prove.parity_files import INDEX, ParityFiles, Wanted, parity_files
from unwet.rewrite.prove.projects import render_project
from unwet.rewrite.prove.servers.flavours import flavour_of
from unwet.rewrite.script import Report
from unwet.rewrite.stars import is_open
from unwet.rewrite.targets.place import check, place, staged
from unwet.rewrite.targets.record import read_record
from unwet.rewrite.verify import Request, values_of


@dataclass(frozen=True, slots=True)
class Written:
    """How many files were written, and why not those of other reports."""

    index: Path
    files: int
    missing: Mapping[str, str]


def write_sql(meaning: Meaning, request: Request, out: Path, force: bool) -> Written:
    """A file for each report that has a model, and an index, into `out` and nowhere else.

    Raises OutputNotEmpty for a folder with files unless `force`, UsageError for a dialect that
    rows cannot be compared in."""
    check(out, force)
    made = _made(meaning, request)
    with staged(made.files, out) as folder:
        place(folder, out)
    return Written(out / INDEX, len(made.files) - 1, made.missing)


def _made(meaning: Meaning, request: Request) -> ParityFiles:
    remembered = read_record(request.project)
    called = called_before(meaning, remembered.names)
    meaning = decided(called, request.decisions, request.values).meaning  # what is expected now
    pile = meaning.pile
    dialect = check_dialect(request.to_dialect or remembered.dialect or dialect_of(pile))
    flavour = flavour_of(dialect)
    project = render_project(request.project, request.values)
    values = values_of(pile, project.variables, request.values)
    wanted = [Wanted(reference(report), _columns(report)) for report in meaning.state.reports]
    return parity_files(pile.scripts, request.project, wanted, flavour, dialect, values)


def _columns(report: Report) -> tuple[str, ...]:
    """Its column names, when all of them are known."""
    plan = report.definition.plan
    names = plan.names if plan is not None else report.definition.columns
    return () if is_open(names) else tuple(names)
