"""What windows of only one of two plans have: places in an order, and shares.

    ranks_other(before, after) -> whether rows that tie are counted otherwise
    nulls_other(before, after) -> whether NULLs are passed over in one of them only
    null_values(way, ask) -> rows of a partition of which some have a NULL
    shares(first, second) -> how many rows alike are parted where a share is compared

Of five rows of the same amount four are just 0.8 of the total: `running <= 0.8 * total` and
`running < 0.8 * total` part there, and `CUME_DIST() <= 0.8` does; PERCENT_RANK needs one row more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, product
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit, Over, Plan, Window, parts, walk
from unwet.rewrite.prove.synthetic.entities import Entity, Maker
from unwet.rewrite.prove.synthetic.goals import MOST_ROWS, Goal
from unwet.rewrite.prove.synthetic.logic import COMPARISONS, Ask
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.rows import RANKS, Way
from unwet.rewrite.prove.synthetic.symbols import Symbols, all_numbers

VALUES: Final = 6  # cells that are NULL in turn
SIZES: Final = 4  # numbers of rows that are tried for shares
_IGNORING: Final = "@ignore_nulls"
_PERCENT: Final = 100
_ORDERS: Final = COMPARISONS | {"between"}


def ranks_other(before: Plan, after: Plan) -> bool:
    """Whether ROW_NUMBER stands where RANK does."""
    return _ranks(before) != _ranks(after)


def _ranks(plan: Plan) -> Counter[str]:
    return Counter(each.call.op for each in _windows(plan) if each.call.op in RANKS)


def _windows(plan: Plan) -> Iterator[Over]:
    for rel in walk(plan.rel):
        if isinstance(rel, Window):
            yield from rel.functions


def nulls_other(before: Plan, after: Plan) -> bool:
    """Whether IGNORE NULLS stands where it does not in the other one."""
    return _ignoring(before) != _ignoring(after)


def _ignoring(plan: Plan) -> int:
    return sum(_IGNORING in each.call.shape for each in _windows(plan))


def null_values(
    way: Way, ask: Ask, at: int, symbols: Symbols, pools: Pools, maker: Maker
) -> Iterator[Sequence[Entity]]:
    """Rows of one partition: the first has a NULL in a cell that the windows may read, or all the
    others have. `at`: the number of the first."""
    fixed = all_numbers((*way.partitions, *way.orders))
    read = symbols.below((*way.outputs, *way.wants)) - fixed
    cells = sorted(read & pools.free)[:VALUES]
    goal = Goal("good", "NULLs in a partition", ask)
    for n, is_first in product(cells, (True, False)):
        null = {n: len(pools.of[n][1]) - 1}
        made = maker.entity(goal, at, way, given=null if is_first else {})
        if made is None:
            continue
        shared, given = maker.held(made, all_numbers(way.partitions))
        given |= {} if is_first else null
        others = (
            maker.entity(goal, made.number + 1 + seed, way, seed, shared, given=given)
            for seed in (0, 1)
        )
        yield [made, *filter(None, others)]


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
