"""Filters that one copy lacks, and exclusions that one copy alone has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import Call, Col, Expr, Lit, operands, parts
from unwet.rewrite.facts import Block, Fact, Facts, Reading
from unwet.rewrite.macros import LOOP_VARIABLE
from unwet.rewrite.standing import SAME, Outlier, few
from unwet.rewrite.votes import LEAST, Likeness, elect, nearest

CLOSE: Final = 0.3  # copies that tell what is missing are alike at least so much
COPIES: Final = 0.7  # copies that are asked alone, where others outvote them
VERBATIM: Final = 0.8  # copies that tell what is too much are alike at least so much
SURE: Final = 8  # so many of them
_EXCLUDES: Final = frozenset({"neq", "not", "isdistinct", "nullsafeneq"})

_Tests = Mapping[int, Mapping[Hashable, Fact]]  # by identity of a reading


def filters(found: Facts, likeness: Likeness) -> Iterator[Outlier]:
    """The outliers among the filters that lie on readings of the same relation."""
    readings: dict[Hashable, list[Reading]] = defaultdict(list)
    for reading in found.readings:
        readings[_what(reading)].append(reading)
    shown = _shown(found)
    for group in readings.values():
        if len(group) > LEAST:
            tests = {id(reading): _tests(reading) for reading in group}
            slots = _slots(tests)
            missing = _missing(group, slots, tests, likeness)
            yield from (outlier for outlier in missing if not _is_shown(outlier, shown))
            yield from _added(group, slots, tests, likeness)


def _what(reading: Reading) -> Hashable:
    """What is read; what a loop reads has no name of its own, but columns that are taken of it."""
    if reading.relation != LOOP_VARIABLE:
        return reading.relation
    return frozenset(output.name for output in reading.within.query.outputs)


def _tests(reading: Reading) -> dict[Hashable, Fact]:
    return {fact.slot: fact for fact in reading.found}


def _slots(tests: _Tests) -> Mapping[Hashable, Counter[str]]:
    """What is tested, and how often in which way."""
    slots: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for each in tests.values():
        for slot, fact in each.items():
            slots[slot][_digest(fact)] += 1
    return slots


def _digest(fact: Fact) -> str:
    return fact.term.digest.hex() if fact.term is not None else ""


# --- missing ----------------------------------------------------------------------------------


def _missing(
    readings: Sequence[Reading],
    slots: Mapping[Hashable, Counter[str]],
    tests: _Tests,
    likeness: Likeness,
) -> Iterator[Outlier]:
    copies = _Copies(readings, likeness)
    for slot, values in slots.items():
        digest, votes = _most(values)
        lacking = [reading for reading in readings if slot not in tests[id(reading)]]
        if votes >= SAME * values.total() and few(len(lacking), len(readings)):
            for reading in lacking if votes >= LEAST else ():
                yield from _missed(reading, slot, digest, readings, tests, likeness)
        elif values.total() >= LEAST:
            for reading, family in _families(lacking, slot, tests, copies):
                own = Counter(_digest(tests[id(other)][slot]) for other in family)
                digest, votes = _most(own)
                if votes >= SAME * own.total():  # else every copy has its own value: a parameter
                    yield from _missed(reading, slot, digest, family, tests, likeness)


def _most(values: Counter[str]) -> tuple[str, int]:
    return max(values.items(), key=lambda item: (item[1], item[0]))


class _Copies:
    """Which queries are copies of each other, found once for all filters on one relation."""

    def __init__(self, readings: Sequence[Reading], likeness: Likeness) -> None:
        self._likeness = likeness
        self._by_query: dict[int, list[Reading]] = defaultdict(list)
        for reading in readings:
            self._by_query[id(reading.way[-1])].append(reading)
        self._near: dict[int, list[list[Reading]]] = {}

    def of(self, reading: Reading, slot: Hashable) -> list[list[Reading]]:
        """The readings of each other query that says nearly all that its query says, but for
        `slot`."""
        last = reading.way[-1]
        if id(last) not in self._near:
            self._near[id(last)] = [
                each for each in self._by_query.values() if self._alike(last, each) >= CLOSE
            ]
        return [each for each in self._near[id(last)] if self._alike(last, each, slot) >= COPIES]

    def _alike(self, last: Block, readings: Sequence[Reading], slot: Hashable = None) -> float:
        other = readings[0].way[-1]
        return self._likeness.between(last, other, slot) if other is not last else 0.0


def _families(
    lacking: Sequence[Reading], slot: Hashable, tests: _Tests, copies: _Copies
) -> Iterator[tuple[Reading, list[Reading]]]:
    """Those that lack a filter which many readers of the relation do not have, but all of their
    own copies do: with these. Who reads it for another purpose has no vote then."""
    for reading in lacking:
        family = copies.of(reading, slot)
        others = [other for each in family for other in each]
        if len(family) >= LEAST and all(slot in tests[id(other)] for other in others):
            yield reading, others


def _shown(found: Facts) -> Mapping[int, frozenset[Expr]]:
    """By root: the base columns that a query shows as they are."""
    columns: dict[int, set[Expr]] = defaultdict(set)
    for fact in found.facts:
        if fact.is_bare and fact.block.query is fact.block.root and fact.term is not None:
            columns[id(fact.block.root)].add(fact.term)
    return {key: frozenset(terms) for key, terms in columns.items()}


def _is_shown(outlier: Outlier, shown: Mapping[int, frozenset[Expr]]) -> bool:
    """Whether the report shows what the filter tests: it is about all its values."""
    term, own = outlier.fact.term, shown.get(id(outlier.block.root), frozenset())
    tested = [part for part in parts(term) if isinstance(part, Col)] if term is not None else []
    return bool(tested) and all(part in own for part in tested)


def _missed(
    reading: Reading,
    slot: Hashable,
    digest: str,
    readings: Iterable[Reading],
    tests: _Tests,
    likeness: Likeness,
) -> Iterator[Outlier]:
    others = ((r.way[-1], r) for r in readings if r.way[-1] is not reading.way[-1])
    near = nearest(reading.way[-1], slot, others, likeness)
    near = [(alike, other) for alike, other in near if alike >= CLOSE]
    any_fact = next(f for t in tests.values() if (f := t.get(slot)) is not None)
    voters = []
    for alike, other in near:
        fact = tests[id(other)].get(slot)
        voters.append((alike, "" if fact is None else _digest(fact), fact or any_fact))
    vote = elect("", voters)
    if vote is not None and _digest(vote.majority[0]) == digest:
        facts = (each.get(slot) for each in tests.values())
        total = sum(fact is not None and _digest(fact) == digest for fact in facts)
        block = _home(reading, vote.majority[0], tests)
        yield Outlier(vote.majority[0], block, vote.of_all(total), missing=True)


def _home(reading: Reading, model: Fact, tests: _Tests) -> Block:
    """The block where a filter is missing: the one that has most of the filters that stand beside
    it in the copy; else the one that reads the relation."""
    beside = {
        fact.slot for each in tests.values() for fact in each.values() if fact.block is model.block
    }
    counts = Counter(id(fact.block) for fact in reading.found if fact.slot in beside)
    blocks = {id(block): block for block in (reading.within, *reading.way)}
    best = max(counts, key=lambda key: counts[key], default=id(reading.within))
    return blocks[best]


# --- added ------------------------------------------------------------------------------------


def _added(
    readings: Sequence[Reading],
    slots: Mapping[Hashable, Counter[str]],
    tests: _Tests,
    likeness: Likeness,
) -> Iterator[Outlier]:
    """Rows that one copy leaves out by name, and that its verbatim copies keep."""
    if len(readings) <= SURE:
        return
    for slot, values in slots.items():
        if SURE * values.total() > len(readings):
            continue
        for reading in readings:
            fact = tests[id(reading)].get(slot)
            if fact is not None and _excludes(fact.term):
                yield from _alone(reading, fact, readings, tests, likeness)


def _excludes(term: Expr | None) -> bool:
    """Whether a filter leaves out rows with certain values, rather than choose some."""
    if not isinstance(term, Call) or term.op not in _EXCLUDES:
        return False
    leaves = [part for part in parts(term) if not operands(part) and not isinstance(part, Col)]
    return any(not isinstance(leaf, Lit) or leaf.kind != "null" for leaf in leaves)


def _alone(
    reading: Reading,
    fact: Fact,
    readings: Iterable[Reading],
    tests: _Tests,
    likeness: Likeness,
) -> Iterator[Outlier]:
    others = ((r.way[-1], r) for r in readings if r.way[-1] is not reading.way[-1])
    near = nearest(reading.way[-1], fact.slot, others, likeness)
    near = [(alike, other) for alike, other in near if alike >= VERBATIM]
    voters = [
        (alike, "" if fact.slot not in tests[id(other)] else "has one", _without(fact, other))
        for alike, other in near
    ]
    vote = elect("has one", voters)
    if vote is not None and vote.votes >= SURE:
        total = sum(fact.slot not in each for each in tests.values())
        yield Outlier(fact, fact.block, vote.of_all(total), added=True)


def _without(fact: Fact, reading: Reading) -> Fact:
    """That a reading has no such filter: at its outermost block."""
    block = reading.way[-1]
    return replace(fact, block=block, node=block.query.node, reads=frozenset())
