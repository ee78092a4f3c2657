"""Does a project still return what the legacy reports returned? A verdict for each report.

What `refactor` proves of its own output is proved here of any project, edited by hand or not:
models are read back and their normal forms compared; with data, old and new also run side by side.
A proof of one model takes the models it reads for granted, so a model is only as good as those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from unwet.lineage.errors import UsageError
from unwet.lineage.findings import Finding
from unwet.lineage.garbage import rare_collection
from unwet.lineage.parse import check_dialect
from unwet.lineage.pile import Pile
from unwet.lineage.templating import restorer
from unwet.rewrite.accepted import Accepting
from unwet.rewrite.checked import Checked, Checks
from unwet.rewrite.decisions.decided import Change, Decided, decided
from unwet.rewrite.decisions.file import NONE, Decisions
from unwet.rewrite.decisions.outcome import on_rows, outcome
from unwet.rewrite.meaning import Meaning, meaning_of, with_functions_made
from unwet.rewrite.naming_again import called_before
from unwet.rewrite.noticed import noticed
from unwet.rewrite.project import own_states, with_states_told
from unwet.rewrite.prove.against import (
    dialect_of,
    placeholders,
    read_as,
    reference,
    setting,
    variable,
)
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.extras import unparsed
from unwet.rewrite.prove.generated import Budget, Known, gather
from unwet.rewrite.prove.grounds import NO_GROUNDS, grounds
from unwet.rewrite.prove.judge import Judged, judge
from unwet.rewrite.prove.lacked import lacks
from unwet.rewrite.prove.made_functions import names_made
from unwet.rewrite.prove.on_data import Store, check_scratch, engine_of, run_on_data
from unwet.rewrite.prove.projects import kind_of, read_project, render_project
from unwet.rewrite.prove.recompiled import disagreements
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.roundtrip import read_back
from unwet.rewrite.prove.servers.dbapi import Connected
from unwet.rewrite.prove.still_made import still_made
from unwet.rewrite.prove.tested import DataVerdict, placed
from unwet.rewrite.prove.undecided import Undecided
from unwet.rewrite.prove.worlds import Worlds
from unwet.rewrite.script import Report
from unwet.rewrite.targets.record import Record, read_record
from unwet.rewrite.templated.against import check_templates
from unwet.rewrite.templated.optional_arms import chosen, granted
from unwet.rewrite.templated.options import Options, options_of
from unwet.rewrite.templated.rewritten import AS_IT_WAS
from unwet.rewrite.verdicts import Verdict, as_fixed

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. ``data`` is what DuckDB opens, or a server, of which only the schema
    ``scratch`` is written to; ``values`` are run-time values of placeholders and variables;
    ``to_dialect`` is the project's (default: as it remembers); ``decisions`` say what may be
    different now. ``seconds``: limit for each statement on data; ``store``: where verdicts of a run
    that is stopped are kept, ``known``: what generated data has said before; ``rules``: tell which
    rules each proof used, which takes half as long again; ``generated``: the time for tests on data
    made from the queries alone, None for none; ``check_proofs``: what is proved is tested so,
    too; ``intended``: what is meant beside what the decisions accept."""

    project: Path
    to_dialect: str = ""
    data: str | Connected = field(default="", repr=False)  # may hold a password
    values: Mapping[str, str] = field(default_factory=dict)
    decisions: Decisions = NONE
    scratch: str = ""
    seconds: float = 600.0
    store: Store | None = field(default=None, compare=False)
    known: Known | None = field(default=None, compare=False)
    rules: bool = False
    generated: Budget | None = None
    check_proofs: bool = False
    intended: tuple[Accepting, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """All reports by name, what the proofs assume, and findings of the pile. ``notes``: what else a
    person has to know, as what the data lack; ``contradicted``: proved reports whose rows differ
    on generated data; ``unparsed``: files of the project, no models of reports, that nobody can
    run; ``noticed``: what there is to say of tables that several scripts write, among the
    findings."""

    reports: tuple[Checked, ...]
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    unparsed: tuple[Finding, ...] = ()
    noticed: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Nobody has to look at any report: each is proved, shows no rows that differ, or is kept
        for a reason that the project remembers; and no file is left that may hold others, or that
        does not let the project run."""
        lost = any(finding.code == "UNREADABLE" for finding in self.findings)
        return not lost and not self.unparsed and not any(report.open for report in self.reports)


@rare_collection()
def verify(
    pile: Pile | Meaning,
    request: Request,
    progress: Progress = lambda _: None,
    worlds: Worlds | None = None,
) -> Verification:
    """Checks every report of the pile against the model of its name. ``worlds``: the data of the
    request, when others test on it too.

    Raises UnwetError for a project or data that cannot be opened.
    """
    check_project(request.project)
    check_scratch(request.data, request.scratch)
    remembered = read_record(request.project)
    whole = pile if isinstance(pile, Pile) else pile.written
    _check_dialect(remembered, whole, request.project)
    given = {**request.values, **chosen(whole, request.values)}
    options = options_of(whole, request.values, request.project)
    if options.found:
        pile = whole = options.rest
    templates = check_templates(whole, request.project)
    dialect = check_dialect(request.to_dialect or remembered.dialect or dialect_of(whole))
    progress("reading the project")
    before = render_project(request.project, given)
    meaning = meaning_of(templates.rest if templates.verdicts else pile)
    meaning = with_functions_made(meaning, names_made(before.functions, dialect))
    called = called_before(meaning, remembered.names)
    case = decided(called, request.decisions, request.values)
    meaning, pile = case.meaning, case.meaning.pile
    values = values_of(pile, before.variables, given)
    progress("running the scripts symbolically")
    state = meaning.state
    progress("proving the models")
    against = setting(pile, state.reports, dialect, values, meaning.functions)
    rendered = read_project(request.project, against.variables)
    found = read_back(request.project, against)
    known = {*found}
    reports = [report for report in state.reports if report.name in known]
    judged = judge(reports, found, dialect, meaning.normalizer, pile.catalog)
    tests: tuple[DataVerdict, ...] = ()
    translated: set[str] = set()
    old: tuple[DataVerdict, ...] = ()  # as it was, of what is decided to be otherwise now
    if request.data:
        progress("running old and new on the data")
        refs = [reference(report) for report in reports]
        run = partial(run_on_data, project_root=request.project, data=request.data, dialect=dialect,
                      vars=values, scratch=request.scratch, seconds=request.seconds,
                      worlds=worlds, store=request.store)  # fmt: skip
        told = Undecided(judged.plans, read_project(request.project, values, placed), dialect,
                         engine_of(request.data), pile.catalog, meaning.normalizer)  # fmt: skip
        unproved = {each.name: each for each in reports if each.name in judged.unproved}
        tests = tuple(told.verdicts(run(pile.scripts, reports=refs), unproved))
        translated = told.assumed
        if others := [ref for ref in refs if ref.name in case.changes]:
            old = run(case.legacy.pile.scripts, reports=others)
    by_name = {test.name: test for test in tests}
    evidence = _generated(meaning, request, reports, judged, by_name, dialect, values, progress)
    check = Checks(state, rendered, judged, by_name, evidence, remembered)
    checked = _on_purpose(check.run(known), case, old)
    checked = tuple(_in_all(each, options, request.project, dialect) for each in checked)
    checked = _run_with(checked, _rewritten(request.project, rendered, pile))
    checked = tuple(_as_fixed(each, judged.unfixed.get(each.name, "")) for each in checked)
    based = grounds(reports, found, judged, (request.project, rendered), dialect,
                    meaning.normalizer, pile.catalog, request.rules)  # fmt: skip
    said = restorer(placeholders(pile))
    checked = tuple(
        replace(c, grounds=based.get(c.name, NO_GROUNDS), relation=said(c.relation))
        for c in checked
    )
    checked = tuple(sorted((*checked, *map(_told, templates.verdicts)), key=lambda each: each.name))
    borrowed = still_made(state.reports, found, dialect)
    states = own_states(state.reports).values()
    own = (with_states_told(each, states) for each in {*judged.assumptions, *borrowed, *translated})
    proved = {each.path for each in checked if each.verdict == "proved"}
    by_own = granted(pile, request.values, proved)
    assumed = {*map(said, own), *templates.assumptions, *remembered.listed, *by_own}
    assumptions = tuple(sorted(assumed))
    doubled = disagreements(request.project, against, rendered, found, meaning.normalizer)
    notes = (*case.notes, *rendered.notes, *doubled, *lacks(tests))
    false = tuple(
        n for n, e in sorted(evidence.items())
        if n not in judged.unproved and e.verdict.verdict == "different"
    )  # fmt: skip
    extras = unparsed(request.project, rendered, {report.name for report in state.reports}, dialect)
    accepting = (*request.intended, *request.decisions.accepting)
    seen = noticed(state.findings, whole, accepting)
    findings = (*pile.findings, *seen)
    return Verification(checked, assumptions, findings, notes, false, extras, seen)


def _check_dialect(remembered: Record, pile: Pile, project: Path) -> None:
    """Read as SQL of another dialect the pile would be other reports. Raises UsageError."""
    was, now = remembered.read_as, read_as(pile)
    if was is not None and now is not None and now != was:
        said = f"{project} was made of scripts in {was or 'standard SQL'}"
        help = f"say --dialect {was}" if was else "leave out --dialect, also in the configuration"
        raise UsageError(f"{said}, and they are read as {now or 'standard SQL'}", help)


def _told(template: Verdict) -> Checked:
    """The verdict on a template, which no data is asked about."""
    left = template.outcome == "kept" and not template.reason.endswith(AS_IT_WAS)
    return Checked(template.name, template.relation, template.path, template.line, template.model,
                   template.outcome, template.reason, open=left)  # fmt: skip


def _generated(
    meaning: Meaning,
    request: Request,
    reports: Sequence[Report],
    judged: Judged,
    tests: Mapping[str, DataVerdict],
    dialect: str,
    values: Mapping[str, str],
    progress: Progress,
) -> dict[str, Evidence]:
    """What data from the queries alone says of reports that nobody could prove, where the given
    data has not said already that they differ."""
    if request.generated is None:
        return {}
    settled = {n for n, t in tests.items() if t.verdict in ("different", "order-dependent")}
    names = judged.unproved.keys() - settled
    ask = partial(gather, meaning, request.project, dialect=dialect, values=values,
                  progress=progress, known=request.known)  # fmt: skip
    found = ask([reference(r) for r in reports if r.name in names], budget=request.generated)
    if request.check_proofs:
        others = [reference(r) for r in reports if r.name not in judged.unproved]
        found |= ask(others, budget=replace(request.generated, report=0))  # no score is needed
    return found


def _as_fixed(found: Checked, unfixed: str) -> Checked:
    verdict, reason = as_fixed(found.verdict, found.reason, unfixed)
    return replace(found, verdict=verdict, reason=reason)


def _rewritten(root: Path, project: RenderedProject, pile: Pile) -> str:
    """The first old script that the project still runs, but with another text; empty if none."""
    known = {tuple(source.text.splitlines()) for source in pile.sources}
    for path in project.scripts:
        try:
            text = (root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return path
        if tuple(text.splitlines()) not in known:
            return path
    return ""


def _run_with(checked: tuple[Checked, ...], script: str) -> tuple[Checked, ...]:
    """Nothing is known of rows that a script may change which is not the old one."""
    if not script:
        return checked
    why = f"{script}, which is run with it, is not the old script"
    return tuple(
        replace(each, verdict="kept", reason=why, open=True)
        if each.verdict in ("proved", "tested", "changed")
        else each
        for each in checked
    )


def check_project(root: Path) -> None:
    """Raises PathNotFound, and BadProject for what is no project or cannot be read, before any work
    is done."""
    kind_of(root)


def _in_all(checked: Checked, options: Options, root: Path, dialect: str) -> Checked:
    """What is right for one value of what a model asks for has to be so for each."""
    if checked.verdict not in ("proved", "tested", "changed"):
        return checked
    why = options.doubt(checked.name, root, dialect)
    return replace(checked, verdict="kept", reason=why, open=True) if why else checked


def _on_purpose(
    found: tuple[Checked, ...], case: Decided, old: Sequence[DataVerdict]
) -> tuple[Checked, ...]:
    """Verdicts against the pile as it was, from those against the pile as decided: what changes
    by a decision is told with the rows that do."""
    rows = {test.name: test for test in old}
    return tuple(
        _changed(each, case.changes[each.name], rows.get(each.name))
        if each.name in case.changes
        else each
        for each in found
    )


def _changed(found: Checked, change: Change, test: DataVerdict | None) -> Checked:
    verdict, reason = outcome(found.verdict, found.reason, change, found.model)
    told = replace(found, verdict=verdict, reason=reason, changes=change.columns,
                   open=found.open or verdict == "failed")  # fmt: skip
    if verdict != "changed" or test is None:
        return told
    return replace(
        told,
        reason=f"{on_rows(test)}; {reason}",
        rows_before=test.rows_before,
        rows_after=test.rows_after,
        sample=test.sample,
        counts=test.counts,
    )


def values_of(
    pile: Pile, defaults: Mapping[str, object], given: Mapping[str, str]
) -> dict[str, str]:
    """Run-time values: the given ones, else the project's own defaults for the placeholders.

    A default that is only the variable's name says that no value was known.
    """
    values = dict(given)
    for place in placeholders(pile):
        name = variable(place)
        default = defaults.get(name)
        if default is not None and str(default) != name:
            values.setdefault(place.name, str(default))
            values.setdefault(name, values[place.name])
    return values
