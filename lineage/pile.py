"""A whole pile in one call: sources, parsed scripts, catalog, resolved statements, lineage."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.catalog import Studied, study
from unwet.lineage.columns import Traced, trace_statement
from unwet.lineage.constraints import trusted
from unwet.lineage.errors import UsageError
from unwet.lineage.facts import Facts
from unwet.lineage.findings import Finding, in_order
from unwet.lineage.garbage import uncollected
from unwet.lineage.graph import Graph
from unwet.lineage.jobs import deal, jobs_for, started
from unwet.lineage.parse import Script, check_dialect, parse
from unwet.lineage.quotes import Reads
from unwet.lineage.reports import Report, act, effect, reports
from unwet.lineage.resolve import Resolved
from unwet.lineage.schema import Schema
from unwet.lineage.shards import Shard, Work
from unwet.lineage.sources import Reading, Source, read_sources
from unwet.lineage.survey import Lineage, graph_of, say, survey
from unwet.lineage.tables import Catalog, Column
from unwet.lineage.templating import mask_all
from unwet.lineage.uses import FileOutput, alone, file_output, is_ambiguous, restored, uses

Inputs = str | Path | Source | Iterable[str | Path | Source]


@dataclass(frozen=True)
class Pile:
    """Everything read from one set of inputs; `resolved` is in the order of the statements.

    `findings`: what was odd about sources, parsing and declarations (not: unresolved columns,
    those are the graph's). `elsewhere`: columns that relations are seen with in SQL that is no
    part of this. `schema` and `default_schema`: as they were given.
    `trust_keys`: declared keys hold, whether or not an engine checks them.
    """

    sources: tuple[Source, ...]
    scripts: tuple[Script, ...]
    resolved: tuple[Resolved, ...]
    findings: tuple[Finding, ...]
    studied: Studied = field(repr=False)
    elsewhere: Mapping[str, Iterable[str]] = field(default_factory=dict, repr=False)
    schema: Schema | None = field(default=None, repr=False)
    default_schema: str | None = None
    trust_keys: bool = False

    def with_scripts(self, scripts: Iterable[Script]) -> "Pile":
        """The same pile with other texts in it; its own findings stay."""
        schema, default_schema, budget = self.schema, self.default_schema, self.studied.budget
        made = assemble(tuple(scripts), schema, default_schema, budget, (), self.elsewhere)
        return replace(made, findings=self.findings, trust_keys=self.trust_keys)

    @cached_property
    def catalog(self) -> Catalog:
        """What is known of all relations, uses seen anywhere in the pile included."""
        _ = self.traced
        found = self.studied.catalog()
        if not self.trust_keys:
            return found
        return replace(found, tables={n: trusted(table) for n, table in found.tables.items()})

    @cached_property
    def traced(self) -> tuple[Traced, ...]:
        """The edges of every statement; names left open are settled by uses elsewhere."""
        with uncollected():
            writes, first = self.writes, self._first
            self.studied.learn((*self._told(), *uses(first, self._files())))
            return tuple(
                trace_statement(resolved, self.studied, self.studied.budget)
                if is_ambiguous(traced)
                else traced
                for resolved, traced in zip(writes, first, strict=True)
            )

    @cached_property
    def _first(self) -> list[Traced]:
        """The edges as far as the statements themselves and declarations settle them."""
        return [trace_statement(each, self.studied, self.studied.budget) for each in self.writes]

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The relations of which it matters what columns they are seen with elsewhere, sorted."""
        _ = self._first
        return tuple(sorted(self.studied.asked))

    def _told(self) -> Iterator[tuple[str, Column]]:
        for relation in self.asked if self.elsewhere else ():
            yield from ((relation, Column(name)) for name in self.elsewhere.get(relation, ()))

    @cached_property
    def used(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that relations are seen with in these statements, by relation, sorted."""
        found: dict[str, set[str]] = {}
        for relation, column in uses(self._first, ()):
            found.setdefault(relation, set()).add(column.name)
        return {relation: tuple(sorted(found[relation])) for relation in sorted(found)}

    @cached_property
    def writes(self) -> tuple[Resolved, ...]:
        """What all statements write, those in strings too; one may write several relations."""
        return tuple(w for each in self.studied.resolved for w in each.all())

    @cached_property
    def temporary(self) -> frozenset[str]:
        """The relations that only a script or a session sees, as the graph names them."""
        made = ((w.target, w.statement.masked) for w in self.writes if w.temp and w.target)
        return frozenset(masked.restore(name) for name, masked in made)

    @cached_property
    def graph(self) -> Graph:
        """The column graph; placeholders in names are written as in the sources."""
        with uncollected():
            pairs = zip(self.traced, self.writes, strict=True)
            return graph_of(restored(t, w.statement.masked.placeholders) for t, w in pairs)

    @property
    def quotes(self) -> tuple[Reads | None, ...]:
        """What events quote of each write; None for what reads nothing."""
        return tuple(map(Reads.of, self.writes))

    @property
    def lines(self) -> int:
        """How many lines the sources have."""
        return sum(script.lines for script in self.scripts)

    @property
    def statements(self) -> int:
        """How many statements could be parsed; those in strings are not counted."""
        return sum(len(script.statements) for script in self.scripts)

    @cached_property
    def reports(self) -> tuple[Report, ...]:
        """The final relations, and the statements that first produce them."""
        acts = ((act(each), each.statement.masked.restore) for each in self.resolved)
        return reports(effect(each, each.target, restore) for each, restore in acts)

    def _files(self) -> Iterable[FileOutput]:
        paths = alone(self.scripts)
        found = (file_output(each) for each in self.resolved if each.statement.path in paths)
        return (each for each in found if each is not None)


def load(
    paths: Inputs,
    dialect: str | None = None,
    schema: Schema | None = None,
    params: Mapping[str, str] | None = None,
    default_schema: str | None = None,
    budget: Budget = BUDGET,
) -> Pile:
    """Read, parse and resolve a pile.

    Raises UsageError and its kin for missing paths, unknown dialects and bad schemas; whatever is
    wrong with the SQL itself is a finding.
    """
    return _loaded(read_sources(paths, dialect), dialect, schema, params, default_schema, budget)


def look(
    paths: Inputs,
    dialect: str | None = None,
    schema: Schema | None = None,
    params: Mapping[str, str] | None = None,
    default_schema: str | None = None,
    budget: Budget = BUDGET,
    jobs: int | None = 1,
    quotes: bool = False,
) -> Lineage:
    """The lineage of a pile, made by `jobs` processes; None: as many as pay. `quotes`: they are
    needed, too.

    Raises as `load` does, and WorkerError.
    """
    reading = read_sources(paths, dialect)
    works = _works(reading, dialect, params, budget, jobs)
    if len(works) < 2:
        return _loaded(reading, dialect, schema, params, default_schema, budget)
    with uncollected(), started(works[1:]) as others:
        here = Shard(works[0])
        return survey(reading, here, others, schema, (default_schema or "").lower(), quotes)


def ask_all(
    reading: Reading,
    dialect: str | None = None,
    params: Mapping[str, str] | None = None,
    jobs: int | None = 1,
) -> tuple[Facts, ...]:
    """What each source says by itself, in order; `jobs` as in `look`.

    Raises UnknownDialect and WorkerError.
    """
    works = _works(reading, dialect, params, BUDGET, jobs)
    with uncollected(), started(works[1:]) as others:
        return say(Shard(works[0]), others) if works else ()


def _works(
    reading: Reading,
    dialect: str | None,
    params: Mapping[str, str] | None,
    budget: Budget,
    jobs: int | None,
) -> list[Work]:
    """The sources, dealt to so many processes."""
    if jobs is not None and jobs < 1:
        raise UsageError(f"{jobs} processes cannot do anything", "give 1 or more")
    for name in {source.dialect or dialect or "" for source in reading.sources}:
        check_dialect(name)
    hands = deal(reading.sources, jobs or jobs_for(reading.sources))
    return [Work(hand, dialect or "", dict(params or {}), budget) for hand in hands]


def _loaded(
    reading: Reading,
    dialect: str | None,
    schema: Schema | None,
    params: Mapping[str, str] | None,
    default_schema: str | None,
    budget: Budget,
) -> Pile:
    with uncollected():
        masks = mask_all(reading.sources, params or {})
        scripts = tuple(parse(each, dialect or "") for each in masks)
        return assemble(scripts, schema, default_schema, budget, reading.findings)


def assemble(
    scripts: tuple[Script, ...],
    schema: Schema | None = None,
    default_schema: str | None = None,
    budget: Budget = BUDGET,
    before: tuple[Finding, ...] = (),
    elsewhere: Mapping[str, Iterable[str]] | None = None,
) -> Pile:
    """A pile of scripts that have been parsed; `before` are findings from before that.

    Raises UsageError for a bad schema.
    """
    studied = study(scripts, schema, (default_schema or "").lower(), budget)
    findings = in_order([*before, *(f for s in scripts for f in s.findings), *studied.findings])
    resolved = tuple(each for place, each in studied.placed() if not place.inner)
    sources = tuple(script.source for script in scripts)
    return Pile(
        sources, scripts, resolved, findings, studied, elsewhere or {}, schema, default_schema
    )


def trace(
    sources: Inputs,
    dialect: str | None = None,
    schema: Schema | None = None,
    default_schema: str | None = None,
    params: Mapping[str, str] | None = None,
    jobs: int | None = 1,
) -> Graph:
    """Column lineage of a pile.

    `sources`: a path, a Source, or an iterable of them. `schema`: `{"db.table": ["col"]}`,
    `{"db.table": {"col": "TYPE"}}`, or a file. Edges of a bare SELECT end in relation "".
    `jobs`: processes that share the work; None: as many as pay. The graph is the same.
    """
    return look(sources, dialect, schema, params, default_schema, jobs=jobs).graph
