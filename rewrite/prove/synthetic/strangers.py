"""A row that must not be there may be there already, for another reason.

    without_strangers(ask, wants, logic) -> the ask, with what keeps its rows out of NOT EXISTS

The row that EXISTS asks for can be the very one that NOT EXISTS on the same table forbids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unwet.rewrite.algebra import Call, Expr, Subquery
from unwet.rewrite.prove.synthetic.logic import Ask, Logic
from unwet.rewrite.prove.synthetic.merged import Swap


def without_strangers(ask: Ask, wants: Iterable[Expr], logic: Logic) -> Ask:
    """`wants`: conditions that `ask` is there for. Of a subquery over one table only."""
    symbols = logic.symbols
    for want in wants:
        match want:
            case Call(op="not", args=(Subquery(kind="exists" | "in") as forbidden,)):
                for way, equal in logic.rows(forbidden):
                    if len(way.scans) != 1:
                        continue
                    (own,) = way.scans
                    for scan in sorted(ask.scans - way.scans):
                        if symbols.scans[scan] == symbols.scans[own]:
                            swap = Swap({own: scan}, symbols)
                            tests = [swap.over(each) for each in (*way.wants, *equal)]
                            ask = _failing(ask, tests, logic)
    return ask


def _failing(ask: Ask, tests: Sequence[Expr], logic: Logic) -> Ask:
    """With one test that is false, if one of them can be beside what is asked already."""
    if any(_is_false(test) for test in tests):
        return ask
    given = dict(ask.hard)
    for test in tests:
        for other in logic.asks(test, "false"):
            if all(given.get(atom, truth) == truth for atom, truth in other.hard):
                return ask.also(Ask(other.hard))
    return ask


def _is_false(test: Expr) -> bool:
    """A value that should be another one than itself."""
    match test:
        case Call(op="neq" | "lt" | "gt", args=(left, right)):
            return left == right
        case Call(op="not", args=(Call(op="eq", args=(left, right)),)):
            return left == right
        case _:
            return False
