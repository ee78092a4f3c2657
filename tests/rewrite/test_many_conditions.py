"""Hundreds of conditions are no parameter, and are not laid beside one another one by one."""

from collections.abc import Sequence

import pytest
import sqlglot
from sqlglot import exp

from unwet.rewrite.saying import MOST_TESTS, Saying
from unwet.rewrite.side_by_side import side_by_side

ANDS = " AND ".join(f"a <> {n}" for n in range(300))
ORS = " OR ".join(f"(a = {n} AND b = {n})" for n in range(200))


@pytest.mark.parametrize(("one", "two"), [(ANDS, ORS), (ORS, ANDS), (ANDS, "b"), (ORS, "b = 1")])
def test_hardly_any_is_printed(one: str, two: str, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[int] = []

    def condition(self: Saying, tests: Sequence[exp.Expr], own: bool = False) -> None:
        printed.append(len(tests))

    monkeypatch.setattr(Saying, "condition", condition)
    mine, other = (sqlglot.parse_one(f"SELECT a FROM t WHERE {test}") for test in (one, two))
    assert side_by_side(mine, other, (), "duckdb", 3) is None
    assert len(printed) <= 1


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_fewer_may_be_one(word: str) -> None:
    """As many as there can be of one letter, beside two that both have."""
    more = [*map(chr, range(ord("c"), ord("z"))), *"ABC"]
    some = f" {word} ".join(["a = 1", "b = 2"])
    every = f" {word} ".join(["a = 1", "b = 2", *more])
    mine, other = (sqlglot.parse_one(f"SELECT a FROM t WHERE {test}") for test in (some, every))
    found = side_by_side(mine, other, (), "duckdb", 3)
    assert found is not None and len(found.new) == 1
    assert found.new[0].other.text == f" {word} ".join(more)
    assert len(more) < MOST_TESTS
