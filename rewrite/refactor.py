"""The main job: a pile in, a project out, each report with its verdict.

Reports are composed one to one, written, read back and proved; then what repeats becomes macros,
and everything is written, read back and proved again. A report whose abstraction cannot be proved
falls back to its one-to-one model; one that cannot be proved even so is tested on data or kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from unwet.lineage.errors import RenderError
from unwet.lineage.findings import Finding
from unwet.lineage.garbage import rare_collection
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import check_dialect
from unwet.lineage.pile import Pile
from unwet.lineage.tables import Table
from unwet.rewrite.accepted import Accepting
from unwet.rewrite.algebra import Plan, Rel
from unwet.rewrite.choose import choose
from unwet.rewrite.compose import Draft, NotComposable, compose
from unwet.rewrite.conform import conform
from unwet.rewrite.decisions.decided import Decided, decided
from unwet.rewrite.decisions.file import NONE, Decisions
from unwet.rewrite.decisions.outcome import on_rows
from unwet.rewrite.decisions.outcome import outcome as of_change
from unwet.rewrite.drift import DriftFinding, drift
from unwet.rewrite.kin import kindred
from unwet.rewrite.library import Library
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.project import Kept, Project
from unwet.rewrite.prove.against import dialect_of, placeholders, reference, setting, variable
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.generated import Budget, Evidence, Known, gather
from unwet.rewrite.prove.judge import difference, judge, order_assumed
from unwet.rewrite.prove.on_data import Store, run_on_data, shown
from unwet.rewrite.prove.roundtrip import ReadBack, read_back
from unwet.rewrite.prove.servers.dbapi import Connected
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.prove.worlds import Worlds
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.script import Report
from unwet.rewrite.sharing import share
from unwet.rewrite.sizes import Size, part_size, project_size
from unwet.rewrite.stars import made_table
from unwet.rewrite.targets import dbt
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.migration import migration
from unwet.rewrite.targets.place import check, check_name, place, staged
from unwet.rewrite.targets.record import RECORD, Record, record
from unwet.rewrite.verdicts import Outcome, Score, Verdict

_ROUNDS = 4  # a pinned report can break a family for others, which are pinned in the next round
_STUCK = "its model means something else beside the other models than alone"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. Without ``out`` nothing is left behind; ``data`` is what DuckDB
    can open, or a server, of which only the schema ``scratch`` is written to; ``values`` are
    run-time values of placeholders that are not bound in the SQL. ``decisions`` say what the
    project shall return instead of what the pile does; ``intended``: differences that are meant.
    ``seconds``: limit for each statement on data; ``store``: where verdicts of a run that is
    stopped are kept, ``known``: what generated data has said before; ``generated``: the time for
    tests on data made from the queries alone, None for none."""

    out: Path | None = None
    name: str = "unwet_project"
    to_dialect: str = ""
    data: str | Connected = field(default="", repr=False)  # may hold a password
    force: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    decisions: Decisions = NONE
    scratch: str = ""
    intended: tuple[Accepting, ...] = ()
    seconds: float = 600.0
    store: Store | None = field(default=None, compare=False)
    known: Known | None = field(default=None, compare=False)
    generated: Budget | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: sizes before and after, a verdict for each report, findings. ``notes``:
    decisions that stand for nothing; ``contradictions``: those that nobody has accepted.
    ``counterexamples``: a script for DuckDB, by report, that shows how its model differs on
    generated data."""

    before: Size
    after: Size
    parameter_lines: int
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    macros: int
    files: Mapping[str, str]
    notes: tuple[str, ...] = ()
    contradictions: tuple[DriftFinding, ...] = ()
    counterexamples: Mapping[str, str] = field(default_factory=dict)


@rare_collection()
def refactor(
    pile: Pile | Meaning,
    request: Request,
    progress: Progress = lambda _: None,
    worlds: Worlds | None = None,
) -> Result:
    """Rewrites the pile. ``worlds``: the data of the request, when others test on it too.

    Raises UnwetError for a place that cannot be written.
    """
    check_dialect(request.to_dialect)
    check_name(request.name)
    if request.out is not None:
        check(request.out, request.force)
    progress("running the scripts symbolically")
    case = decided(meaning_of(pile), request.decisions, request.values)
    _ = case.meaning.state
    with deep_stack():
        return _Job(case, request, progress, worlds).run()


class _Job:
    """One run: what is kept and what is pinned grows until everything left is proved or tested."""

    def __init__(
        self, case: Decided, request: Request, progress: Progress, worlds: Worlds | None
    ) -> None:
        meaning = case.meaning
        self.pile, self.state, self.normalizer = meaning.pile, meaning.state, meaning.normalizer
        self.legacy, self.changes, self.notes = case.legacy.pile, case.changes, case.notes
        self.meaning = meaning
        self.request, self.progress, self.worlds = request, progress, worlds
        self.reports = {report.name: report for report in self.state.reports}
        self.dialect = request.to_dialect or dialect_of(self.pile)
        self.variables = sorted({variable(place) for place in placeholders(self.pile)})
        self.drafts: dict[str, Draft] = {}
        self.worded = Remembered()
        self.kept: dict[str, str] = {}
        self.unproved: dict[str, str] = {}
        self.plans: dict[str, Plan] = {}  # what each model has to mean
        self.failed: dict[str, str] = {}
        self.tested: dict[str, str] = {}
        self.shuffled: dict[str, str] = {}
        self.rows: dict[str, int] = {}
        self.not_run: dict[str, str] = {}
        self.evidence: dict[str, Evidence] = {}  # from data made from the queries alone
        self.root = _common_root(sorted(s.path for s in self.pile.sources))
        self.assumptions: frozenset[str] = frozenset()
        self.shared_assumptions: frozenset[str] = frozenset()  # of what several models share
        self.printed: tuple[Project, Mapping[str, str]] | None = None

    def run(self) -> Result:
        self.progress("composing one model per report")
        drafts = self._drafts()
        self.progress("proving the models one to one")
        self._prove_alone(drafts)
        if not self.request.data and self.request.generated is None:
            self.kept.update(self.unproved)
        drafts = self._drafts()
        project = self._abstracted(drafts)
        if self.request.data:
            self.progress("running old and new on the data")
            project = self._on_data(project)
        if self.request.generated is not None:
            project = self._on_generated(project, self.request.generated)
        return self._finish(project)

    # --- one to one

    def _drafts(self) -> tuple[Draft, ...]:
        """The drafts of all reports that are not kept; what cannot be composed joins the kept."""
        while True:
            models = {
                r.relation: r.name
                for r in self.state.reports
                if r.relation and r.name not in self.kept
            }
            drafts, before = [], len(self.kept)
            for report in self.state.reports:
                if report.name not in self.kept:
                    draft = self._composed(report, models)
                    drafts += [draft] if draft is not None else []
            if len(self.kept) == before:
                return tuple(drafts)

    def _composed(self, report: Report, models: Mapping[str, str]) -> Draft | None:
        """The draft, made anew only when a report it reads is not a model any more."""
        known = self.drafts.get(report.name)
        if known is None or any(ref in self.kept for ref in known.refs):
            known = self._draft(report, models)
        if known is not None:
            self.drafts[report.name] = known
        return known

    def _draft(self, report: Report, models: Mapping[str, str]) -> Draft | None:
        try:
            draft = compose(report, models)
            template(draft.tree, self.dialect, ())
        except (NotComposable, RenderError) as reason:
            self.kept[report.name] = str(reason)
            return None
        return draft

    def _prove_alone(self, drafts: tuple[Draft, ...]) -> None:
        """Legacy against one model per report; what each model means is then what counts, so
        that the abstraction of a model which only data can judge is still proved against it."""
        library = Library({d.name: d.tree for d in drafts}, (), ())
        found = self._read(self._project(drafts, library))
        reports = [self.reports[d.name] for d in drafts]
        judged = judge(reports, found, self.dialect, self.normalizer)
        self.plans, self.unproved = dict(judged.plans), dict(judged.unproved)
        self.assumptions = judged.assumptions

    # --- with abstractions

    def _abstracted(self, drafts: tuple[Draft, ...]) -> Project:
        """The project in which every model means what it has to. One that does not even when it
        shares nothing with others is kept."""
        pinned = frozenset(d.name for d in drafts if d.name not in self.plans)
        attempt = 0
        while True:
            attempt += 1
            self.progress(f"looking for what repeats ({attempt})")
            everything = frozenset(d.name for d in drafts)
            alone = everything if attempt == _ROUNDS else pinned
            project = self._sharing(drafts, alone)
            self.progress("proving the project")
            lost = self._unproved_in(project)
            if not lost:
                return project
            if lost <= alone:
                self.kept.update(dict.fromkeys(sorted(lost), _STUCK))
                return self._abstracted(self._drafts())
            pinned |= lost

    def _sharing(self, drafts: tuple[Draft, ...], alone: frozenset[str]) -> Project:
        tables, rows = self._tables(drafts), self._normal(drafts)
        plain = {name: rel for name, rel in rows.items() if not self.plans[name].order}
        worded = conform(drafts, plain, alone, self.worded)
        worded = kindred(worded, rows, tables, self.dialect, alone, self.normalizer, self.worded)
        shared = share(worded, tables, self.dialect, alone, self.normalizer)
        library = choose((*shared.drafts, *shared.intermediates), self.dialect, alone)
        return self._project(shared.drafts, library, shared.intermediates)

    def _unproved_in(self, project: Project) -> frozenset[str]:
        found = self._read(project)
        lost, self.shared_assumptions = set[str](), frozenset[str]()
        dialects = {self.dialect, dialect_of(self.pile)}
        for draft in project.drafts:
            wanted, back = self.plans.get(draft.name), found.get(draft.name)
            if wanted is None:
                continue
            if back is None or back.plan is None or difference(wanted, back.plan, self.normalizer):
                lost.add(draft.name)
            else:
                self.shared_assumptions |= order_assumed(wanted, back.plan, dialects)
        return frozenset(lost)

    def _read(self, project: Project) -> dict[str, ReadBack]:
        against = setting(self.pile, self.state.reports, self.dialect, {})
        with staged(self._files(project)) as folder:
            return read_back(folder, against)

    def _files(self, project: Project) -> Mapping[str, str]:
        """The project as files, printed once for all who read the same one in a row."""
        if self.printed is None or self.printed[0] is not project:
            self.printed = project, dbt.files(project)
        return self.printed[1]

    # --- on data

    def _on_data(self, project: Project) -> Project:
        refs = [reference(self.reports[d.name]) for d in project.drafts]
        for verdict in self._tests(self.pile, project, refs):
            self._take(verdict)
        if not {*self.kept} & {d.name for d in project.drafts}:
            return project
        return self._abstracted(self._drafts())

    def _tests(
        self, pile: Pile, project: Project, refs: Sequence[ReportRef]
    ) -> tuple[DataVerdict, ...]:
        """The scripts of a pile against the project."""
        with staged(self._files(project)) as folder:
            return run_on_data(
                pile.scripts,
                folder,
                refs,
                self.request.data,
                self.dialect,
                self.request.values,
                scratch=self.request.scratch,
                seconds=self.request.seconds,
                worlds=self.worlds,
                store=self.request.store,
            )

    def _take(self, verdict: DataVerdict) -> None:
        """Data can only lower what is believed of a report, or raise what nobody could prove."""
        name = verdict.name
        self.rows[name] = verdict.rows_before or 0
        match verdict.verdict:
            case "identical":
                self.tested[name] = shown(self.request.data)
            case "order-dependent":
                self.shuffled[name] = verdict.reason or "its rows depend on the order of its input"
            case "different" if name in self.unproved:
                self.kept[name] = f"the rows differ on the data: {verdict.reason}"
            case "different":
                self.failed[name] = f"the rows differ on the data: {verdict.reason}"
                self.kept[name] = self.failed[name]
            case _ if name in self.unproved:
                self.kept[name] = f"{self.unproved[name]}; not run on the data: {verdict.reason}"
            case "not run":  # the proof stands; but who gave data wants to know
                self.not_run[name] = f"not run on the data: {verdict.reason}"
            case _:
                pass

    def _on_generated(self, project: Project, budget: Budget) -> Project:
        """What nobody could prove, on data made from the queries alone."""
        unproved = [d.name for d in project.drafts if d.name in self.unproved]
        refs = [reference(self.reports[n]) for n in unproved if n not in self.shuffled]
        with staged(self._files(project)) as folder:
            found = gather(self.meaning, folder, refs, self.dialect, self.request.values, budget,
                           self.progress, self.request.known)  # fmt: skip
        before = len(self.kept)
        for name, evidence in found.items():
            self._weigh(name, evidence)
        return project if len(self.kept) == before else self._abstracted(self._drafts())

    def _weigh(self, name: str, evidence: Evidence) -> None:
        self.evidence[name] = evidence
        match evidence.verdict.verdict:
            case "identical":
                pass
            case "order-dependent" if name not in self.tested:
                self.shuffled[name] = evidence.words
            case "different":
                self.kept[name] = evidence.words
            case _ if name not in self.tested:
                self.kept[name] = f"{self.unproved[name]}; {evidence.words}"
            case _:
                pass

    # --- results

    def _normal(self, drafts: tuple[Draft, ...]) -> dict[str, Rel]:
        plans = {d.name: self.plans[d.name] for d in drafts if d.name in self.plans}
        return {name: self.normalizer.run(plan.rel)[0] for name, plan in plans.items()}

    def _tables(self, drafts: tuple[Draft, ...]) -> dict[str, Table]:
        """What is known of the relations behind the tokens in the drafts' trees."""
        found: dict[str, Table] = {}
        for draft in drafts:
            for outside in draft.outside:
                table = self.pile.catalog.get(outside.relation)
                if table is not None:
                    found[outside.token] = replace(table, name=outside.token)
            if draft.name in self.plans:
                token = f"ref__{draft.name}__ref"
                made = made_table(token, self.plans[draft.name].names)
                known = self.pile.catalog.get(self.reports[draft.name].relation)
                found[token] = _typed(made, known)
        return found

    def _project(
        self, drafts: tuple[Draft, ...], library: Library, shared: tuple[Draft, ...] = ()
    ) -> Project:
        kept = tuple(Kept(self.reports[n], why) for n, why in sorted(self.kept.items()))
        return Project(
            self.request.name,
            self.dialect,
            drafts,
            shared,
            library,
            self.reports,
            kept,
            self.pile.catalog,
            {name: self.request.values.get(name, name) for name in self.variables},
            self._originals(kept),
            self.root,
        )

    def _originals(self, kept: tuple[Kept, ...]) -> dict[str, str]:
        texts = {s.source.path: s.source.text for s in self.legacy.scripts}
        wanted = sorted(p for p in self._left(kept) if p in texts)
        return {path.removeprefix(self.root).replace("..", "_"): texts[path] for path in wanted}

    def _left(self, kept: tuple[Kept, ...]) -> frozenset[str]:
        """The scripts that go on as they are."""
        return self.state.unfollowed.union(*(_paths(k.report) for k in kept))

    def _finish(self, project: Project) -> Result:
        verdicts = self._verdicts(project)
        self.progress("looking for contradictions")
        accepted = (*self.request.intended, *self.request.decisions.resolutions)
        contradictions = drift(self.legacy, accepted).findings
        files = {**self._files(project)}
        assumptions = tuple(sorted(self.assumptions | self.shared_assumptions))
        files["MIGRATION.md"] = migration(
            project, verdicts, self.pile.findings, assumptions, contradictions
        )
        files[RECORD] = record(Record(self.dialect, self.kept))
        if self.request.out is not None:
            with staged(files, self.request.out) as folder:
                place(folder, self.request.out)
        kept = self._left(project.kept)
        return Result(
            part_size(self.legacy, {source.path for source in self.legacy.sources}),
            project_size(project.library, files) + part_size(self.legacy, kept),
            0,
            verdicts,
            (*self.pile.findings, *self.state.findings),
            assumptions,
            len(project.library.macros),
            files,
            self.notes,
            contradictions,
            {n: e.counterexample for n, e in self.evidence.items() if e.counterexample},
        )

    def _verdicts(self, project: Project) -> tuple[Verdict, ...]:
        shared = _shared(project)
        leaning = _leaning(project, self.unproved)
        rows = self._old_rows(project)
        found = []
        for name, report in self.reports.items():
            outcome, reason = self._outcome(name)
            model = "" if name in self.kept else name
            if outcome == "proved" and (below := leaning.get(name)):
                outcome, reason = "tested", f"proved over {below}, which is not proved itself"
            if (change := self.changes.get(name)) is not None:
                outcome, reason = of_change(outcome, reason, change, model)
                if name in rows and outcome == "changed":
                    reason = f"{rows[name]}; {reason}"
            span = report.span
            found.append(
                Verdict(
                    name,
                    report.relation,
                    span.path,
                    span.line,
                    model,
                    outcome,
                    reason,
                    name in shared,
                    self.rows.get(name),
                    *self._worth(name, outcome),
                )
            )
        return tuple(sorted(found, key=lambda v: v.name))

    def _old_rows(self, project: Project) -> dict[str, str]:
        """What the data says about the old rows of what is decided to be otherwise now."""
        names = [d.name for d in project.drafts if d.name in self.changes]
        if not names or not self.request.data:
            return {}
        refs = [reference(self.reports[name]) for name in names]
        found = self._tests(self.legacy, project, refs)
        return {test.name: on_rows(test) for test in found}

    def _outcome(self, name: str) -> tuple[Outcome, str]:
        if name in self.failed:
            return "failed", self.failed[name]
        if name in self.kept:
            return "kept", self.kept[name]
        if name in self.unproved and name in self.shuffled:
            return "order-dependent", self.shuffled[name]
        if name not in self.unproved:
            return "proved", self.not_run.get(name, "")
        return "tested", "; ".join((*self._tests_of(name), self.unproved[name]))

    def _tests_of(self, name: str) -> Iterator[str]:
        if name in self.tested:
            yield f"same rows on {self.tested[name]}"
        if name in self.evidence:
            yield self.evidence[name].words

    def _worth(self, name: str, outcome: Outcome) -> tuple[int, Score | None]:
        """On how many data sets a tested report has the same rows, and what these are worth."""
        evidence = self.evidence.get(name)
        if outcome != "tested" or name not in self.unproved:
            return 0, None
        made = evidence.data_sets if evidence is not None else 0
        score = evidence.score if evidence is not None else None
        return (name in self.tested) + made, score


