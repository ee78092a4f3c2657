"""Numbers of trees: those that say the same have the same one, others have not."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.numbered import Numbers
from unwet.rewrite.shapes import CONDITION

SAID = "select a, f(b) as c from t as x where x.d = 1 and not e order by a"


def number(numbers: Numbers, sql: str) -> int:
    tree = parse_one(sql, dialect="duckdb")
    return numbers.of(tree)[id(tree)]


def test_what_says_the_same_has_one_number_wherever_it_stands() -> None:
    numbers = Numbers()
    plain = number(numbers, SAID)
    assert number(numbers, SAID.replace(" where", "  -- which\n where")) == plain
    whole = parse_one(f"select * from ({SAID}) as s", dialect="duckdb")
    inner = whole.find(exp.Subquery)
    assert inner is not None
    assert numbers.of(whole)[id(inner.this)] == plain


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("a,", "A,"),
        ("a,", '"a",'),
        ("f(b)", "f(1)"),
        ("= 1", "= '1'"),
        ("= 1", "<> 1"),
        ("order by a", "order by a asc"),
        ("order by a", "order by a desc"),
        ("not e", "e"),
        ("as c", "as f"),
        ("select a", "select distinct a"),
    ],
)
def test_another_word_is_another_number(said: str, other: str) -> None:
    numbers = Numbers()
    assert number(numbers, SAID) != number(numbers, SAID.replace(said, other, 1))


def test_a_note_that_says_something_counts() -> None:
    numbers = Numbers()
    one, other = parse_one("a"), parse_one("a")
    other.meta[CONDITION] = "b"
    assert numbers.of(one)[id(one)] != numbers.of(other)[id(other)]


def test_true_is_not_one() -> None:
    numbers = Numbers()
    one, other = (
        exp.Ordered(this=exp.column("a"), desc=True),
        exp.Ordered(this=exp.column("a"), desc=1),
    )
    assert numbers.of(one)[id(one)] != numbers.of(other)[id(other)]
