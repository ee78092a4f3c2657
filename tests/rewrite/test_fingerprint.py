"""Fingerprints: what they tell apart and what they do not."""

from __future__ import annotations

import pytest

from unwet.rewrite.algebra import Opaque, Rel
from unwet.rewrite.fingerprint import core, literals, recurring, strict
from unwet.rewrite.normal import normalize
from unwet.tests.rewrite.sql_plans import plan_of


def normal(sql: str) -> Rel:
    return normalize(plan_of(sql).rel)[0]


def texts(sql: str) -> list[str]:
    return [lit.text for lit in literals(normal(sql))]


REGION = "select a, sum(b) as s from t where c = {0} and b > {1} group by a having count(*) > {2}"


def test_literals_are_holes_in_the_recurring_form_only() -> None:
    one, two = normal(REGION.format(1, 2, 3)), normal(REGION.format(7, 8, 9))
    assert strict(one) != strict(two)
    assert recurring(one) == recurring(two)


def test_literals_stand_in_the_same_places_whatever_their_values() -> None:
    names = {1: "x", 2: "y", 3: "z"}
    first = [names[int(t)] for t in texts(REGION.format(1, 2, 3))]
    for x, y, z in ((9, 5, 7), (5, 7, 9), (7, 9, 5)):
        other = {str(x): "x", str(y): "y", str(z): "z"}
        assert [other[t] for t in texts(REGION.format(x, y, z))] == first


@pytest.mark.parametrize("values", [(1, 9), (9, 1)])
def test_branches_and_inputs_stay_in_place_when_literals_change(values: tuple[int, int]) -> None:
    sql = (
        "select x.a, y.b from (select a, c from t where b = {0}) x "
        "join (select b, c from u where a = {1}) y on x.c = y.c "
        "union all select a, a from v where b = {0}"
    )
    assert recurring(normal(sql.format(*values))) == recurring(normal(sql.format(5, 6)))
    places = {str(values[0]): "x", str(values[1]): "y"}
    reference = {"5": "x", "6": "y"}
    assert [places[t] for t in texts(sql.format(*values))] == [
        reference[t] for t in texts(sql.format(5, 6))
    ]


def test_null_and_truth_values_are_no_holes() -> None:
    one, two = "select a is null as x from t", "select a is true as x from t"
    assert recurring(normal(one)) != recurring(normal(two))


def test_numbers_and_strings_are_different_holes() -> None:
    one, two = "select 1 as x from t", "select '1' as x from t"
    assert recurring(normal(one)) != recurring(normal(two))


def test_equal_recurring_forms_and_literals_are_equal_plans() -> None:
    one, two = normal(REGION.format(1, 2, 3)), normal(REGION.format(1, 2, 3).replace("b >", "b  >"))
    assert (recurring(one), literals(one)) == (recurring(two), literals(two))
    assert strict(one) == strict(two)


CORE = "select t.a, u.b from t join u on t.a = u.a left join v on v.b = u.b"


@pytest.mark.parametrize(
    ("sql", "same"),
    [
        ("select v.c from t join u on u.a = t.a left join v on u.b = v.b where t.c > 1", True),
        ("select count(*) as n from u join t on t.a = u.a left join v on u.b = v.b", True),
        ("select t.a from t join u on t.a = u.b left join v on v.b = u.b", False),
        ("select t.a from t join u on t.a = u.a join v on v.b = u.b", False),
        ("select t.a from t join u on t.a = u.a", False),
    ],
)
def test_core_is_tables_and_join_conditions(sql: str, same: bool) -> None:
    # columns that nobody reads change which joins have columns left, never which joins there are
    assert (core(normal(sql)) == core(normal(CORE))) is same


def test_the_reason_why_a_text_is_opaque_is_no_part_of_any_fingerprint() -> None:
    one, two = (Opaque("SELECT f(1)", (), (), 1, reason) for reason in ("this", "that"))
    assert strict(one) == strict(two)
    assert recurring(one) == recurring(two)
