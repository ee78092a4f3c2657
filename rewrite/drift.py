"""Drift: definitions that contradict each other. Among many copies of the same logic, the few
that say it otherwise and look like a mistake, each with its evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.config import Intended
from unwet.lineage.findings import Finding, Span
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import Statement
from unwet.lineage.pile import Inputs, Pile, load
from unwet.lineage.schema import Schema
from unwet.rewrite.accepted import Accepted, accepted
from unwet.rewrite.algebra import Expr
from unwet.rewrite.blocks import Places
from unwet.rewrite.differences import code, is_edit, smallest
from unwet.rewrite.facts import Block, Fact, Facts, facts
from unwet.rewrite.outliers import Outlier, outliers
from unwet.rewrite.terms import constant
from unwet.rewrite.tracing import Place
from unwet.rewrite.variation import Variation
from unwet.rewrite.whereabouts import Located, Whereabouts

LEAST_SCORE: Final = 0.45
MANY: Final = 0.4  # outliers for each copy of the majority: more are another opinion
_WIDEST: Final = 160  # characters of an expression that is shown


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """Where a copy says it otherwise, and how; `expression` is empty where something is missing."""

    path: str
    line: int
    expression: str


@dataclass(frozen=True, slots=True)
class DriftFinding:
    """One contradiction: what the majority of the copies says, and the places that do not.

    `code`: DRIFT_FILTER, DRIFT_JOIN, ... `votes` copies say `majority`, `against` say what the
    outliers say. `about`: the output or relation that it is about. `score`: 0 to 1.
    """

    code: str
    votes: int
    against: int
    about: str
    majority: str
    outliers: tuple[Deviation, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Drift:
    """The contradictions of a pile, the surest first. `accepted`: outliers left out because
    somebody accepted them, with the reason; `notes`: marks that count for nothing."""

    findings: tuple[DriftFinding, ...]
    accepted: tuple[tuple[Deviation, str], ...] = ()
    notes: tuple[Finding, ...] = ()


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


def drift(pile: Pile, intended: Iterable[Intended] = ()) -> Drift:
    """The contradictions of a pile that has been read, without what `intended` accepts."""
    with deep_stack():
        found, known = facts(pile), accepted(pile, intended)
        judge = _Judge(found, known)
        findings = judge.findings(list(outliers(found)))
        return Drift(tuple(findings), tuple(sorted(set(judge.accepted))), known.findings)


@dataclass(frozen=True, slots=True)
class _Told:
    """An outlier in words, with the key that it shares with others of the same difference."""

    outlier: Outlier
    key: tuple[object, ...]
    code: str
    about: str
    majority: str
    deviation: Deviation
    block: Block


class _Judge:
    """Turns the outliers of one pile into findings."""

    def __init__(self, found: Facts, known: Accepted) -> None:
        self._known = known
        self.accepted: list[tuple[Deviation, str]] = []
        self._terms = found.tracer.terms
        self._whereabouts = Whereabouts(found)
        self._places = Places()
        self._variation = Variation(found, self._places)

    def findings(self, odd: Sequence[Outlier]) -> list[DriftFinding]:
        """One finding for each difference, the surest first."""
        groups: dict[tuple[object, ...], list[_Told]] = defaultdict(list)
        for told in self._unexplained(odd):
            groups[told.key].append(told)
        made = [self._finding(group) for group in self._distinct(groups)]
        kept = [finding for finding in made if finding is not None]
        kept.sort(key=lambda f: (-f.score, f.outliers, f.code))
        return kept

    def _distinct(self, groups: Mapping[tuple[object, ...], list[_Told]]) -> Iterator[list[_Told]]:
        """Each place once: in the group that is surest of it."""
        order = sorted(groups.values(), key=lambda g: -max(t.outlier.vote.score for t in g))
        taken: set[tuple[str, int]] = set()
        for group in order:
            left: dict[tuple[str, int], _Told] = {}
            for told in sorted(group, key=lambda t: -t.outlier.vote.score):
                place = (told.deviation.path, told.deviation.line)
                if place not in taken:
                    left.setdefault(place, told)
            taken |= left.keys()
            if left:
                yield list(left.values())

    def _unexplained(self, odd: Sequence[Outlier]) -> Iterator[_Told]:
        """The outliers in words, without those that a majority has from another mistake."""
        flagged = {o.fact.place for o in odd if o.fact.place is not None and not o.missing}
        for outlier in odd:
            wrong = sum(
                self._whereabouts.comes_from(fact, flagged) for fact in outlier.vote.majority
            )
            if 2 * wrong < outlier.vote.votes and (told := self._told(outlier, flagged)):
                yield told

    def _finding(self, group: Sequence[_Told]) -> DriftFinding | None:
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
        return DriftFinding(
            first.code,
            votes,
            len(places),
            first.about,
            first.majority,
            tuple(sorted(places)),
            round(vote.score, 3),
        )

    def _is_accepted(self, told: _Told) -> bool:
        at = told.deviation
        reason = self._known.reason(told.code, at.path, at.line, at.expression)
        if reason:
            self.accepted.append((at, reason))
        return bool(reason)

    # --- words

    def _told(self, outlier: Outlier, flagged: Container[Place | None]) -> _Told | None:
        match outlier.fact.kind:
            case "join":
                return self._told_join(outlier)
            case _ if outlier.missing:
                return self._told_missing(outlier)
            case _:
                return self._told_difference(outlier, flagged)

    def _told_join(self, outlier: Outlier) -> _Told:
        fact, other = outlier.fact, outlier.other
        statement = fact.block.resolved.statement
        span = self._places.item(statement, fact.node)
        name = fact.node.alias_or_name or "a derived table"
        return _Told(
            outlier,
            ("join", fact.slot, fact.value, other.value),
            "DRIFT_JOIN",
            name,
            _join_text(other),
            Deviation(span.path, span.line, _join_text(fact)),
            fact.block,
        )

    def _told_missing(self, outlier: Outlier) -> _Told:
        fact, block = outlier.fact, outlier.block
        span = self._places.from_word(block.resolved.statement, block.query.node)
        relation = min(self._terms.relations(fact.term)) if fact.term is not None else ""
        return _Told(
            outlier,
            ("missing", fact.slot),
            "DRIFT_FILTER",
            relation,
            _text(fact.node, fact.block.resolved.statement),
            Deviation(span.path, span.line, ""),
            block,
        )

    def _told_difference(self, outlier: Outlier, flagged: Container[Place | None]) -> _Told | None:
        fact, other = outlier.fact, outlier.other
        assert fact.term is not None and other.term is not None
        if outlier.at is None:
            right, wrong = smallest(self._terms.masked(other.term), self._terms.masked(fact.term))
        else:
            right, wrong = constant(other.term, outlier.at), constant(fact.term, outlier.at)
        if self._is_elsewhere(right, wrong) or not is_edit(right, wrong):
            return None
        model = self._whereabouts.located(other, right)
        like = model.fact if model is not None else other
        found = self._whereabouts.located(fact, wrong, like, right)
        if found is None and self._whereabouts.comes_from(fact, flagged):
            return None  # told where it stands
        found, model = found or Located(fact, fact.node), model or Located(other, other.node)
        span = _span(found.node, found.statement)
        return _Told(
            outlier,
            (found.fact.kind, found.fact.name or found.fact.slot, right.digest, wrong.digest),
            code(right, wrong),
            found.fact.name,
            _text(model.node, model.statement),
            Deviation(span.path, span.line, _text(found.node, found.statement)),
            found.fact.block,
        )

    def _is_elsewhere(self, right: Expr, wrong: Expr) -> bool:
        """Whether the copies read other tables there."""
        one, other = self._terms.relations(right), self._terms.relations(wrong)
        return bool(one and other and not one & other)


def _join_text(fact: Fact) -> str:
    word = {"inner": "JOIN", "left": "LEFT JOIN", "full": "FULL JOIN"}
    table = fact.node
    name = table.name if isinstance(table, exp.Table) else "(...)"
    if isinstance(table, exp.Table) and table.args.get("db") is not None:
        name = f"{table.db}.{name}"
    restore = fact.block.resolved.statement.masked.restore
    return restore(f"{word.get(fact.value, fact.value.upper() + ' JOIN')} {name}")


def _span(node: exp.Expression, statement: Statement) -> Span:
    """The place of a node, or of what it stands in where its own words have none."""
    above: exp.Expr | None = node
    while above is not None and not any("start" in part.meta for part in above.walk()):
        above = above.parent
    return statement.span_of(above or node)


def _text(node: exp.Expression, statement: Statement) -> str:
    text = statement.masked.restore(node.sql(dialect=statement.dialect, comments=False))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
