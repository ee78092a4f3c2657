"""The driver: steps, memory, bounds, and plans that are deep or wide."""

from __future__ import annotations

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Outer,
    Project,
    Rel,
    Scan,
    SetOp,
    Subquery,
)
from unwet.rewrite.normal import STEP_LIMIT, Normalizer, normalize

T = Scan("t", ("a", "b"))


def number(value: int) -> Lit:
    return Lit("number", str(value))


def eq(left: Expr, right: Expr) -> Call:
    return Call("eq", (left, right), ("this", "expression"))


def test_a_normal_form_has_no_steps() -> None:
    normal, steps = normalize(Filter(Filter(T, (eq(Col(0), number(1)),)), (Col(1),)))
    assert [s.rule for s in steps][-1:] == ["merge_filters"] or "merge_filters" in {
        s.rule for s in steps
    }
    assert normalize(normal) == (normal, ())


def test_steps_tell_the_rule_and_both_sides() -> None:
    before = Filter(T, (Lit("boolean", "true"),))
    normal, steps = normalize(before)
    assert normal == T
    assert [s.rule for s in steps] == ["tidy_conjuncts", "drop_empty_filter"]
    assert steps[0].before == before.digest and steps[-1].after == T.digest


def test_a_shared_part_is_told_once() -> None:
    shared = Normalizer()
    part = Filter(T, (eq(number(1), Col(0)),))
    assert shared.run(part)[1]
    assert shared.run(Aggregate(part, (Col(0), Col(1)), ()))[1] == ()


def test_what_cannot_be_read_stays() -> None:
    text = Opaque("SELECT * FROM $0", (Project(T, (Col(1), Col(0))),), (("x", "y"),), 2)
    normal, _ = normalize(Project(text, (Col(0),)))
    assert isinstance(normal, Project) and isinstance(normal.input, Opaque)
    assert normal.input.width == 2


def test_a_bound_ends_a_run_with_a_step_that_says_so() -> None:
    plan = deep(30)
    rel, steps = Normalizer(bound=20).run(plan)
    assert steps[-1].rule == STEP_LIMIT
    assert len(steps) == 20
    assert rel != normalize(plan)[0]


def deep(levels: int) -> Rel:
    rel: Rel = T
    for i in range(levels):
        above = Call("lt", (number(i), Col(i % 2)), ("this", "expression"))
        rel = Project(Filter(rel, (above,)), (Col(1), Col(0)))
    return rel


def test_three_hundred_nested_queries() -> None:
    normal, _ = normalize(deep(300))
    assert isinstance(normal, Filter)
    assert normal.input == T
    assert len(normal.conjuncts) == 300


def test_three_hundred_nested_exists() -> None:
    rel: Rel = T
    for _ in range(300):
        test = Subquery("exists", Filter(rel, (eq(Col(0), Outer(1, 0)),)))
        rel = Aggregate(Filter(T, (test,)), (Col(0),), (Agg("sum", (Col(1),), ("this",)),))
    normal, steps = normalize(rel)
    assert normalize(normal)[0] == normal
    assert all(s.rule != STEP_LIMIT for s in steps)


def test_a_thousand_branches_in_a_few_steps_whatever_their_nesting() -> None:
    leaves: list[Rel] = [
        Project(Filter(T, (eq(Col(1), number(i)),)), (Col(0),)) for i in range(1000)
    ]
    left: Rel = leaves[0]
    for leaf in leaves[1:]:
        left = SetOp("union_all", (left, leaf))
    normal, steps = normalize(left)
    assert isinstance(normal, SetOp) and len(normal.inputs) == 1000
    assert len(steps) < 10
    assert normalize(SetOp("union_all", tuple(reversed(leaves))))[0] == normal


def test_chains_of_distinct_unions_of_left_joins_do_not_explode() -> None:
    rel: Rel = T
    for i in range(40):
        branch = Join("left", (T, Scan(f"d{i % 7}", ("k",))), (eq(Col(0), Col(2)),))
        rel = Distinct(SetOp("union_all", (rel, Project(branch, (Col(0), Col(2))))))
    _, steps = normalize(rel)
    assert len(steps) < 2000


def test_the_same_table_joined_many_times_reaches_a_fixpoint() -> None:
    rel: Rel = T
    for i in range(20):
        rel = Join("left", (rel, Scan(f"d{i % 4}", ("k",))), (eq(Col(i % 2), Col(2 + i)),))
    normal, steps = normalize(rel)
    assert all(s.rule != STEP_LIMIT for s in steps)
    assert normalize(normal) == (normal, ())


def test_doubling_expressions_are_not_written_out() -> None:
    rel: Rel = Project(T, (Col(0),))
    for _ in range(64):
        rel = Project(rel, (Call("add", (Col(0), Col(0)), ("this", "expression")),))
    normal, _ = normalize(rel)
    assert isinstance(normal, Project)
    assert normalize(normal)[0] == normal
