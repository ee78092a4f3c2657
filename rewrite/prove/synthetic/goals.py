"""What rows a plan should be shown: good ones, and ones with exactly one deviation.

goals(way, logic, symbols) -> (Goal, ...)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from unwet.rewrite.algebra import Call, Expr, Lit, parts
from unwet.rewrite.prove.synthetic.branches import conditions
from unwet.rewrite.prove.synthetic.classes import bare, equal_pair
from unwet.rewrite.prove.synthetic.logic import COMPARISONS, Ask, Fact, Logic, together
from unwet.rewrite.prove.synthetic.pools import Pools
from unwet.rewrite.prove.synthetic.rows import Way
from unwet.rewrite.prove.synthetic.strangers import without_strangers
from unwet.rewrite.prove.synthetic.symbols import Symbols, Truth, binary, number, numbers
from unwet.rewrite.rules.refs import exchanged

Kind = Literal["good", "bad", "null", "near", "again"]
PINNED: Final = 45  # values of one variable that are tried
MOST: Final = 800  # goals of one plan
SEEN: Final = 60  # variables of one way that are varied
CROWDS: Final = 5  # ways, and keys of each, that crowds are made for
BEYOND: Final = "more than a limit"  # the aim of a crowd
MOST_ROWS: Final = 110  # a larger LIMIT is not filled


@dataclass(frozen=True, slots=True)
class Goal:
    """One entity to be made. `pin`: a variable and the position of the value it has to have.
    `near`: a variable that has other values in further rows; `again`: a scan whose row is there
    twice."""

    kind: Kind
    aim: str
    ask: Ask
    pin: tuple[int, int] | None = None
    near: int = -1
    again: int = -1


def facts_of(goals: Iterable[Goal]) -> Iterator[Fact]:
    """Every atom that is asked for."""
    for goal in goals:
        yield from goal.ask.hard
        yield from goal.ask.soft


def of_conditions(way: Way, logic: Logic) -> Iterator[Goal]:
    """The row itself, then each condition failing alone, then each branch of what is computed."""
    firsts = [logic.first(want, "true") for want in way.wants]
    hopes = together([logic.first(hope, "true") for hope in way.hopes]).softened()
    base = together(firsts, Ask(scans=way.scans)).also(hopes)
    base = without_strangers(base, way.wants, logic)
    yield Goal("good", f"a row{' (' + way.why + ')' if way.why else ''}", base)
    for at, want in enumerate(way.wants):
        others = together([f for i, f in enumerate(firsts) if i != at], Ask(scans=way.scans))
        for each in logic.asks(want, "true")[1:]:
            yield Goal("good", "another way to be kept", others.also(each))
        for each in logic.asks(want, "false"):
            yield Goal("bad", "one condition fails", each.also(others.softened()))
        for each in logic.asks(want, "null"):
            yield Goal("null", "one condition is unknown", each.also(others.softened()))
    for aim, each in conditions(logic, way.seen):
        kind: Kind = "null" if aim.endswith("null") else "good"
        yield Goal(kind, aim, each.also(base.softened()))


def of_values(
    way: Way, base: Ask, goals: Sequence[Goal], pools: Pools, symbols: Symbols
) -> Iterator[Goal]:
    """Boundaries: both sides of each comparison equal; each value that an atom may meet. `goals`:
    those of the way's conditions; an atom is looked at where it decides."""
    homes = _homes(goals)
    for test, home in homes.items():
        many, soft = numbers(test), home.softened()
        if not isinstance(test, Call):
            continue
        two = test.op in COMPARISONS and len(test.args) == 2
        if two and len(many) > 1 and equal_pair(test) is None:
            left, right = test.args
            for op in ("eq", "lt", "gt"):
                yield Goal("good", "boundary", Ask(((binary(op, left, right), "true"),)).also(soft))
        if len(many) > 1:
            for other in _off_by_one(test):
                for truths in _APART:
                    apart = tuple(zip((test, other), truths, strict=True))
                    yield Goal("good", "a constant decides", Ask(apart).also(soft))
        elif len(many) == 1 and many[0] not in pools.free:
            yield from _each_value(many[0], pools, soft)
    soft = base.softened()
    for n in _seen(way, symbols):
        nulls = len(pools.of[n][1]) - 1
        if symbols.variables[n].role == "cell":
            yield Goal("null", "a value is missing", soft, pin=(n, nulls))
        if symbols.variables[n].role == "cell" and n not in pools.free and n not in _firsts(homes):
            yield from _each_value(n, pools, soft, 3)


_APART: Final[tuple[tuple[Truth, Truth], ...]] = (("true", "false"), ("false", "true"))


def _off_by_one(test: Expr) -> Iterator[Expr]:
    """The test with another whole number in place of one of its own."""
    for lit in dict.fromkeys(part for part in parts(test) if isinstance(part, Lit)):
        if lit.kind in ("number", "string") and lit.text.isdigit() and len(lit.text) < 9:
            yield exchanged(test, lit, Lit(lit.kind, str(int(lit.text) + 1)))


