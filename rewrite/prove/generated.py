"""Old and new on databases made from the queries alone, report by report.

The old side is the report's unit: the scripts that make it, given the results of other reports as
tables. The new side is the report's model with all it reads, given the same tables in the place of
models that stand for other reports; so each report is tested for itself, as it is proved. What such
a test is worth is measured: mistakes are made in the old scripts, and the share that the same
databases show is told with the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from time import process_time
from typing import Protocol

from sqlglot.errors import SqlglotError

from unwet.lineage.errors import UnwetError
from unwet.lineage.templating import TOKEN
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.against import placeholders, variable
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.columns import is_own_way
from unwet.rewrite.prove.counterexample import script
from unwet.rewrite.prove.effort import OPENED, Effort, cost
from unwet.rewrite.prove.evidence import Evidence, merged, settled, without
from unwet.rewrite.prove.generation import Generator, values_for
from unwet.rewrite.prove.model_plans import ModelPlans
from unwet.rewrite.prove.models import needed, trees_of
from unwet.rewrite.prove.places import target
from unwet.rewrite.prove.projects import read_project
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.roundtrip import Setting
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.smaller import smaller
from unwet.rewrite.prove.strength import CLOCK, PARTS, Limits, strength
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.load import SECONDS, open_synthetic
from unwet.rewrite.prove.synthetic.parameters import bound
from unwet.rewrite.prove.synthetic.units import Unit, units
from unwet.rewrite.prove.tested import DataVerdict, placed, test_beside
from unwet.rewrite.prove.undecided import Asked
from unwet.rewrite.prove.unlike import OWN, Untold
from unwet.rewrite.prove.worlds import OldSide
from unwet.rewrite.verdicts import Score

Progress = Callable[[str], None]

EFFORT = 400_000  # for mistakes in one report: some ten seconds where all of it is needed
_SIDES = 4  # what is run for one verdict: old and new, the old on shuffled rows, the comparison
BETWEEN = 60  # databases on which old and new should part
LATE = "there was no time left for generated data"
_FOREIGN = "same rows on DuckDB, which cannot tell how {} and {} differ"
_TRANSLATED = "that may be DuckDB's way, not its own"
_SHOWN = ("declared", "used")  # a name or nothing at all is no evidence of a type
_NAMES = {"integer": "int", "decimal": "decimal", "double": "double", "text": "text",
          "date": "date", "timestamp": "timestamp", "boolean": "boolean"}  # fmt: skip
_GIVEN = "whose rows are given to the old one"
_BLIND = "the generated data would show no mistake in it"
_UNMEASURED = "no mistake could be made in it that would tell what the generated data is worth"


# What a query may lead to that is nobody's fault: a printer without words, constants that are no
# date or number of Python's, nesting without end. Whatever else is raised is a fault of unwet.
_ODD = (SqlglotError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Budget:
    """`report`: effort for mistakes made on purpose in one report, and for tests on more than its
    databases (see effort.py; 0: no mistakes are made). `all`: seconds of work for everything, a
    guard: what comes after them is told to be untested."""

    report: int = EFFORT
    all: float = 300.0


class Known(Protocol):
    """Evidence from before, by keys that are made of all that it depends on."""

    def get(self, key: str) -> Evidence | None:
        """What was found out then."""
        ...

    def put(self, key: str, evidence: Evidence) -> None:
        """Remember it, at once."""
        ...


def gather(
    meaning: Meaning,
    project_root: Path,
    reports: Sequence[ReportRef],
    dialect: str,
    values: Mapping[str, str],
    budget: Budget,
    progress: Progress = lambda _: None,
    known: Known | None = None,
) -> dict[str, Evidence]:
    """The evidence for each report, by its name. `dialect` is the project's; `values` are those of
    its variables and of placeholders left in the scripts: what has none gets one. `known`: what is
    found there is not worked out again."""
    if not reports:
        return {}
    with closing(Tester(meaning, values, budget, progress, known)) as tester:
        return {e.verdict.name: e for e in tester.test(project_root, reports, dialect)}


class Tester:
    """Tests reports of one pile. Databases are made once per report, whatever the project."""

    def __init__(
        self,
        meaning: Meaning,
        values: Mapping[str, str],
        budget: Budget | None = None,
        progress: Progress = lambda _: None,
        known: Known | None = None,
    ) -> None:
        self._values = _completed(meaning, values)
        self._known = known
        self._pile = _of_pile(meaning, self._values) if known is not None else ""
        self._meaning = bound(meaning, self._values)
        self._budget, self._progress = budget or Budget(), progress
        self._end = process_time() + self._budget.all
        self._units = {unit.name: unit for unit in units(self._meaning)}
        self._generator = Generator(self._meaning, CLOCK)
        self._meant = Meant(self._meaning, self._generator.catalog)
        self._made: dict[str, tuple[tuple[str, ...], tuple[Database, ...]]] = {}

    def close(self) -> None:
        self._generator.close()

    def test(
        self, project_root: Path, reports: Sequence[ReportRef], dialect: str
    ) -> Iterator[Evidence]:
        """The evidence for each report, in the order given. Raises UnwetError for a project that
        cannot be read at all."""
        project = read_project(project_root, self._values, placed)
        relations = {u.name: u.report.relation for u in self._units.values() if u.report.relation}
        catalog = self._generator.inferred.meaning.pile.catalog
        setting = Setting(dialect, catalog, relations, self._values)
        self._models = ModelPlans(project_root, setting)
        for number, report in enumerate(reports, 1):
            self._progress(f"data from the queries alone: {number} of {len(reports)} reports")
            yield self._looked_up(project, report, dialect)

    def _looked_up(self, project: RenderedProject, report: ReportRef, dialect: str) -> Evidence:
        if self._known is None:
            return self._evidence(project, report, dialect)
        asked = (
            self._pile,
            self._budget.report,
            dialect,
            report,
            *_of_model(project, report.model),
        )
        key = blake2b(repr(asked).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        found = self._known.get(key)
        if found is None:
            found = self._evidence(project, report, dialect)
            if process_time() < self._end:  # else it may be worth more with more time
                self._known.put(key, found)
        return found

    def _evidence(self, project: RenderedProject, report: ReportRef, dialect: str) -> Evidence:
        unit = self._units.get(report.name)
        if unit is None or not unit.scripts:
            return without(report, "its text could not be parsed")
        if process_time() > self._end:
            return without(report, LATE)
        standing = self._standing(report, unit)
        apart = {*standing.values()} - _read(project, report.model, standing)
        try:
            databases = self._databases(unit, project, standing)
        except UnwetError as error:
            return without(report, error.message)
        except _ODD as error:  # of one report: it is told, and the run goes on
            return without(report, f"no data could be made: {type(error).__name__}: {error}")
        except Exception as error:
            error.add_note(f"while data was made for the report {report.name}")
            raise
        test = _Test(unit, project, standing, dialect)
        foreign = sorted(_dialects(unit) - {dialect})
        found = self._tried(test, databases, self._filled(report), bool(foreign))
        found.sort(key=lambda pair: _is_only_type(pair[1]))  # rows that differ say more
        evidence = merged(report, found)
        if _is_only_type(evidence.verdict) and _dialects(unit) | {dialect} != {"duckdb"}:
            return without(report, f"{evidence.verdict.reason}; {_TRANSLATED}")
        if evidence.verdict.verdict == "different" and apart:
            return without(report, f"its model has the query of {min(apart)} inside, {_GIVEN}")
        if evidence.verdict.verdict == "different":
            return self._shown(test, next(d for d, v in found if v is evidence.verdict), report)
        if evidence.verdict.verdict != "identical":
            return evidence
        if not self._budget.report:
            return settled(evidence, found)
        if foreign:
            return without(report, _FOREIGN.format(foreign[0] or "no dialect", dialect or "none"))
        return self._pressed(test, unit, report, found)

    def _untold(self, test: _Test, report: ReportRef) -> Untold | None:
        """What old and new part in that DuckDB may compute otherwise than their own engine."""
        unit, dialect = test.unit, test.dialect
        if dialect in OWN:
            return None
        old = [s.tree for script in unit.scripts for s in script.statements]
        return Asked({dialect}, self._type).untold(
            (self._generator.plan(unit), self._models.plan(report.model)),
            self._meaning.normalizer,
            lambda: (old, trees_of(test.project, report.model, dialect)),
        )

    def _type(self, table: str, column: str) -> str:
        """The type of a column, by name, as far as it is declared or used."""
        if declared := self._meaning.pile.catalog.type_of(table, column):
            return declared
        found = self._generator.inferred.tables.get(table, {}).get(column)
        return _NAMES.get(found.kind, "") if found and found.evidence in _SHOWN else ""

    def _pressed(
        self, test: _Test, unit: Unit, report: ReportRef, found: list[tuple[Database, DataVerdict]]
    ) -> Evidence:
        """Where nothing differs on data that is made from the old queries: data on which the two
        plans should part, and what mistakes that were hard to show are shown by."""
        own = self._filled(report)
        more = self._tried(test, self._between(unit, report), own, foreign=False)
        evidence = merged(report, [*found, *more])
        if evidence.verdict.verdict == "identical" and (why := self._untold(test, report)):
            return without(report, f"same rows on DuckDB, but {why}")
        same = [d for d, v in (*found, *more) if v.verdict == "identical"]
        effort = self._budget.report
        limits = Limits(most=60, each=4, effort=effort, hunt=effort // 2)
        worth = strength(unit, same, self._meant, limits=limits, apart=self._generator.apart)
        more += self._tried(test, worth.found, own, foreign=False)
        evidence = merged(report, [*found, *more])
        if evidence.verdict.verdict == "different":
            return self._shown(test, next(d for d, v in more if v is evidence.verdict), report)
        scored = _scored(evidence, Score(worth.killed, worth.valid))
        return settled(scored, [*found, *more])

    def _between(self, unit: Unit, report: ReportRef) -> Sequence[Database]:
        """Databases on which the model should have other rows than the report, if any."""
        before, after = self._generator.plan(unit), self._models.plan(report.model)
        inputs, _ = self._made[unit.name]
        if before is None or after is None or before.rel == after.rel:
            return ()
        made = self._generator.between(replace(unit, inputs=inputs), before, after)
        return tuple(islice(made, BETWEEN))

    def _tried(
        self, test: _Test, databases: Sequence[Database], report: ReportRef, foreign: bool
    ) -> list[tuple[Database, DataVerdict]]:
        """The verdict on each database, and on parts of those that put no order on their rows.
        `foreign`: equal rows say nothing, so no more time is spent in search of a difference than
        on mistakes elsewhere."""
        found, effort = [], Effort(self._budget.report or EFFORT)
        for each in databases:
            effort.spend(test.cost)
            verdict = test.verdict(each, report)
            found.append((each, verdict))
            if verdict.verdict == "order-dependent":
                found += self._in_parts(test, each, report, effort)
            if foreign and not effort.is_left():
                break
        return found

    def _in_parts(
        self, test: _Test, database: Database, report: ReportRef, effort: Effort
    ) -> Iterator[tuple[Database, DataVerdict]]:
        """Those parts on which old and new can be compared, as far as the effort goes."""
        waiting, tried = list(database.parts), 0
        while waiting and tried < PARTS and effort.is_left() and process_time() < self._end:
            part, tried = waiting.pop(0), tried + 1
            effort.spend(test.cost)
            verdict = test.verdict(part, report)
            if verdict.verdict == "order-dependent":
                waiting[:0] = part.parts
            else:
                yield part, verdict

    def _shown(self, test: _Test, database: Database, report: ReportRef) -> Evidence:
        """A difference on as few rows as can be found in a bounded search."""
        own = self._filled(report)
        only_type = _is_only_type(test.verdict(database, own))

        def differs(tried: Database) -> bool:
            if process_time() >= self._end:
                return False
            found = test.verdict(tried, own)  # types differ without any rows, too
            return found.verdict == "different" and _is_only_type(found) == only_type

        small = smaller(database, differs)
        return Evidence(test.verdict(small, own), counterexample=test.shown(small))

    def _standing(self, report: ReportRef, unit: Unit) -> dict[str, str]:
        """The models that stand for other reports, which are given, and their relations. What only
        the new side reads is made there: the old side has its query inside."""
        given = {_place(name) for name in unit.inputs}
        names = ((u.report.name, u.report.relation) for u in self._units.values())
        return {
            name: relation
            for name, relation in names
            if relation and name != report.model and _place(relation) in given
        }

    def _filled(self, report: ReportRef) -> ReportRef:
        """The report as the unit has it, with values in the place of placeholders."""
        own = self._units[report.name].report
        return replace(report, relation=own.relation, path=own.span.path, line=own.span.line)

    def _databases(
        self, unit: Unit, project: RenderedProject, standing: Mapping[str, str]
    ) -> tuple[Database, ...]:
        wide = _widened(unit, _read(project, unit.name, standing))
        known = self._made.get(unit.name)
        if known is None or known[0] != wide.inputs:
            known = self._made[unit.name] = wide.inputs, self._generator.databases(wide)
        return known[1]


def _scored(evidence: Evidence, score: Score) -> Evidence:
    """With what the databases are worth; nothing is believed that they could not show."""
    if not score.killed and evidence.verdict.verdict == "identical":
        reason = _BLIND if score.valid else _UNMEASURED
        verdict = replace(evidence.verdict, verdict="not run", reason=reason)
        return Evidence(verdict, evidence.data_sets, score)
    return replace(evidence, score=score)


class _Test:
    """One report of one project."""

    def __init__(
        self, unit: Unit, project: RenderedProject, standing: Mapping[str, str], dialect: str
    ) -> None:
        self.unit, self.project = unit, project
        self._standing, self.dialect = standing, dialect
        self._seeds = [Path(seed.path) for seed in project.seeds]
        self.cost = OPENED + _SIDES * cost(unit.scripts)

    def verdict(self, database: Database, report: ReportRef) -> DataVerdict:
        """Old beside new on one database."""
        try:
            with open_synthetic(database, SECONDS, self._seeds) as engine:
                still = database.has_one_order
                old = OldSide(engine, self.unit.scripts, {}, CLOCK, still)
                return test_beside(old, self.project, report, self.dialect, self._standing)
        except UnwetError as error:
            return DataVerdict(report.name, "not run", None, None, (), error.message)

    def shown(self, database: Database) -> str:
        """A database as a script with both sides."""
        return script(self.unit, database, self.project, self._standing, self.dialect)


def _of_pile(meaning: Meaning, values: Mapping[str, str]) -> str:
    """All of the pile that data made for one of its reports depends on, in short: types and columns
    are known from all of it."""
    texts = [(s.source.path, s.source.text, s.source.dialect) for s in meaning.pile.scripts]
    masked = [each.masked.text for s in meaning.pile.scripts for each in s.statements[:1]]
    spoken = [each.dialect for s in meaning.pile.scripts for each in s.statements[:1]]
    tables = sorted(meaning.pile.catalog.tables.items())
    whole = repr((texts, masked, spoken, tables, meaning.pile.default_schema,
                  sorted(values.items())))  # fmt: skip
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _of_model(project: RenderedProject, model: str) -> Iterator[object]:
    """All of a project that a model is made of."""
    names = needed(project, [model])
    for each in project.models:
        if each.name in names:
            yield each.name, each.sql, each.refs, each.sources  # not the path: it may be a copy
    yield from ((each.name, each.reason) for each in project.failures if each.name in names)
    for seed in project.seeds:
        if seed.name in names:
            yield seed.name, blake2b(Path(seed.path).read_bytes()).hexdigest()


def _is_only_type(verdict: DataVerdict) -> bool:
    """Whether the values are the same, of types that another dialect may call by one name."""
    is_same = verdict.verdict == "different" and not verdict.sample
    return is_same and is_own_way(verdict.reason.split("; "))


def _dialects(unit: Unit) -> set[str]:
    return {each.dialect for script in unit.scripts for each in script.statements}


def _completed(meaning: Meaning, values: Mapping[str, str]) -> dict[str, str]:
    """Values for all placeholders, by their own names and by those of the project's variables. One
    that is a part of names stands for itself there, so that old and new read the same tables."""
    found = values_for(meaning, values)
    for place in placeholders(meaning.pile):
        found.setdefault(variable(place), found.get(place.name, place.token))
    return found


def _read(project: RenderedProject, model: str, standing: Mapping[str, str]) -> set[str]:
    """Relations that a model and all it is made of reads, as the catalog may call them."""
    by_name = {each.name: each for each in project.models}
    found: set[str] = set()
    seen, waiting = {model}, [model]
    while waiting:
        each = by_name.get(waiting.pop())
        for name in each.refs if each is not None else ():
            if name in standing:
                found.add(standing[name])
            elif name not in seen:
                seen.add(name)
                waiting.append(name)
        found |= {s.lower() for s in each.sources} if each is not None else set()
    return {name for name in found if not TOKEN.search(name)}


def _widened(unit: Unit, more: set[str]) -> Unit:
    """With relations that only the new side reads; none under two names."""
    places = {_place(name) for name in unit.inputs}
    new = [name for name in sorted(more) if _place(name) not in places]
    return replace(unit, inputs=(*unit.inputs, *new))


def _place(name: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in target(name.split(".")))
