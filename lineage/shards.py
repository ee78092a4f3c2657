"""Lineage of a part of a pile, and what its parts have to tell each other.

A shard has some sources of a pile, and keeps their trees: moving trees costs more than parsing.
It answers questions; questions and answers are values without trees, small enough to be sent
between processes. Who asks puts the answers of all shards together in the one order of the pile
(`survey`), so that the result is that of one process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.catalog import Studied, placed, unsupported
from unwet.lineage.columns import Traced, trace_statement
from unwet.lineage.facts import Facts, facts
from unwet.lineage.findings import Finding
from unwet.lineage.headers import Altered, Header, Place, alterations, headers
from unwet.lineage.known import Known, Reads, dotted_reads
from unwet.lineage.parse import Script, parse
from unwet.lineage.quotes import Quoted, quoted
from unwet.lineage.resolve import Resolved
from unwet.lineage.sources import Source
from unwet.lineage.tables import Column, Table
from unwet.lineage.templating import NO_PARAMS, Placeholder, mask
from unwet.lineage.uses import FileOutput, alone, file_output, is_ambiguous

Tables = Mapping[Place, Table | None]  # what the statements at these places make
PlacedTraces = tuple[tuple[Place, tuple[Traced, ...]], ...]  # all that a statement writes


@dataclass(frozen=True, slots=True)
class Work:
    """The sources of a shard, with their numbers in the pile, and how to read them."""

    sources: tuple[tuple[int, Source], ...]
    dialect: str = ""
    params: Mapping[str, str] = field(default_factory=lambda: dict(NO_PARAMS))
    budget: Budget = BUDGET


# --- questions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parse:
    """Read the sources. -> Parsed"""


@dataclass(frozen=True, slots=True)
class Dotted:
    """Which dotted names end in these bare ones? -> Reads"""

    bare: frozenset[str]


@dataclass(frozen=True, slots=True)
class Study:
    """Resolve all that needs no table of another shard. -> Progress"""

    known: Known


@dataclass(frozen=True, slots=True)
class Tell:
    """Go on, with what others have made. -> Progress"""

    tables: Tables


@dataclass(frozen=True, slots=True)
class Trace:
    """Trace all, with what others have made; they have adopted the statements at `taken`.
    -> Traces"""

    tables: Tables
    taken: frozenset[Place]


@dataclass(frozen=True, slots=True)
class Learn:
    """Trace what was ambiguous again, with the uses seen anywhere in the pile. -> PlacedTraces"""

    uses: tuple[tuple[str, Column], ...]


@dataclass(frozen=True, slots=True)
class Cite:
    """What events quote of the statements, once all is traced. -> Quotes"""


@dataclass(frozen=True, slots=True)
class Say:
    """What do the sources say, each by itself? -> Said; no other question comes before or after."""


Question = Say | Cite | Parse | Dotted | Study | Tell | Trace | Learn

# --- answers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parsed:
    """What others need of the sources. `dialect`: that of the first statement, with its place;
    findings and placeholders by the numbers of their sources."""

    headers: tuple[Header, ...]
    altered: tuple[Altered, ...]
    dialect: tuple[Place, str] | None
    findings: Mapping[int, tuple[Finding, ...]]
    placeholders: Mapping[int, tuple[Placeholder, ...]]


@dataclass(frozen=True, slots=True)
class Progress:
    """What its statements make, as far as it was not told before; the makers that others wait
    for; and where those are that are not resolved."""

    tables: Tables
    wanted: frozenset[Place]
    left: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """What is left to tell of a shard's statements, in their order.

    `temporary`: relations that only a script sees, as the graph names them.
    """

    traced: PlacedTraces
    findings: tuple[tuple[Place, Finding], ...]
    files: tuple[tuple[Place, FileOutput], ...]
    temporary: frozenset[str]


@dataclass(frozen=True, slots=True)
class Said:
    """Facts of sources by their numbers."""

    facts: tuple[tuple[int, Facts], ...]


@dataclass(frozen=True, slots=True)
class Quotes:
    """One for all that a statement writes; None where it reads nothing."""

    quotes: tuple[tuple[Place, tuple[Quoted | None, ...]], ...]


Answer = Said | Quotes | Parsed | Reads | Progress | Traces | PlacedTraces


class Shard:
    """One part of a pile; `at`: the path of the source that it works on."""

    def __init__(self, work: Work) -> None:
        self.at = ""
        self._work = work
        self._scripts: dict[int, Script] = {}
        self._told: set[Place] = set()
        self._traced: dict[Place, tuple[Traced, ...]] = {}
        self.studied: Studied

    def answer(self, question: Question) -> Answer:
        """The answer to one question; they come in the order in which they are declared."""
        match question:
            case Say():
                return Said(tuple((n, facts(self._script(s))) for n, s in self._work.sources))
            case Parse():
                return self._parse()
            case Dotted(bare):
                return dotted_reads(bare, placed(self._scripts.items()).values())
            case Study(known):
                statements = placed(self._scripts.items())
                self.studied = Studied(known, statements, self._work.budget)
                return self._progress()
            case Tell(tables):
                self.studied.tell(tables)
                return self._progress()
            case Trace(tables, taken):
                self.studied.tell(tables)
                self.studied.drop(taken)
                return self._trace()
            case Learn(uses):
                self.studied.learn(uses)
                return self._again()
            case Cite():
                return Quotes(tuple(self._quotes()))
            case _:
                assert_never(question)

    def adopt(self, sources: Mapping[int, Source], places: frozenset[Place]) -> Tables:
        """Resolve what no shard could, as one process would: statements that read each other in a
        circle, and what depends on them. `sources`: of other shards, all of their paths; they are
        parsed anew."""
        own = dict(self._work.sources)
        scripts = {n: self._script(source) for n, source in sources.items() if n not in own}
        self._scripts |= scripts
        others = placed(scripts.items())
        self.studied.adopt({place: others[place] for place in places if place in others})
        return self.studied.tables(places)

    # --- inside

    def _script(self, source: Source) -> Script:
        self.at = source.path
        return parse(mask(source, self._work.params), self._work.dialect)

    def _parse(self) -> Parsed:
        self._scripts = {number: self._script(source) for number, source in self._work.sources}
        scripts, statements = self._scripts, placed(self._scripts.items())
        first = next(((p, s.dialect) for p, s in statements.items() if not p.inner), None)
        masks = ((n, s.statements or s.inner) for n, s in scripts.items())
        return Parsed(
            tuple(headers(statements)),
            tuple(alterations(statements)),
            first,
            {number: script.findings for number, script in scripts.items() if script.findings},
            {n: given for n, some in masks if some and (given := some[0].masked.placeholders)},
        )

    def _progress(self) -> Progress:
        wanted = self.studied.advance()
        made = self.studied.tables()
        news = {place: table for place, table in made.items() if place not in self._told}
        self._told |= news.keys()
        return Progress(news, wanted, self.studied.left())

    def _trace(self) -> Traces:
        self.studied.finish()
        resolved = self.studied.placed()
        for place, each in resolved:
            self._traced[place] = self._traces(each)
        files = alone(self._scripts.values())
        return Traces(
            tuple(self._traced.items()),
            tuple((place, f) for place, each in resolved for f in unsupported(each)),
            tuple(
                (place, found)
                for place, each in resolved
                if not place.inner and each.statement.path in files
                and (found := file_output(each)) is not None
            ),
            frozenset(
                write.statement.masked.restore(write.target)
                for _, each in resolved
                for write in each.all()
                if write.temp and write.target
            ),
        )  # fmt: skip

    def _traces(self, resolved: Resolved) -> tuple[Traced, ...]:
        self.at = resolved.statement.path
        return tuple(self._one(write) for write in resolved.all())

    def _one(self, write: Resolved) -> Traced:
        return trace_statement(write, self.studied, self.studied.budget)

    def _again(self) -> PlacedTraces:
        """Traces anew of the statements that have something ambiguous."""
        found = []
        for place, each in self.studied.placed():
            first = self._traced[place]
            if any(map(is_ambiguous, first)):
                pairs = zip(each.all(), first, strict=True)
                again = (self._one(w) if is_ambiguous(old) else old for w, old in pairs)
                self._traced[place] = tuple(again)
                found.append((place, self._traced[place]))
        return tuple(found)

    def _quotes(self) -> Iterator[tuple[Place, tuple[Quoted | None, ...]]]:
        for place, each in self.studied.placed():
            self.at = each.statement.path
            yield place, tuple(map(quoted, each.all(), self._traced[place]))