def _homes(goals: Sequence[Goal]) -> dict[Expr, Ask]:
    """For each atom the first goal that needs it, best one that needs it to be true."""
    found: dict[Expr, Ask] = {}
    for wanted in (True, False):
        for goal in goals:
            for test, truth in goal.ask.hard:
                if (truth == "true") == wanted:
                    found.setdefault(test, goal.ask)
    return found


def _firsts(tests: Iterable[Expr]) -> frozenset[int]:
    return frozenset(n for test in tests for n in numbers(test))


def _each_value(n: int, pools: Pools, soft: Ask, most: int = PINNED) -> Iterator[Goal]:
    for at in range(min(len(pools.of[n][1]) - 1, most)):
        yield Goal("good", "a value", soft, pin=(n, at))


def _seen(way: Way, symbols: Symbols) -> list[int]:
    """The variables that matter; of columns that are only handed on not more than SEEN in all."""
    exprs = (*way.seen, *way.wants)
    plain = {n for each in exprs if (n := number(each)) is not None}
    found = {n for each in exprs if number(each) is None for n in numbers(each)}
    counted = found | plain  # COUNT(DISTINCT a, b) is plain, and made of two cells
    inner = {n for at in counted for each in symbols.variables[at].of for n in numbers(each)}
    busy = sorted(found | inner)
    return busy + sorted(plain - found - inner)[: max(SEEN - len(busy), 10)]


def of_rows(way: Way, base: Ask, symbols: Symbols) -> Iterator[Goal]:
    """Further rows beside a good one: the same again, and with one other value."""
    for scan in sorted(base.scans):
        yield Goal("again", "a row twice", base, again=scan)
    for n in _seen(way, symbols):
        variable = symbols.variables[n]
        if variable.role == "cell" and variable.scan in base.scans:
            yield Goal("near", "other values", base, near=n)


def of_pairs(bases: Sequence[tuple[Way, Ask]]) -> Iterator[Goal]:
    """Two rows that come from different branches and are the same."""
    for (one, first), (other, second) in pairwise(bases):
        if one.scans & other.scans or not one.scans or not other.scans:
            continue
        both = zip(one.outputs, other.outputs, strict=False)
        equal = tuple((binary("nullsafeeq", a, b), _TRUE) for a, b in both)
        yield Goal("again", "the same row twice", first.also(second).also(Ask(equal)))


_TRUE: Final[Truth] = "true"


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many entities of one way that have the values of some classes in common (`shared`, by
    the variable that stands for each); of other classes two and two are alike (`paired`).
    `counts`: variables that count up from one to the next."""

    way: Way
    ask: Ask
    size: int
    shared: frozenset[int] = frozenset()
    paired: frozenset[int] = frozenset()
    counts: tuple[int, ...] = ()
    aim: str = "a crowd"


def crowds(
    bases: Sequence[tuple[Way, Ask]], pools: Pools, bounds: Sequence[int], symbols: Symbols
) -> Iterator[Crowd]:
    """Groups of many, one for all keys of the result and one for each key; and more rows than a
    LIMIT lets through."""
    for way, ask in bases[:CROWDS]:
        keys = list(dict.fromkeys((*_classes(way.keys, pools), *_classes(way.partitions, pools))))
        shown = [k for k in _classes(way.keys, pools) if k in _classes(way.outputs, pools)]
        joined = {pools.chief[n] for e, _ in ask.hard if equal_pair(e) for n in numbers(e)}
        free = {pools.chief[n] for n in pools.free}
        paired = frozenset(free - joined - set(keys))
        if keys or way.orders:
            yield Crowd(way, ask, 9, frozenset(shown), paired)
            grouped = {n for each in (*way.keys, *way.orders) for n in numbers(each)}
            counts = tuple(n for n in grouped if symbols.variables[n].role == "count")
            if way.orders or counts:
                yield Crowd(way, ask, 10, frozenset(shown), counts=counts)
                yield Crowd(way, ask, 4, frozenset(shown), counts=counts)
        for key in keys[:CROWDS]:
            if frozenset([key]) != frozenset(shown):
                yield Crowd(way, ask, 4, frozenset([key]), paired)
    for bound in sorted(set(bounds)):
        if bound <= MOST_ROWS and bases:
            yield Crowd(*bases[0], bound + 2, aim=BEYOND)


def _classes(exprs: Sequence[Expr], pools: Pools) -> list[int]:
    found = [number(bare(each)) for each in exprs]
    return [pools.chief[n] for n in dict.fromkeys(found) if n is not None and n in pools.free]


def distinct(goals: Iterable[Goal]) -> Iterator[Goal]:
    """Each goal once, at most MOST of them."""
    seen: set[object] = set()
    for goal in goals:
        key = (
            frozenset((e.digest, t) for e, t in goal.ask.hard),
            goal.pin, goal.near, goal.again,
            goal.ask.scans if goal.kind in ("near", "again") else None,
            frozenset((e.digest, t) for e, t in goal.ask.soft) if goal.pin else None,
        )  # fmt: skip
        if key not in seen:
            seen.add(key)
            yield goal
        if len(seen) >= MOST:
            return


def is_bare(expr: Expr) -> bool:
    """A variable, perhaps cast."""
    return number(bare(expr)) is not None
