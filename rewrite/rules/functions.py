"""Aggregate and window functions, and queries inside expressions."""

from __future__ import annotations

from dataclasses import replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Expr,
    Lit,
    Over,
    Project,
    Rel,
    Sort,
    Subquery,
)
from unwet.rewrite.rules.dead import narrow
from unwet.rewrite.rules.order import unique_in_order
from unwet.rewrite.rules.refs import all_movable, is_volatile
from unwet.rewrite.rules.shapes import TRUE, Case, binary, integer, is_constant


def count_literal_to_star(expr: Expr) -> Expr | None:
    """COUNT(1) -> COUNT(*): a literal other than NULL and '' is never NULL."""
    match expr:
        case Agg(op="count", args=(literal,), shape=("this",), distinct=False) if is_constant(
            literal
        ):
            return replace(expr, args=(), shape=("this:*",))
        case _:
            return None


def drop_distinct_of_extreme(expr: Expr) -> Expr | None:
    """MIN(DISTINCT x) -> MIN(x), MAX(DISTINCT x) -> MAX(x)."""
    match expr:
        case Agg(op="min" | "max", args=(_,), distinct=True):
            return replace(expr, distinct=False)
        case _:
            return None


def drop_true_filter_clause(expr: Expr) -> Expr | None:
    """agg(x) FILTER (WHERE TRUE) -> agg(x)."""
    match expr:
        case Agg(where=where) if where == TRUE:
            return replace(expr, where=None)
        case _:
            return None


def sort_partition(expr: Expr) -> Expr | None:
    """PARTITION BY is a set (of expressions that are not volatile)."""
    match expr:
        case Over(partition=partition) if not any(map(is_volatile, partition)):
            kept = unique_in_order(partition)
            return replace(expr, partition=kept) if kept != partition else None
        case _:
            return None


def drop_repeated_sort_key(expr: Expr) -> Expr | None:
    """OVER (ORDER BY a, b, a) -> OVER (ORDER BY a, b): a second time orders nothing.

    Not under a RANGE frame with an offset, which wants exactly one key."""
    match expr:
        case Over(order=order, frame="") if len({k.expr for k in order}) < len(order):
            first = {k.expr: k for k in reversed(order)}
            kept = tuple(k for k in order if first[k.expr] is k)
            if any(is_volatile(k.expr) for k in order) or len(kept) == len(order):
                return None
            return replace(expr, order=kept)
        case _:
            return None


def interval_added(expr: Expr) -> Expr | None:
    """DATETIME_ADD(x, INTERVAL 6 HOUR) -> x + INTERVAL '6' HOUR, DATETIME_SUB -> x - INTERVAL: what
    BigQuery says of its own operators, and how others write it."""
    match expr:
        case Call(
            op="datetimeadd" | "datetimesub" as op,
            args=(value, Lit(kind="number" | "string", text=text)),
            shape=("this", "expression", unit),
        ) if unit.startswith("unit:var "):
            interval = Call("interval", (Lit("string", text),), ("this", unit))
            return binary("add" if op == "datetimeadd" else "sub", value, interval)
        case _:
            return None


def plain_exists(expr: Expr) -> Expr | None:
    """EXISTS asks for a row only: its select list, DISTINCT, GROUP BY, ORDER BY and a LIMIT of one
    or more say nothing.

    A GROUP BY without keys has always a row, and so is left; so is what is volatile."""
    match expr:
        case Subquery(kind="exists", rel=rel):
            inner = _rows_of(rel)
            return replace(expr, rel=inner) if inner is not None else None
        case _:
            return None


def _rows_of(rel: Rel) -> Rel | None:
    """A smaller relation that is empty exactly when ``rel`` is."""
    match rel:
        case Project(input=inner, exprs=exprs) if all_movable(exprs):
            return inner
        case Aggregate(input=inner, keys=keys) if keys and all_movable(keys):
            return inner
        case Sort(input=inner, limit=limit, offset=None):
            size = 1 if limit is None else integer(limit)
            return inner if size is not None and size >= 1 else None
        case _:
            slim = narrow(rel, frozenset())
            return slim[0] if slim is not None else None


CASES = (
    Case("select count(1) as n from t", "select count(*) as n from t"),
    Case("select a from t where exists (select distinct b from u where u.b = t.a)",
         "select a from t where exists (select 1 from u where u.b = t.a)"),
)  # fmt: skip
