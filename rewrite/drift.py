"""Drift: definitions that contradict each other. Among many copies of the same logic, the few
that say it otherwise and look like a mistake, each with its evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from unwet.lineage.findings import Finding
from unwet.lineage.names import deep_stack
from unwet.lineage.pile import Inputs, Pile, load
from unwet.lineage.schema import Schema
from unwet.rewrite.accepted import Accepted, Accepting, accepted
from unwet.rewrite.blocks import Places
from unwet.rewrite.consequence import consequence, strength
from unwet.rewrite.differences import signs
from unwet.rewrite.evidence import Witness
from unwet.rewrite.facts import Facts, facts
from unwet.rewrite.outliers import outliers
from unwet.rewrite.standing import Outlier
from unwet.rewrite.telling import Deviation, Telling, Told
from unwet.rewrite.tracing import Tracer
from unwet.rewrite.variation import Variation
from unwet.rewrite.whereabouts import Whereabouts

__all__ = ["Deviation", "Drift", "DriftFinding", "drift", "find_drift"]

LEAST_SCORE: Final = 0.45
MANY: Final = 0.4  # outliers for each copy of the majority: more are another opinion


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """One contradiction: what the majority of the copies says, and the places that do not.

    `code`: DRIFT_FILTER, DRIFT_JOIN, ... `votes` copies say `majority` (empty where they have
    nothing of the kind), `against` say what the outliers say. `about`: the output or relation that
    it is about. `score`: 0 to 1. `voters`: where the copies stand that are nearest to the outlier.
    `signs`: of a boundary, how the copies and how the outliers compare with it, whatever it is.
    `witnesses`: what the data says, where there is any, one for each of the outliers.
    """

    code: str
    votes: int
    against: int
    about: str
    majority: str
    outliers: tuple[Deviation, ...]
    score: float
    voters: tuple[Deviation, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    signs: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """The contradictions of a pile, the surest first. `accepted`: outliers left out because
    somebody accepted them, with the reason; `notes`: marks that count for nothing. `told` and
    `tracer`: what the findings come from, for whoever looks for more evidence."""

    findings: tuple[DriftFinding, ...]
    accepted: tuple[tuple[Deviation, str], ...] = ()
    notes: tuple[Finding, ...] = ()
    told: tuple[tuple[Told, ...], ...] = field(default=(), repr=False, compare=False)
    tracer: Tracer | None = field(default=None, repr=False, compare=False)


def find_drift(
    sources: Inputs | Pile,
    dialect: str | None = None,
    schema: Schema | None = None,
    default_schema: str | None = None,
    params: Mapping[str, str] | None = None,
) -> tuple[DriftFinding, ...]:
    """The contradictions of a pile, the surest first.

    `sources`: a path, a Source, an iterable of them, or a pile that has been read. `schema`:
    `{"db.table": ["col"]}`, `{"db.table": {"col": "TYPE"}}`, or a file.
    """
    if not isinstance(sources, Pile):
        sources = load(sources, dialect, schema, params, default_schema)
    return drift(sources).findings


def drift(pile: Pile, intended: Iterable[Accepting] = ()) -> Drift:
    """The contradictions of a pile that has been read, without what `intended` accepts."""
    with deep_stack():
        found, known = facts(pile), accepted(pile, intended)
        judge = _Judge(found, known)
        pairs = judge.findings(list(outliers(found)))
        return Drift(
            tuple(finding for finding, _ in pairs),
            tuple(sorted(set(judge.accepted))),
            known.findings,
            tuple(told for _, told in pairs),
            found.tracer,
        )


class _Judge:
    """Turns the outliers of one pile into findings."""

    def __init__(self, found: Facts, known: Accepted) -> None:
        self._known = known
        self.accepted: list[tuple[Deviation, str]] = []
        self._whereabouts = Whereabouts(found)
        places = Places()
        self._telling = Telling(found, places, self._whereabouts)
        self._variation = Variation(found, places)

    def findings(self, odd: Sequence[Outlier]) -> list[tuple[DriftFinding, tuple[Told, ...]]]:
        """One finding for each difference with what it tells, the surest first."""
        groups: dict[tuple[object, ...], list[Told]] = defaultdict(list)
        for told in self._unexplained(odd):
            groups[told.key].append(told)
        made = [self._finding(group) for group in self._distinct(groups)]
        kept = [pair for pair in made if pair is not None]
        kept.sort(key=lambda pair: (-pair[0].score, pair[0].outliers, pair[0].code))
        return kept

    def _distinct(self, groups: Mapping[tuple[object, ...], list[Told]]) -> Iterator[list[Told]]:
        """Each place once: in the group that is surest of it."""
        order = sorted(groups.values(), key=lambda g: -max(t.outlier.vote.score for t in g))
        taken: set[tuple[str, int]] = set()
        for group in order:
            left: dict[tuple[str, int], Told] = {}
            for told in sorted(group, key=lambda t: -t.outlier.vote.score):
                place = (told.deviation.path, told.deviation.line)
                if place not in taken:
                    left.setdefault(place, told)
            taken |= left.keys()
            if left:
                yield list(left.values())

    def _unexplained(self, odd: Sequence[Outlier]) -> Iterator[Told]:
        """The outliers in words, without those that a majority has from another mistake."""
        flagged = {o.fact.place for o in odd if o.fact.place is not None and not o.missing}
        for outlier in odd:
            wrong = sum(
                self._whereabouts.comes_from(fact, flagged) for fact in outlier.vote.majority
            )
            if 2 * wrong < outlier.vote.votes and (told := self._telling.told(outlier, flagged)):
                yield told

    def _finding(self, group: Sequence[Told]) -> tuple[DriftFinding, tuple[Told, ...]] | None:
        alike = [told.outlier for told in group]
        left = [
            told
            for told in group
            if not self._variation.is_meant(told.outlier, told.block, told.deviation.line, alike)
            and not self._is_accepted(told)
        ]
        if not left:
            return None
        first = max(left, key=lambda told: told.outlier.vote.score)
        vote, places = first.outlier.vote, {told.deviation for told in left}
        slots = {told.outlier.fact.slot: told.outlier.vote.all_votes for told in left}
        votes = sum(slots.values())
        if vote.score < LEAST_SCORE or len(places) > MANY * votes:
            return None
        finding = DriftFinding(
            first.code,
            votes,
            len(places),
            first.about,
            first.majority,
            tuple(sorted(places)),
            round(strength(votes, len(places), vote.score) * consequence(first), 3),
            self._telling.voters(first.outlier),
            signs=signs(first.right, first.wrong) if first.right and first.wrong else None,
        )
        return finding, tuple(left)

    def _is_accepted(self, told: Told) -> bool:
        at = told.deviation
        reason = self._known.reason(told.code, at.path, at.line, at.expression)
        if reason:
            self.accepted.append((at, reason))
        return bool(reason)
