"""Old and new on the same data: does every report return the rows it always returned?

The legacy scripts run in one world, the project in another that has never seen them; then each
report is compared as a bag of rows. When anything in the pile could depend on the order of its
input, or any report differs, the scripts run once more over shuffled tables: a report whose own
rows change by that is order-dependent (where nothing in the pile depends on it, only those that
differ are looked at). It is still called different when the new side lacks a row
that both legacy runs have, or has another number of rows than both. The clock stands still for
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Protocol

from sqlglot import exp

from unwet.lineage.errors import UnwetError
from unwet.lineage.parse import Script
from unwet.rewrite.prove.adapt import to_duckdb
from unwet.rewrite.prove.before import Before, ReportRef
from unwet.rewrite.prove.compare import ANOTHER_ORDER, Comparison, Counts, Difference, Seen, compare
from unwet.rewrite.prove.engines import quote, text
from unwet.rewrite.prove.legacy import Answer
from unwet.rewrite.prove.models import Models
from unwet.rewrite.prove.places import Places
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.rendered import RenderedProject, Seed
from unwet.rewrite.prove.worlds import LEGACY, OldSide, Worlds

Outcome = Literal["identical", "different", "order-dependent", "not run"]

ORDERS = 9  # of few rows: of two that tie the same one is first in every second order
SURE = 3  # orders, of which the first is 0: rows that are the same in so many stay the same
_MODEL = "model "  # begins what `check_built` says of one
NEW, MODELS = "unwet_new", "unwet_models"
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DataVerdict:
    """What the data says about a report; row counts are None when a side did not run. `counts`: how
    many rows are identical, modified, added and removed, where they could be compared. `empty`:
    tables of the pile that the data do not have."""

    name: str
    verdict: Outcome
    rows_before: int | None
    rows_after: int | None
    sample: tuple[Difference, ...]
    reason: str
    counts: Counts | None = None
    empty: tuple[str, ...] = ()

    @property
    def differs(self) -> str:
        """Of two sides that differ: what does. Rows may be the same and a type be another one."""
        said = self.reason.split("; ")
        if all(each.startswith("column ") for each in said):
            return "the names or types of columns differ"
        return "the order of the rows differs" if said == [ANOTHER_ORDER] else "the rows differ"

    @property
    def broken(self) -> bool:
        """Is it the model that did not run, where the old scripts did? Then no other data speaks
        for it."""
        return self.verdict == "not run" and self.reason.startswith(_MODEL)


class Memory(Protocol):
    """The verdicts of one run over one data, project and pile, should it be stopped."""

    @property
    def clock(self) -> datetime:
        """What the run takes for the present moment."""
        ...

    def get(self, name: str) -> DataVerdict | None:
        """What was found out about a report."""
        ...

    def put(self, verdict: DataVerdict) -> None:
        """Remember a verdict, at once: the run may end at any moment."""
        ...


def run_tests(
    scripts: Sequence[Script],
    project_root: Path,
    reports: Sequence[ReportRef],
    data: Path | str | None,
    dialect: str,
    vars: Mapping[str, str] | None = None,
    *,
    seconds: float | None = 600.0,
    clock: datetime | None = None,
    worlds: Worlds | None = None,
    memory: Memory | None = None,
) -> tuple[DataVerdict, ...]:
    """A verdict for each report, in the order given.

    `dialect` is the project's; `vars` are the values of its variables and of the placeholders left
    in the scripts. `seconds`: limit for each statement. `clock`: what all SQL takes for the present
    moment (default: now). `worlds`: where the old side of earlier tests is, if it may be used
    again; it has data, limit and clock of its own. `memory`: verdicts of a run that was stopped,
    whose clock goes on. Raises only for data or a project that cannot be opened at all.
    """
    given = vars or {}
    known = {each.name: memory.get(each.name) for each in reports} if memory is not None else {}
    left = [each for each in reports if known.get(each.name) is None]
    if known and not left:
        return tuple(verdict for verdict in known.values() if verdict is not None)
    clock = memory.clock if memory is not None else clock
    project = read_project(project_root, given, placed)
    seeds = [Path(seed.path) for seed in project.seeds]
    with nullcontext(worlds) if worlds is not None else Worlds(data, seconds, clock) as opened:
        old = opened.old(scripts, given, seeds)
        wanted = [replace(each, relation=old.filled(each.relation)) for each in left]
        found = _Tests(old, project, dialect).verdicts(wanted, memory.put if memory else _ignored)
    new = {verdict.name: replace(verdict, empty=old.run.empty) for verdict in found}
    return tuple(known.get(each.name) or new[each.name] for each in reports)


def _ignored(_: DataVerdict) -> None:
    """Nobody remembers."""


def test_beside(
    old: OldSide,
    project: RenderedProject,
    report: ReportRef,
    dialect: str,
    standing: Mapping[str, str],
) -> DataVerdict:
    """One report beside an old side that has run. `standing`: models that stand for relations of
    the data: these are taken in their place."""
    tests = _Tests(old, project, dialect, standing, ORDERS)
    (verdict,) = tests.verdicts([report], _ignored)
    return verdict


class _Tests:
    """The old side as it is, and a new one, built once; then one verdict after the other."""

    def __init__(
        self,
        old: OldSide,
        project: RenderedProject,
        dialect: str,
        standing: Mapping[str, str] = NOTHING,
        orders: int = 1,
    ) -> None:
        self._engine, self._side, self._orders = old.engine, old, orders
        self._new = _World(old, project, dialect, standing)
        self._shuffled: Places | None = None
        self._seen = Seen(old.engine)  # what the worlds hold does not change once they are there
        self._found: dict[str, Comparison] = {}
        self._before = Before(old.run, old.scripts, old.random, old.places)

    def verdicts(
        self, reports: Sequence[ReportRef], told: Callable[[DataVerdict], None]
    ) -> tuple[DataVerdict, ...]:
        """`told` hears of each verdict as soon as nothing can change it."""
        if self._side.sensitive:
            self._shuffled = self._side.shuffled
        found: dict[str, DataVerdict] = {}
        for report in reports:
            self._new.build([report.model])
            found[report.name] = verdict = self._verdict(report)
            if self._shuffled is not None or verdict.verdict != "different":
                told(verdict)
        doubtful = [report for report in reports if found[report.name].verdict == "different"]
        if doubtful and self._shuffled is None:
            self._shuffled = self._side.shuffled
            for report in doubtful:
                found[report.name] = verdict = self._verdict(report)
                told(verdict)
        return tuple(found[report.name] for report in reports)

    def _verdict(self, report: ReportRef) -> DataVerdict:
        try:
            return self._compared(report)
        except UnwetError as error:
            return DataVerdict(report.name, "not run", None, None, (), error.message)

    def _compared(self, report: ReportRef) -> DataVerdict:
        """Raises UnwetError with the reason why the report could not be tested."""
        answer = self._before.answer(report)
        after = self._new.relation(report.model, answer.place)
        before = f"SELECT * FROM {quote(LEGACY, *answer.place)}"
        found = self._found.get(report.name)
        if found is None:
            order = tuple(place for place, *_ in answer.order)
            found = self._compare(before, f"SELECT * FROM {after}", answer.unnamed, order)
            self._found[report.name] = found
        shuffled = self._depends_on_order(before, f"SELECT * FROM {after}", answer, found)
        return verdict_of(report.name, found, shuffled)

    def _compare(
        self,
        before: str,
        after: str,
        unnamed: tuple[int, ...] = (),
        order: tuple[int, ...] = (),
    ) -> Comparison:
        return compare(self._engine, before, after, order, unnamed, self._seen)

    def _depends_on_order(self, before: str, after: str, answer: Answer, found: Comparison) -> bool:
        """Do the old rows change by shuffling, and is that all there is between old and new?"""
        if self._shuffled is None or not self._shuffled.kind(answer.place) or found.problems:
            return False
        firm, firmly = before, True
        for turn in range(1 if found.equal else self._orders):
            places = self._side.reordered(turn)
            other = f"SELECT * FROM {places.full(answer.place)}"
            firm += f" INTERSECT ALL {other}"
            again = self._compare(before, other)
            left = partial(self._compare, firm, after, answer.unnamed)
            if is_order_alone(found, again, left):
                return True
            if firmly and again.equal and turn == SURE:
                return False
            firmly = firmly and again.equal
        return False


class _World(Models):
    """The project's models as tables of the new world, in the schema `unwet_models`."""

    def __init__(
        self,
        old: OldSide,
        project: RenderedProject,
        dialect: str,
        standing: Mapping[str, str],
    ) -> None:
        super().__init__(project, dialect, old.clock)
        self._engine, self._legacy, self._owned = old.engine, old.places, old.run.owned
        engine = old.engine
        engine.forget(NEW)
        engine.world(NEW)
        engine.use(NEW, MODELS)
        self._places = Places(engine, NEW)
        self._given = self._stand(standing)

    def _stand(self, relations: Mapping[str, str]) -> frozenset[str]:
        """The models for which a table of the data stands."""
        found = set()
        for model, relation in relations.items():
            place = self._places.find(relation.split("."))
            if place is not None:
                self._places.create(
                    "VIEW", (MODELS, model), f" AS SELECT * FROM {self._places.full(place)}"
                )
                self._borrowed[model] = set()
                found.add(model)
        return frozenset(found)

    def build(self, wanted: Sequence[str]) -> None:
        """As `Models` says; failures are kept for `relation`."""
        self._engine.use(NEW, MODELS)
        super().build(wanted)

    def relation(self, model: str, old: tuple[str, ...]) -> str:
        """The quoted table of a model; raises EngineError when it was not built from data."""
        self.check(model, old)
        return quote(NEW, MODELS, model)

    def _load(self, seed: Seed) -> None:
        read = f"read_csv({text(seed.path)}, header=true, sample_size=-1)"
        self._places.create("TABLE", (MODELS, seed.name), f" AS SELECT * FROM {read}")

    def _create(self, model: str, tree: exp.Query) -> None:
        found = partial(self._find, model)
        sql = to_duckdb(tree, self._clock, found, self._engine.declared)
        self._places.create("TABLE", (MODELS, model), f" AS {sql}")

    def _find(self, model: str, parts: Sequence[str]) -> tuple[str, ...] | None:
        """In the data, else among what the legacy scripts left: a kept report feeds new models. One
        that scripts create and fill is what they left, also where the data have a table of that
        name: its rows may be of another day."""
        place = self._places.exact(parts)
        old = self._legacy.exact(parts)
        if old is not None and (place is None or self._is_owned(old)):
            place = self._borrow(model, old)
        if place is None:
            place = self._places.find(parts)
        if place is None and (old := self._legacy.find(parts)) is not None:
            place = self._borrow(model, old)
        elif place is not None and place[0] != MODELS and self._is_borrowed(place):
            self._borrowed[model].add(tuple(part.lower() for part in place))
        return None if place is None else (NEW, *place)

    def _is_owned(self, old: tuple[str, ...]) -> bool:
        return tuple(part.lower() for part in old) in self._owned

    def _borrow(self, model: str, old: tuple[str, ...]) -> tuple[str, ...]:
        if not self._is_borrowed(old):
            if self._places.kind(old):
                self._places.drop(old)
            self._places.create("VIEW", old, f" AS SELECT * FROM {self._legacy.full(old)}")
        self._borrowed[model].add(tuple(part.lower() for part in old))
        return old

    def _is_borrowed(self, place: tuple[str, ...]) -> bool:
        key = tuple(part.lower() for part in place)
        return any(key in borrowed for borrowed in self._borrowed.values())


