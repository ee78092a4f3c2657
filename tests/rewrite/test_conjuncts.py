"""What two queries of one shape say otherwise."""

import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.algebra import Lit
from unwet.rewrite.conjuncts import values_apart, with_values, words_of

ONE = "SELECT a.x, 1 AS n FROM t AS a WHERE a.c = 'DE' AND a.d > '1' OR a.c = 'DE'"


def query(text: str) -> exp.Query:
    tree = parse_one(text)
    assert isinstance(tree, exp.Query)
    return tree


def apart(other: str) -> dict[Lit, Lit] | None:
    return values_apart(words_of(query(ONE)), words_of(query(other)))


def test_constants_that_differ_in_all_their_places() -> None:
    other = ONE.replace("DE", "AT").replace("a.", "b.").replace("AS a", "AS b")
    assert apart(other) == {Lit("string", "DE"): Lit("string", "AT")}
    assert apart(ONE) == {}
    assert with_values(query(ONE), apart(ONE.replace("DE", "AT")) or {}).sql() == ONE.replace(
        "DE", "AT"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("OR a.c = 'DE'", "OR a.c = 'AT'"),  # one constant would be two
        ("a.x", "a.y"),
        ("FROM t", "FROM u"),
        ("'1'", "2"),
    ],
)
def test_other_words_are_no_constants(old: str, new: str) -> None:
    assert apart(ONE.replace(old, new)) is None


def test_two_aliases_that_become_one_are_not_the_same_words() -> None:
    one = query("SELECT a.x FROM t AS a JOIN t AS b ON a.k = b.k")
    other = query("SELECT b.x FROM t AS b JOIN t AS b ON b.k = b.k")
    assert values_apart(words_of(one), words_of(other)) is None
