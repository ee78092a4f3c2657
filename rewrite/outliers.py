"""Who stands alone: facts that contradict their nearest copies, constants that only one copy has,
filters that only one copy lacks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from unwet.rewrite.algebra import Col, Expr, parts
from unwet.rewrite.choices import is_other_choice
from unwet.rewrite.facts import Block, Fact, Facts, Reading
from unwet.rewrite.terms import literals
from unwet.rewrite.votes import LEAST, Likeness, Vote, elect, nearest

MINORITY: Final = 0.5  # of all facts of a slot: more are another opinion, no outliers
SAME: Final = 0.55  # of the copies that have a filter or a constant: else it is a parameter
_SLIPS: Final = frozenset({"inner", "left", "full"})  # joins that are written for each other
AGREED: Final = 0.5  # of all facts of a slot say the same: else the name stands for many things
CLOSE: Final = 0.3  # copies that tell what is missing are alike at least so much
_COMPARED: Final = 400  # facts of one slot that an outlier is compared with


@dataclass(frozen=True, slots=True)
class Outlier:
    """A fact that its nearest copies contradict. Of a missing filter, `fact` is the nearest
    copy's filter, and `block` the one where it should stand; else the fact's own block. `at` is
    the position of the constant that differs, None where more differs than a constant, and
    `variety` how many values it has in all facts that are alike otherwise."""

    fact: Fact
    block: Block
    vote: Vote
    missing: bool = False
    at: int | None = None
    variety: int = 0

    @property
    def other(self) -> Fact:
        """The fact of the nearest copy that has what the majority has."""
        return self.vote.majority[0]


def outliers(found: Facts) -> Iterator[Outlier]:
    """All outliers of a pile."""
    likeness = Likeness(found)
    buckets: dict[Hashable, list[Fact]] = defaultdict(list)
    for fact in _said(found):
        buckets[fact.slot].append(fact)
    for bucket in buckets.values():
        if len(bucket) > LEAST:
            yield from _contradictions(bucket, likeness)
            yield from _constants(bucket, likeness)
    readings: dict[str, list[Reading]] = defaultdict(list)
    for reading in found.readings:
        readings[reading.relation].append(reading)
    shown = _shown(found)
    for group in readings.values():
        if len(group) > LEAST:
            yield from (o for o in _missing(group, likeness) if not _is_shown(o, shown))


def _said(found: Facts) -> Iterator[Fact]:
    """The facts without columns that a block only hands on to the next: what is made of them is
    said there."""
    for fact in found.facts:
        if not (fact.is_bare and fact.block.query is not fact.block.root):
            yield fact


def _others(fact: Fact, bucket: Sequence[Fact]) -> Iterator[tuple[Block, Fact]]:
    """The facts of other blocks; of very many, evenly spread ones."""
    step = -(-len(bucket) // _COMPARED)
    for other in bucket[::step]:
        if other.block is not fact.block:
            yield other.block, other


def _few(count: int, total: int) -> bool:
    return count <= max(1, MINORITY * total)


# --- contradictions ---------------------------------------------------------------------------


def _contradictions(bucket: Sequence[Fact], likeness: Likeness) -> Iterator[Outlier]:
    counts = Counter(fact.value for fact in bucket)
    if len(counts) == 1 or max(counts.values()) < AGREED * len(bucket):
        return
    said = {(id(fact.block), fact.value) for fact in bucket}
    for fact in bucket:
        if not _few(counts[fact.value], len(bucket)):
            continue
        near = nearest(fact.block, fact.slot, _others(fact, bucket), likeness)
        vote = elect(fact.value, [(alike, f.value, f) for alike, f in near])
        if vote is None or (id(fact.block), vote.majority[0].value) in said:
            continue  # it says both
        if fact.kind == "join" and not _SLIPS.issuperset({fact.value, vote.majority[0].value}):
            continue  # rows with a partner, and rows without one
        if is_other_choice(vote.majority[0].term, fact.term):
            continue  # a report about other rows
        if not _follows_name(fact, bucket, lambda other: other.value):
            total = counts[vote.majority[0].value]
            yield Outlier(fact, fact.block, replace(vote, all_votes=total))


def _follows_name(fact: Fact, bucket: Sequence[Fact], said: Callable[[Fact], str]) -> bool:
    """Whether all reports of the same name, in other folders, say it too."""
    name, path = PurePath(_path(fact)).name, _path(fact)
    others = [f for f in bucket if _path(f) != path and PurePath(_path(f)).name == name]
    return bool(others) and all(said(other) == said(fact) for other in others)


def _path(fact: Fact) -> str:
    return fact.block.resolved.statement.path


# --- constants --------------------------------------------------------------------------------


def _constants(bucket: Sequence[Fact], likeness: Likeness) -> Iterator[Outlier]:
    """Facts that are alike but for a literal that few of them have."""
    alike: dict[str, list[Fact]] = defaultdict(list)
    for fact in bucket:
        if fact.term is not None:
            alike[fact.value].append(fact)
    for facts in alike.values():
        texts = {id(fact): _texts(fact) for fact in facts}
        columns = [Counter(column) for column in zip(*texts.values(), strict=True)]
        if len(facts) > LEAST and any(len(column) > 1 for column in columns):
            for fact in facts:
                yield from _constant(fact, facts, texts, columns, likeness)


def _constant(
    fact: Fact,
    facts: Sequence[Fact],
    texts: Mapping[int, tuple[str, ...]],
    columns: Sequence[Counter[str]],
    likeness: Likeness,
) -> Iterator[Outlier]:
    mine = texts[id(fact)]
    odd = [at for at, text in enumerate(mine) if _few(columns[at][text], len(facts))]
    odd = [at for at in odd if len(columns[at]) > 1]
    if not odd:
        return
    near = nearest(fact.block, fact.slot, _others(fact, facts), likeness)
    beside = [other for other in facts if other.block is fact.block]
    for at in odd:
        vote = elect(mine[at], [(alike, texts[id(f)][at], f) for alike, f in near])
        if vote is None or vote.votes < SAME * len(near):
            continue
        if any(texts[id(f)][at] == texts[id(vote.majority[0])][at] for f in beside):
            continue  # it says both
        if not _follows_name(fact, facts, lambda other: texts[id(other)][at]):  # noqa: B023
            total = columns[at][texts[id(vote.majority[0])][at]]
            vote = replace(vote, all_votes=total)
            yield Outlier(fact, fact.block, vote, at=at, variety=len(columns[at]))


def _texts(fact: Fact) -> tuple[str, ...]:
    return tuple(lit.text for lit in literals(fact.term)) if fact.term is not None else ()


# --- missing filters --------------------------------------------------------------------------


def _missing(readings: Sequence[Reading], likeness: Likeness) -> Iterator[Outlier]:
    tests = {id(reading): _tests(reading) for reading in readings}
    slots: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for each in tests.values():
        for slot, fact in each.items():
            slots[slot][_digest(fact)] += 1
    for slot, values in slots.items():
        digest, votes = max(values.items(), key=lambda item: (item[1], item[0]))
        if votes < LEAST or votes < SAME * values.total():
            continue  # every copy has its own value: a parameter
        lacking = [reading for reading in readings if slot not in tests[id(reading)]]
        if _few(len(lacking), len(readings)):
            for reading in lacking:
                yield from _missed(reading, slot, digest, readings, tests, likeness)


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


def _tests(reading: Reading) -> dict[Hashable, Fact]:
    return {fact.slot: fact for fact in reading.found}


def _digest(fact: Fact) -> str:
    return fact.term.digest.hex() if fact.term is not None else ""


def _missed(
    reading: Reading,
    slot: Hashable,
    digest: str,
    readings: Iterable[Reading],
    tests: Mapping[int, Mapping[Hashable, Fact]],
    likeness: Likeness,
) -> Iterator[Outlier]:
    others = ((r.way[-1], r) for r in readings if r is not reading)
    near = nearest(reading.way[-1], slot, others, likeness)
    near = [(alike, other) for alike, other in near if alike >= CLOSE]
    any_fact = next(f for t in tests.values() if (f := t.get(slot)) is not None)
    voters = []
    for alike, other in near:
        fact = tests[id(other)].get(slot)
        voters.append((alike, "" if fact is None else _digest(fact), fact or any_fact))
    vote = elect("", voters)
    if vote is not None and _digest(vote.majority[0]) == digest:
        total = sum(slot in each for each in tests.values())
        vote = replace(vote, all_votes=total)
        block = _home(reading, vote.majority[0], tests)
        yield Outlier(vote.majority[0], block, vote, missing=True)


def _home(reading: Reading, model: Fact, tests: Mapping[int, Mapping[Hashable, Fact]]) -> Block:
    """The block where a filter is missing: the one that has most of the filters that stand beside
    it in the copy; else the one that reads the relation."""
    beside = {
        fact.slot for each in tests.values() for fact in each.values() if fact.block is model.block
    }
    counts = Counter(id(fact.block) for fact in reading.found if fact.slot in beside)
    blocks = {id(block): block for block in (reading.within, *reading.way)}
    best = max(counts, key=lambda key: counts[key], default=id(reading.within))
    return blocks[best]
