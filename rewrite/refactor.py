"""The main job: a pile in, a project out, each report with its verdict.

Reports are composed one to one, written, read back and proved; then what repeats becomes macros,
and everything is written, read back and proved again. A report whose abstraction cannot be proved
falls back to its one-to-one model; one that cannot be proved even so is tested on data or kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from unwet.lineage.garbage import rare_collection
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import check_dialect
from unwet.lineage.pile import Pile
from unwet.rewrite.accepted import Accepting
from unwet.rewrite.account import account
from unwet.rewrite.algebra import Plan
from unwet.rewrite.bound_values import bound
from unwet.rewrite.called_once import macros_left
from unwet.rewrite.compose import Draft
from unwet.rewrite.decisions.decided import Decided, decided
from unwet.rewrite.decisions.file import NONE
from unwet.rewrite.decisions.outcome import on_rows
from unwet.rewrite.decisions.shape import shape
from unwet.rewrite.decisions.shaping import Forbid
from unwet.rewrite.described import described
from unwet.rewrite.drafting import Drafting
from unwet.rewrite.drift import DriftFinding, drift
from unwet.rewrite.ledger import Ledger
from unwet.rewrite.leftovers import common_root, left, originals
from unwet.rewrite.library import Library, plain_library
from unwet.rewrite.meaning import Meaning, meaning_of, with_few_functions
from unwet.rewrite.meanwhile import Meanwhile, pays
from unwet.rewrite.naming_again import called_before, names_of
from unwet.rewrite.not_carried import NotCarried, not_carried
from unwet.rewrite.noticed import noticed
from unwet.rewrite.planned import abstractions
from unwet.rewrite.project import Kept, Project
from unwet.rewrite.prove.against import (
    dialect_of,
    placeholders,
    read_as,
    reference,
    usual_values,
    variable,
)
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.generated import Budget, gather
from unwet.rewrite.prove.judge import in_other_words, judge
from unwet.rewrite.prove.lacked import lacks
from unwet.rewrite.prove.on_data import check_scratch, engine_of, run_on_data, shown
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.still_made import still_made
from unwet.rewrite.prove.tested import DataVerdict, placed
from unwet.rewrite.prove.undecided import Undecided
from unwet.rewrite.prove.worlds import Worlds
from unwet.rewrite.proving import Proving
from unwet.rewrite.repeats import repeats
from unwet.rewrite.request import Progress, Request, Result
from unwet.rewrite.sizes import Size, parameter_lines, part_size
from unwet.rewrite.targets.known import target_of
from unwet.rewrite.targets.migration import migration
from unwet.rewrite.targets.migration_head import Overview
from unwet.rewrite.targets.place import check, check_name, place, staged
from unwet.rewrite.targets.place import edited as left_edited
from unwet.rewrite.targets.record import RECORD, Record, read_record, record
from unwet.rewrite.templated.files import place_templates
from unwet.rewrite.templated.optional_arms import granted
from unwet.rewrite.templated.options import Options, none_optional, options
from unwet.rewrite.templated.rewritten import Templated, rewritten
from unwet.rewrite.templated.set_apart import Apart, none_apart, set_apart
from unwet.rewrite.tested_by import Types, evidence_of, types_of
from unwet.rewrite.written_once import WrittenOnce
from unwet.rewrite.written_size import project_size

__all__ = ["Progress", "Request", "Result", "refactor"]

_ROUNDS = 4  # a pinned report can break a family for others, which are pinned in the next round
_STUCK = "its model means something else beside the other models than alone"


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
    found = none_optional(whole)
    if target.TEMPLATES:
        found = options(whole, request.values, partial(_alone, request))
    if found.models:
        pile = whole = found.rest
    apart = set_apart(whole) if target.TEMPLATES else none_apart(whole)
    progress("running the scripts symbolically")
    before = read_record(request.before) if request.before is not None else Record()
    meaning = with_few_functions(meaning_of(apart.rest if apart.models else pile))
    called = called_before(meaning, before.names)
    before = replace(before, names=names_of(called))
    case = decided(called, request.decisions, request.values)
    _ = case.meaning.state
    with deep_stack():
        return _Job(case, request, before, progress, worlds, apart, found).run()


def _alone(request: Request, pile: Pile) -> tuple[str, str]:
    """The name of the only report of a pile, and its model as it is counted; empty where there are
    more, or it is not proved."""
    asked = Request(to_dialect=request.to_dialect, values=request.values, target=request.target)
    case = decided(with_few_functions(meaning_of(pile)), NONE, request.values)
    with deep_stack():
        return _Job(case, asked, Record(), lambda _: None, None, none_apart(pile)).alone()


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
        found: Options | None = None,
    ) -> None:
        meaning = case.meaning
        self.pile, self.state, self.normalizer = meaning.pile, meaning.state, meaning.normalizer
        self.legacy, self.changes, self.notes = case.legacy.pile, case.changes, case.notes
        self.written_pile = case.legacy.written
        self.meaning = meaning
        self.request, self.progress, self.worlds = request, progress, worlds
        self.before = before  # what the last run called things
        self.reports = {report.name: report for report in self.state.reports}
        self.dialect = request.to_dialect or dialect_of(apart.whole)
        self.target = target_of(request.target)
        places = placeholders(self.pile)
        self.variables = sorted({variable(place) for place in places})
        given = {name: v for name, v in request.values.items() if name in self.variables}
        self.values = usual_values(places) | given
        self.written = {place.token.lower(): place.text for place in places}
        names = {place.token.lower(): place.name for place in places}
        text = {variable(place) for place in places if not place.binds}
        self.bound = frozenset(self.variables) - text
        self.ledger = Ledger()
        self.options = found or none_optional(self.pile)
        self.shape = shape(request.decisions, self.state.reports, [*meaning.names.values()])
        self.shape = replace(self.shape, alone=self.shape.alone | self.options.models.keys())
        self.ledger.kept.update(self.shape.scripts)
        self.ledger.kept.update(self.options.misnamed(self.state.reports))
        self.once = WrittenOnce(
            self.reports,
            self.dialect,
            dialect_of(self.pile),
            self.target,
            self.pile.catalog,
            self.normalizer,
            self.shape,
            replace(self.shape.limits, sharing=request.sharing),
            before.signs,
            self._project,
            request.search,
        )
        self.proving = Proving(meaning, self.dialect, self.target)
        self.rounds: list[tuple[str, ...]] = []  # the reports lost in each
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
        self.noticed = noticed(self.state.findings, self.written_pile, self._accepting())
        self.root = common_root(sorted(s.path for s in apart.whole.sources))
        self.assumptions: frozenset[str] = frozenset()

    def alone(self) -> tuple[str, str]:
        """The only report, and the text of its model where it shares nothing."""
        self.shape = replace(self.shape, alone=frozenset(self.reports))
        project = self._proved(self.drafting.drafts())
        if len(project.drafts) != 1 or len(self.reports) != 1 or project.intermediates:
            return "", ""
        (draft,) = project.drafts
        self.proving.files(project)
        return draft.name, project.text(draft.name, str)

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
        if lost := self.options.unproved(project, self.proving.files(project)):
            self.ledger.kept.update(lost)
            project = self._abstracted(self.drafting.drafts())
        if self.request.data:
            self.progress("running old and new on the data")
            project = self._on_data(project)
        if self.request.generated is not None:
            project = self._on_generated(project, self.request.generated)
        return project

    def _of_pile(self, outside: Iterable[str]) -> tuple[tuple[DriftFinding, ...], Types]:
        """What nobody has to know the project for: contradictions, and types of columns."""
        accepted = self._accepting()
        legacy = self.apart.whole if self.apart.models else self.legacy
        return drift(legacy, accepted).findings, types_of(self.meaning, outside)

    def _accepting(self) -> tuple[Accepting, ...]:
        return (*self.request.intended, *self.request.decisions.accepting)

    # --- one to one

    def _prove_alone(self, drafts: tuple[Draft, ...]) -> None:
        """Legacy against one model per report; what each model means is then what counts, so
        that the abstraction of a model which only data can judge is still proved against it."""
        plain = replace(self._project(drafts, plain_library(drafts)), loops=False)
        plain.keep(self.drafting.printed(drafts))
        found = self.proving.read(self.target.files(plain))
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
            sure = [d.name for d in drafts if d.name not in self.ledger.unproved]
            project = self.once.project(drafts, self.plans, sure, alone, alone | own)
            self.progress("proving the project")
            lost = self.proving.unproved(project, self.plans)
            self.rounds.append(tuple(sorted(lost)))
            if not lost:
                return project
            if self.once.keeps_stars(lost):
                attempt -= 1
                continue
            if lost <= alone:
                self.ledger.kept.update((name, self._stuck(name)) for name in sorted(lost))
                return self._abstracted(self.drafting.drafts())
            pinned, own = pinned | (lost & own), own | lost

    def _stuck(self, name: str) -> str:
        """Why a model that shares nothing is not proved."""
        found = self.proving.found.get(name)
        if found is not None and found.plan is None:
            return f"its model cannot be read back: {found.reason}"
        return in_other_words(self.plans[name], self.dialect) or _STUCK

    # --- on data

    def _on_data(self, project: Project) -> Project:
        refs = [reference(self.reports[d.name]) for d in project.drafts]
        verdicts = [*self._told(project, self._tests(self.pile, project, refs))]
        other = {each.name for each in verdicts if each.verdict == "different"}
        if self.once.keeps_stars(other):  # tables may have columns that nobody has declared
            return self._on_data(self._abstracted(self.drafting.drafts()))
        self.notes = (*self.notes, *lacks(verdicts))
        for verdict in verdicts:
            self.ledger.take(verdict, shown(self.request.data))
        if self.request.generated is None:
            self.ledger.keep_untested([d.name for d in project.drafts])
        if not {*self.ledger.kept} & {d.name for d in project.drafts}:
            return project
        return self._abstracted(self.drafting.drafts())

    def _told(self, project: Project, tests: Sequence[DataVerdict]) -> Iterator[DataVerdict]:
        """What the data tells: where its engine cannot, same rows are no evidence."""
        with staged(self.proving.files(project)) as folder:
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
        with staged(self.proving.files(project)) as folder:
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
        with staged(self.proving.files(project)) as folder:
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
            {**{name: name for name in self.variables}, **self.values},
            originals(self.written_pile, left(self.state, [k.report for k in kept]), self.root),
            self.root,
            bound=self.bound,
            written=self.written,
            functions=self.meaning.functions,
            given=self.options.models,
        )

    def _finish(
        self, project: Project, meanwhile: Meanwhile[tuple[tuple[DriftFinding, ...], Types]]
    ) -> Result:
        verdicts = account(project, self.ledger, self.changes, self._old_rows(project))
        verdicts = tuple(map(self.options.told, verdicts))
        self.progress("looking for contradictions")
        contradictions, types = meanwhile.result()
        self.progress("looking for what can be tested")
        made = self.request.unit_tests and self.target.UNITS
        evidence = evidence_of(project, self.proving.found, self.meaning, types, made)
        project = replace(project, evidence=evidence, described=described(self.pile.scripts))
        if self.apart.models:
            self.progress("reading templates in all their branches")
            taken = {macro.name for macro in project.library.macros}
            self.templated = rewritten(self.apart, self.request.sharing, taken)
        project, told = place_templates(project, self.templated)
        verdicts = tuple(sorted((*verdicts, *told), key=lambda each: each.name))
        plain, laid_out = self.proving.printed(project)
        files, counted = {**laid_out}, self.target.counted(plain, self.meaning.functions)
        listed = self.once.listed.assumptions if self.once.listed is not None else frozenset()
        assumed = self.assumptions | self.proving.assumptions | listed
        assumed |= still_made(self.state.reports, self.proving.found, self.dialect)
        proved = {each.path for each in verdicts if each.outcome == "proved"}
        by_own = granted(self.pile, self.request.values, proved)
        said = (*map(project.said, assumed), *self.templated.assumptions, *by_own)
        assumptions = tuple(sorted(said))
        before, after = self._sizes(project, counted)
        carried = self._not_carried(project)
        files["MIGRATION.md"] = migration(
            project,
            self.target,
            verdicts,
            (*self.pile.findings, *self.noticed),
            assumptions,
            contradictions,
            self.request.decisions.shaping,
            Overview(
                before,
                after,
                repeats(project),
                left_edited(files, self.request.out),
                frozenset(files),
                carried,
            ),
        )
        files[RECORD] = record(
            Record(
                self.dialect,
                self.ledger.kept,
                self.before.names,
                self.once.signs,
                after.lines,
                tuple(sorted(map(project.said, listed))),
                bound(self.pile, self.request.values),
                read_as(self.apart.whole),
            )
        )
        edited = self._placed(files)
        return Result(
            before,
            after,
            parameter_lines(counted),
            verdicts,
            (*self.pile.findings, *self.noticed),
            assumptions,
            len(macros_left(project.library)) + len(self.templated.families),
            files,
            (*self.notes, *self._idle_decisions(), *self._not_tested(), *_left_as_edited(edited)),
            contradictions,
            {n: e.counterexample for n, e in self.ledger.evidence.items() if e.counterexample},
            abstractions(project, self.templated.families),
            tuple(sorted(self.ledger.contradicted)),
            edited,
            tuple(self.rounds),
            carried,
            self.noticed,
        )

    def _not_tested(self) -> Iterator[str]:
        if self.request.unit_tests and not self.target.UNITS:
            yield f"--unit-tests: a project of {self.target.NAME} has nothing that runs them"

    def _sizes(self, project: Project, counted: Mapping[str, str]) -> tuple[Size, Size]:
        """Of the pile, and of the project with the scripts that go on as they are."""
        scripts = left(self.state, [k.report for k in project.kept])
        pile = self.written_pile
        old = part_size(pile, {source.path for source in pile.sources})
        new = project_size(counted, project.dialect)
        new += part_size(pile, scripts.all, scripts.broken, scripts.cut)
        return old + self.templated.before, new

    def _not_carried(self, project: Project) -> tuple[NotCarried, ...]:
        """What no model says of the scripts that do not go on as a whole."""
        scripts = left(self.state, [k.report for k in project.kept])
        told = project.comments_told() if self.target.DESCRIBES else {}
        return not_carried(self.written_pile.scripts, scripts.all - scripts.broken, told)

    def _placed(self, files: Mapping[str, str]) -> tuple[Path, ...]:
        """Writes the project where it is asked for; what is left as somebody edited it."""
        out = self.request.out
        if out is None:
            return ()
        with staged(files, out) as folder:
            return tuple(out / path for path in place(folder, out))

    def _idle_decisions(self) -> Iterator[str]:
        """Decisions about the shape that stand for nothing."""
        yield from (*self.shape.notes, *self.once.unnamed)
        for each in self.request.decisions.shaping:
            known = {*self.once.owners.refused, *self.once.unwanted.values()}
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