def placed(kind: str, name: str) -> str:
    """Models in a schema of their own, so that no source can be taken for one."""
    return name if kind == "source" else f"{MODELS}.{name}"


def is_order_alone(found: Comparison, shuffled: Comparison, firm: Callable[[], Comparison]) -> bool:
    """Is the order of the input all there is between old and new? `shuffled`: the old rows against
    those of shuffled input; `firm`: rows that both of these have against the new ones."""
    if shuffled.equal or found.equal:
        return not shuffled.equal
    if shuffled.rows_before == shuffled.rows_after != found.rows_after:
        return False
    left = firm()
    return left.identical == left.rows_before


def verdict_of(name: str, found: Comparison, shuffled: bool) -> DataVerdict:
    """What a comparison says of a report; `shuffled`: its own rows change with the order of its
    input."""
    verdict: Outcome = "identical" if found.equal else "different"
    reason = said(found)
    if shuffled:
        verdict = "order-dependent"
        reason = f"its own rows change when its input is shuffled; as given: {reason or 'equal'}"
    return DataVerdict(
        name, verdict, found.rows_before, found.rows_after, found.sample, reason, found.counts
    )


def said(found: Comparison) -> str:
    """What there is to say of a comparison; empty when the rows are simply the same."""
    if found.problems:
        return "; ".join(found.problems)
    if found.equal:
        empty = "" if found.rows_before else "no rows on either side"
        return "; ".join(part for part in (empty, *found.notes) if part)
    counts = {"modified": found.modified, "removed": found.removed, "added": found.added}
    return "rows " + ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)
