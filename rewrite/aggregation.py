"""Where a SELECT block's expressions are evaluated: below the GROUP BY, above it, or in a window.

Lowering encodes every expression over the FROM columns with its aggregates and window functions
still inside. `group` takes them apart: aggregates go into one Aggregate, window functions into
one Window above it, and the expressions are rewritten to the columns these two produce.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Lit,
    Outer,
    Over,
    Param,
    Rel,
    SortKey,
    Subquery,
    Window,
    expressions,
    inputs,
    operands,
    parts,
    width,
)
from unwet.rewrite.scalars import Unsupported
from unwet.rewrite.volatile import is_random


@dataclass(frozen=True, slots=True)
class Grouped:
    """The block's rows and its outputs and order expressions over the columns of these rows."""

    rel: Rel
    outputs: tuple[Expr, ...]
    order: tuple[Expr, ...]


def group(
    rel: Rel,
    keys: tuple[Expr, ...] | None,
    outputs: Iterable[Expr],
    having: tuple[Expr, ...] = (),
    qualify: tuple[Expr, ...] = (),
    order: tuple[Expr, ...] = (),
) -> Grouped:
    """Puts aggregation and windows above ``rel``; ``keys`` None means no GROUP BY clause.

    Raises Unsupported where an expression reads a column that is neither grouped nor aggregated.
    """
    outputs = tuple(outputs)
    _check_random((*outputs, *having, *qualify, *order))
    aggs = tuple(dict.fromkeys(a for e in (*outputs, *having, *qualify, *order) for a in _aggs(e)))
    if keys is not None or aggs or having:
        rel = Aggregate(rel, keys or (), aggs)
        outputs_of = (*rel.keys, *rel.aggs)
        # the first place of each; a dict, as there may be thousands
        place = {expr: Col(at) for at, expr in reversed(tuple(enumerate(outputs_of)))}

        def above(expr: Expr) -> Expr:
            return _above(expr, place)

        outputs, having = tuple(map(above, outputs)), tuple(map(above, having))
        qualify, order = tuple(map(above, qualify)), tuple(map(above, order))
    if having:
        rel = Filter(rel, having)
    return _windows(rel, outputs, qualify, order)


def _windows(
    rel: Rel, outputs: tuple[Expr, ...], qualify: tuple[Expr, ...], order: tuple[Expr, ...]
) -> Grouped:
    found = (p for e in (*outputs, *qualify, *order) for p in parts(e) if isinstance(p, Over))
    functions = tuple(dict.fromkeys(found))
    if not functions:
        return Grouped(Filter(rel, qualify) if qualify else rel, outputs, order)
    start = width(rel)
    place = {function: Col(start + i) for i, function in enumerate(functions)}

    def read(expr: Expr) -> Expr:
        known = place.get(expr) if isinstance(expr, Over) else None
        return known if known is not None else rebuild(expr, read)

    rel = Window(rel, functions)
    if qualify:
        rel = Filter(rel, tuple(map(read, qualify)))
    return Grouped(rel, tuple(map(read, outputs)), tuple(map(read, order)))


def _aggs(expr: Expr) -> Iterator[Agg]:
    """The aggregates over the group's rows: not a window's own function, but those inside it."""
    match expr:
        case Agg():
            if any(isinstance(p, Agg | Over) for o in operands(expr) for p in parts(o)):
                raise Unsupported("an aggregate inside an aggregate")
            _check_level(expr)
            yield expr
        case Over(call=call, partition=partition, order=order):
            for operand in (*operands(call), *partition, *(k.expr for k in order)):
                yield from _aggs(operand)
        case _:
            for operand in operands(expr):
                yield from _aggs(operand)


def _check_random(exprs: tuple[Expr, ...]) -> None:
    """Equal aggregates and window functions are computed once: not those of random values."""
    found = [p for e in exprs for p in parts(e) if isinstance(p, Agg | Over) and is_random(p)]
    if len(set(found)) < len(found):
        raise Unsupported("two aggregates of random values")


def _check_level(agg: Agg) -> None:
    """An aggregate that reads enclosing rows alone is one over the enclosing query's groups."""
    refs = [part for part in parts(agg) if isinstance(part, Col | Outer)]
    if refs and not any(isinstance(part, Col) for part in refs):
        raise Unsupported("an aggregate of the outer query")


def _above(expr: Expr, place: Mapping[Expr, Col]) -> Expr:
    """The same value read from the Aggregate's output, where `place` says it stands."""
    known = place.get(expr)
    if known is not None:
        return known
    match expr:
        case Col():
            raise Unsupported("a column that is neither grouped nor aggregated")
        case Subquery(rel=rel) if correlated(rel):
            raise Unsupported("a correlated subquery above GROUP BY")
        case Over(call=call, partition=partition, order=order):
            inner = rebuild(call, lambda part: _above(part, place))
            assert isinstance(inner, Agg | Call)
            return Over(
                inner,
                tuple(_above(p, place) for p in partition),
                tuple(replace_key(k, _above(k.expr, place)) for k in order),
                expr.frame,
            )
        case _:
            return rebuild(expr, lambda part: _above(part, place))


def correlated(rel: Rel, level: int = 1) -> bool:
    """Whether a subquery's plan reads the row of the query around it."""
    for expr in expressions(rel):
        for part in parts(expr):
            match part:
                case Outer(level=at) if at >= level:
                    return True
                case Subquery(rel=inner) if correlated(inner, level + 1):
                    return True
    return any(correlated(child, level) for child in inputs(rel))


def replace_key(key: SortKey, expr: Expr) -> SortKey:
    """The same order by another expression."""
    return SortKey(expr, key.descending, key.nulls_first)


def rebuild(expr: Expr, read: Callable[[Expr], Expr]) -> Expr:
    """``expr`` with ``read`` applied to its direct operands (subquery plans are left alone)."""
    match expr:
        case Col() | Outer() | Lit() | Param():
            return expr
        case Call(op=op, args=args, shape=shape):
            return Call(op, tuple(map(read, args)), shape)
        case Subquery(args=args):
            return replace(expr, args=tuple(map(read, args)))
        case Agg(args=args, where=where, order=order):
            return replace(
                expr,
                args=tuple(map(read, args)),
                where=read(where) if where is not None else None,
                order=tuple(replace_key(k, read(k.expr)) for k in order),
            )
        case Over(call=call, partition=partition, order=order):
            inner = read(call)
            assert isinstance(inner, Agg | Call)
            return Over(
                inner,
                tuple(map(read, partition)),
                tuple(replace_key(k, read(k.expr)) for k in order),
                expr.frame,
            )
        case _:
            assert_never(expr)
