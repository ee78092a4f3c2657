"""Whose names the columns behind a star have.

A set operation takes its names from its first branch, so two unions of the same branches may return
the same rows under other names. Where the columns are known the names of the plan tell; behind a
star over unknown columns the table tells whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Expr,
    Join,
    Opaque,
    Plan,
    Project,
    Rel,
    Scan,
    inputs,
    width,
)
from unwet.rewrite.references import tree_order
from unwet.rewrite.stars import REST, is_open

Heading = frozenset[str]  # the table, and what its star leaves out or replaces
_NONE: Heading = frozenset()


def headings(plan: Plan) -> tuple[Heading, ...]:
    """For each output what decides its names when it is a whole row; empty for other columns, and
    for rows of which nobody can tell."""
    if not is_open(plan.names):
        return (_NONE,) * len(plan.names)
    done: dict[bytes, tuple[Heading, ...]] = {}
    for rel in tree_order(plan.rel):
        done[rel.digest] = _of(rel, [done[each.digest] for each in inputs(rel)])
    return done[plan.rel.digest][: len(plan.names)]


def _of(rel: Rel, below: Sequence[tuple[Heading, ...]]) -> tuple[Heading, ...]:
    match rel:
        case Scan(table=table, columns=columns):
            return tuple(frozenset({table}) if name == REST else _NONE for name in columns)
        case Project(exprs=exprs) | Aggregate(keys=exprs, aggs=()):
            return tuple(_of_expr(each, below[0]) for each in exprs)
        case Aggregate() | Opaque():
            return (_NONE,) * width(rel)
        case Join():
            beside = tuple(heading for each in below for heading in each)
            return beside[: width(rel)]
        case _:
            first = below[0] if below else ()
            return (*first, *[_NONE] * width(rel))[: width(rel)]


def _of_expr(expr: Expr, below: Sequence[Heading]) -> Heading:
    match expr:
        case Col(index=index):
            return below[index]
        case Call(op="or_default", args=(row,)):
            return _of_expr(row, below)
        case Call(op="whole_row", args=(row, *_), shape=shape):
            heading = _of_expr(row, below)
            return heading | frozenset(shape) if heading else _NONE
        case _:
            return _NONE
