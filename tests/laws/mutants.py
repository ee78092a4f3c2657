"""Small changes of a plan, most of which change its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    SetOp,
    Sort,
    Subquery,
    expressions,
    inputs,
    parts,
)
from unwet.rewrite.references import tree_order
from unwet.rewrite.rules.refs import rebuild, with_expressions, with_inputs
from unwet.tests.laws.plans import Pick, number

_OTHER_OP = {
    "lt": "lte", "lte": "lt", "gt": "gte", "gte": "gt", "eq": "nullsafeeq", "neq": "nullsafeneq",
    "nullsafeeq": "eq", "nullsafeneq": "neq", "and": "or", "or": "and", "add": "sub", "min": "max",
    "max": "min",
}  # fmt: skip
_OTHER_JOIN = {"inner": "left", "left": "inner", "semi": "anti", "anti": "semi", "full": "left"}
_OTHER_SET = {
    "union_all": "intersect_all", "intersect": "intersect_all", "intersect_all": "intersect",
    "except": "except_all", "except_all": "except",
}  # fmt: skip


def mutant(rel: Rel, pick: Pick) -> Rel:
    """``rel`` with one node or one expression changed; the same plan where nothing fits."""
    nodes = tree_order(rel)
    chosen = nodes[pick(len(nodes))]
    changed = changed_node(chosen, pick)
    return replaced(rel, chosen, changed)


def replaced(rel: Rel, old: Rel, new: Rel) -> Rel:
    """``rel`` with one relation in it exchanged."""
    done: dict[bytes, Rel] = {}
    for node in tree_order(rel):
        below = tuple(done[i.digest] for i in inputs(node))
        done[node.digest] = new if node == old else with_inputs(node, below)
    return done[rel.digest]


def changed_node(rel: Rel, pick: Pick) -> Rel:
    """One node changed: its kind, or one of its expressions."""
    if expressions(rel) and pick(2):
        return _changed_expression(rel, pick)
    match rel:
        case Filter(conjuncts=conjuncts) if len(conjuncts) > 1:
            at = pick(len(conjuncts))
            return Filter(rel.input, conjuncts[:at] + conjuncts[at + 1 :])
        case Filter(input=inner):
            return inner
        case Project(exprs=exprs) if len(exprs) > 1:
            at = pick(len(exprs) - 1)
            swapped = (*exprs[:at], exprs[at + 1], exprs[at], *exprs[at + 2 :])
            return Project(rel.input, swapped)
        case Join(kind="inner", inputs=(_, _)) | Join(kind="left" | "semi" | "anti" | "full"):
            return replace(rel, kind=_OTHER_JOIN[rel.kind])  # type: ignore[arg-type]
        case Join(on=on) if on:
            return replace(rel, on=on[1:])
        case Distinct(input=inner):
            return inner
        case SetOp(inputs=(_, _)):
            return replace(rel, kind=_OTHER_SET[rel.kind])  # type: ignore[arg-type]
        case Sort(limit=Lit()):
            return replace(rel, limit=number(pick(6)))
        case _:
            return Distinct(rel)


def _changed_expression(rel: Rel, pick: Pick) -> Rel:
    exprs = expressions(rel)
    at = pick(len(exprs))
    spots = list(dict.fromkeys(parts(exprs[at])))
    spot = spots[pick(len(spots))]
    change: Callable[[Expr], Expr] = lambda e: _changed(e, pick) if e == spot else e  # noqa: E731
    made = rebuild(exprs[at], change)
    if isinstance(rel, Aggregate) and at >= len(rel.keys) and not isinstance(made, Agg):
        return rel
    return with_expressions(rel, (*exprs[:at], made, *exprs[at + 1 :]))


def _changed(expr: Expr, pick: Pick) -> Expr:
    match expr:
        case Lit(kind="number"):
            return number(pick(4))
        case Lit(kind="boolean", text=text):
            return Lit("boolean", "false" if text == "true" else "true")
        case Agg(op="count" | "sum", args=(_,)) if pick(2):
            return replace(expr, distinct=not expr.distinct)
        case Call(op=op) | Agg(op=op) if op in _OTHER_OP:
            return replace(expr, op=_OTHER_OP[op])
        case Call(op="is", shape=shape):
            other = shape[:2] if len(shape) > 2 else (*shape, "negate=True")
            return replace(expr, shape=other)
        case Call(op="not", args=(inner,)):
            return inner
        case Subquery(kind="exists" | "in", rel=inner):
            return replace(expr, rel=mutant(inner, pick))
        case _:
            return expr
