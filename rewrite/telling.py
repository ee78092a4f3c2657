"""Outliers in words: what the majority says, what the outlier says, and where."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement
from unwet.rewrite.algebra import Expr
from unwet.rewrite.blocks import Places
from unwet.rewrite.differences import code, difference, is_edit
from unwet.rewrite.facts import Block, Fact, FactKind, Facts
from unwet.rewrite.standing import Outlier
from unwet.rewrite.terms import constant
from unwet.rewrite.tracing import Place
from unwet.rewrite.whereabouts import Located, Whereabouts

_WIDEST: Final = 160  # characters of an expression that is shown
SHOWN_COLUMNS: Final = 3
VOTERS: Final = 3  # copies of the majority that are shown


@dataclass(frozen=True, slots=True, order=True)
class Deviation:
    """Where a copy says it otherwise, and how; `expression` is empty where something is missing."""

    path: str
    line: int
    expression: str


@dataclass(frozen=True, slots=True)
class Told:
    """An outlier in words, with the key that it shares with others of the same difference.

    `block` is the one that it stands in. `said` and `model`: the expressions of the outlier and
    of the nearest copy of the majority, None where nothing stands; `wrong` and `right` their
    terms.
    """

    outlier: Outlier
    key: tuple[object, ...]
    code: str
    about: str
    majority: str
    deviation: Deviation
    block: Block
    said: Located | None = None
    model: Located | None = None
    right: Expr | None = None
    wrong: Expr | None = None


class Telling:
    """Tells the outliers of one pile."""

    def __init__(self, found: Facts, places: Places, whereabouts: Whereabouts) -> None:
        self._terms, self._places, self._whereabouts = found.tracer.terms, places, whereabouts
        self._restore = found.restore

    def told(self, outlier: Outlier, flagged: Container[Place | None]) -> Told | None:
        match outlier.fact.kind:
            case "join":
                return self._told_join(outlier)
            case "grain" | "distinct" | "union" | "order" | "name":
                return self._told_rows(outlier)
            case _ if outlier.missing:
                return self._told_missing(outlier)
            case _ if outlier.added:
                return self._told_added(outlier)
            case _:
                return self._told_difference(outlier, flagged)

    def voters(self, outlier: Outlier) -> tuple[Deviation, ...]:
        """The copies of the majority that are nearest to an outlier, nearest first."""
        found: dict[tuple[str, int], Deviation] = {}
        for fact in outlier.vote.majority:
            statement = fact.block.resolved.statement
            span, text = _span(fact.node, statement), ""
            if outlier.added:
                span = self._places.span(statement, fact.node)
            elif fact.kind == "join":
                span, text = self._places.item(statement, fact.node), _join_text(fact)
            elif fact.text:
                text = _shortened(statement.masked.restore(fact.text))
            else:
                text = _text(fact.node, statement)
            found.setdefault((span.path, span.line), Deviation(span.path, span.line, text))
        return tuple(found.values())[:VOTERS]

    def _told_join(self, outlier: Outlier) -> Told:
        fact, other = outlier.fact, outlier.other
        statement = fact.block.resolved.statement
        span = self._places.item(statement, fact.node)
        name = fact.node.alias_or_name or "a derived table"
        return Told(
            outlier,
            ("join", fact.slot, fact.value, other.value),
            "DRIFT_JOIN",
            name,
            _join_text(other),
            Deviation(span.path, span.line, _join_text(fact)),
            fact.block,
        )

    def _told_rows(self, outlier: Outlier) -> Told:
        fact, other = outlier.fact, outlier.other
        statement = fact.block.resolved.statement
        if fact.kind in ("distinct", "union"):
            span = self._places.span(statement, fact.node)
        else:
            span = _span(fact.node, statement)
        outputs = [output.name for output in fact.block.query.outputs]
        return Told(
            outlier,
            (fact.kind, fact.slot, fact.value, other.value),
            _code_of_rows(fact.kind),
            "" if fact.kind == "name" else ", ".join(outputs[:3]) + ", ..." * (len(outputs) > 3),
            _shortened(other.block.resolved.statement.masked.restore(other.text)),
            Deviation(span.path, span.line, _shortened(statement.masked.restore(fact.text))),
            fact.block,
        )

    def _told_missing(self, outlier: Outlier) -> Told:
        fact, block = outlier.fact, outlier.block
        span = self._places.from_word(block.resolved.statement, block.query.node)
        return Told(
            outlier,
            ("missing", fact.slot),
            "DRIFT_FILTER",
            self._relation(fact),
            _text(fact.node, fact.block.resolved.statement),
            Deviation(span.path, span.line, ""),
            block,
            model=Located(fact, fact.node),
        )

    def _told_added(self, outlier: Outlier) -> Told:
        fact, here = outlier.fact, Located(outlier.fact, outlier.fact.node)
        span = _span(fact.node, here.statement)
        return Told(
            outlier,
            ("added", fact.slot, fact.value),
            "DRIFT_FILTER",
            self._relation(fact),
            "",
            Deviation(span.path, span.line, _text(fact.node, here.statement)),
            fact.block,
            said=here,
        )

    def _told_difference(self, outlier: Outlier, flagged: Container[Place | None]) -> Told | None:
        fact, other = outlier.fact, outlier.other
        assert fact.term is not None and other.term is not None
        if outlier.at is None:
            right, wrong = difference(self._terms.masked(other.term), self._terms.masked(fact.term))
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
        return Told(
            outlier,
            (found.fact.kind, found.fact.name or found.fact.slot, right.digest, wrong.digest),
            code(right, wrong),
            found.fact.name or self._tested(found.fact),
            _text(model.node, model.statement),
            Deviation(span.path, span.line, _text(found.node, found.statement)),
            found.fact.block,
            found,
            model,
            right,
            wrong,
        )

    def _relation(self, fact: Fact) -> str:
        """The relation that a filter is about."""
        names = self._terms.relations(fact.term) if fact.term is not None else ()
        return self._restore(min(names, default=""))

    def _tested(self, fact: Fact) -> str:
        """The columns that a condition is about."""
        if fact.term is None:
            return ""
        names = sorted({self._terms.names[at][1] for at in self._terms.bases(fact.term)})
        return ", ".join(names[:SHOWN_COLUMNS]) + ", ..." * (len(names) > SHOWN_COLUMNS)

    def _is_elsewhere(self, right: Expr, wrong: Expr) -> bool:
        """Whether the copies read other tables there."""
        one, other = self._terms.relations(right), self._terms.relations(wrong)
        return bool(one and other and not one & other)


def _code_of_rows(kind: FactKind) -> str:
    match kind:
        case "order":
            return "DRIFT_ORDER"
        case "name":
            return "DRIFT_NAME"
        case _:
            return "DRIFT_GRAIN"


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
    return _shortened(statement.masked.restore(node.sql(dialect=statement.dialect, comments=False)))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
