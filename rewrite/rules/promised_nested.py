"""Joins that nobody reads, below other joins: what `promised_joins.py` does at the top."""

from __future__ import annotations

from typing import NamedTuple

from unwet.rewrite.algebra import Aggregate, Col, Join, Project, Rel, expressions, width
from unwet.rewrite.references import used
from unwet.rewrite.rules.promised_joins import (
    moved_over,
    unread_join_to_semi,
    unread_partner_of_key,
)
from unwet.rewrite.rules.promises import Promises, Rested
from unwet.rewrite.rules.refs import all_movable, remap


def unread_below_join(promises: Promises, rel: Rel) -> Rested | None:
    """Project((l LEFT JOIN r ON l.x = r.k) JOIN s ON p, e) -> Project(l JOIN s ON p, e), where k is
    a key of r, and neither e nor p reads r; the same of l JOIN r, which becomes a semi join, and
    of all that stands on the left of a LEFT JOIN: the input has the rows that it had."""
    match rel:
        case (
            Project(input=Join(kind="left" | "inner" as kind, inputs=many, on=on))
            | Aggregate(input=Join(kind="left" | "inner" as kind, inputs=many, on=on))
        ) if all_movable(on):
            read, start = {*used(expressions(rel)), *used(on)}, 0
            for at, each in enumerate(many[:1] if kind == "left" else many):
                own = tuple(i - start for i in sorted(read) if start <= i < start + width(each))
                found = _narrowed(promises, each, own)
                if found is not None:
                    return Rested(found.grounds, _with_narrowed(rel, rel.input, at, found))
                start += width(each)
            return None
        case _:
            return None


class _Narrowed(NamedTuple):
    """An input of a join without what nobody reads; ``at``: where the columns are that are read."""

    grounds: frozenset[str]
    rel: Rel
    at: dict[int, int]


def _narrowed(promises: Promises, rel: Rel, read: tuple[int, ...]) -> _Narrowed | None:
    if not isinstance(rel, Join):
        return None
    probe = Project(rel, tuple(map(Col, read)))
    for rule in (unread_partner_of_key, unread_join_to_semi, unread_below_join):
        found = rule(promises, probe)
        if found is not None and isinstance(found.rel, Project):
            pairs = zip(read, found.rel.exprs, strict=True)
            at = {old: new.index for old, new in pairs if isinstance(new, Col)}
            return _Narrowed(found.grounds, found.rel.input, at)
    return None


def _with_narrowed(rel: Project | Aggregate, join: Rel, at: int, found: _Narrowed) -> Rel:
    """The relation with another input of its join."""
    assert isinstance(join, Join)
    start, old = sum(map(width, join.inputs[:at])), width(join.inputs[at])

    def place(i: int) -> int:
        if i < start:
            return i
        return start + found.at[i - start] if i < start + old else i - old + width(found.rel)

    inputs = (*join.inputs[:at], found.rel, *join.inputs[at + 1 :])
    made = Join(join.kind, inputs, tuple(remap(e, place) for e in join.on))
    return moved_over(rel, made, place)
