"""Old and new on data that stays on its server: as `tested`, with nothing but queries sent there.

Without a scratch schema every report is one nested query, and so is its model; with one, both
sides are tables and views in it. In either case the rows are compared there. Each report has its
own time limit, and what goes wrong with one is told of that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from sqlglot import exp

from unwet.lineage.errors import EngineError, UnwetError
from unwet.lineage.parse import Script
from unwet.rewrite.prove.before import Before, ReportRef
from unwet.rewrite.prove.compare import Comparison
from unwet.rewrite.prove.legacy import Answer, LegacyRun, run_scripts
from unwet.rewrite.prove.models import Models
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.rendered import RenderedProject, Seed
from unwet.rewrite.prove.sequence import Key, sequence_of
from unwet.rewrite.prove.servers.seeds import seed_query
from unwet.rewrite.prove.servers.sites import Data, Nested, Scratch
from unwet.rewrite.prove.servers.target import Opened, Place
from unwet.rewrite.prove.servers.there import compare_there
from unwet.rewrite.prove.tested import MODELS, DataVerdict, is_order_alone, placed, verdict_of
from unwet.rewrite.prove.worlds import bound, filled, is_sensitive, random_in, tokens_of

OLD, NEW, SHUFFLED = "unwet_old_", "unwet_new_", "unwet_other_"


def run_elsewhere(
    scripts: Sequence[Script],
    project_root: Path,
    reports: Sequence[ReportRef],
    target: Place,
    dialect: str,
    vars: Mapping[str, str] | None = None,
    *,
    seconds: float | None = 600.0,
    clock: datetime | None = None,
) -> tuple[DataVerdict, ...]:
    """As `run_tests`, on a server. `seconds`: limit for each report where the engine can have one,
    else for each statement. Raises EngineError and UsageError when it cannot be reached."""
    given = vars or {}
    project = read_project(project_root, given, placed)
    tokens = tokens_of(scripts, given)
    wanted = [replace(each, relation=filled(each.relation, tokens)) for each in reports]
    moment = clock or datetime.now().replace(microsecond=0)
    with target.open(seconds) as engine:
        sides = _Sides(engine, target.scratch, tuple(bound(s, tokens) for s in scripts), moment)
        try:
            found = _Tests(sides, project, dialect).verdicts(wanted)
            return tuple(replace(verdict, empty=sides.run.empty) for verdict in found)
        finally:
            sides.close()


class _Sides:
    """The sites of one run on one server."""

    def __init__(
        self, engine: Opened, scratch: str, scripts: Sequence[Script], clock: datetime
    ) -> None:
        self.engine, self.scripts, self.clock = engine, scripts, clock
        self._scratch = scratch
        if scratch:
            engine.require_schema(scratch)
        mine = scratch.lower()  # what lies there is nobody's data
        tables = [place for place in engine.tables() if place[0].lower() != mine]
        self._data = Data(tables, engine.path())
        self._sites: list[Nested] = []
        self.old = self.site(OLD)
        self.run = self._ran(self.old)

    def site(self, prefix: str, shuffle: bool = False, below: Nested | None = None) -> Nested:
        """A new one; its tables are dropped by `close`."""
        site: Nested
        if self._scratch:
            site = Scratch(self.engine, self._data, self._scratch, prefix, shuffle, below)
        else:
            site = Nested(self.engine.flavour, self._data, prefix, shuffle, below)
        self._sites.append(site)
        return site

    @cached_property
    def shuffled(self) -> Nested:
        """What the scripts leave when they read the same rows in another order."""
        site = self.site(SHUFFLED, shuffle=True)
        self._ran(site)
        return site

    def _ran(self, site: Nested) -> LegacyRun:
        self.engine.restart()
        return run_scripts(site, self._data.tables, self.scripts, self.clock)

    @cached_property
    def random(self) -> dict[str, list[str]]:
        """Path -> what in the script returns something else each time."""
        return random_in(self.scripts)

    @cached_property
    def sensitive(self) -> bool:
        """Whether anything in the scripts could depend on the order of its input."""
        return bool(self.random) or is_sensitive(self.scripts)

    def close(self) -> None:
        """Drop all that was made, also when one of them cannot be."""
        failures = []
        for site in reversed(self._sites):
            try:
                site.close()
            except EngineError as error:
                failures.append(error)
        if failures:
            raise failures[0]


class _Tests:
    """The old side, the new one, and one verdict after the other."""

    def __init__(self, sides: _Sides, project: RenderedProject, dialect: str) -> None:
        self._sides, self._engine, self._old = sides, sides.engine, sides.old
        self._before = Before(sides.run, sides.scripts, sides.random, sides.old)
        site = sides.site(NEW, below=sides.old)
        self._new = SiteModels(site, project, dialect, sides.clock)

    def verdicts(self, reports: Sequence[ReportRef]) -> tuple[DataVerdict, ...]:
        self._engine.restart()
        self._new.build(sorted({report.model for report in reports}))
        return tuple(self._verdict(report) for report in reports)

    def _verdict(self, report: ReportRef) -> DataVerdict:
        self._engine.restart()
        try:
            return self._compared(report)
        except UnwetError as error:
            told = f"{error.message} ({error.help})" if error.help else error.message
            return DataVerdict(report.name, "not run", None, None, (), told)

    def _compared(self, report: ReportRef) -> DataVerdict:
        answer = self._before.answer(report)
        model = self._new.place(report.model, answer.place)
        old, new = self._old.full(answer.place), self._new.site.full(model)
        definitions = (*self._old.definitions(answer.place), *self._new.site.definitions(model))
        found = compare_there(self._engine, f"SELECT * FROM {old}", f"SELECT * FROM {new}",
                              answer.unnamed, _once(definitions))  # fmt: skip
        sorts = found.rows_before > 1 and answer.order
        if found.equal and sorts and answer.order != self._new.order(report.model):
            found = replace(found, problems=("the same rows in another order",))
        return verdict_of(
            report.name, found, self._depends_on_order(answer, old, new, definitions, found)
        )

    def _depends_on_order(
        self,
        answer: Answer,
        old: str,
        new: str,
        definitions: tuple[tuple[str, str], ...],
        found: Comparison,
    ) -> bool:
        """As for DuckDB: do the old rows change, and is that all there is between old and new?"""
        if found.problems or (found.equal and not self._sides.sensitive):
            return False
        shuffled = self._sides.shuffled
        if not shuffled.kind(answer.place):
            return False
        other = shuffled.full(answer.place)
        known = _once((*definitions, *shuffled.definitions(answer.place)))
        before, again = f"SELECT * FROM {old}", f"SELECT * FROM {other}"
        changed = compare_there(self._engine, before, again, answer.unnamed, known)
        firm, after = f"{before} INTERSECT ALL {again}", f"SELECT * FROM {new}"
        return is_order_alone(
            found,
            changed,
            lambda: compare_there(self._engine, firm, after, answer.unnamed, known),
        )


class SiteModels(Models):
    """The project's models in a site of their own."""

    def __init__(
        self, site: Nested, project: RenderedProject, dialect: str, clock: datetime
    ) -> None:
        super().__init__(project, dialect, clock)
        self.site = site
        self._orders: dict[str, tuple[Key, ...]] = {}

    def place(self, model: str, old: tuple[str, ...]) -> tuple[str, ...]:
        """Where a model is; raises EngineError when it was not built from data."""
        self.check(model, old)
        return (MODELS, model)

    def order(self, model: str) -> tuple[Key, ...]:
        """The keys that its last ORDER BY sorts by."""
        return self._orders.get(model, ())

    def _load(self, seed: Seed) -> None:
        query = seed_query(Path(seed.path), self.site.flavour)
        self.site.make("TABLE", (MODELS, seed.name), query, (), "")

    def _create(self, model: str, tree: exp.Query) -> None:
        self._orders[model] = sequence_of(tree)
        sql = self.site.sql(tree, self._clock)
        self._borrowed[model] |= self.site.borrowed
        self.site.make("TABLE", (MODELS, model), sql, (), "")


def _once(definitions: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(dict(definitions).items())
