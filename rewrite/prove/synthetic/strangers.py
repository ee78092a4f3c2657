"""A row that must not be there may be there already, for another reason.

    without_strangers(ask, wants, logic) -> the ask, with what keeps its rows out of NOT EXISTS

The row that EXISTS asks for can be the very one that NOT EXISTS on the same table forbids; and a
subquery that stands for a value may find one row only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from unwet.rewrite.algebra import Aggregate, Call, Expr, Filter, Project, Rel, Subquery, parts
from unwet.rewrite.prove.synthetic.logic import Ask, Logic
from unwet.rewrite.prove.synthetic.merged import Swap, swapped

_DEEP: Final = 4  # subqueries in subqueries that are looked into


def without_strangers(ask: Ask, wants: Iterable[Expr], logic: Logic) -> Ask:
    """`wants`: conditions that `ask` is there for. Of subqueries over one table only."""
    symbols = logic.symbols
    for each in dict.fromkeys(_exclusive(wants, logic, 0)):
        for way, equal in logic.rows(each):
            if len(way.scans) != 1:
                continue
            (own,) = way.scans
            for scan in sorted(ask.scans - way.scans):
                if symbols.scans[scan] != symbols.scans[own]:
                    continue
                swap = Swap({own: scan}, symbols)
                failing = _failing(ask, [swap.over(e) for e in (*way.wants, *equal)], logic)
                if failing is None and each.kind == "scalar":
                    ask = swapped(ask, swap, {own: scan})  # then they are one row
                    break
                ask = failing or ask
    return ask


def _exclusive(wants: Iterable[Expr], logic: Logic, depth: int) -> Iterator[Subquery]:
    """The subqueries that may find no row, or no other row than their own."""
    for want in wants:
        match want:
            case Call(op="not", args=(Subquery(kind="exists" | "in") as forbidden,)):
                yield forbidden
                continue
            case _:
                pass
        for part in parts(want):
            if isinstance(part, Subquery):
                if part.kind == "scalar" and not _is_summary(part.rel):
                    yield part
                if depth < _DEEP:
                    inner = (w for way, _ in logic.rows(part)[:1] for w in way.wants)
                    yield from _exclusive(inner, logic, depth + 1)


def _is_summary(rel: Rel) -> bool:
    """Whether it has one row, whatever it reads."""
    while isinstance(rel, Project | Filter):
        rel = rel.input
    return isinstance(rel, Aggregate) and not rel.keys


def _failing(ask: Ask, tests: Sequence[Expr], logic: Logic) -> Ask | None:
    """With one test that is false; None if none of them can be beside what is asked already."""
    if any(_is_false(test) for test in tests):
        return ask
    given = dict(ask.hard)
    for test in tests:
        for other in logic.asks(test, "false"):
            if all(given.get(atom, truth) == truth for atom, truth in other.hard):
                return ask.also(Ask(other.hard))
    return None


def _is_false(test: Expr) -> bool:
    """A value that should be another one than itself."""
    match test:
        case Call(op="neq" | "lt" | "gt", args=(left, right)):
            return left == right
        case Call(op="not", args=(Call(op="eq", args=(left, right)),)):
            return left == right
        case _:
            return False
