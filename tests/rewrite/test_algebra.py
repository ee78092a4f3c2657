"""Plan nodes: identity is content."""

from __future__ import annotations

import pickle

import pytest

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Filter,
    Join,
    Lit,
    Opaque,
    Outer,
    Rel,
    Scan,
    SetOp,
    Sort,
    Subquery,
    Values,
    Window,
    parts,
    walk,
    width,
)

T = Scan("t", ("a", "b"))
U = Scan("u", ("c",))


def test_equal_content_is_equal_and_hashes_alike() -> None:
    one, two = Filter(T, (Col(0),)), Filter(Scan("t", ("a", "b")), (Col(0),))
    assert one == two and hash(one) == hash(two) and one is not two


@pytest.mark.parametrize(
    "other",
    [
        Filter(T, (Col(1),)),
        Filter(T, (Col(0), Col(0))),
        Filter(Scan("t", ("a", "c")), (Col(0),)),
        Filter(Scan("t", ("a,b",)), (Col(0),)),
        Filter(T, (Lit("number", "0"),)),
        Filter(T, (Outer(0, 0),)),
    ],
)
def test_different_content_is_different(other: Rel) -> None:
    assert other != Filter(T, (Col(0),))


def test_texts_cannot_run_into_each_other() -> None:
    assert Lit("a", "bc") != Lit("ab", "c")
    assert Call("f", (), ("a", "b")) != Call("f", (), ("ab",))
    assert Scan("t", ("a", "b")) != Scan("t", ("a",))


def test_a_pickled_plan_is_the_same_plan() -> None:
    plan = Join("left", (T, U), (Call("eq", (Col(0), Col(2)), ("this", "expression")),))
    assert pickle.loads(pickle.dumps(plan)) == plan


@pytest.mark.parametrize(
    ("rel", "columns"),
    [
        (T, 2),
        (Values(((),), 0), 0),
        (Join("inner", (T, U)), 3),
        (Join("semi", (T, U)), 2),
        (Join("anti", (T, U)), 2),
        (Aggregate(T, (Col(0),), ()), 1),
        (Window(T, ()), 2),
        (SetOp("union_all", (T, T)), 2),
        (Sort(Distinct(T), ()), 2),
        (Opaque("x", (), (), 4), 4),
    ],
)
def test_width(rel: Rel, columns: int) -> None:
    assert width(rel) == columns


def test_walk_enters_subqueries_and_tells_each_relation_once() -> None:
    test = Subquery("exists", Filter(U, (Col(0),)))
    plan = SetOp("union_all", (Filter(T, (test,)), T))
    assert list(walk(plan)).count(T) == 1
    assert U in set(walk(plan))
    assert [type(r).__name__ for r in walk(plan)][-1] == "SetOp"


def test_parts_tell_the_outermost_first_and_stop_at_subqueries() -> None:
    inner = Subquery("in", Filter(U, (Col(7),)), (Col(3),))
    found = list(parts(Call("not", (inner,), ("this",))))
    assert [type(p).__name__ for p in found] == ["Call", "Subquery", "Col"]
    assert Col(7) not in found
