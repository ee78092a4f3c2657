"""A group of drafts is worked on once, as long as its trees are the same ones."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from unwet.rewrite.compose import Draft
from unwet.rewrite.remembered import Remembered


def draft(name: str) -> Draft:
    tree = sqlglot.parse_one("select 1 as a")
    assert isinstance(tree, exp.Query)
    return Draft(name, tree, (), ())


def test_the_same_trees_are_asked_once_for_each_stage() -> None:
    one, two, asked = draft("a"), draft("b"), list[str]()

    def made() -> list[Draft]:
        asked.append("!")
        return [two]

    memory = Remembered()
    assert memory.of("x", [one, two], made) == memory.of("x", [one, two], made) == [two]
    assert len(asked) == 1
    memory.of("y", [one, two], made)
    memory.of("x", [one], made)
    memory.of("x", [draft("a"), two], made)  # equal text, another tree
    assert len(asked) == 4
