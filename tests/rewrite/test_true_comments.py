"""Comments of macros name those that call them in the end."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.true_comments import true_comments


def comment(said: str, *days: str, inside: bool = False) -> str:
    """What is said of a macro that models call for these days, and another macro, too."""
    calls = [MacroCall("rows", (("day", Leaf("string", day)),)) for day in days]
    models: dict[str, exp.Expr] = {
        f"m{n}": exp.Var(this=f"call__{n}__call") for n in range(len(calls))
    }
    tree = sqlglot.parse_one("SELECT h__day__h AS day FROM t")
    macros = [Macro("rows", ("day",), tree, "query", said)]
    if inside:
        calls.append(MacroCall("rows", (("day", Leaf("string", "today")),)))
        macros.append(Macro("around", (), exp.Var(this=f"call__{len(days)}__call"), "query"))
    return true_comments(Library(models, tuple(macros), tuple(calls)))["rows"]


def test_who_is_gone_is_not_named() -> None:
    stale = "2 queries that differ in their arguments only: m0, rows_of_others"
    assert comment(stale, "1", "2", "3") == (
        "3 queries that differ in their arguments only: m0, m1, m2"
    )
    assert comment(stale, "1", "2", "3", "4", "5") == (
        "5 queries that differ in their arguments only: m0, m1, m2, m3, ..."
    )
    assert comment(stale, "1", "2", inside=True) == (
        "3 queries that differ in their arguments only: m0, m1, around"
    )


def test_nor_are_calls_that_say_the_same_different() -> None:
    stale = "2 queries, which have x in front of them, that differ in their arguments only: m0, m"
    assert comment(stale, "1", "1") == (
        "2 queries, which have x in front of them, that are the same: m0, m1"
    )


def test_what_has_one_caller_is_a_part_of_it() -> None:
    stale = "2 queries that are the same: m, n"
    assert comment(stale, "1") == "a query of m0"
    reads = "2 queries, which have x and y in front of them, that are the same: m, n"
    assert comment(reads, "1") == "a query of m0, which has x and y in front of it"
    stale = "7 lists of columns that differ in their arguments only: m, n"
    assert comment(stale, inside=True) == "a list of columns of around"


def test_one_call_that_stands_in_two_places_is_two() -> None:
    tree, call = sqlglot.parse_one("SELECT 1"), MacroCall("rows", ())
    models: dict[str, exp.Expr] = {name: exp.Var(this="call__0__call") for name in ("m", "n")}
    macro = Macro("rows", (), tree, "query", "3 queries that are the same: m, n, o")
    assert (
        true_comments(Library(models, (macro,), (call,)))["rows"]
        == "2 queries that are the same: m, n"
    )


def test_calls_that_came_later_count_and_other_words_stay() -> None:
    for said in ("What 3 models put together", ""):
        assert comment(said, "1", "2", "3") == said
    assert comment("2 queries that are the same: m0, m1", "1", "2", "3") == (
        "3 queries that differ in their arguments only: m0, m1, m2"
    )


def test_calls_in_lists_defaults_and_rows_count() -> None:
    tree = sqlglot.parse_one("SELECT h__day__h AS day FROM t")
    calls = [MacroCall("rows", (("day", Leaf("string", str(n))),)) for n in range(4)]
    said = "2 queries that are the same: m0, m1"
    nothing = exp.Var(this="x")
    row = (("a", Leaf("condition", "call__1__call")),)
    macros = (
        Macro("rows", ("day",), tree, "query", said),
        Macro("usual", ("x",), nothing, "query", defaults={"x": "call__0__call"}),
        Macro("each", ("x",), exp.Var(this=""), "look_up", rows=row),
    )
    block = Macro("items", (), exp.Var(this="call__2__call"), "items")
    models: dict[str, exp.Expr] = {"m0": exp.Var(this="call__3__call"), "m1": nothing}
    library = Library(models, macros, tuple(calls), {"m1": (("items", block),)})
    assert true_comments(library)["rows"] == (
        "4 queries that differ in their arguments only: m0, m1, usual, each"
    )


def test_what_nobody_calls_is_left_alone() -> None:
    said = "2 queries that are the same: m0, m1"
    assert comment(said) == said
