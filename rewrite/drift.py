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
from unwet.rewrite.differences import code, smallest
from unwet.rewrite.facts import Fact, Facts, facts
from unwet.rewrite.outliers import Outlier, outliers
from unwet.rewrite.terms import holder, literals
from unwet.rewrite.tracing import Place
from unwet.rewrite.variation import Variation

LEAST_SCORE: Final = 0.5
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
    outliers say (counted among the nearest copies of the first outlier). `about`: the output or
    relation that it is about. `score`: 0 to 1.
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


class _Judge:
    """Turns the outliers of one pile into findings."""

    def __init__(self, found: Facts, known: Accepted) -> None:
        self._known = known
        self.accepted: list[tuple[Deviation, str]] = []
        self._found, self._tracer, self._terms = found, found.tracer, found.tracer.terms
        self._places = Places()
        self._variation = Variation(found, self._places)
        self._said = {fact.place: fact for fact in found.facts if fact.place is not None}

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
        taken: set[tuple[str, int, str]] = set()
        for group in order:
            left = []
            for told in group:
                place = (told.deviation.path, told.deviation.line, told.deviation.expression)
                if place not in taken:
                    taken.add(place)
                    left.append(told)
            if left:
                yield left

    def _unexplained(self, odd: Sequence[Outlier]) -> Iterator[_Told]:
        """The outliers that are no mere consequence of another one."""
        flagged = {o.fact.place for o in odd if o.fact.place is not None and not o.missing}
        for outlier in odd:
            if outlier.missing or not self._comes_from(outlier.fact, flagged):
                yield self._told(outlier)

    def _comes_from(self, fact: Fact, flagged: Container[Place | None]) -> bool:
        stack, seen = list(fact.reads), set(fact.reads)
        while stack:
            place = stack.pop()
            if place in flagged:
                return True
            below = self._found.made_of.get(place, frozenset()) - seen
            seen |= below
            stack.extend(below)
        return False

    def _finding(self, group: Sequence[_Told]) -> DriftFinding | None:
        alike = [told.outlier for told in group]
        left = [
            told
            for told in group
            if not self._variation.is_meant(told.outlier, told.deviation.line, alike)
            and not self._is_accepted(told)
        ]
        if not left:
            return None
        first = max(left, key=lambda told: told.outlier.vote.score)
        vote = first.outlier.vote
        if vote.score < LEAST_SCORE:
            return None
        return DriftFinding(
            first.code,
            vote.votes,
            max(vote.against, len(left)),
            first.about,
            first.majority,
            tuple(sorted({told.deviation for told in left})),
            round(vote.score, 3),
        )

    def _is_accepted(self, told: _Told) -> bool:
        at = told.deviation
        reason = self._known.reason(told.code, at.path, at.line, at.expression)
        if reason:
            self.accepted.append((at, reason))
        return bool(reason)

    # --- words

    def _told(self, outlier: Outlier) -> _Told:
        match outlier.fact.kind:
            case "join":
                return self._told_join(outlier)
            case _ if outlier.missing:
                return self._told_missing(outlier)
            case _:
                return self._told_difference(outlier)

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
        )

    def _told_difference(self, outlier: Outlier) -> _Told:
        fact, other = outlier.fact, outlier.other
        assert fact.term is not None and other.term is not None
        if outlier.at is None:
            right, wrong = smallest(self._terms.masked(other.term), self._terms.masked(fact.term))
        else:
            right, wrong = holder(other.term, outlier.at), holder(fact.term, outlier.at)
        statement, node = self._located(fact, wrong)
        other_statement, other_node = self._located(other, right)
        span = _span(node, statement)
        return _Told(
            outlier,
            (fact.kind, fact.slot, right.digest, wrong.digest),
            code(right, wrong),
            fact.name,
            _text(other_node, other_statement),
            Deviation(span.path, span.line, _text(node, statement)),
        )

    def _located(self, fact: Fact, part: Expr) -> tuple[Statement, exp.Expression]:
        """Where the part of a fact's term stands: in its expression, or in what that reads."""
        stack, seen = [fact], {id(fact)}
        while stack:
            here = stack.pop()
            node = self._node(here, part)
            if node is not None:
                return here.block.resolved.statement, node
            for place in sorted(here.reads, reverse=True):
                below = self._said.get(place)
                if below is not None and id(below) not in seen:
                    seen.add(id(below))
                    stack.append(below)
        return fact.block.resolved.statement, fact.node

    def _node(self, fact: Fact, part: Expr) -> exp.Expression | None:
        """The smallest node of a fact's expression whose term is that part."""
        found: exp.Expression | None = None
        wanted = self._terms.masked(part).digest
        for node in fact.node.walk():
            if isinstance(node, exp.Expression) and not isinstance(node, exp.Query):
                term = self._tracer.term(fact.block.query, node, fact.clause)
                if term is None or self._terms.masked(term).digest != wanted:
                    continue
                if term == part or literals(term) == literals(part) or self._is_masked(part):
                    found = node
        return found

    def _is_masked(self, part: Expr) -> bool:
        return self._terms.masked(part) == part


def _join_text(fact: Fact) -> str:
    word = {"inner": "JOIN", "left": "LEFT JOIN", "full": "FULL JOIN"}
    table = fact.node
    name = table.name if isinstance(table, exp.Table) else "(...)"
    if isinstance(table, exp.Table) and table.args.get("db") is not None:
        name = f"{table.db}.{name}"
    return f"{word.get(fact.value, fact.value.upper() + ' JOIN')} {name}"


def _span(node: exp.Expression, statement: Statement) -> Span:
    """The place of a node, or of what it stands in where its own words have none."""
    above: exp.Expr | None = node
    while above is not None and not any("start" in part.meta for part in above.walk()):
        above = above.parent
    return statement.span_of(above or node)


def _text(node: exp.Expression, statement: Statement) -> str:
    text = statement.masked.restore(node.sql(dialect=statement.dialect, comments=False))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
