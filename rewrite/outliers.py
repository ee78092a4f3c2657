"""Who stands alone: facts that contradict their nearest copies, constants that only one copy has,
filters that only one copy lacks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from unwet.rewrite.choices import is_other_choice
from unwet.rewrite.facts import Block, Fact, Facts
from unwet.rewrite.kept_rows import SURE, VERBATIM, filters
from unwet.rewrite.standing import SAME, Outlier, few
from unwet.rewrite.terms import literals
from unwet.rewrite.votes import LEAST, Likeness, elect, nearest

_SLIPS: Final = frozenset({"inner", "left", "full"})  # joins that are written for each other
AGREED: Final = 0.5  # of all facts of a slot say the same: else the name stands for many things
ROWS_ALIKE: Final = 0.6  # copies that say how many rows a block has are alike at least so much
UNANIMOUS: Final = 0.85  # of all names are the same: else everybody names it as they like
_COMPARED: Final = 400  # facts of one slot that an outlier is compared with


def outliers(found: Facts) -> Iterator[Outlier]:
    """All outliers of a pile."""
    likeness = Likeness(found)
    buckets: dict[Hashable, list[Fact]] = defaultdict(list)
    for fact in _said(found):
        buckets[fact.slot].append(fact)
    beside = _names_beside(found)
    for bucket in buckets.values():
        if bucket[0].kind == "name":
            yield from _names(bucket, beside, likeness)
        elif len(bucket) > LEAST:
            yield from _contradictions(bucket, likeness)
            yield from _constants(bucket, likeness)
    yield from filters(found, likeness)


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


# --- contradictions ---------------------------------------------------------------------------


def _contradictions(bucket: Sequence[Fact], likeness: Likeness) -> Iterator[Outlier]:
    counts = Counter(fact.value for fact in bucket)
    if len(counts) == 1 or max(counts.values()) < AGREED * len(bucket):
        return
    said = {(id(fact.block), fact.value) for fact in bucket}
    for fact in bucket:
        if not few(counts[fact.value], len(bucket)):
            continue
        near = nearest(fact.block, fact.slot, _others(fact, bucket), likeness)
        vote = elect(fact.value, [(alike, f.value, f) for alike, f in near])
        if vote is None or (id(fact.block), vote.majority[0].value) in said:
            continue  # it says both
        if fact.kind == "join" and not _SLIPS.issuperset({fact.value, vote.majority[0].value}):
            continue  # rows with a partner, and rows without one
        if fact.kind == "grain" and not _lost_a_key(fact, vote.majority[0]):
            continue  # a report by something else
        if fact.clause == "rows" and vote.alike < ROWS_ALIKE:
            continue
        if is_other_choice(vote.majority[0].term, fact.term):
            continue  # a report about other rows
        if not _follows_name(fact, bucket, lambda other: other.value):
            total = counts[vote.majority[0].value]
            yield Outlier(fact, fact.block, vote.of_all(total))


def _follows_name(fact: Fact, bucket: Sequence[Fact], said: Callable[[Fact], str]) -> bool:
    """Whether all reports of the same name, in other folders, say it too."""
    name, path = PurePath(_path(fact)).name, _path(fact)
    others = [f for f in bucket if _path(f) != path and PurePath(_path(f)).name == name]
    return bool(others) and all(said(other) == said(fact) for other in others)


def _path(fact: Fact) -> str:
    return fact.block.resolved.statement.path


def _lost_a_key(fact: Fact, other: Fact) -> bool:
    """Whether one groups by all that the other groups by, and by one thing more."""
    return len(fact.keys ^ other.keys) == 1


def _names_beside(found: Facts) -> Mapping[int, frozenset[str]]:
    """By root: what its CTEs are called."""
    names: dict[int, set[str]] = defaultdict(set)
    for fact in found.facts:
        if fact.kind == "name":
            names[id(fact.block.root)].add(fact.value)
    return {key: frozenset(each) for key, each in names.items()}


def _names(
    bucket: Sequence[Fact], beside: Mapping[int, frozenset[str]], likeness: Likeness
) -> Iterator[Outlier]:
    """CTEs that say the same under another name than nearly all their verbatim copies, where all
    CTEs beside them have the same names: who names everything anew writes no copies."""
    counts = Counter(fact.value for fact in bucket)
    name, votes = max(counts.items(), key=lambda item: (item[1], item[0]))
    if votes < SURE or votes < UNANIMOUS * len(bucket):
        return
    for fact in bucket:
        if fact.value != name:
            near = nearest(fact.block, fact.slot, _others(fact, bucket), likeness)
            others = beside[id(fact.block.root)] - {fact.value}
            same = [
                (alike, other.value, other)
                for alike, other in near
                if alike >= VERBATIM and others == beside[id(other.block.root)] - {other.value}
            ]
            same = same if others else []
            vote = elect(fact.value, same)
            if vote is not None and vote.votes >= SURE and vote.majority[0].value == name:
                yield Outlier(fact, fact.block, vote.of_all(votes))


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
        split = [at for at, column in enumerate(columns) if _may_elect(column)]
        if len(facts) > LEAST and split:
            for fact in facts:
                yield from _constant(fact, facts, texts, columns, split, likeness)


def _may_elect(column: Counter[str]) -> bool:
    """Whether enough facts have one constant, and some another one. Where each has its own, nobody
    has to look for those that are nearest."""
    return len(column) > 1 and max(column.values()) >= LEAST


def _constant(
    fact: Fact,
    facts: Sequence[Fact],
    texts: Mapping[int, tuple[str, ...]],
    columns: Sequence[Counter[str]],
    split: Sequence[int],
    likeness: Likeness,
) -> Iterator[Outlier]:
    mine = texts[id(fact)]
    odd = [at for at in split if few(columns[at][mine[at]], len(facts))]
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
            yield Outlier(fact, fact.block, vote.of_all(total), at=at, variety=len(columns[at]))


def _texts(fact: Fact) -> tuple[str, ...]:
    return tuple(lit.text for lit in literals(fact.term)) if fact.term is not None else ()
