"""Conditions over base columns, and what is left of a plan without them."""

from __future__ import annotations

import pytest

from unwet.rewrite.algebra import Rel
from unwet.rewrite.grounded import Ground, skeleton
from unwet.rewrite.normal import normalize
from unwet.tests.rewrite.small_world import plan_of


def rel(sql: str) -> Rel:
    return normalize(plan_of(sql).rel)[0]


def test_conditions_are_the_same_wherever_their_columns_stand() -> None:
    ground = Ground()
    one = ground.conditions(rel("select a from t where b > 1 and c = 'x'"))
    other = ground.conditions(rel("select b, c from (select c, b from t) q where b > 1"))
    assert len(one) == 2
    assert len(other) == 1 and other < one


def test_the_sides_of_an_equation_have_one_order() -> None:
    ground = Ground()
    one = ground.conditions(rel("select t.a from t join u on t.b = u.k where u.d = 'x'"))
    other = ground.conditions(rel("select u.d from u join t on u.k = t.b where t.c = 'y'"))
    assert len(one & other) == 1


def test_conditions_of_groups_and_of_subqueries_are_found() -> None:
    text = """select b from t where exists (select 1 from u where u.a = t.a and u.k > 3)
    group by b having count(*) > 2"""
    assert len(Ground().conditions(rel(text))) == 3


ALIKE = "select t.c, count(*) as n from t join u on u.a = t.a where t.b = 1 group by t.c"


@pytest.mark.parametrize(
    "sql",
    [
        ALIKE.replace("t.b = 1", "u.k > 7 and t.c <> 'z'"),
        ALIKE.replace("count(*)", "sum(u.k) as s, max(t.b)"),
        ALIKE.replace("where t.b = 1", ""),
        ALIKE.replace("t.c, count", "upper(t.c), count").replace("by t.c", "by upper(t.c)"),
    ],
)
def test_filters_columns_and_functions_are_no_skeleton(sql: str) -> None:
    assert skeleton(rel(sql)) == skeleton(rel(ALIKE))


@pytest.mark.parametrize(
    "sql",
    [
        ALIKE.replace("join", "left join"),
        ALIKE.replace("u.a = t.a", "u.a = t.a and u.k = t.b"),
        ALIKE.replace("t.c, count", "t.c, t.b, count").replace("by t.c", "by t.c, t.b"),
        ALIKE.replace("join u on u.a = t.a", "join v on v.k = t.a"),
        f"{ALIKE} union all {ALIKE.replace('1', '2')}",
    ],
)
def test_relations_joins_and_grain_are(sql: str) -> None:
    assert skeleton(rel(sql)) != skeleton(rel(ALIKE))
