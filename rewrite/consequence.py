"""How much depends on a difference: a value that is only printed otherwise, or rows that cannot
occur twice, matter less than a filter that is missing.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

from unwet.lineage.resolve import Query
from unwet.rewrite.algebra import Agg, Call, Col, Expr, operands
from unwet.rewrite.rules.refs import with_operands
from unwet.rewrite.telling import Told

PRINTED: Final = 0.5  # the same value, rounded or as another type
SPELLED: Final = 0.8  # the same text in other letters
ONCE: Final = 0.6  # whether equal rows count once, where nothing makes rows equal
WRAPPED: Final = 0.85  # a column as it is, and something made of it
NAMED: Final = 0.5  # a name
_PRINTS: Final = frozenset({"round", "cast", "trycast", "trunc", "tochar", "formatnumber"})
_SPELLS: Final = frozenset({"lower", "upper", "trim", "initcap"})


def consequence(told: Told) -> float:
    """0 to 1; 1 where rows or values differ."""
    fact = told.outlier.fact
    match fact.kind:
        case "name":
            return NAMED
        case "distinct" | "union":
            return 1.0 if may_repeat(fact.block.query) else ONCE
        case "output" | "predicate" if told.right is not None and told.wrong is not None:
            return _of_terms(told, told.right, told.wrong)
        case _:
            return 1.0


def _of_terms(told: Told, right: Expr, wrong: Expr) -> float:
    for ops, weight in ((_PRINTS, PRINTED), (_SPELLS, SPELLED)):
        if without(right, ops) == without(wrong, ops):
            return weight
    if _counts_once(right) != _counts_once(wrong):
        return 1.0 if may_repeat(told.block.query) else ONCE
    if told.code == "DRIFT_EXPRESSION" and isinstance(right, Col) != isinstance(wrong, Col):
        return WRAPPED
    return 1.0


def _counts_once(term: Expr) -> bool:
    return isinstance(term, Agg) and term.op == "count" and term.distinct


def without(term: Expr, ops: frozenset[str]) -> Expr:
    """The term with only the first operand left of those calls."""
    below = tuple(without(part, ops) for part in operands(term))
    if isinstance(term, Call) and term.op in ops and below:
        return below[0]
    return with_operands(term, below) if below != operands(term) else term


def may_repeat(query: Query) -> bool:
    """Whether a query's FROM may give a row of a table more than once: it joins, or reads a query
    that does and neither groups nor drops equal rows."""
    todo, seen = [query], {id(query)}
    while todo:
        here = todo.pop()
        if len(here.inputs) > 1 or here.branches:
            return True
        for item in here.inputs:
            below = item.query
            if below is None or id(below) in seen:
                continue
            seen.add(id(below))
            node = below.node
            if not node.args.get("distinct") and not node.args.get("group"):
                todo.append(below)
    return False


def strength(votes: int, against: int, near: float) -> float:
    """0 to 1: how sure the vote of all copies and that of the nearest ones (`near`, a score) make
    a finding."""
    return sqrt(near * votes / (votes + against + 1))
