"""The main job: a pile in, a project out, each report with its verdict.

Reports are composed one to one, written, read back and proved; then what repeats becomes macros,
and everything is written, read back and proved again. A report whose abstraction cannot be proved
falls back to its one-to-one model; one that cannot be proved even so is tested on data or kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from unwet.lineage.config import USUAL_SHARING, Sharing
from unwet.lineage.findings import Finding
from unwet.lineage.garbage import rare_collection
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import check_dialect
from unwet.lineage.pile import Pile
from unwet.lineage.tables import Table
from unwet.rewrite.accepted import Accepting
from unwet.rewrite.account import account
from unwet.rewrite.algebra import Plan, is_text
from unwet.rewrite.called_once import macros_left
from unwet.rewrite.choose import choose
from unwet.rewrite.compose import Draft
from unwet.rewrite.conform import conform
from unwet.rewrite.deadline import Deadline, Over
from unwet.rewrite.decisions.decided import Decided, decided
from unwet.rewrite.decisions.file import NONE, Decisions
from unwet.rewrite.decisions.outcome import on_rows
from unwet.rewrite.decisions.shape import shape
from unwet.rewrite.decisions.shaping import Forbid
from unwet.rewrite.drafting import Drafting, tables
from unwet.rewrite.drift import DriftFinding, drift
from unwet.rewrite.idle_truths import without_truths
from unwet.rewrite.inlining import read_through
from unwet.rewrite.kin import kindred
from unwet.rewrite.ledger import Ledger
from unwet.rewrite.leftovers import common_root, left, originals
from unwet.rewrite.library import Library, plain_library
from unwet.rewrite.limits import Owners
from unwet.rewrite.meaning import Meaning, meaning_of
from unwet.rewrite.meanwhile import Meanwhile, pays
from unwet.rewrite.naming_again import as_before, called_before, names_of, signs, staging_names
from unwet.rewrite.normal import ruled
from unwet.rewrite.one_order import in_one_order
from unwet.rewrite.one_select import one_select
from unwet.rewrite.parameter_names import with_telling_names
from unwet.rewrite.planned import Abstraction, abstractions
from unwet.rewrite.project import Kept, Project
from unwet.rewrite.prove.against import dialect_of, placeholders, reference, setting, variable
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.equal_values import values_assumed
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.generated import Budget, Known, gather
from unwet.rewrite.prove.judge import judge, proves
from unwet.rewrite.prove.on_data import Store, check_scratch, engine_of, run_on_data, shown
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.roundtrip import ReadBack, Readings, read_back
from unwet.rewrite.prove.servers.dbapi import Connected
from unwet.rewrite.prove.tested import DataVerdict, placed
from unwet.rewrite.prove.undecided import Undecided
from unwet.rewrite.prove.wanted import meant
from unwet.rewrite.prove.worlds import Worlds
from unwet.rewrite.read_by_nobody import read_only
from unwet.rewrite.refined import refined, said_shortly
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.renaming import Called, named, renamed
from unwet.rewrite.repeats import repeats
from unwet.rewrite.rolled_up import rolled_up
from unwet.rewrite.rules.promised import Promised
from unwet.rewrite.scanned import Scans
from unwet.rewrite.sharing import Shared, share
from unwet.rewrite.sizes import Size, parameter_lines, part_size, project_size
from unwet.rewrite.targets import functions
from unwet.rewrite.targets.known import target_of
from unwet.rewrite.targets.layout import Layout
from unwet.rewrite.targets.migration import migration
from unwet.rewrite.targets.migration_head import Overview
from unwet.rewrite.targets.place import check, check_name, place, staged
from unwet.rewrite.targets.place import edited as left_edited
from unwet.rewrite.targets.record import RECORD, Record, Sign, read_record, record
from unwet.rewrite.telling_macros import made_as, telling_macros
from unwet.rewrite.templated.files import place_templates
from unwet.rewrite.templated.rewritten import Templated, rewritten
from unwet.rewrite.templated.set_apart import Apart, none_apart, set_apart
from unwet.rewrite.tested_by import Types, evidence_of, types_of
from unwet.rewrite.unfolding import both
from unwet.rewrite.verdicts import Verdict

_SHARES = (0.15, 0.4, 1.0)  # of the time: until reports are reworded, copies found, all done
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
    tests on data made from the queries alone, None for none; ``target``: the kind of project;
    ``before``: a project of an earlier run, whose names stay; ``unit_tests``: some are made;
    ``check_proofs``: what is proved is tested on such data, too; ``sharing``: what pays.
    ``search``: the seconds of work for looking for what repeats, None for as many as it takes."""

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
    target: str = "dbt"
    before: Path | None = None
    unit_tests: bool = False
    check_proofs: bool = False
    sharing: Sharing = USUAL_SHARING
    search: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: sizes before and after, a verdict for each report, findings. ``notes``:
    decisions that stand for nothing; ``edited``: files that stay as somebody edited them, which no
    verdict is about;
    ``contradictions``: those that nobody has accepted. ``counterexamples``: a script for DuckDB, by
    report, that shows how its model differs on generated data. ``abstractions``: what is written
    once, and what that saves; ``contradicted``: proved reports whose rows differ on generated data.
    """

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
    abstractions: tuple[Abstraction, ...] = ()
    contradicted: tuple[str, ...] = ()
    edited: tuple[Path, ...] = ()


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
    target = target_of(request.target)
    check_name(request.name)
    check_scratch(request.data, request.scratch)
    whole = pile if isinstance(pile, Pile) else pile.written
    if request.out is not None:
        check(request.out, request.force, [script.source.path for script in whole.scripts])
    apart = set_apart(whole) if target.TEMPLATES else none_apart(whole)
    progress("running the scripts symbolically")
    before = read_record(request.before) if request.before is not None else Record()
    meaning = meaning_of(apart.rest if apart.models else pile)
    called = called_before(meaning, before.names)
    before = replace(before, names=names_of(called))
    case = decided(called, request.decisions, request.values)
    _ = case.meaning.state
    with deep_stack():
        return _Job(case, request, before, progress, worlds, apart).run()


class _Job:
    """One run: what is kept and what is pinned grows until everything left is proved or tested."""

    def __init__(
        self,
        case: Decided,
        request: Request,
        before: Record,
        progress: Progress,
        worlds: Worlds | None,
        apart: Apart,
    ) -> None:
        meaning = case.meaning
        self.pile, self.state, self.normalizer = meaning.pile, meaning.state, meaning.normalizer
        self.legacy, self.changes, self.notes = case.legacy.pile, case.changes, case.notes
        self.written_pile = case.legacy.written
        self.meaning = meaning
        self.request, self.progress, self.worlds = request, progress, worlds
        self.before = before  # what the last run called things
        self.signs: Mapping[str, Sign] = {}  # of what this one makes once
        self.reports = {report.name: report for report in self.state.reports}
        self.dialect = request.to_dialect or dialect_of(apart.whole)
        self.target = target_of(request.target)
        places = placeholders(self.pile)
        self.variables = sorted({variable(place) for place in places})
        self.written = {place.token.lower(): place.text for place in places}
        names = {place.token.lower(): place.name for place in places}
        text = {variable(place) for place in places if not place.binds}
        self.bound = frozenset(self.variables) - text
        self.worded = Remembered()
        self.ledger = Ledger()
        self.shape = shape(request.decisions, self.state.reports, [*meaning.names.values()])
        self.ledger.kept.update(self.shape.scripts)
        self.limits = replace(self.shape.limits, sharing=request.sharing)
        self.owners = Owners(self.limits)
        self.unnamed: tuple[str, ...] = ()  # names that could not be given
        self.unwanted: dict[str, str] = {}  # what was made under a name, and would be called so
        self.drafting = Drafting(
            self.state.reports,
            self.dialect,
            self.target,
            self.ledger.kept,
            names,
            self.pile.catalog,
            self.meaning.functions,
        )
        self.plans: dict[str, Plan] = {}  # what each model has to mean
        self.apart, self.templated = apart, Templated()
        self.root = common_root(sorted(s.path for s in apart.whole.sources))
        self.assumptions: frozenset[str] = frozenset()
        self.shared_assumptions: frozenset[str] = frozenset()  # of what several models share
        self.found: Mapping[str, ReadBack] = {}  # the models of the project, read back
        self.readings = Readings()
        self.layout = Layout()
        self.printed: tuple[Project, Mapping[str, str], Mapping[str, str]] | None = None

    def run(self) -> Result:
        self.progress("composing one model per report")
        drafts = self.drafting.drafts()
        outside = {each.relation for draft in drafts for each in draft.outside}
        with Meanwhile(partial(self._of_pile, outside), pays(self.pile)) as meanwhile:
            return self._finish(self._proved(drafts), meanwhile)

    def _proved(self, drafts: tuple[Draft, ...]) -> Project:
        """The project in which every model is proved, tested or kept."""
        self.progress("proving the models one to one")
        self._prove_alone(drafts)
        if not self.request.data and self.request.generated is None:
            self.ledger.kept.update(self.ledger.unproved)
        drafts = self.drafting.drafts()
        project = self._abstracted(drafts)
        if self.request.data:
            self.progress("running old and new on the data")
            project = self._on_data(project)
        if self.request.generated is not None:
            project = self._on_generated(project, self.request.generated)
        return project

    def _of_pile(self, outside: Iterable[str]) -> tuple[tuple[DriftFinding, ...], Types]:
        """What nobody has to know the project for: contradictions, and types of columns."""
        accepted = (*self.request.intended, *self.request.decisions.accepting)
        legacy = self.apart.whole if self.apart.models else self.legacy
        return drift(legacy, accepted).findings, types_of(self.meaning, outside)

    # --- one to one

    def _prove_alone(self, drafts: tuple[Draft, ...]) -> None:
        """Legacy against one model per report; what each model means is then what counts, so
        that the abstraction of a model which only data can judge is still proved against it."""
        plain = replace(self._project(drafts, plain_library(drafts)), loops=False)
        found = self._read(self.target.files(plain))
        reports = [self.reports[d.name] for d in drafts]
        judged = judge(reports, found, self.dialect, self.normalizer, self.pile.catalog)
        self.plans, self.ledger.unproved = dict(judged.plans), dict(judged.unproved)
        self.ledger.unfixed = judged.unfixed
        self.assumptions = judged.assumptions

    # --- with abstractions

    def _abstracted(self, drafts: tuple[Draft, ...]) -> Project:
        """The project in which every model means what it has to. One that does not even when it
        shares nothing with others is kept; before that, one shares what its own words allow."""
        pinned = frozenset(d.name for d in drafts if d.name not in self.plans) | self.shape.alone
        attempt, own = 0, frozenset[str]()
        while True:
            attempt += 1
            self.progress(f"looking for what repeats ({attempt})")
            everything = frozenset(d.name for d in drafts)
            alone = everything if attempt == _ROUNDS else pinned
            project = self._sharing(drafts, alone, alone | own)
            self.progress("proving the project")
            lost = self._unproved_in(project)
            if not lost:
                return project
            if lost <= alone:
                self.ledger.kept.update(dict.fromkeys(sorted(lost), _STUCK))
                return self._abstracted(self.drafting.drafts())
            pinned, own = pinned | (lost & own), own | lost

    def _sharing(
        self, drafts: tuple[Draft, ...], alone: frozenset[str], own: frozenset[str]
    ) -> Project:
        """The project with what repeats written once; not in those that stay ``alone``, and not in
        other words in those that have their ``own``."""
        deadline = Deadline(self.request.search)
        known = tables(drafts, self.plans, self.reports, self.pile.catalog)
        owners = self.owners = Owners(self.limits)
        sure = [d.name for d in drafts if d.name not in self.ledger.unproved]
        relations = {name: self.reports[name].relation for name in sure}
        through = read_through(drafts, self.plans, relations, own, self.normalizer, self.worded)
        read, makers = through.names, through.tables
        texts = {name for name, plan in self.plans.items() if is_text(plan)}
        mine = without_truths(through.drafts, own | texts, self.worded)
        if self.target.MACROS:
            mine = one_select(mine, own | texts, self.worded)
        mine = in_one_order(mine, own | texts, self.worded)
        if not self.target.MACROS:  # nothing is called, so that every model keeps its own words
            shared = self._shared(mine, known, own, read, makers, deadline.after(1))
            library = plain_library((*shared.drafts, *shared.intermediates))
            return self._named(
                self._project(*read_only(shared.drafts, library, shared.intermediates, own | texts))
            )
        full = {name: self._meant(plan) for name, plan in through.plans.items()}
        rows = {name: self.normalizer.run(plan.rel)[0] for name, plan in full.items()}
        plain = {name: rel for name, rel in rows.items() if not self.plans[name].order}
        worded = conform(mine, plain, own, self.worded)
        ends = [deadline.after(part) for part in _SHARES]
        worded = kindred(
            worded, rows, known, self.dialect, own, self.normalizer, self.worded, ends[0]
        )
        shared = self._shared(worded, known, own, read, makers, ends[1])
        models = (*shared.drafts, *shared.intermediates)
        library = choose(models, self.dialect, alone, owners, ends[2], self.target.LISTS)
        if self.target.LISTS:
            names = {*self.reports, *self.limits.forbidden}
            library = refined(library, self.dialect, names, own | texts, alone, owners, ends[2])
        project = self._project(
            *read_only(shared.drafts, library, shared.intermediates, own | texts)
        )
        project = named(project, staging_names(project))
        forbidden = self.limits.forbidden
        if unwanted := made_as(project, forbidden):  # it is refused under the name it is made with
            self.unwanted |= unwanted
            self.limits = replace(self.limits, forbidden=forbidden | unwanted.keys())
            return self._sharing(drafts, alone, own)
        project = self._named(project)
        if not self.target.LISTS:
            return project
        names = {*self.reports, *project.library.models, *self.limits.forbidden}
        return replace(project, library=said_shortly(project.library, names))

    def _shared(
        self,
        drafts: tuple[Draft, ...],
        known: Mapping[str, Table],
        own: frozenset[str],
        read: frozenset[str],
        makers: frozenset[str],
        over: Over,
    ) -> Shared:
        """What several reports read as models of their own."""
        shared = share(
            drafts,
            known,
            self.dialect,
            own,
            self.normalizer,
            self.owners,
            read,
            makers,
            over,
            macros=self.target.MACROS,
            scans=self.worded.tool(Scans),
        )
        if dialect_of(self.pile) != self.dialect:
            return shared  # sums of sums rest on types, which another engine does not promise
        return rolled_up(shared, known, self.dialect, own, self.owners, self.normalizer)

    def _named(self, project: Project) -> Project:
        """Under the names of the last run, then those that somebody has decided."""
        project = named(project, staging_names(project))
        project = named(project, telling_macros(project, self.limits.forbidden))
        project = as_before(project, self.before.signs)
        self.signs = signs(project)
        project = replace(project, library=with_telling_names(project.library))
        wanted = {Called(each.name, each.parameter, each.to): each for each in self.shape.renames}
        project, problems = renamed(project, wanted)
        self.unnamed = tuple(f"{wanted[each]}: not carried out: {why}"
                             for each, why in problems.items())  # fmt: skip
        return project

    def _meant(self, plan: Plan) -> Plan:
        """A plan in which tables have become queries: what types these have is known now."""
        return meant(plan, self.dialect, self.pile.catalog)

    def _unproved_in(self, project: Project) -> frozenset[str]:
        found = self.found = self._read(self._files(project))
        lost, self.shared_assumptions = set[str](), frozenset[str]()
        tables = {name: self.reports[name].relation for name in self.plans}
        backs = {n: found[n].plan for n in tables if n in found}
        old, new = both(
            {tables[n]: plan for n, plan in self.plans.items()},
            {tables[n]: plan for n, plan in backs.items() if plan is not None},
        )
        spoken = dialect_of(self.pile)
        dialects = {self.dialect, spoken}
        # of keys and types the pile's engine knows; a new dialect's does not make them so
        promised = Promised(promises(self.pile.catalog, spoken, self.dialect))
        rules = ruled(promised)
        for draft in project.drafts:
            wanted, back = self.plans.get(draft.name), found.get(draft.name)
            if wanted is None:
                continue
            if back is None or back.plan is None:
                lost.add(draft.name)
                continue
            model = back.plan
            if not proves(wanted, model, self.normalizer):
                wanted, model = self._meant(old.plan(wanted)), self._meant(new.plan(model))
                if not proves(wanted, model, self.normalizer):
                    if not proves(wanted, model, rules):
                        lost.add(draft.name)
                        continue
                    self.shared_assumptions |= {f"declared: {fact}" for fact in promised.used}
            self.shared_assumptions |= values_assumed(
                wanted, model, dialects, self.pile.catalog.type_of
            )
        return frozenset(lost)

    def _read(self, files: Mapping[str, str]) -> dict[str, ReadBack]:
        own = self.meaning.functions
        against = setting(self.pile, self.state.reports, self.dialect, {}, own)
        with staged(files) as folder:
            return read_back(folder, against, readings=self.readings)

    def _files(self, project: Project) -> Mapping[str, str]:
        """The project as files, laid out."""
        return self._printed(project)[1]

    def _printed(self, project: Project) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The files as they are counted, and laid out: made once for all who ask for those of the
        same project in a row."""
        if self.printed is None or self.printed[0] is not project:
            files = self.target.files(project)
            laid_out = self.layout.of(project, files) if self.target.SQLFMT else files
            self.printed = project, files, laid_out
        return self.printed[1:]

    # --- on data

    def _on_data(self, project: Project) -> Project:
        refs = [reference(self.reports[d.name]) for d in project.drafts]
        for verdict in self._told(project, self._tests(self.pile, project, refs)):
            self.ledger.take(verdict, shown(self.request.data))
        if self.request.generated is None:
            self.ledger.keep_untested([d.name for d in project.drafts])
        if not {*self.ledger.kept} & {d.name for d in project.drafts}:
            return project
        return self._abstracted(self.drafting.drafts())

    def _told(self, project: Project, tests: Sequence[DataVerdict]) -> Iterator[DataVerdict]:
        """What the data tells: where its engine cannot, same rows are no evidence."""
        with staged(self._files(project)) as folder:
            written = read_project(folder, self.request.values, placed)
        told = Undecided(self.plans, written, self.dialect, engine_of(self.request.data),
                         self.pile.catalog, self.normalizer)  # fmt: skip
        unproved = {name: self.reports[name] for name in self.ledger.unproved}
        yield from told.verdicts(tests, unproved)
        self.assumptions |= told.assumed

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

    def _on_generated(self, project: Project, budget: Budget) -> Project:
        """What nobody could prove, on data made from the queries alone; on request the rest, too,
        which only a bug can make differ."""
        before, ledger = len(self.ledger.kept), self.ledger
        names = [d.name for d in project.drafts]
        unproved = [n for n in names if n in ledger.unproved and n not in ledger.shuffled]
        for name, evidence in self._generated(project, unproved, budget).items():
            ledger.weigh(name, evidence)
        if self.request.check_proofs:
            proved = [n for n in names if n not in ledger.unproved]
            no_score = replace(budget, report=0)
            for name, evidence in self._generated(project, proved, no_score).items():
                ledger.check(name, evidence)
        return project if len(ledger.kept) == before else self._abstracted(self.drafting.drafts())

    def _generated(
        self, project: Project, names: Sequence[str], budget: Budget
    ) -> dict[str, Evidence]:
        refs = [reference(self.reports[name]) for name in names]
        with staged(self._files(project)) as folder:
            return gather(self.meaning, folder, refs, self.dialect, self.request.values, budget,
                          self.progress, self.request.known)  # fmt: skip

    # --- results

    def _project(
        self, drafts: tuple[Draft, ...], library: Library, shared: tuple[Draft, ...] = ()
    ) -> Project:
        kept = tuple(Kept(self.reports[n], why) for n, why in sorted(self.ledger.kept.items()))
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
            originals(self.written_pile, left(self.state, [k.report for k in kept]), self.root),
            self.root,
            bound=self.bound,
            written=self.written,
            functions=self.meaning.functions,
        )

    def _finish(
        self, project: Project, meanwhile: Meanwhile[tuple[tuple[DriftFinding, ...], Types]]
    ) -> Result:
        verdicts = account(project, self.ledger, self.changes, self._old_rows(project))
        self.progress("looking for contradictions")
        contradictions, types = meanwhile.result()
        self.progress("looking for what can be tested")
        made = self.request.unit_tests and self.target.UNITS
        evidence = evidence_of(project, self.found, self.meaning, types, made)
        project = replace(project, evidence=evidence)
        if self.apart.models:
            self.progress("reading templates in all their branches")
            taken = {macro.name for macro in project.library.macros}
            self.templated = rewritten(self.apart, self.request.sharing, taken)
        project, told = place_templates(project, self.templated)
        verdicts = tuple(sorted((*verdicts, *told), key=lambda each: each.name))
        plain, laid_out = self._printed(project)
        files, counted = {**laid_out}, self.target.counted(plain, self.meaning.functions)
        assumed = self.assumptions | self.shared_assumptions
        said = (*map(project.said, assumed), *self.templated.assumptions)
        assumptions = tuple(sorted(said))
        before, after = self._sizes(project, counted)
        files["MIGRATION.md"] = migration(
            project,
            self.target,
            verdicts,
            self.pile.findings,
            assumptions,
            contradictions,
            self.request.decisions.shaping,
            Overview(before, after, repeats(project), left_edited(files, self.request.out)),
        )
        files[RECORD] = record(
            Record(self.dialect, self.ledger.kept, self.before.names, self.signs, after.lines)
        )
        edited = self._placed(files)
        return Result(
            before,
            after,
            parameter_lines(counted),
            verdicts,
            (*self.pile.findings, *self.state.findings),
            assumptions,
            len(macros_left(project.library)) + len(self.templated.families),
            files,
            (*self.notes, *self._idle_decisions(), *self._not_tested(), *_left_as_edited(edited)),
            contradictions,
            {n: e.counterexample for n, e in self.ledger.evidence.items() if e.counterexample},
            abstractions(project, self.templated.families),
            tuple(sorted(self.ledger.contradicted)),
            edited,
        )

    def _not_tested(self) -> Iterator[str]:
        if self.request.unit_tests and not self.target.UNITS:
            yield f"--unit-tests: a project of {self.target.NAME} has nothing that runs them"

    def _sizes(self, project: Project, counted: Mapping[str, str]) -> tuple[Size, Size]:
        """Of the pile, and of the project with the scripts that go on as they are."""
        scripts = left(self.state, [k.report for k in project.kept])
        pile = self.written_pile
        old = part_size(pile, {source.path for source in pile.sources})
        new = project_size(project.library, counted)
        new += part_size(pile, scripts.all, scripts.broken, scripts.cut)
        new += functions.size(counted, self.meaning.functions)
        return old + self.templated.before, new + Size(nodes=self.templated.nodes)

    def _placed(self, files: Mapping[str, str]) -> tuple[Path, ...]:
        """Writes the project where it is asked for; what is left as somebody edited it."""
        out = self.request.out
        if out is None:
            return ()
        with staged(files, out) as folder:
            return tuple(out / path for path in place(folder, out))

    def _idle_decisions(self) -> Iterator[str]:
        """Decisions about the shape that stand for nothing."""
        yield from (*self.shape.notes, *self.unnamed)
        for each in self.request.decisions.shaping:
            known = {*self.owners.refused, *self.unwanted.values()}
            if isinstance(each, Forbid) and each.name not in known:
                yield f"{each}: nothing would be called so"

    def _old_rows(self, project: Project) -> dict[str, str]:
        """What the data says about the old rows of what is decided to be otherwise now."""
        names = [d.name for d in project.drafts if d.name in self.changes]
        if not names or not self.request.data:
            return {}
        refs = [reference(self.reports[name]) for name in names]
        found = self._tests(self.legacy, project, refs)
        return {test.name: on_rows(test) for test in found}


def _left_as_edited(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield f"{path}: left as it was edited, not proved by this run; unwet verify says more"
