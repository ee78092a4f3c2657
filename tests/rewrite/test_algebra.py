"""Plan nodes: identity is content."""

from __future__ import annotations

import pickle

import pytest

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Filter,
    Join,
    Lit,
    Node,
    Opaque,
    Outer,
    Plan,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
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


@pytest.mark.parametrize(
    ("node", "digest"),
    [
        (Call("eq", (Col(1), Col(2)), ("this", "expression")), "a2a957ca97316d45ff72ec84114e2326"),
        (Call("eq", ()), "f4d096543e25c13391ad96647ff64b34"),
        (Lit("number", "12"), "7498c935b2f23dd26c1b0f7a67e7eb9b"),
        (Lit("string", "é" * 999), "a7d8f98d6da1e2881ce26b2e31a104cd"),
        (Col(5), "69cf4f4df0f2b3f50f0243ff4bf7c318"),
        (Values(((),), 0), "904b629900c986633deeafcc3201fc5c"),
        (Opaque("x", (T,), (("a",), ("b", "c")), 0), "8fde6b15db62f2c53d57fa33685d9aaf"),
        (
            Agg("sum", (Col(1), Col(2)), ("this", "expression"), distinct=True),
            "526e17b66875c870ea81be15d8d82d89",
        ),
        (
            Plan(("a", "b"), T, (SortKey(Col(1)),)),
            "cac5b2d85436ba4d645559692c649284",
        ),
    ],
)
def test_digests_stay_what_they_are(node: Node, digest: str) -> None:
    """The order of what commutes, and so what is written, rests on them."""
    assert node.digest.hex() == digest
    assert pickle.loads(pickle.dumps(node)).digest.hex() == digest  # where its words are known
    Node.__post_init__(node)  # what every kind of node goes by that has no shorter way
    assert node.digest.hex() == digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Call("f", (Col(0), Col(1))), Call("f", (Col(1), Col(0)))),
        (Call("f", (Col(0),)), Call("g", (Col(0),))),
        (Call("f", (Col(0),), ("this",)), Call("f", (Col(0),), ("expression",))),
        (Call("f", (Lit("string", "a"),)), Call("f", (Lit("string", "A"),))),
        (Scan("t", ("a", "b")), Scan("t", ("b", "a"))),
        (Values(((), ()), 0), Values(((),), 0)),
    ],
)
def test_neither_an_order_nor_a_word_is_lost(one: Node, other: Node) -> None:
    assert one != other


def test_a_text_may_be_half_a_sign() -> None:
    assert Lit("string", "\ud800") != Lit("string", "?")
    assert Scan("t", ("\ud800",)) != Scan("t", ("?",))


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
