"""What becomes a macro: only what pays, and nothing that is pinned."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from unwet.rewrite.choose import choose
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import Library

LONG = (
    "SELECT a, COUNT(*) AS n, SUM(b) AS s, MIN(c) AS lo, MAX(c) AS hi FROM t "
    "WHERE d = '{0}' AND e > {1} GROUP BY a HAVING COUNT(*) > 1"
)


def draft(name: str, sql: str, *comments: str) -> Draft:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Query)
    return Draft(name, tree, (), (), comments)


def texts(library: Library) -> dict[str, str]:
    return {name: tree.sql("duckdb") for name, tree in library.models.items()}


def test_a_long_query_that_repeats_becomes_a_macro() -> None:
    drafts = [draft(f"sales_{i}", LONG.format("x" * i, i)) for i in range(1, 4)]
    library = choose(drafts, "duckdb")
    [macro] = library.macros
    assert len(macro.params) == 2
    assert texts(library) == {f"sales_{i}": f"call__{i - 1}__call" for i in range(1, 4)}
    values = [{leaf.text for _, leaf in call.args} for call in library.calls]
    assert values == [{"x", "1"}, {"xx", "2"}, {"xxx", "3"}]
    assert macro.name.isidentifier()
    assert macro.name not in library.models


def test_short_queries_are_left_alone() -> None:
    drafts = [draft(f"r{i}", f"SELECT a FROM t LIMIT {i}") for i in range(20)]
    library = choose(drafts, "duckdb")
    assert library.macros == ()
    assert texts(library)["r3"] == "SELECT a FROM t LIMIT 3"


def test_a_query_alone_is_left_alone() -> None:
    assert choose([draft("r", LONG.format("x", 1))], "duckdb").macros == ()


def test_pinned_drafts_are_printed_as_they_are() -> None:
    drafts = [draft(f"r{i}", LONG.format("x", i)) for i in range(4)]
    library = choose(drafts, "duckdb", frozenset({"r0"}))
    assert texts(library)["r0"] == LONG.format("x", 0)
    assert len(library.calls) == 3


def test_a_block_that_repeats_becomes_a_macro() -> None:
    sql = f"WITH base AS ({LONG}) SELECT {{2}} FROM base WHERE n > 5"
    drafts = [draft(f"r{i}", sql.format("x", i, "s, " * i + "a")) for i in range(3)]
    library = choose(drafts, "duckdb")
    [macro] = library.macros
    assert macro.name == "base"
    assert all("call__" in text and "WITH base AS" in text for text in texts(library).values())


def test_the_end_of_a_query_that_repeats_becomes_a_macro() -> None:
    sql = f"WITH first AS (SELECT {{2}}), base AS ({LONG}), last AS (SELECT a, n FROM base) "
    sql += "SELECT a, n FROM last JOIN first USING (a)"
    starts = ["a FROM t", "a FROM u WHERE b = 1", "DISTINCT a FROM v"]
    drafts = [draft(f"r{i}", sql.format("x", i, start)) for i, start in enumerate(starts)]
    library = choose(drafts, "duckdb")
    assert any(macro.kind == "tail" for macro in library.macros)


def test_drafts_are_not_changed() -> None:
    drafts = [draft(f"r{i}", LONG.format("x", i)) for i in range(3)]
    before = [each.tree.sql() for each in drafts]
    choose(drafts, "duckdb")
    assert [each.tree.sql() for each in drafts] == before


def test_the_choice_does_not_depend_on_luck() -> None:
    drafts = [draft(f"r{i}", LONG.format("x", i), f"sales of {i}") for i in range(5)]
    one, other = choose(drafts, "duckdb"), choose(drafts, "duckdb")
    assert (texts(one), one.calls) == (texts(other), other.calls)
    assert [m.name for m in one.macros] == [m.name for m in other.macros] == ["sales"]
