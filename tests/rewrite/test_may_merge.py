"""What keeps its words: a merge may not change them, on the side that has to keep them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlglot

from unwet.rewrite.alternatives import NO_ALTERNATIVE
from unwet.rewrite.library import NO_CONDITION
from unwet.rewrite.may_merge import stays_as_it_is
from unwet.rewrite.saying import New
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.side_by_side import Aligned

PLAIN = Aligned(sqlglot.parse_one("SELECT a FROM t WHERE b"), {}, (), frozenset(), [])
GROUPED = sqlglot.parse_one("SELECT a FROM t GROUP BY a HAVING b")
SAID = Leaf("condition", "x > 1")


def new(mine: Leaf, other: Leaf) -> tuple[New, ...]:
    return (New(mine, other, "word", ()),)


@pytest.mark.parametrize(("found", "mine", "theirs"), [  # whether each may be one that stays
    (PLAIN, True, True),
    (replace(PLAIN, added=frozenset("r")), False, False),
    (replace(PLAIN, optional=frozenset("p")), False, False),
    (replace(PLAIN, renamed=frozenset("r")), True, False),
    (replace(PLAIN, moved=True), False, False),
    (replace(PLAIN, regrouped=True), True, False),
    (replace(PLAIN, new=new(NO_ALTERNATIVE, SAID)), False, False),
    (replace(PLAIN, new=new(SAID, NO_ALTERNATIVE)), False, False),
    (replace(PLAIN, said={"p": NO_ALTERNATIVE}), True, False),
    (replace(PLAIN, new=new(NO_CONDITION, SAID), said={"p": NO_CONDITION}), True, True),
    (replace(PLAIN, tree=GROUPED, new=new(NO_CONDITION, SAID)), False, True),
    (replace(PLAIN, tree=GROUPED, said={"p": NO_CONDITION}), True, False),
])  # fmt: skip
def test_what_has_to_stay_is_the_same_text(found: Aligned, mine: bool, theirs: bool) -> None:
    assert stays_as_it_is(found, mine=False, theirs=False, is_macro=True)
    assert stays_as_it_is(found, mine=True, theirs=False, is_macro=True) is mine
    assert stays_as_it_is(found, mine=False, theirs=True, is_macro=True) is theirs


def test_conditions_of_a_query_may_stand_otherwise() -> None:
    assert stays_as_it_is(replace(PLAIN, moved=True), mine=False, theirs=True, is_macro=False)
