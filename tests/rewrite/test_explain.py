"""Where two plans part, in words."""

from __future__ import annotations

from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.explain import describe, first_difference
from unwet.rewrite.prove.judge import difference
from unwet.tests.rewrite.small_world import plan_of


def parted(left: str, right: str) -> tuple[str, str]:
    found = first_difference(plan_of(left).rel, plan_of(right).rel)
    return describe(found[0]), describe(found[1])


def test_the_smallest_pair_that_differs() -> None:
    assert parted("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = 2") == ("1", "2")
    assert parted("SELECT a FROM t WHERE c = 'x'", "SELECT a FROM t WHERE c = 'y'") == (
        "'x'",
        "'y'",
    )
    assert parted("SELECT a + 1 AS x FROM t", "SELECT a - 1 AS x FROM t") == (
        "add(#0, 1)",
        "sub(#0, 1)",
    )


def test_two_differences_are_told_together() -> None:
    left, right = parted("SELECT a + 1 AS x FROM t", "SELECT b + 2 AS x FROM t")
    assert (left, right) == ("add(#0, 1)", "add(#1, 2)")


def test_other_tables_and_other_kinds_of_nodes() -> None:
    assert parted("SELECT t.a FROM t", "SELECT u.a FROM u")[0] == "t"
    left, right = parted("SELECT a FROM t", "SELECT DISTINCT a FROM t")
    assert left.startswith("Project(") and right.startswith("Distinct(")


def test_settings_are_said() -> None:
    left, right = parted(
        "SELECT CAST(a AS INT) AS x FROM t", "SELECT CAST(a AS BIGINT) AS x FROM t"
    )
    assert (left, right) == ("cast(#0)[to:int]", "cast(#0)[to:bigint]")


def test_deep_plans_are_cut() -> None:
    deep = "SELECT " + "ABS(" * 9 + "a" + ")" * 9 + " AS x FROM t"
    assert "..." in describe(plan_of(deep).rel)


def test_what_parts_deep_down_is_shown() -> None:
    deep = "SELECT POWER(ABS(ABS(ABS(ABS({0})))), ABS(ABS(ABS(ABS({1}))))) AS x FROM t"
    old, new = plan_of(deep.format("t.a", "t.b")), plan_of(deep.format("t.b", "t.a"))
    said = difference(old, new, Normalizer()).removeprefix("not proved: ")
    one, other = said.split(" against ")
    assert "abs(#0)" in one and "abs(#1)" in other
    assert one.index("#0") == other.index("#1")
