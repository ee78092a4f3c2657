"""Where expressions are evaluated: below GROUP BY, above it, in a window."""

from __future__ import annotations

import pytest

from unwet.rewrite.aggregation import correlated, group, rebuild
from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Filter,
    Lit,
    Outer,
    Over,
    Project,
    Scan,
    SortKey,
    Subquery,
    Values,
    Window,
)
from unwet.rewrite.scalars import Unsupported

T = Scan("t", ("a", "b"))
COUNT = Agg("count", (), ("this:*",))
SUM_B = Agg("sum", (Col(1),), ("this",))
ONE = Lit("number", "1")


def add(left: Expr, right: Expr) -> Call:
    return Call("add", (left, right), ("this", "expression"))


def test_without_aggregates_nothing_is_grouped() -> None:
    found = group(T, None, (Col(0),))
    assert (found.rel, found.outputs) == (T, (Col(0),))


def test_each_aggregate_is_computed_once() -> None:
    found = group(T, (Col(0),), (Col(0), SUM_B, add(SUM_B, COUNT)))
    assert found.rel == Aggregate(T, (Col(0),), (SUM_B, COUNT))
    assert found.outputs == (Col(0), Col(1), add(Col(1), Col(2)))


def test_an_expression_over_a_key_reads_the_key() -> None:
    key = add(Col(0), ONE)
    found = group(T, (key,), (add(key, ONE),))
    assert found.outputs == (add(Col(0), ONE),)


def test_having_alone_makes_one_group() -> None:
    test = Call("gt", (COUNT, ONE), ("this", "expression"))
    found = group(T, None, (ONE,), having=(test,))
    assert isinstance(found.rel, Filter)
    assert found.rel.input == Aggregate(T, (), (COUNT,))


def test_no_keys_are_another_thing_than_no_group_by() -> None:
    assert isinstance(group(T, (), (ONE,)).rel, Aggregate)
    assert group(T, None, (ONE,)).rel == T


def test_windows_stand_above_the_groups() -> None:
    over = Over(Agg("sum", (SUM_B,), ("this",)), (), (SortKey(COUNT),))
    found = group(T, (Col(0),), (over,))
    assert isinstance(found.rel, Window)
    assert found.rel.input == Aggregate(T, (Col(0),), (SUM_B, COUNT))
    inner = Over(Agg("sum", (Col(1),), ("this",)), (), (SortKey(Col(2)),))
    assert found.rel.functions == (inner,)
    assert found.outputs == (Col(3),)


def test_qualify_filters_above_the_window() -> None:
    rank = Over(Call("rank", ()), (), (SortKey(Col(0)),))
    test = Call("eq", (rank, ONE), ("this", "expression"))
    found = group(T, None, (Col(1),), qualify=(test,))
    assert found.rel == Filter(
        Window(T, (rank,)), (Call("eq", (Col(2), ONE), ("this", "expression")),)
    )


REFUSED = [
    ("neither grouped nor aggregated", (Col(0),), (Col(1),)),
    ("inside an aggregate", None, (Agg("sum", (SUM_B,), ("this",)),)),
    ("outer query", None, (Agg("sum", (Outer(1, 0),), ("this",)),)),
    ("above GROUP BY", (Col(0),), (Subquery("exists", Project(Values(((),), 0), (Outer(1, 0),))),)),
    (
        "random",
        None,
        (Agg("sum", (Call("rand", ()),), ("this",)), Agg("sum", (Call("rand", ()),), ("this",))),
    ),
]


@pytest.mark.parametrize(("why", "keys", "outputs"), REFUSED)
def test_what_has_no_meaning_is_refused(
    why: str, keys: tuple[Expr, ...] | None, outputs: tuple[Expr, ...]
) -> None:
    with pytest.raises(Unsupported, match=why):
        group(T, keys, outputs)


def test_correlation_is_seen_through_nested_subqueries() -> None:
    inner = Project(Values(((),), 0), (Outer(2, 0),))
    middle = Project(Values(((),), 0), (Subquery("scalar", inner),))
    assert correlated(middle)
    assert not correlated(Project(Values(((),), 0), (Subquery("scalar", T),)))
    own = Filter(T, (Subquery("exists", Project(Values(((),), 0), (Outer(1, 0),))),))
    assert not correlated(own)


def test_rebuilding_keeps_everything_but_the_operands() -> None:
    agg = Agg("sum", (Col(0),), ("this",), True, Col(1), (SortKey(Col(0), True, False),))
    over = Over(agg, (Col(0),), (SortKey(Col(1)),), "rows between 1 preceding and current row")

    def shifted(expr: Expr) -> Expr:
        return Col(expr.index + 1) if isinstance(expr, Col) else rebuild(expr, shifted)

    def back(expr: Expr) -> Expr:
        return Col(expr.index - 1) if isinstance(expr, Col) else rebuild(expr, back)

    moved = rebuild(over, shifted)
    assert moved != over
    assert rebuild(moved, back) == over
