"""The verdict on each report of a pile, from proofs and from tests on data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from unwet.rewrite.prove.compare import Counts, Difference
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.grounds import NO_GROUNDS, Grounds
from unwet.rewrite.prove.judge import Judged
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.script import EndState, Report
from unwet.rewrite.targets.record import Record
from unwet.rewrite.verdicts import Outcome, Score


@dataclass(frozen=True, slots=True)
class Checked:
    """One report: its verdict, the rows of both sides where they ran, and rows that differ.

    proved: the normal forms are equal. tested: the same rows on the data, be it given or generated.
    failed: the rows differ.
    order-dependent: the old rows themselves change when their input is shuffled. changed: proved
    or tested to be what was decided; ``changes`` are the columns that are others then, ("*",) where
    rows come and go. kept: there is no model, or neither proof nor data for it. ``open``: somebody
    has to look at it. ``grounds``: the rules of the proof, or where old and new part.
    ``data_sets``: on how many a tested report has the same rows, ``score``: what the generated
    ones of them are worth. ``counts``: what became of the rows, where they were compared.
    ``counterexample``: a script for DuckDB that shows how it differs on generated data.
    """

    name: str
    relation: str
    path: str
    line: int
    model: str
    verdict: Outcome
    reason: str = ""
    rows_before: int | None = None
    rows_after: int | None = None
    sample: tuple[Difference, ...] = ()
    open: bool = False
    changes: tuple[str, ...] = ()
    grounds: Grounds = NO_GROUNDS
    data_sets: int = 0
    score: Score | None = None
    counterexample: str = ""
    counts: Counts | None = None


class Checks:
    """From proofs and tests to verdicts, inputs before the models that read them."""

    def __init__(
        self,
        state: EndState,
        project: RenderedProject,
        judged: Judged,
        tests: Mapping[str, DataVerdict],
        evidence: Mapping[str, Evidence],
        remembered: Record,
    ) -> None:
        self._evidence = evidence
        self._reports = {report.name: report for report in state.reports}
        self._project, self._judged, self._tests = project, judged, tests
        self._remembered = remembered
        self._reads = _reads(project, self._reports)
        self._done: dict[str, Checked] = {}

    def run(self, known: set[str]) -> tuple[Checked, ...]:
        """All reports, by name; ``known`` are the models that the project has."""
        ordered = [model.name for model in self._project.models if model.name in self._reports]
        unread = self._reports.keys() - set(ordered)  # first: who reads them is told by it
        for name in (*sorted(unread), *ordered):
            report = self._reports[name]
            self._done[name] = self._checked(report) if name in known else self._missing(report)
        return tuple(self._done[name] for name in sorted(self._done))

    def _missing(self, report: Report) -> Checked:
        reason = self._remembered.kept.get(report.name, "")
        shown = reason or f"the project has no model {report.name}"
        return _entry(report, "kept", shown, open=not reason, model="")

    def _checked(self, report: Report) -> Checked:
        doubt = self._doubt(report.name)
        test = self._tests.get(report.name)
        evidence = self._evidence.get(report.name)
        if evidence is not None and evidence.verdict.verdict == "different" and not doubt:
            doubt = "although the normal forms are equal"  # what is proved is tested on request
        if evidence is not None and doubt:
            return _weighed(report, doubt, test, evidence)
        if test is None:
            return _entry(report, *_static(doubt), open=bool(doubt))
        verdict, reason = _with_data(doubt, test)
        made = _entry(
            report,
            verdict,
            reason,
            rows_before=test.rows_before,
            rows_after=test.rows_after,
            sample=test.sample if verdict != "proved" else (),
            open=_needs_a_look(verdict, test),
        )
        return replace(made, data_sets=int(verdict == "tested"), counts=test.counts)

    def _doubt(self, name: str) -> str:
        """Why the report is not proved, be it by what its model reads; empty when it is."""
        if why := self._judged.unproved.get(name, ""):
            return why
        for read in sorted(self._reads.get(name, ())):
            below = self._done.get(read)
            if below is not None and below.verdict != "proved":
                return f"its model is right if {read} is, which is {below.verdict}"
        return ""


def _weighed(report: Report, doubt: str, test: DataVerdict | None, evidence: Evidence) -> Checked:
    """A report that is not proved, by generated data, and by the given data where it ran there."""
    told = evidence.verdict
    seen = test is not None and test.verdict == "identical"
    unrun = f"not run on the data: {test.reason}" if test and test.verdict == "not run" else ""
    verdict: Outcome
    if told.verdict == "different":
        said = doubt if doubt.startswith("although") else ""
        verdict, reason = "failed", "; ".join(filter(None, (evidence.words, said)))
    elif test is not None and test.broken:  # other data does not speak for it
        verdict, reason = "kept", "; ".join(filter(None, (doubt, unrun)))
    elif told.verdict == "identical" or seen:
        given = test.reason or "same rows on the given data" if seen and test else ""
        verdict, reason = "tested", "; ".join(filter(None, (doubt, given, evidence.words, unrun)))
    elif told.verdict == "order-dependent":
        verdict, reason = "order-dependent", f"{evidence.words}; {doubt}"
    else:
        verdict, reason = "kept", "; ".join(filter(None, (doubt, unrun, evidence.words)))
    rows = test if seen and test is not None and verdict == "tested" else told
    made = _entry(
        report,
        verdict,
        reason,
        rows_before=rows.rows_before,
        rows_after=rows.rows_after,
        sample=told.sample if verdict != "tested" else (),
        open=_needs_a_look(verdict, told),
    )
    made = replace(made, counts=rows.counts)
    if verdict != "tested":
        return replace(made, counterexample=evidence.counterexample)
    return replace(made, data_sets=seen + evidence.data_sets, score=evidence.score)


def _static(doubt: str) -> tuple[Outcome, str]:
    return ("kept", doubt) if doubt else ("proved", "")


def _with_data(doubt: str, test: DataVerdict) -> tuple[Outcome, str]:
    """Data contradicts a proof, or stands in for one; it never adds to it."""
    match test.verdict:
        case "different":
            why = doubt or "although the normal forms are equal"
            said = () if why.startswith("not proved: ") else (why,)  # the rows say it better
            return "failed", "; ".join((test.reason, *said))
        case "not run" if not doubt:  # the proof stands; but who gave data wants to know
            return "proved", f"not run on the data: {test.reason}"
        case _ if not doubt:
            return "proved", ""
        case "identical" if not test.rows_before:  # no rows speak for what it reads
            return "kept", f"{doubt}; not run on the data: no rows come out, old or new"
        case "identical":
            return "tested", "; ".join(part for part in (doubt, test.reason) if part)
        case "order-dependent":
            return "order-dependent", f"{test.reason}; {doubt}"
        case _:
            return "kept", f"{doubt}; not run on the data: {test.reason}"


def _needs_a_look(verdict: Outcome, test: DataVerdict) -> bool:
    """Neither proved nor the same rows, as far as they were seen."""
    if verdict == "order-dependent":
        return bool(test.sample) or test.rows_before != test.rows_after
    return verdict not in ("proved", "tested")


def _entry(
    report: Report,
    verdict: Outcome,
    reason: str,
    *,
    open: bool,
    model: str | None = None,
    rows_before: int | None = None,
    rows_after: int | None = None,
    sample: tuple[Difference, ...] = (),
) -> Checked:
    span = report.span
    name = report.name if model is None else model
    return Checked(
        report.name,
        report.relation,
        span.path,
        span.line,
        name,
        verdict,
        reason,
        rows_before,
        rows_after,
        sample,
        open,
    )


def _reads(project: RenderedProject, reports: Mapping[str, Report]) -> dict[str, set[str]]:
    """The reports that each model reads, itself or through models that are no reports."""
    found: dict[str, set[str]] = {}
    for model in project.models:  # inputs first
        mine = found.setdefault(model.name, set())
        for ref in model.refs:
            mine |= {ref} if ref in reports else found.get(ref, set())
    return found
