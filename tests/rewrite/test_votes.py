"""How much blocks have in common is what sets of what they say have, whatever is left out."""

from __future__ import annotations

import random
from pathlib import Path

from unwet.lineage.pile import load
from unwet.rewrite.facts import Block, Facts, facts
from unwet.rewrite.votes import Likeness

QUERIES = (
    "select region, sum(amount) as total from sales where kind = 'a' and year = {} group by region",
    "select region, count(*) as total, max(day) as last from sales where kind = '{}' group by 1",
    "with s as (select * from sales where year = {}) select region, total from s join t using (k)",
)


def found(tmp_path: Path) -> Facts:
    for n in range(9):
        (tmp_path / f"q{n}.sql").write_text(f"create table r{n} as {QUERIES[n % 3].format(n // 3)}")
    return facts(load([tmp_path], "databricks"))


def common(said: Facts, one: Block, other: Block, slot: object) -> float:
    """As the words are: what blocks say, and what the whole queries speak of."""

    def own(block: Block) -> set[object]:
        return {
            (fact.slot, fact.value)
            for fact in said.facts
            if fact.block is block and fact.clause != "rows" and fact.slot != slot
            if not fact.is_bare or block.query is block.root
        }

    def whole(block: Block) -> set[object]:
        below = {id(fact.block.query) for fact in said.facts if fact.block.root is block.root}
        for reading in said.readings:
            if reading.way[-1].root is block.root:
                below.update(id(each.query) for each in (reading.within, *reading.way))
        return {
            (fact.slot, None if fact.kind == "output" else fact.value)
            for fact in said.facts
            if id(fact.block.query) in below and fact.clause != "rows" and fact.slot != slot
            if not fact.is_bare or fact.block.query is fact.block.root
        }

    def share(mine: set[object], theirs: set[object]) -> float:
        return len(mine & theirs) / len(mine | theirs) if mine or theirs else 0.0

    of_all = share(whole(one), whole(other))
    mine, theirs = own(one), own(other)
    return 0.5 * share(mine, theirs) + 0.5 * of_all if mine or theirs else of_all


def test_what_is_said_of_a_slot_is_left_out_of_both(tmp_path: Path) -> None:
    said = found(tmp_path)
    likeness = Likeness(said)
    blocks = [*{id(fact.block): fact.block for fact in said.facts}.values()]
    slots = [None, *{fact.slot for fact in said.facts}]
    chance, seen = random.Random(1), set[float]()
    for _ in range(400):
        one, other, slot = chance.choice(blocks), chance.choice(blocks), chance.choice(slots)
        alike = likeness.between(one, other, slot)
        assert alike == common(said, one, other, slot)
        seen.add(round(alike, 3))
    assert len(seen) > 10
