"""INTERSECT and EXCEPT, whose rows are there once, and the same of what is there once anyway.

once(rel) -> the relation said otherwise, or None
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unwet.rewrite.algebra import Aggregate, Col, Distinct, Rel, SetOp, width
from unwet.rewrite.prove.identity import home, told
from unwet.rewrite.rules.refs import is_volatile_plan


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
    columns = [[home(each, at) for each in many] for at in range(width(many[0]))]
    return all(None not in homes and len(set(homes)) == 1 for homes in columns)
