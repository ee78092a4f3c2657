"""What windows of only one of two plans have: places in an order, and shares.

    ranks_other(before, after) -> whether rows that tie are counted otherwise
    shares(first, second) -> how many rows alike are parted where a share is compared

Of five rows of the same amount four are just 0.8 of the total: `running <= 0.8 * total` and
`running < 0.8 * total` part there, and `CUME_DIST() <= 0.8` does; PERCENT_RANK needs one row more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit, Plan, Window, parts, walk
from unwet.rewrite.prove.synthetic.goals import MOST_ROWS
from unwet.rewrite.prove.synthetic.logic import COMPARISONS
from unwet.rewrite.prove.synthetic.rows import RANKS, Way
from unwet.rewrite.prove.synthetic.symbols import Symbols

SIZES: Final = 4  # numbers of rows that are tried for shares
_PERCENT: Final = 100
_ORDERS: Final = COMPARISONS | {"between"}


def ranks_other(before: Plan, after: Plan) -> bool:
    """Whether ROW_NUMBER stands where RANK does."""
    return _ranks(before) != _ranks(after)


def _ranks(plan: Plan) -> Counter[str]:
    windows = (rel.functions for rel in walk(plan.rel) if isinstance(rel, Window))
    return Counter(o.call.op for o in chain.from_iterable(windows) if o.call.op in RANKS)


def shares(first: Iterable[Way], second: Iterable[Way], symbols: Symbols) -> tuple[int, ...]:
    """Of the comparisons that only one of the plans has."""
    tests = [set(chain.from_iterable(_tests(w, symbols) for w in ways)) for ways in (first, second)]
    found = {n for test in tests[0] ^ tests[1] for n in _parted(test)}
    return tuple(sorted(n for n in found if 1 < n <= MOST_ROWS)[:SIZES])


def _tests(way: Way, symbols: Symbols) -> Iterator[Expr]:
    for expr in (*way.wants, *way.outputs):
        for part in parts(expr):
            compares = isinstance(part, Call) and part.op in _ORDERS
            if compares and any(v.role == "unknown" for v in symbols.of(part)):
                yield part


def _parted(test: Expr) -> Iterator[int]:
    """The denominators of its fractions, percents among them, and one more."""
    numbers = [p.text for p in parts(test) if isinstance(p, Lit) and p.kind == "number"]
    values = [Fraction(text) for text in numbers if len(text) < 9]
    is_percent = _PERCENT in values
    for each in values:
        share = each / _PERCENT if is_percent and each != _PERCENT else each
        if 0 < share < 1:
            yield share.denominator
            yield share.denominator + 1
