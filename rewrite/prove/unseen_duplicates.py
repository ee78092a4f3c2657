"""Plans without the DISTINCT and UNION that nobody sees, as they stand in the text.

    without_unseen(rel) -> the relation

The rule of normal forms does the same (`rewrite/rules/duplicates.py`). But by then a DISTINCT may
have ordered columns and joins otherwise, and they keep that order when it is gone. Two plans that
differ in such a DISTINCT only are one plan here.
"""

from __future__ import annotations

from unwet.rewrite.algebra import Project, Rel, inputs, width
from unwet.rewrite.rules.duplicates import drop_duplicates_below_aggregate
from unwet.rewrite.rules.grouping import distinct_to_aggregate
from unwet.rewrite.rules.projects import columns
from unwet.rewrite.rules.refs import with_inputs


def without_unseen(rel: Rel) -> Rel:
    """Aggregate(DISTINCT r, keys, MAX) -> Aggregate(r, keys, MAX), in all of the relation."""
    return _slim(rel, {})


def _slim(rel: Rel, done: dict[bytes, Rel]) -> Rel:
    known = done.get(rel.digest)
    if known is None:
        below = [_slim(each, done) for each in inputs(rel)]
        made = with_inputs(rel, below) if tuple(below) != inputs(rel) else rel
        made = distinct_to_aggregate(made) or made
        while (loose := drop_duplicates_below_aggregate(made)) is not None:
            made = _without_idle_projects(loose, {})
        known = done[rel.digest] = made
    return known


def _without_idle_projects(rel: Rel, done: dict[bytes, Rel]) -> Rel:
    """SELECT all columns in their order -> what they are selected from."""
    known = done.get(rel.digest)
    if known is None:
        below = [_without_idle_projects(each, done) for each in inputs(rel)]
        made = with_inputs(rel, below) if tuple(below) != inputs(rel) else rel
        if isinstance(made, Project) and made.exprs == columns(0, width(made.input)):
            made = made.input
        known = done[rel.digest] = made
    return known
