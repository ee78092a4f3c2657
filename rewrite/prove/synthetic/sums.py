"""What + and - say of types: it depends on what the operands turn out to be."""

from __future__ import annotations

from typing import Final, NamedTuple

from unwet.rewrite.prove.synthetic.cells import Cell, Vote


class Sum(NamedTuple):
    """A sum or difference, whose meaning depends on the types of its operands."""

    minus: bool
    left: Cell
    right: Cell
    result: Cell


def settle_sum(each: Sum) -> None:
    """date + interval is temporal, date - date a number, moment - moment an interval, and of
    numbers a number."""
    left, right, result = each.left, each.right, each.result
    kinds = [_temporal(cell) for cell in (left, right)]
    if each.minus and any(kinds) and (all(kinds) or _is_open(right if kinds[0] else left)):
        _settle_difference(each, kinds[0] or kinds[1] or "temporal")
    elif any(kinds):
        result.vote(kinds[0] or kinds[1] or "temporal", 1)
    elif left.root.votes["interval"] or right.root.votes["interval"]:
        other = right if left.root.votes["interval"] else left
        if not other.root.votes["interval"]:
            other.vote("temporal", 1)
            result.vote("temporal", 1)
    elif not (each.minus and result.root.votes["temporal"]):
        kind = _number(left, right)
        for cell in (left, right, result):
            cell.vote(kind, 1)
        if _is_fraction(left) and _is_fraction(right):
            result.vote("double")
    else:  # EXTRACT(... FROM a - b)
        _settle_difference(each, "timestamp")


def _settle_difference(each: Sum, kind: Vote) -> None:
    """Between two days or two moments. Parts of it are only asked for between moments."""
    spread = bool(each.result.root.votes["temporal"])
    for cell in (each.left, each.right):
        cell.vote("timestamp" if spread else kind, 1)
    if not spread:
        each.result.vote("interval" if kind == "timestamp" else "integer", 1)


def _is_open(cell: Cell) -> bool:
    return not any(cell.root.votes.values()) and cell.root.element is None


def _number(left: Cell, right: Cell) -> Vote:
    """What a sum is: of a fraction a fraction, of whole numbers whole."""
    votes = left.root.votes + right.root.votes
    if votes["double"] or votes["decimal"]:
        return "number"
    return "integer" if votes["integer"] else "number"


def _is_fraction(cell: Cell) -> bool:
    return bool(cell.root.votes["double"] or cell.root.votes["decimal"])


_MOMENTS: Final[tuple[Vote, ...]] = ("timestamp", "date", "temporal")


def _temporal(cell: Cell) -> Vote | None:
    votes = cell.root.votes
    numbers = votes["number"] + votes["integer"] + votes["double"] + votes["decimal"]
    return next((kind for kind in _MOMENTS if votes[kind] > numbers), None)
