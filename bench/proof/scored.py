"""Scores of the units of one pile, and what they come to together.

score(name, meaning) -> Pile of Scored
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.generation import Generator, values_for
from unwet.rewrite.prove.mutants import OPERATORS
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.strength import CLOCK, Changed, Limits, Strength, Tally, strength
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.synthetic.parameters import bound
from unwet.rewrite.prove.synthetic.units import Unit, units

LIMITS = Limits(most=60, each=2, effort=800_000)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mutant as people see it."""

    operator: str
    place: str
    diff: str

    @staticmethod
    def of(each: Changed) -> "Mistake":
        return Mistake(each.operator, f"{each.at.path}:{each.at.line}", each.diff)


@dataclass(frozen=True, slots=True)
class Scored:
    """One report, as plain values: `rows` on each database that it ran on and that is stable,
    `unstable` how many are not; CPU seconds to make the databases, and to try the mutants."""

    name: str
    path: str
    rows: tuple[int, ...]
    unstable: int
    failure: str
    tallies: Mapping[str, Tally]
    survivors: tuple[Mistake, ...]
    false_proofs: tuple[Mistake, ...]
    making: float
    trying: float

    @property
    def executes(self) -> bool:
        return bool(self.rows or self.unstable)

    @property
    def returns(self) -> bool:
        return any(self.rows) or bool(self.unstable)


@dataclass(slots=True)
class Pile:
    """All units of a pile; `tallies` by operator."""

    name: str
    scored: list[Scored] = field(default_factory=list)
    seconds: float = 0.0  # CPU, for databases and mutants

    @property
    def tallies(self) -> dict[str, Tally]:
        return added(each.tallies for each in self.scored)

    def count(self, which: Callable[[Scored], object]) -> int:
        return sum(1 for each in self.scored if which(each))

    @property
    def false_proofs(self) -> int:
        return sum(len(each.false_proofs) for each in self.scored)

    @property
    def failures(self) -> Counter[str]:
        """Why units did not execute, the most frequent first."""
        return Counter(e.failure for e in self.scored if not e.executes)


def added(many: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    """Sums over mappings of operator -> Tally, in the order of the operators."""
    sums: dict[str, Tally] = {}
    for each in many:
        for name, tally in each.items():
            old = sums.get(name, Tally())
            sums[name] = Tally(
                old.valid + tally.valid,
                old.killed + tally.killed,
                old.equivalent + tally.equivalent,
                old.refused + tally.refused,
            )
    return {name: sums[name] for name in OPERATORS if name in sums}


def score(
    name: str,
    meaning: Meaning,
    *,
    most: int | None = None,
    start: int = 0,
    done: Sequence[Scored] = (),
    limits: Limits = LIMITS,
    tell: Callable[[Scored], None] = lambda _: None,
) -> Pile:
    """Every unit, or `most` of them at equal distances, each told when it is there; `done` are
    those of an earlier run. `start`: so many places further on, for another sample. Raises nothing
    for a report: what is wrong with it is its failure."""
    meaning = bound(meaning, values_for(meaning, {}))
    generator = Generator(meaning, CLOCK)
    meant = Meant(meaning, generator.catalog)
    scored = list(done)
    known = {each.name for each in done}
    for unit in sample(list(units(meaning)), most, start):
        if unit.name not in known:
            scored.append(_scored(unit, generator, meant, limits))
            tell(scored[-1])
    generator.close()
    return Pile(name, scored, sum(each.making + each.trying for each in scored))


def sample(every: Sequence[Unit], most: int | None, start: int) -> list[Unit]:
    """`most` of them at equal distances, so many places further on; all where there are no more."""
    size = len(every)
    if most is None or most >= size:
        return list(every)
    return [every[(at * size // most + start) % size] for at in range(most)]


def _scored(unit: Unit, generator: Generator, meant: Meant, limits: Limits) -> Scored:
    tried = attempt(unit, generator, meant, limits)
    found = tried.strength
    return Scored(
        unit.name,
        unit.report.span.path,
        found.rows,
        found.unstable,
        found.failure,
        dict(found.operators),
        tuple(map(Mistake.of, found.survivors)),
        tuple(map(Mistake.of, found.false_proofs)),
        tried.making,
        tried.trying,
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One unit with everything that was made for it."""

    unit: Unit
    databases: tuple[Database, ...]
    strength: Strength
    making: float
    trying: float


def attempt(unit: Unit, generator: Generator, meant: Meant, limits: Limits = LIMITS) -> Attempt:
    """Databases for one unit, and what they show."""
    start = time.process_time()
    databases = generator.databases(unit)
    made = time.process_time()
    found = strength(unit, databases, meant, limits=limits, proofs=True, apart=generator.apart)
    return Attempt(unit, databases, found, made - start, time.process_time() - made)


def attempts(meaning: Meaning, name: str) -> Iterator[Attempt]:
    """All units of that name."""
    meaning = bound(meaning, values_for(meaning, {}))
    generator = Generator(meaning, CLOCK)
    meant = Meant(meaning, generator.catalog)
    for unit in units(meaning):
        if unit.name == name:
            yield attempt(unit, generator, meant)
    generator.close()
