"""What repeats in the models, written once: the stages of choice in their order.

WrittenOnce(...).project(drafts, plans, reports that are sure, alone, own) -> Project
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial

from unwet.lineage.garbage import collected_around
from unwet.lineage.tables import Catalog, Table
from unwet.rewrite.algebra import Plan, is_text
from unwet.rewrite.choose import choose
from unwet.rewrite.compose import Draft
from unwet.rewrite.conform import conform
from unwet.rewrite.deadline import Deadline, Over, never
from unwet.rewrite.decisions.shape import Shape
from unwet.rewrite.drafting import tables
from unwet.rewrite.fewer_joins import lossless
from unwet.rewrite.finer_grain import with_finer_grains
from unwet.rewrite.idle_truths import without_truths
from unwet.rewrite.inlining import ReadThrough, read_through
from unwet.rewrite.kin import kindred
from unwet.rewrite.library import Library, plain_library
from unwet.rewrite.limits import Limits, Owners
from unwet.rewrite.listed_stars import Listed, with_columns_listed
from unwet.rewrite.naming_again import as_before, signs, staging_names
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.one_order import in_one_order
from unwet.rewrite.one_select import one_select
from unwet.rewrite.parameter_names import with_telling_names
from unwet.rewrite.project import Project
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.wanted import meant
from unwet.rewrite.read_as_sets import as_sets
from unwet.rewrite.read_by_nobody import never_read, read_only
from unwet.rewrite.refined import refined, said_shortly
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.renaming import Called, named, renamed
from unwet.rewrite.rolled_up import RollingUp
from unwet.rewrite.scanned import Scans
from unwet.rewrite.script import Report
from unwet.rewrite.sharing import MORE, Shared, share
from unwet.rewrite.targets.record import Sign
from unwet.rewrite.targets.target import Target
from unwet.rewrite.telling_macros import made_as, telling_macros
from unwet.rewrite.wide_models import with_wide_models
from unwet.rewrite.written_size import project_lines

_SHARES = (0.15, 0.4, 1.0)  # of the time: until reports are reworded, copies found, all done

Drafts = tuple[Draft, ...]
Whole = Callable[[Drafts, Library, Drafts], Project]  # of models, library and what they share


@dataclass(slots=True)
class WrittenOnce:
    """``reports`` of one pile, by name, for one ``target``; ``whole`` makes the project of models,
    a library and what several models share; ``search``: the seconds of work, None for as many as it
    takes. ``limits`` grow by what somebody has forbidden under the name that it is made with.

    What the last project was: ``owners``: which report owns what, and what was refused; ``signs``:
    by which its names are found again; ``unnamed``: names that could not be given, and why;
    ``unwanted``: what was made under a name and would be called so; ``listed``: where columns are
    instead of stars. Models that are ``starred`` keep theirs from then on."""

    reports: Mapping[str, Report]
    dialect: str
    spoken: str
    target: Target
    catalog: Catalog
    normalizer: Normalizer
    shape: Shape
    limits: Limits
    before: Mapping[str, Sign]
    whole: Whole
    search: float | None = None
    owners: Owners = field(init=False)
    signs: Mapping[str, Sign] = field(init=False, default_factory=dict)
    unnamed: tuple[str, ...] = field(init=False, default=())
    unwanted: dict[str, str] = field(init=False, default_factory=dict)
    listed: Listed | None = field(init=False, default=None)
    starred: frozenset[str] = field(init=False, default=frozenset())
    _worded: Remembered = field(init=False, default_factory=Remembered)

    def __post_init__(self) -> None:
        self.owners = Owners(self.limits)

    def keeps_stars(self, names: AbstractSet[str]) -> bool:
        """Whether some of these models had their columns listed; they keep their stars now."""
        some = names & self.listed.models - self.starred if self.listed is not None else frozenset()
        self.starred |= some
        return bool(some)

    def project(
        self,
        drafts: Drafts,
        plans: Mapping[str, Plan],
        sure: Iterable[str],
        alone: frozenset[str],
        own: frozenset[str],
    ) -> Project:
        """The project with what repeats written once; not in those that stay ``alone``, and not in
        other words in those that have their ``own``. ``plans``: what each model has to mean;
        ``sure``: the models that are proved to."""
        while True:
            self.owners = Owners(self.limits)
            project = self._chosen(drafts, plans, sure, alone, own)
            if not self.target.MACROS:
                return self._named(project)
            project = named(project, staging_names(project))
            forbidden = self.limits.forbidden
            unwanted = made_as(project, forbidden)  # refused under the name it is made with
            if not unwanted:
                break
            self.unwanted |= unwanted
            self.limits = replace(self.limits, forbidden=forbidden | unwanted.keys())
        project = self._named(project)
        if not self.target.LISTS:
            return project
        names = {*self.reports, *project.library.models, *self.limits.forbidden}
        return replace(project, library=said_shortly(project.library, names))

    def _chosen(
        self,
        drafts: Drafts,
        plans: Mapping[str, Plan],
        sure: Iterable[str],
        alone: frozenset[str],
        own: frozenset[str],
    ) -> Project:
        deadline = Deadline(self.search)
        known = tables(drafts, plans, self.reports, self.catalog)
        relations = {name: self.reports[name].relation for name in sure}
        through = read_through(drafts, plans, relations, own, self.normalizer, self._worded)
        fixed = own | {name for name, plan in plans.items() if is_text(plan)}
        mine = self._alike(through.drafts, fixed)
        if not self.target.MACROS:  # nothing is called, so that every model keeps its own words
            shared = self._shared(mine, known, own, through, deadline.after(1))
            shared = self._wide(shared, known, fixed, alone)
            shared = self._finer(shared, known, fixed, alone)
            return self._read_only(shared, self._library(shared, fixed, alone, never), fixed)
        full = {name: self._meant(plan) for name, plan in through.plans.items()}
        rows = {name: self.normalizer.run(plan.rel)[0] for name, plan in full.items()}
        plain = {name: rel for name, rel in rows.items() if not plans[name].order}
        worded = conform(mine, plain, own, self._worded)
        ends = [deadline.after(part) for part in _SHARES]
        worded = kindred(
            worded, rows, known, self.dialect, own, self.normalizer, self._worded, ends[0]
        )
        shared = self._shared(worded, known, own, through, ends[1])
        if self.limits.sharing.wide_costs:  # else macros take fewer lines
            shared = self._wide(shared, known, fixed, alone)
        shared = self._finer(shared, known, fixed, alone)
        return self._read_only(shared, self._library(shared, fixed, alone, ends[2]), fixed)

    def _alike(self, drafts: Drafts, fixed: frozenset[str]) -> Drafts:
        """What is said in two ways, said in one; not in those whose words are ``fixed``."""
        mine = without_truths(drafts, fixed, self._worded)
        if self.target.MACROS:
            mine = as_sets(one_select(mine, fixed, self._worded), fixed, self._worded)
            mine = never_read(mine, fixed)
        return in_one_order(mine, fixed, self._worded)

    def _library(
        self, shared: Shared, fixed: frozenset[str], alone: frozenset[str], over: Over
    ) -> Library:
        models = (*shared.drafts, *shared.intermediates)
        if not self.target.MACROS:
            return plain_library(models)
        library = choose(models, self.dialect, alone, self.owners, over, self.target.LISTS)
        if not self.target.LISTS:
            return library
        return refined(library, self.dialect, self._taken, fixed, alone, self.owners, over)

    @property
    def _taken(self) -> frozenset[str]:
        """What nothing new may be called."""
        return frozenset({*self.reports, *self.limits.forbidden})

    def _wide(
        self,
        shared: Shared,
        known: Mapping[str, Table],
        fixed: frozenset[str],
        alone: frozenset[str],
    ) -> Shared:
        """With wide models for reports that join the same tables."""
        taken, sharing = self._taken, self.limits.sharing
        least = sharing.min_saved + MORE - sharing.wide_costs
        size = partial(self._lines, fixed, alone)
        told = promises(self.catalog, self.spoken, self.dialect)
        sure = lossless(shared.drafts, known, self.catalog, told, self.dialect)
        return with_wide_models(shared, fixed | alone, taken, size, least, sure)

    def _rolling(self, known: Mapping[str, Table], own: AbstractSet[str]) -> RollingUp:
        return RollingUp(known, self.dialect, own, self.owners, self.normalizer)

    def _finer(
        self,
        shared: Shared,
        known: Mapping[str, Table],
        fixed: frozenset[str],
        alone: frozenset[str],
    ) -> Shared:
        """With models of a finer grain than that of the reports which are rolled up from them."""
        if self.spoken != self.dialect:
            return shared
        taken, sharing = self._taken, self.limits.sharing
        rolling, size = self._rolling(known, fixed | alone), partial(self._lines, fixed, alone)
        return with_finer_grains(shared, rolling, taken, size, sharing.min_saved + MORE)

    def _lines(self, fixed: frozenset[str], alone: frozenset[str], shared: Shared) -> int:
        """The lines of a project of these, with the macros that it would have."""
        owners, self.owners = self.owners, Owners(self.limits)
        library = self._library(shared, fixed, alone, never)
        self.owners = owners
        project = self.whole(*read_only(shared.drafts, library, shared.intermediates, fixed))
        counted = self.target.counted(self.target.files(project), {})
        return project_lines(counted)

    def _read_only(self, shared: Shared, library: Library, fixed: AbstractSet[str]) -> Project:
        """Without what nobody reads, and without stars over declared tables."""
        project = self.whole(*read_only(shared.drafts, library, shared.intermediates, fixed))
        fixed, forbidden = fixed | self.starred, self.limits.forbidden
        self.listed = with_columns_listed(project, self.spoken, fixed, forbidden)
        self.owners.refused.update(dict.fromkeys(self.listed.refused, "columns of a source"))
        return self.listed.project

    def _shared(
        self,
        drafts: Drafts,
        known: Mapping[str, Table],
        own: frozenset[str],
        through: ReadThrough,
        over: Over,
    ) -> Shared:
        """What several reports read as models of their own."""
        with collected_around():  # wordings that were tried, and blocks as they stood before
            shared = share(
                drafts,
                known,
                self.dialect,
                own,
                self.normalizer,
                self.owners,
                through.names,
                through.tables,
                over,
                macros=self.target.MACROS,
                scans=self._worded.tool(Scans),
            )
        if self.spoken != self.dialect:
            return shared  # sums of sums rest on types, which another engine does not promise
        return self._rolling(known, own).rolled(shared)

    def _named(self, project: Project) -> Project:
        """Under the names of the last run, then those that somebody has decided."""
        project = named(project, staging_names(project))
        project = named(project, telling_macros(project, self.limits.forbidden))
        project = as_before(project, self.before)
        self.signs = signs(project)
        project = replace(project, library=with_telling_names(project.library))
        wanted = {Called(each.name, each.parameter, each.to): each for each in self.shape.renames}
        project, problems = renamed(project, wanted)
        self.unnamed = tuple(f"{wanted[each]}: not carried out: {why}"
                             for each, why in problems.items())  # fmt: skip
        return project

    def _meant(self, plan: Plan) -> Plan:
        """A plan in which tables have become queries: what types these have is known now."""
        return meant(plan, self.dialect, self.catalog)
