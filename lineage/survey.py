"""A whole pile from the answers of its shards, exactly as one process has it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Protocol, TypeVar

from unwet.lineage.catalog import Studied
from unwet.lineage.columns import Traced
from unwet.lineage.facts import Facts
from unwet.lineage.findings import Finding, in_order
from unwet.lineage.graph import Graph
from unwet.lineage.headers import Place
from unwet.lineage.known import Reads, bare_names, know
from unwet.lineage.quotes import Quote, Quoted
from unwet.lineage.schema import Schema, read_schema
from unwet.lineage.shards import (
    Answer,
    Cite,
    Dotted,
    Learn,
    Parse,
    Parsed,
    Progress,
    Question,
    Quotes,
    Said,
    Say,
    Shard,
    Study,
    Tell,
    Trace,
    Traces,
)
from unwet.lineage.sources import Reading, Source
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.templating import Placeholder
from unwet.lineage.uses import is_ambiguous, restored, uses

_ROUNDS = 50  # of telling each other; a chain that goes to and fro more often is done here
A = TypeVar("A")


class Port(Protocol):
    """A shard that works elsewhere: it is asked, and its answer fetched later on."""

    def ask(self, question: Question) -> None: ...
    def answer(self) -> Answer: ...


class Lineage(Protocol):
    """What is known of a pile once it is traced, whoever has its trees."""

    @property
    def sources(self) -> tuple[Source, ...]: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def temporary(self) -> frozenset[str]: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def quotes(self) -> Sequence[Quote | None]: ...


@dataclass(frozen=True)
class Survey:
    """A pile whose trees are gone. `traced` is in the order of the statements, `quotes` in that of
    the graph's, or empty when nobody wanted them; placeholders by the number of their source. The
    rest is as in `Pile`."""

    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]
    temporary: frozenset[str]
    traced: tuple[tuple[Place, tuple[Traced, ...]], ...] = field(repr=False)
    placeholders: Mapping[int, tuple[Placeholder, ...]] = field(repr=False)
    studied: Studied = field(repr=False)
    quotes: tuple[Quoted | None, ...] = field(repr=False)

    @cached_property
    def catalog(self) -> Catalog:
        """What is known of all relations, uses seen anywhere in the pile included."""
        return self.studied.catalog()

    @cached_property
    def graph(self) -> Graph:
        """The column graph; placeholders in names are written as in the sources."""
        return graph_of(
            restored(each, self.placeholders.get(place.source, ()))
            for place, all_ in self.traced
            for each in all_
        )


def graph_of(traced: Iterable[Traced]) -> Graph:
    """The graph of all statements, in their order."""
    all_ = tuple(traced)
    found = {finding for each in all_ for finding in each.findings}
    return Graph((), sorted(found, key=lambda f: (f.at, f.code, f.message)), all_)


def survey(
    reading: Reading,
    here: Shard,
    others: Sequence[Port],
    schema: Schema | None = None,
    default_schema: str = "",
    quotes: bool = False,
) -> Survey:
    """Ask the shards that the pile's sources were dealt to: `here`, and the others meanwhile.

    `quotes`: for a format that quotes the statements. Raises BadSchema, and whatever the ports do.
    """
    return _Survey(reading, here, others).run(schema, default_schema, quotes)


def say(here: Shard, others: Sequence[Port]) -> tuple[Facts, ...]:
    """What all sources say, each by itself, in their order. Raises whatever the ports do."""
    for port in others:
        port.ask(Say())
    answers = [here.answer(Say()), *(port.answer() for port in others)]
    said = dict(pair for each in answers if isinstance(each, Said) for pair in each.facts)
    return tuple(said[number] for number in sorted(said))


class _Survey:
    """One conversation. Shard 0 is `here`."""

    def __init__(self, reading: Reading, here: Shard, others: Sequence[Port]) -> None:
        self._reading, self._here, self._others = reading, here, others
        self._untold: list[dict[Place, Table | None]] = [{} for _ in range(1 + len(others))]

    def run(self, schema: Schema | None, default_schema: str, quotes: bool) -> Survey:
        parsed = self._all([Parse()] * len(self._untold), Parsed)
        contradictions = self._study(parsed, schema, default_schema)
        traces = self._trace()
        found = sorted(chain.from_iterable(each.findings for each in traces))
        lost = [f for _, few in sorted(_merged(p.findings for p in parsed).items()) for f in few]
        return Survey(
            self._reading.sources,
            in_order([*self._reading.findings, *lost, *contradictions, *(f for _, f in found)]),
            frozenset[str]().union(*(each.temporary for each in traces)),
            self._learned(traces),
            _merged(each.placeholders for each in parsed),
            self._here.studied,
            self._quotes() if quotes else (),
        )

    # --- resolving

    def _study(
        self, parsed: Sequence[Parsed], schema: Schema | None, default_schema: str
    ) -> tuple[Finding, ...]:
        first = min((p.dialect for p in parsed if p.dialect is not None), default=None)
        given = read_schema(schema, first[1] if first is not None else "")
        headers = sorted((h for p in parsed for h in p.headers), key=lambda h: h.place)
        altered = sorted((a for p in parsed for a in p.altered), key=lambda a: a.place)
        reads = self._reads(bare_names(given, headers, default_schema))
        known = know(given, headers, altered, reads, default_schema)
        progress = self._note(self._all([Study(known)] * len(self._untold), Progress))
        for _ in range(_ROUNDS):
            if not any(
                each.wanted & news.keys() for each, news in zip(progress, self._untold, strict=True)
            ):
                break
            questions = [Tell(news) for news in self._untold]
            self._untold = [{} for _ in questions]
            progress = self._note(self._all(questions, Progress))
        self._adopt([place for each in progress for place in each.left])
        return known.findings

    def _reads(self, bare: frozenset[str]) -> Reads:
        if not bare:
            return {}
        found: dict[str, frozenset[str]] = {}
        for each in self._all([Dotted(bare)] * len(self._untold), dict):
            for last, names in each.items():
                found[last] = found.get(last, frozenset()) | names
        return found

    def _note(self, progress: list[Progress]) -> list[Progress]:
        """What one has found out is news for the others."""
        for at, each in enumerate(progress):
            self._spread(at, each.tables)
        return progress

    def _spread(self, at: int, tables: Mapping[Place, Table | None]) -> None:
        for other, untold in enumerate(self._untold):
            if other != at:
                untold |= tables

    def _adopt(self, left: Sequence[Place]) -> None:
        """What waits for itself, or for too long, is done here, all in one order."""
        self._taken = frozenset(left)
        if left:
            pile = self._reading.sources
            paths = {pile[place.source].path for place in left}
            # all texts of a path: whether it is one statement is a question to all of them
            sources = {n: source for n, source in enumerate(pile) if source.path in paths}
            self._here.studied.tell(self._untold[0])
            self._spread(0, self._here.adopt(sources, self._taken))

    # --- tracing

    def _trace(self) -> list[Traces]:
        nobody = frozenset[Place]()
        taken = (nobody if at == 0 else self._taken for at in range(len(self._untold)))
        questions = [Trace(*each) for each in zip(self._untold, taken, strict=True)]
        return self._all(questions, Traces)

    def _learned(self, traces: Sequence[Traces]) -> tuple[tuple[Place, tuple[Traced, ...]], ...]:
        """The edges of all statements; names left open are settled by uses elsewhere."""
        first = dict(sorted((pair for each in traces for pair in each.traced), key=_place))
        files = sorted((pair for each in traces for pair in each.files), key=_place)
        seen = tuple(uses(chain.from_iterable(first.values()), (each for _, each in files)))
        self._here.studied.learn(seen)
        ambiguous = [
            any(is_ambiguous(t) for _, all_ in each.traced for t in all_) for each in traces
        ]
        questions = [Learn(seen) if some else None for some in ambiguous]
        for again in self._all(questions, tuple):
            first |= again
        return tuple(first.items())

    def _quotes(self) -> tuple[Quoted | None, ...]:
        answers = self._all([Cite()] * len(self._untold), Quotes)
        found = sorted((pair for each in answers for pair in each.quotes), key=_place)
        return tuple(one for _, all_ in found for one in all_)

    # --- asking

    def _all(self, questions: Sequence[Question | None], kind: type[A]) -> list[A]:
        """Answers of all shards, in their order; who gets no question gives none."""
        for port, question in zip(self._others, questions[1:], strict=True):
            if question is not None:
                port.ask(question)
        asked = [p for p, question in zip(self._others, questions[1:], strict=True) if question]
        own = [self._here.answer(questions[0])] if questions[0] is not None else []
        answers = [*own, *(port.answer() for port in asked)]
        wrong = [each for each in answers if not isinstance(each, kind)]
        assert not wrong, f"{kind.__name__} was asked for: {wrong[0]}"
        return answers  # type: ignore[return-value]


def _place(pair: tuple[Place, object]) -> Place:
    return pair[0]


def _merged(parts: Iterable[Mapping[int, A]]) -> dict[int, A]:
    return {number: value for part in parts for number, value in part.items()}
