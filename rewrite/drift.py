"""Drift: definitions that contradict each other. Among many copies of the same logic, the few
that say it otherwise and look like a mistake, each with its evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
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
from unwet.rewrite.terms import constant, literals
from unwet.rewrite.tracing import Place
from unwet.rewrite.variation import Variation

LEAST_SCORE: Final = 0.5
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


@dataclass(frozen=True, slots=True)
class _Located:
    """A node of a fact's expression. `handed`: a column as another block gives it."""

    fact: Fact
    node: exp.Expression
    handed: bool = False

    @property
    def is_all(self) -> bool:
        """Whether the fact says nothing more than that column."""
        return self.handed and self.node is self.fact.node.unnest()

    @property
    def statement(self) -> Statement:
        return self.fact.block.resolved.statement


class _Judge:
    """Turns the outliers of one pile into findings."""

    def __init__(self, found: Facts, known: Accepted) -> None:
        self._known = known
        self.accepted: list[tuple[Deviation, str]] = []
        self._found, self._tracer, self._terms = found, found.tracer, found.tracer.terms
        self._places = Places()
        self._variation = Variation(found, self._places)
        self._by_block: dict[int, set[tuple[Hashable, str]]] = defaultdict(set)
        for fact in found.facts:
            if not fact.is_bare:
                self._by_block[id(fact.block)].add((fact.slot, fact.value))
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
            wrong = sum(self._comes_from(fact, flagged) for fact in outlier.vote.majority)
            if 2 * wrong < outlier.vote.votes and (told := self._told(outlier, flagged)):
                yield told

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
        model = self._located(other, right)
        like = model.fact if model is not None else other
        found = self._located(fact, wrong, like, right)
        if found is None and self._comes_from(fact, flagged):
            return None  # told where it stands
        found, model = found or _Located(fact, fact.node), model or _Located(other, other.node)
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

    def _located(
        self, fact: Fact, part: Expr, like: Fact | None = None, other: Expr | None = None
    ) -> _Located | None:
        """Where a part of a fact's term stands, not as a part of `other`: in its expression, or in
        one that this is made of. Rather where the majority says it, in the expression with the
        slot of `like`; rather where something is made of it than where it is only handed on."""
        slot = like.slot if like is not None else None
        found = list(self._occurrences(fact, part, other))
        made = [each for each in found if not each.is_all]
        same = [each for each in made if each.fact.slot == slot]
        here = [each for each in found if not each.handed]
        role = [e for e in found if e.fact.slot == slot and like and self._share(e.fact, like)]
        ranked = [*same[:1], *here[:1], *role[:1], *made[:1], *found[:1]]
        return ranked[0] if ranked else None

    def _occurrences(self, fact: Fact, part: Expr, other: Expr | None) -> Iterator[_Located]:
        """The nodes whose term is that part, in the fact's expression first."""
        todo, seen = [fact], {id(fact)}
        while todo:
            here = todo.pop()
            node = self._node(here, part, other)
            if node is not None:
                handed = here.is_bare or self._hands_on(here, node)
                yield _Located(here, node, handed)
            below = [f for f in self._facts_below(here) if id(f) not in seen]
            seen |= {id(f) for f in below}
            todo.extend(reversed(below))

    def _share(self, one: Fact, other: Fact) -> bool:
        """Whether a block says most of what the other says."""
        wanted = {said for said in self._by_block[id(other.block)] if said[0] != other.slot}
        return 2 * len(wanted & self._by_block[id(one.block)]) >= max(1, len(wanted))

    def _facts_below(self, fact: Fact) -> Iterator[Fact]:
        """The outputs that a fact is made of, through branches and stars."""
        todo, seen = sorted(fact.reads), set(fact.reads)
        while todo:
            place = todo.pop(0)
            below = self._said.get(place)
            if below is not None:
                yield below
                continue
            more = sorted(self._found.made_of.get(place, frozenset()) - seen)
            seen.update(more)
            todo.extend(more)

    def _hands_on(self, fact: Fact, node: exp.Expression) -> bool:
        """Whether a node is a column that another block gives."""
        return isinstance(node, exp.Column) and any(
            self._tracer.reads(fact.block.query, node, fact.clause)
        )

    def _node(self, fact: Fact, part: Expr, other: Expr | None) -> exp.Expression | None:
        """The last and smallest node of a fact's expression whose term is that part."""
        found: exp.Expression | None = None
        wanted, masked = self._terms.masked(part), self._terms.masked(part) == part
        out = self._terms.masked(other) if other is not None else None
        todo: list[exp.Expr] = [fact.node]
        while todo:
            node = todo.pop()
            term = self._tracer.term(fact.block.query, node, fact.clause)
            said = self._terms.masked(term) if term is not None else None
            if said is not None and said == out and masked:
                continue
            if not isinstance(node, exp.Query):
                todo.extend(reversed(list(node.iter_expressions())))
            fits = said == wanted and term is not None
            if fits and (masked or literals(term) == literals(part)):
                found = node if isinstance(node, exp.Expression) else found
        return found


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
