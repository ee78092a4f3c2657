"""Where the border of a comparison lies, when one side of it is computed: the engine says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Final

from unwet.rewrite.algebra import Call, Expr
from unwet.rewrite.prove.synthetic.classes import bare
from unwet.rewrite.prove.synthetic.oracle import Oracle, Pool
from unwet.rewrite.prove.synthetic.symbols import number, numbers

_COMPARED: Final = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "between"})
_TESTS: Final = 30  # that are looked at
_OTHERS: Final = 6  # values of the variables of a computed side
_MOST: Final = 18  # values that one class gets


def computed_sides(
    tests: Sequence[Expr], chief: Sequence[int], pools: Mapping[int, Pool], oracle: Oracle
) -> dict[int, tuple[str, ...]]:
    """For the class of a variable that is compared with something computed from one other: what
    that comes to for the first values of the other, and the values beside it."""
    found: dict[int, dict[str, None]] = {}
    for at, side in islice(_sides(tests), _TESTS):
        inside = numbers(side)
        if len(inside) != 1 or chief[inside[0]] == chief[at]:
            continue
        kind, values = pools[chief[inside[0]]]
        other = {inside[0]: (kind, values[:_OTHERS])}
        own = pools[chief[at]][0]
        for value in oracle.values(side, other, own):
            for each in _around(value, own):
                found.setdefault(chief[at], {})[each] = None
    return {root: tuple(values)[:_MOST] for root, values in found.items()}


def _sides(tests: Sequence[Expr]) -> Iterator[tuple[int, Expr]]:
    """A bare variable, and something computed that it is compared with."""
    for test in tests:
        if isinstance(test, Call) and test.op in _COMPARED:
            for one in test.args:
                at = number(bare(one))
                if at is not None:
                    yield from ((at, e) for e in test.args if number(bare(e)) is None)


def _around(value: str, kind: str) -> Iterator[str]:
    """The value, one step above and one below."""
    yield value
    yield from beside(value, kind)


def beside(value: str, kind: str) -> Iterator[str]:
    """What is one step above a value of a DuckDB type and one below; nothing for texts."""
    try:
        if kind == "DATE":
            day = datetime.fromisoformat(value)
            yield from (f"{day + timedelta(days=n):%Y-%m-%d}" for n in (1, -1))
        elif kind.startswith("TIMESTAMP"):
            moment = datetime.fromisoformat(value)
            yield from (f"{moment + timedelta(seconds=n):%Y-%m-%d %H:%M:%S}" for n in (1, -1))
        elif kind in ("BIGINT", "DOUBLE") or kind.startswith("DECIMAL"):
            yield from (str(Decimal(value) + n) for n in (1, -1))
    except (ValueError, OverflowError, InvalidOperation):
        return  # infinity, years of five digits
