"""A star gives other names when a union begins with another table."""

from __future__ import annotations

import pytest

from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.headings import headings
from unwet.rewrite.prove.judge import difference
from unwet.tests.rewrite.test_stars import open_plan

TURNED = (
    ("select * from t union all select * from u", "select * from u union all select * from t"),
    ("select * from t union select * from u", "select * from u union select * from t"),
    ("select * from t intersect select * from u", "select * from u intersect select * from t"),
    (
        "select * exclude (a) from t union all select * exclude (b) from t",
        "select * exclude (b) from t union all select * exclude (a) from t",
    ),
)


@pytest.mark.parametrize(("one", "other"), TURNED)
def test_a_union_the_other_way_round_is_not_proved(one: str, other: str) -> None:
    assert "another table" in difference(open_plan(one), open_plan(other), Normalizer())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("select * from t where a = 1", "with q as (select * from t) select * from q where a = 1"),
        (
            "select * from t union all select * from u",
            "with q as (select * from t) select * from q union all (select * from u)",
        ),
        ("select 1 as x, u.* from t join u on t.a = u.a",
         "select 1 as x, u.* from u join t on u.a = t.a"),
        ("select distinct * from t", "select distinct * from (select * from t) q"),
    ],
)  # fmt: skip
def test_the_same_star_is_proved(one: str, other: str) -> None:
    assert difference(open_plan(one), open_plan(other), Normalizer()) == ""


def test_columns_that_are_known_have_no_heading() -> None:
    assert headings(open_plan("select a, b from t")) == (frozenset(), frozenset())
    assert headings(open_plan("select *, 1 as x from t")) == (frozenset({"t"}), frozenset())
