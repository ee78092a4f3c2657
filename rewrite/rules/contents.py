"""What a plan holds anywhere, so that rules for whole queries need not walk those that hold none.

Kept by content, like the digests themselves, so it can never be stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Flag, auto

from unwet.rewrite.algebra import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Unnest,
    Values,
    Window,
    inputs,
)
from unwet.rewrite.folding import fold
from unwet.rewrite.rules.shapes import FALSE, NULL, integer


class Contents(Flag):
    """`EMPTY`: without rows, whatever the data. The others hold for a relation or one below it:
    `IDLE_SORT`: a Sort without limit; `STACKED`: an aggregate over an aggregate or a union;
    `CUTTABLE`: something without rows that is not written as VALUES, or stands below another."""

    NOTHING = 0
    EMPTY = auto()
    IDLE_SORT = auto()
    STACKED = auto()
    CUTTABLE = auto()


_known: dict[bytes, Contents] = {}
_INHERITED = Contents.IDLE_SORT | Contents.STACKED | Contents.CUTTABLE


def contents(rel: Rel) -> Contents:
    """What there is in a relation, subquery expressions left out."""
    return fold(rel, inputs, _known, _made)


def _made(rel: Rel) -> Contents:
    return _contents(rel, [_known[i.digest] for i in inputs(rel)])


def _contents(rel: Rel, below: Sequence[Contents]) -> Contents:
    found = Contents.NOTHING
    for each in below:
        found |= each & _INHERITED
    empty = [Contents.EMPTY in each for each in below]
    if any(empty) and not isinstance(rel, SetOp):
        found |= Contents.CUTTABLE
    if _is_empty(rel, empty):
        found |= Contents.EMPTY if isinstance(rel, Values) else Contents.EMPTY | Contents.CUTTABLE
    match rel:
        case Sort(limit=None, offset=None):
            return found | Contents.IDLE_SORT
        case Aggregate(input=Aggregate() | SetOp(kind="union_all")):
            return found | Contents.STACKED
        case _:
            return found


def _is_empty(rel: Rel, below: Sequence[bool]) -> bool:
    match rel:
        case Values(rows=rows):
            return not rows
        case Filter(conjuncts=conjuncts):
            return below[0] or FALSE in conjuncts or NULL in conjuncts
        case Join(kind="inner" | "semi", on=on):
            return any(below) or FALSE in on
        case Join(kind="left" | "anti"):
            return below[0]
        case Join() | SetOp(kind="union_all"):
            return all(below)
        case SetOp(kind="intersect" | "intersect_all"):
            return any(below)
        case SetOp():
            return below[0]
        case Aggregate(keys=keys):
            return bool(keys) and below[0]
        case Sort(limit=limit):
            return below[0] or (limit is not None and integer(limit) == 0)
        case Project() | Window() | Distinct() | Unnest():
            return below[0]
        case Scan() | Opaque():
            return False
