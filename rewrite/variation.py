"""Variation that is meant: a constant that follows a parameter of the report, or that a comment
beside it gives a reason for.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePath
from typing import Final

from sqlglot import exp

from unwet.lineage.lexer import COMMENT, pieces
from unwet.lineage.names import is_token
from unwet.lineage.parse import Statement
from unwet.rewrite.algebra import Call, Col, Expr, Lit, parts
from unwet.rewrite.blocks import Places
from unwet.rewrite.choices import is_chosen
from unwet.rewrite.facts import Block, Facts
from unwet.rewrite.standing import Outlier
from unwet.rewrite.terms import literals

MANY_VALUES: Final = 3  # a constant with so many values in copies is a parameter
_FOLDERS: Final = 2  # around a file
MANY_NUMBERS: Final = 15  # a number with so many: fewer may be mistakes, made in several ways
SURE_CHOICE: Final = 8  # copies that choose the same rows, before another choice looks wrong
_DATE: Final = re.compile(r"\d{4}-\d\d(-\d\d.*)?|\d{8}")
_WORD: Final = re.compile(r"[a-z]+|\d+")
_PERIODS: Final = frozenset(
    {"day", "daily", "week", "weekly", "month", "monthly", "quarter", "quarterly", "year", "yearly"}
    | {"annual", "qtr", "ytd", "mtd", "qtd", "fortnight", "decade", "hour", "hourly"}
)
_ON_PURPOSE: Final = re.compile(
    r"on purpose|purposely|intended|intentional|deliberate|absichtlich|mit absicht|exprès", re.I
)


class Variation:
    """Judges the outliers of one pile."""

    def __init__(self, found: Facts, places: Places) -> None:
        self._places = places
        self._choices = _choices(found)
        self._comments: dict[str, list[tuple[int, int, str]]] = {}

    def is_meant(self, outlier: Outlier, block: Block, line: int, alike: Sequence[Outlier]) -> bool:
        """Whether the outlier, which stands in that block and line, is variation. `alike` are all
        outliers with the same difference."""
        if self._has_reason(outlier, block, line) or self._has_label(alike):
            return True
        if outlier.at is None:
            return False
        literal = literals(outlier.fact.term)[outlier.at] if outlier.fact.term else None
        return literal is not None and (
            _is_parameter(outlier, literal)
            or _is_period(outlier, literal)
            or self._follows(outlier, alike)
        )

    # --- following a parameter

    def _follows(self, outlier: Outlier, alike: Sequence[Outlier]) -> bool:
        """Whether all reports with the odd constant choose the same rows, by a constant that no
        report of the majority has."""
        mine = {id(each.block.root): each.block for each in alike}
        if len(mine) < 2:
            return False
        shared = frozenset.intersection(*(self._chosen(block) for block in mine.values()))
        others = {id(fact.block.root): fact.block for fact in outlier.vote.majority}
        return any(
            all(choice not in self._chosen(block) for block in others.values()) for choice in shared
        )

    def _has_label(self, alike: Sequence[Outlier]) -> bool:
        """Whether the outliers call what they show something else: a constant in one column, such
        as the metric of a row, that each has with another outlier and none with a copy."""
        mine = {id(each.block): each.block for each in alike}
        labels = [_labels(block) for block in mine.values()]
        if len(labels) < 2 or not all(labels):
            return False
        theirs = [_labels(fact.block) for each in alike for fact in each.vote.majority]
        for name in frozenset.intersection(*(frozenset(each) for each in labels)):
            values = Counter(each[name] for each in labels)
            others = {each.get(name) for each in theirs}
            if min(values.values()) > 1 and not others & values.keys():
                return True
        return False

    def _chosen(self, block: Block) -> frozenset[tuple[frozenset[int] | int, str]]:
        return self._choices.get(id(block.root), frozenset())

    # --- comments

    def _has_reason(self, outlier: Outlier, block: Block, line: int) -> bool:
        statement = block.resolved.statement
        first = self._places.span(statement, block.query.node).line - 2
        for at, end, text in self._comments_of(statement):
            if first <= end and at <= line + 1:
                if line - 3 <= at and _ON_PURPOSE.search(text):
                    return True
                if outlier.at is not None and _says_value(text, outlier):
                    return True
        return False

    def _comments_of(self, statement: Statement) -> list[tuple[int, int, str]]:
        """(first line, last line, text) of the comments of a source."""
        source = statement.masked.source
        known = self._comments.get(source.path)
        if known is None:
            known = []
            line, done = 1, 0
            for piece in pieces(source.text, statement.dialect):
                if piece.kind == COMMENT:
                    line += source.text.count("\n", done, piece.start)
                    done = piece.start
                    text = source.text[piece.start : piece.end]
                    known.append((line, line + text.count("\n"), text))
            self._comments[source.path] = known
        return known


def _choices(found: Facts) -> Mapping[int, frozenset[tuple[frozenset[int] | int, str]]]:
    """By root: the (column, constant) pairs by which it chooses its rows."""
    known: dict[int, set[tuple[frozenset[int] | int, str]]] = defaultdict(set)
    for reading in found.readings:
        for fact in reading.found:
            for pair in _pairs(fact.term):
                known[id(reading.way[-1].root)].add(pair)
    return {key: frozenset(pairs) for key, pairs in known.items()}


def _pairs(term: Expr | None) -> Iterator[tuple[frozenset[int] | int, str]]:
    match term:
        case Call(op="eq", args=(tested, Lit(text=text))):
            columns = frozenset(c.index for c in _columns(tested))
            yield columns, text


def _columns(term: Expr) -> Iterator[Col]:
    return (part for part in parts(term) if isinstance(part, Col))


def _labels(block: Block) -> Mapping[str, str]:
    """By output: the texts that a block writes into a column of its own."""
    return {
        output.name: str(output.expression.this)
        for output in block.query.outputs
        if isinstance(output.expression, exp.Literal) and output.expression.is_string
    }


# --- parameters -------------------------------------------------------------------------------


def _is_parameter(outlier: Outlier, literal: Lit) -> bool:
    fact = outlier.fact
    if is_token(literal.text) or _is_named(literal.text, fact.block):
        return True
    many = outlier.variety >= MANY_VALUES
    if literal.kind == "string" and _DATE.fullmatch(literal.text):
        return fact.kind == "predicate" and (many or _bounds(fact.term, literal))
    if outlier.at is not None and fact.term is not None and is_chosen(fact.term, outlier.at):
        return many or outlier.vote.votes < SURE_CHOICE
    return outlier.variety >= (MANY_VALUES if literal.kind == "string" else MANY_NUMBERS)


def _is_period(outlier: Outlier, literal: Lit) -> bool:
    """Whether the report's name says a period that no copy's name says: a number that differs
    there is how long the period is."""
    if literal.kind != "number":
        return False
    mine = _PERIODS.intersection(_names(outlier.fact.block))
    theirs = {name for fact in outlier.vote.majority for name in _names(fact.block)}
    return bool(mine - theirs)


def _bounds(term: Expr | None, literal: Lit) -> bool:
    """Whether a comparison has the literal on a side of its own."""
    return isinstance(term, Call) and term.op in ("lt", "lte", "eq") and literal in term.args


def _is_named(text: str, block: Block) -> bool:
    """Whether the report's name says the constant: sales_de for 'DE', top_10 for 10, and
    2024_05, or may_2024, for a date in that month."""
    names, words = _names(block), _words(text)
    if _DATE.fullmatch(text):
        return words[0] in names or text[:4] in names
    return bool(words) and all(word in names for word in words)


def _names(block: Block) -> tuple[str, ...]:
    """The words of the names of a block's file, of the folders it is in, of what it fills."""
    path = PurePath(block.resolved.statement.path).parts[-_FOLDERS - 1 :]
    return _words(f"{' '.join(path)} {block.resolved.target or ''}")


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))