def _typed(made: Table, known: Table | None) -> Table:
    """The table that a model makes, with the types that are known of the report's own."""
    if known is None:
        return made
    types = {column.name: column.type for column in known.columns}
    return replace(
        made, columns=tuple(replace(c, type=types.get(c.name, "")) for c in made.columns)
    )


def _leaning(project: Project, unproved: Mapping[str, str]) -> dict[str, str]:
    """Models that read, directly or not, a model that is not proved; and one such model."""
    reads = {d.name: d.refs for d in (*project.drafts, *project.intermediates)}
    found: dict[str, str] = {}
    for name in reads:
        seen, stack = {name}, list(reads[name])
        while stack:
            below = stack.pop()
            if below in unproved:
                found[name] = below
            if below not in seen:
                seen.add(below)
                stack.extend(reads.get(below, ()))
    return found


def _shared(project: Project) -> frozenset[str]:
    """Reports whose model calls a macro or reads an intermediate model."""
    names = {draft.name for draft in project.intermediates}
    found = {draft.name for draft in project.drafts if not names.isdisjoint(draft.refs)}
    for name, tree in project.library.models.items():
        text = tree.name if not tree.args.get("expressions") else tree.sql()
        if "call__" in text or "tail__" in text:
            found.add(name)
    return frozenset(found)


def _paths(report: Report) -> tuple[str, ...]:
    own = tuple(part.statement.path for part in report.definition.parts)
    return (*own, report.definition.path)


def _common_root(paths: list[str]) -> str:
    """The folder all paths lie in, with its slash; empty when there is none."""
    folders = [path.rsplit("/", 1)[0].split("/") if "/" in path else [] for path in paths]
    same: list[str] = []
    for words in zip(*folders, strict=False):
        if len(set(words)) != 1:
            break
        same.append(words[0])
    return "/".join(same) + "/" if same else ""
