"""INTERSECT and EXCEPT, whose rows are there once, and the same of what is there once anyway.

once(rel) -> the relation said otherwise, or None; union_columns(rel): those of UNION ALL
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import Agg, Aggregate, Col, Distinct, Project, Rel, SetOp, width
from unwet.rewrite.prove.identity import origin, told
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.rules.refs import is_volatile_plan, remap


def once(rel: Rel) -> Rel | None:
    """(SELECT ...) INTERSECT b -> (SELECT DISTINCT ...) INTERSECT b, and
    (SELECT DISTINCT ...) INTERSECT ALL b -> (SELECT DISTINCT ...) INTERSECT b; so with EXCEPT. ALL
    only of values of the same columns: two numbers may be one text or one double of another side.
    """
    match rel:
        case SetOp(kind="intersect_all", inputs=many) if _is_of_one_type(many):
            return replace(rel, kind="intersect") if any(map(_is_set, many)) else None
        case SetOp(kind="except_all", inputs=many) if _is_of_one_type(many):
            return replace(rel, kind="except") if _is_set(many[0]) else None
        case SetOp(kind="intersect" | "except", inputs=many):
            made = tuple(map(_without_copies, many))
            return replace(rel, inputs=made) if made != many else None
        case _:
            return None


def union_columns(rel: Rel) -> Rel | None:
    """The columns of a UNION ALL below groups in an order that its values tell: a DISTINCT that is
    gone may have left them in that of its keys."""
    match rel:
        case Aggregate(input=SetOp(kind="union_all", inputs=many), keys=keys, aggs=aggs):
            branches = [each for each in many if isinstance(each, Project)]
            if len(branches) < len(many):
                return None
            old = range(width(rel.input))
            new = sorted(old, key=lambda at: sorted(order_key(b.exprs[at]) for b in branches))
            if new == list(old):
                return None
            turned = [Project(b.input, tuple(b.exprs[at] for at in new)) for b in branches]
            made = tuple(remap(key, new.index) for key in keys)
            inside = tuple(a for agg in aggs if isinstance(a := remap(agg, new.index), Agg))
            return Aggregate(SetOp("union_all", tuple(turned)), made, inside)
        case _:
            return None


def _without_copies(rel: Rel) -> Rel:
    """Each row once, as nobody sees how often it is there."""
    match rel:
        case SetOp(kind="intersect_all"):
            return replace(rel, kind="intersect")
        case _ if _is_set(rel) or is_volatile_plan(rel):
            return rel
        case _:
            return Aggregate(rel, tuple(map(Col, range(width(rel)))), ())


def _is_set(rel: Rel) -> bool:
    """Is no row there twice?"""
    return isinstance(rel, Distinct) or told(rel, range(width(rel))).rows


def _is_of_one_type(many: Sequence[Rel]) -> bool:
    columns = [{origin(Col(at), each) for each in many} for at in range(width(many[0]))]
    return all(None not in each and len(each) == 1 for each in columns)