# --- amounts ----------------------------------------------------------------------------------

_NUMBERS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90,
    "hundred": 100,
}  # fmt: skip
_HOURS: Final = {"hour": 1, "day": 24, "week": 168, "month": 730, "quarter": 2190, "year": 8760}
_AMOUNT: Final = re.compile(
    rf"\b(half +)?({'|'.join(_NUMBERS)}|\d+(?:\.\d+)?)[ -]*(?:({'|'.join(_HOURS)})s?\b)?", re.I
)


def _says_value(comment: str, outlier: Outlier) -> bool:
    """Whether a comment says the odd value: 21, twelve, "half a year" for 180 days."""
    assert outlier.at is not None and outlier.fact.term is not None
    terms = literals(outlier.fact.term)
    value = terms[outlier.at].text
    unit = terms[outlier.at + 1].text if outlier.at + 1 < len(terms) else ""
    wanted = _number(value)
    if wanted is None:
        return len(value) > 1 and value.lower() in comment.lower()
    for number, said in _amounts(comment):
        if number == wanted and said in ("", unit):
            return True
        if said and unit in _HOURS:
            hours, meant = number * _HOURS[said], wanted * _HOURS[unit]
            if abs(hours - meant) <= 0.05 * meant:
                return True
    return False


def _amounts(text: str) -> Iterable[tuple[float, str]]:
    for half, number, unit in _AMOUNT.findall(text):
        amount = _number(number)
        if amount is not None and (unit or number.lower() not in ("a", "an")):
            yield (amount / 2 if half else amount), unit.lower()


def _number(text: str) -> float | None:
    try:
        return float(_NUMBERS.get(text.lower(), text))
    except ValueError:
        return None
