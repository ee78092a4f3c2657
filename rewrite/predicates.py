"""The conditions of a query block, one by one, and what each of them is about."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final

from sqlglot import exp

from unwet.lineage.resolve import Input, Query
from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Over, parts
from unwet.rewrite.terms import Terms

_ORDERED: Final = frozenset({"lt", "lte"})


def conjuncts(query: Query) -> Iterator[tuple[exp.Expression, str]]:
    """The conditions of a block, one by one, with their clauses."""
    for clause in ("where", "having", "qualify"):
        node = query.node.args.get(clause)
        if node is not None:
            yield from ((each, clause) for each in split_and(node.this))
    for item in query.inputs:
        on = item.join.args.get("on") if item.join is not None else None
        if on is not None:
            yield from ((each, "on") for each in split_and(on))


def split_and(node: exp.Expr) -> list[exp.Expression]:
    """The conjuncts of a condition."""
    found: list[exp.Expression] = []
    stack: list[exp.Expr] = [node]
    while stack:
        each = stack.pop().unnest()
        if isinstance(each, exp.And):
            stack.extend((each.right, each.left))
        elif isinstance(each, exp.Expression):
            found.append(each)
    return found


def items_of(query: Query, node: exp.Expression, clause: str) -> Iterator[Input]:
    """The items of FROM whose columns an expression uses, each once."""
    seen: set[int] = set()
    for column in node.find_all(exp.Column):
        item = query.find(column, clause).input
        if item is not None and id(item) not in seen:
            seen.add(id(item))
            yield item


def as_predicate(term: Expr, terms: Terms) -> Expr:
    """`active`, `COALESCE(x, FALSE)` as a test of a truth value, like `active = TRUE`."""
    if isinstance(term, Col) or (isinstance(term, Call) and term.op in ("coalesce", "case")):
        is_true = Call("eq", (term, Lit("boolean", "true")), ("this", "expression"))
        return terms.spelled(is_true)
    return term


def is_equation(term: Expr) -> bool:
    """Whether two things are said to be equal, none of them a constant."""
    return isinstance(term, Call) and term.op == "eq" and not isinstance(term.args[-1], Lit)


def predicate_slot(term: Expr, terms: Terms) -> Hashable:
    """What a predicate is about: its columns, and for a comparison which side is bounded, and by
    what form of bound."""
    columns = _tested(term, terms)
    if not columns:
        return None
    grouped = any(isinstance(part, Agg) for part in parts(term))
    if not isinstance(term, Call) or term.op not in _ORDERED:
        return ("test", columns, grouped)
    left, right = (_tested(arg, terms) for arg in term.args)
    if left and right:
        return ("between", left, right, grouped)
    bound = terms.masked(term.args[1 if left else 0]).digest
    return ("upper" if left else "lower", columns, grouped, bound)


def _tested(term: Expr, terms: Terms) -> frozenset[int]:
    """The base columns of a condition; of a window function not those that it is ordered by: a
    copy that orders otherwise tests the same."""
    found = terms.bases(term)
    windows = [part for part in parts(term) if isinstance(part, Over)]
    if not windows:
        return found
    kept = [terms.bases(p) for w in windows for p in (w.call, *w.partition)]
    return frozenset().union(*kept) or found
