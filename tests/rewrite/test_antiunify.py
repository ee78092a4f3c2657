"""Anti-unification of plans: what is kept, what becomes a hole, and of which kind."""

from __future__ import annotations

import pytest

from unwet.rewrite.antiunify import differences, generalize
from unwet.rewrite.hole_texts import follows
from unwet.rewrite.normal import normalize
from unwet.rewrite.open_form import EACH_ROW, Opened, Register, opened
from unwet.rewrite.skeletons import frame, skeleton
from unwet.tests.rewrite.sql_plans import plan_of

REGISTER = Register()


def form(sql: str) -> Opened:
    plan = plan_of(sql)
    made = opened(normalize(plan.rel)[0], plan.names, REGISTER)
    assert made is not None
    return made


def kinds(*texts: str) -> list[str]:
    first, *others = map(form, texts)
    found = generalize(first, others, lambda v, all_: follows(REGISTER, v, all_))
    assert found is not None
    return sorted(variable.kind for variable in found)


QUERY = (
    "select t.a, sum(u.b) as s from t join u on t.a = u.a where u.c > 1 and t.b <> 5 group by t.a"
)


def test_equal_plans_have_no_holes() -> None:
    other = (
        "select t.a, sum(u.b) as total from u, t "
        "where 5 <> t.b and u.a = t.a and u.c > 1 group by 1"
    )
    assert kinds(QUERY, other) == []


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("u.c > 1", "u.c > 2", ["literal"]),
        ("sum(u.b)", "sum(u.c)", ["column"]),
        ("sum(u.b)", "sum(u.b + u.c)", ["expression"]),
        ("join u on", "join v as u on", ["relation"]),
        ("and t.b <> 5", "", ["expression"]),
        ("and t.b <> 5", "and t.c = 6", ["expression"]),
        ("u.c > 1 and t.b <> 5", "u.c > 2 and t.b <> 6", ["literal", "literal"]),
        ("select t.a,", "select t.a, t.a + 1 as more,", ["expression"]),
    ],
)
def test_one_thing_differs(old: str, new: str, wanted: list[str]) -> None:
    assert old in QUERY
    assert kinds(QUERY, QUERY.replace(old, new)) == wanted


def test_the_same_difference_in_two_places_is_one_hole() -> None:
    sql = "select a, {0} as x, sum(b) as s from t where c > {0} group by a"
    assert kinds(sql.format(1), sql.format(2)) == ["literal"]
    different = "select a, 1 as x, sum(b) as s from t where c > 2 group by a"
    assert kinds(sql.format(1), sql.format(2), different) == ["literal", "literal"]


def test_a_hole_has_a_value_per_plan() -> None:
    texts = [QUERY.replace("u.c > 1", f"u.c > {n}") for n in (1, 2, 3)]
    first, *others = map(form, texts)
    found = generalize(first, others)
    assert found is not None
    (variable,) = found
    assert [repr(value) for (value,) in variable.values] == [
        f"Lit(kind='number', text='{n}')" for n in (1, 2, 3)
    ]


def test_where_structures_differ_the_relation_is_the_hole() -> None:
    found = generalize(form("select a from t"), [form("select a from t union all select a from u")])
    assert found is not None
    assert {variable.kind for variable in found} == {"relation", "column"}


def test_what_differs_nearly_everywhere_is_not_generalised() -> None:
    many = " and ".join(f"a + {n} <> b * {n}" for n in range(60))
    other = many.replace(" + ", " - ").replace(" * ", " + ")
    one, two = (form(f"select a from t where {each}") for each in (many, other))
    assert differences(one, one) == {}
    assert generalize(one, [two]) is None


def test_grain_is_what_rows_are_grouped_by() -> None:
    assert form("select a from t").keys == (EACH_ROW,)
    assert form("select distinct a, b from t").keys == form("select a, b from t group by 1, 2").keys


def test_skeletons_mask_leaves_and_frames_mask_expressions() -> None:
    other = QUERY.replace("u.b", "u.c").replace("> 1", "> 2").replace("join u on", "join v as u on")
    assert skeleton(form(QUERY)) == skeleton(form(other))
    assert frame(form(QUERY)) != frame(form(other))
    grouped = QUERY.replace("sum(u.b)", "max(u.b + 1)").replace("and t.b <> 5", "")
    assert skeleton(form(QUERY)) != skeleton(form(grouped))
    assert frame(form(QUERY)) == frame(form(grouped))


def test_a_value_of_the_optional_side_is_not_the_same_above_the_join() -> None:
    inside = (
        "select t.a, x.i from t left join (select a, coalesce(b, 0) as i from u) x on t.a = x.a"
    )
    above = "select t.a, coalesce(u.b, 0) as i from t left join u on t.a = u.a"
    assert kinds(inside, above) != []
