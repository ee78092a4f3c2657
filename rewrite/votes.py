"""Votes: what the nearest copies of a definition say about it.

Facts of one slot vote. The nearest copies count, not the whole pile: a report that was copied from
another shares most of what it says with it, while the same name elsewhere may mean another thing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from unwet.rewrite.facts import Block, Fact, Facts

NEAREST: Final = 12  # copies that vote
LEAST: Final = 3  # votes that a majority needs
AGAINST: Final = 0.6  # an outlier's side has at most so many votes for each of the majority's
LEAST_SHARE: Final = 0.5  # of all votes that a majority has
LEAST_ALIKE: Final = 0.2  # what a copy has in common with the outlier, of all they say

T = TypeVar("T")
_NONE: Final[AbstractSet[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Vote:
    """How near copies vote on a fact: for the majority, and with the outlier (itself included).
    `majority`: the facts of the majority, nearest first. `alike`: what these have in common with
    the outlier on average, 0 to 1. `all_votes`: how many of all copies, near or not, say what the
    majority says."""

    majority: tuple[Fact, ...]
    votes: int
    against: int
    alike: float
    all_votes: int = 0

    @property
    def score(self) -> float:
        """0 to 1: the share of the majority, one more vote against it assumed, so that many votes
        count more than few; by how much its voters are copies."""
        share = self.votes / (self.votes + self.against + 1)
        return share * (0.5 + 0.5 * self.alike)

    def of_all(self, votes: int) -> Vote:
        """The same with that number of votes of all copies."""
        return replace(self, all_votes=votes)


class Likeness:
    """How much two blocks have in common: what they say themselves, and what the whole queries
    speak of that they are parts of.

    What they say of the slot in question is left out, else copies of a mistake would be nearer
    than right copies; and whole queries count by what their outputs are called, as what is said
    of one goes on from block to block."""

    def __init__(self, found: Facts) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._slots: dict[Hashable, set[int]] = defaultdict(set)
        own: dict[int, set[int]] = defaultdict(set)
        roots: dict[int, set[int]] = defaultdict(set)
        below = _below(found)
        for fact in found.facts:
            if fact.clause == "rows":
                continue  # alike in this are queries that have nothing else in common
            if fact.is_bare and fact.block.query is not fact.block.root:
                continue  # a column that is handed on is no common thought
            said = self._number(fact.slot, fact.value)
            own[id(fact.block)].add(said)
            known = self._number(fact.slot, None) if fact.kind == "output" else said
            for root in below.get(id(fact.block.query), ()):
                roots[root].add(known)
        self._own = {key: frozenset(marks) for key, marks in own.items()}
        self._roots = {key: frozenset(marks) for key, marks in roots.items()}
        self._common: dict[tuple[int, int], int] = {}  # marks that two roots have in common

    def between(self, one: Block, other: Block, slot: Hashable) -> float:
        """0 (nothing in common) to 1; what is said of `slot` is left out."""
        out = self._slots.get(slot, _NONE)
        mine, theirs = self._own.get(id(one), _NONE), self._own.get(id(other), _NONE)
        whole = self._whole(id(one.root), id(other.root), out)
        if mine <= out and theirs <= out:
            return whole  # blocks that say nothing else of their own
        return 0.5 * _jaccard(mine, theirs, out, len(mine & theirs)) + 0.5 * whole

    def _whole(self, one: int, other: int, out: AbstractSet[int]) -> float:
        mine, theirs = self._roots.get(one, _NONE), self._roots.get(other, _NONE)
        common = self._common.get((one, other))
        if common is None:
            common = self._common[one, other] = len(mine & theirs)
        return _jaccard(mine, theirs, out, common)

    def _number(self, slot: Hashable, value: str | None) -> int:
        number = self._numbers.setdefault((slot, value), len(self._numbers))
        self._slots[slot].add(number)
        return number


def _jaccard(
    one: AbstractSet[int], other: AbstractSet[int], out: AbstractSet[int], common: int
) -> float:
    """What two sets have in common, of all that is in them, without what is left ``out``: that is
    little beside them. ``common``: how much it is with that."""
    size = len(one) + len(other)
    if out:
        first, second = one & out, other & out
        size -= len(first) + len(second)
        common -= len(first & second)
    return common / (size - common) if size else 0.0


def _below(found: Facts) -> Mapping[int, Sequence[int]]:
    """By identity of a block's query: the roots that are made of it, directly or not."""
    known: dict[int, dict[int, None]] = defaultdict(dict)
    for fact in found.facts:
        known[id(fact.block.query)][id(fact.block.root)] = None
    for reading in found.readings:
        for block in (reading.within, *reading.way):
            known[id(block.query)][id(reading.way[-1].root)] = None
    return {key: tuple(value) for key, value in known.items()}


def nearest(
    block: Block, slot: Hashable, others: Iterable[tuple[Block, T]], likeness: Likeness
) -> list[tuple[float, T]]:
    """The nearest of the others with their likeness, nearest first; ties in order of path."""
    ranked = [(-likeness.between(block, other, slot), _order(other), at, what)
              for at, (other, what) in enumerate(others)]  # fmt: skip
    ranked.sort(key=lambda each: each[:3])
    return [(-alike, what) for alike, _, _, what in ranked[:NEAREST] if -alike >= LEAST_ALIKE]


def _order(block: Block) -> tuple[str, int]:
    statement = block.resolved.statement
    return statement.path, statement.index


def elect(value: str, voters: Sequence[tuple[float, str, Fact]]) -> Vote | None:
    """The majority against `value` among (likeness, value, fact) of the nearest copies, if there
    is one."""
    counts = Counter(other for _, other, _ in voters)
    counts[value] += 1
    chosen, votes = max(counts.items(), key=lambda item: (item[1], item[0]))
    against = counts[value]
    if chosen == value or votes < LEAST or against > AGAINST * votes:
        return None
    if votes < LEAST_SHARE * (len(voters) + 1):
        return None
    sure = [(alike, fact) for alike, other, fact in voters if other == chosen]
    mean = sum(alike for alike, _ in sure) / len(sure)
    return Vote(tuple(fact for _, fact in sure), votes, against, mean)
