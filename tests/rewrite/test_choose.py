"""What becomes a macro: only what pays, and nothing that is pinned."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from unwet import Source, refactor
from unwet.rewrite.choose import choose
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import SELECTED, Library
from unwet.rewrite.shapes import Leaf

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
    assert _called(library) == {macro.name for macro in library.macros}


def _called(library: Library) -> set[str]:
    """The macros that a model or another macro calls."""
    trees = [*library.models.values(), *(macro.tree for macro in library.macros)]
    said = " ".join(tree.sql("duckdb") for tree in trees)
    return {library.calls[int(n)].macro for n in re.findall(r"(?:call|tail)__(\d+)__", said)}


def test_branches_in_parentheses_and_short_ones_become_rows_of_a_table() -> None:
    counted = (
        "(WITH c AS (SELECT a, MAX(b) AS n FROM {0} WHERE b < '{0}' GROUP BY a) SELECT * FROM c)"
    )
    short = "SELECT a, b, c, d, e, f FROM {0} WHERE a > 1"
    drafts = [
        draft(name, " UNION ALL ".join(sql.format(table) for table in ("t", "u", "v", "w", "x")))
        for name, sql in (("counts", counted), ("rows", short))
    ]
    library = choose(drafts, "duckdb")
    assert len(library.macros) == 2
    said = texts(library)
    assert all(said[each].count("call__") == 5 and "WHERE" not in said[each] for each in said)


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


def test_lists_of_other_lengths_are_one_parameter() -> None:
    sql = LONG.replace("d = '{0}' AND e > {1}", "d IN ({0}) AND e > {1}")
    lists = ["1", "2, 3", "4, 5, 6"]
    library = choose([draft(f"r{i}", sql.format(lists[i], 7)) for i in range(3)], "duckdb")
    [macro] = library.macros
    assert macro.params == ("ds",)
    assert "d IN (list__ds__list)" in macro.tree.sql("duckdb")
    assert [call.args for call in library.calls] == [
        (("ds", Leaf("list", text)),) for text in lists
    ]


def test_a_list_that_is_always_the_same_stays_a_list() -> None:
    sql = LONG.replace("d = '{0}'", "d IN ('x', 'y')")
    library = choose([draft(f"r{i}", sql.format("", i)) for i in range(3)], "duckdb")
    [macro] = library.macros
    assert macro.params == ("e_from",)
    assert "d IN ('x', 'y')" in macro.tree.sql("duckdb")


def test_queries_around_calls_of_one_macro_are_of_one_shape() -> None:
    def wrapped(number: int, inner: str) -> str:
        many = ", ".join("x" * (number + 1))
        return f"WITH base AS ({inner}), rest AS (SELECT {many} FROM u) SELECT * FROM base, rest"

    outer = "SELECT a, SUM(n) AS n, MAX(s) AS s, MIN(lo) AS lo FROM ({0}) AS o GROUP BY a"
    alone = [draft(f"s{i}", wrapped(i, LONG.format("x", i))) for i in range(4)]
    inside = [
        draft(f"r{i}", wrapped(i + 4, outer.format(LONG.format("y" * i, 7)))) for i in range(4)
    ]
    library = choose([*alone, *inside], "duckdb")
    inner_most, around = sorted(library.macros, key=lambda m: "call__" in m.tree.sql("duckdb"))
    assert inner_most.params == ("e_from", "d") and around.params == ("d",)
    assert len([call for call in library.calls if call.macro == around.name]) == 4
    [handed] = [call for call in library.calls if "h__" in str(call.args)]
    assert handed.macro == inner_most.name


def test_what_a_model_computes_of_another_query_is_in_its_macro() -> None:
    counted = """SELECT s.id, s.day, ROW_NUMBER() OVER (PARTITION BY s.id ORDER BY s.day) AS ordinal
        FROM (SELECT e.id, MIN(e.day) AS day, MAX(e.day) AS last FROM t{0} AS e
              WHERE e.kind = {0} AND e.day > '2020-01-01' GROUP BY e.id, e.visit) AS s"""
    library = choose([draft(f"r{i}", counted.format(i)) for i in range(4)], "duckdb")
    assert texts(library) == {f"r{i}": f"call__{i}__call" for i in range(4)}


def test_a_branch_that_is_a_call_is_one_whatever_its_author_says_behind_it() -> None:
    text = "SELECT call__1__call /* the end */ /* next */ UNION ALL SELECT call__2__call, b FROM t"
    found = SELECTED.sub(r"\1", text)
    assert found.startswith("call__1__call /*") and "SELECT call__2__call, b" in found


def test_a_query_in_a_condition_that_only_one_copy_has_is_no_copy_itself() -> None:
    day = "DATE_TRUNC('month', t.d) AS day"
    rest = "FROM t JOIN u ON u.a = t.a AND u.k > {0} WHERE t.b <= {1}"
    queries = {
        "r0": f"SELECT t.c AS x, {day}, t.a AS y {rest.format(1, 2)}",
        "r2": f"SELECT t.c AS x, t.a AS y {rest.format(2, -1)} AND t.a > 1",
        "r4": f"SELECT t.c AS x, {day}, t.a AS y {rest.format(0, 1)} "
        "AND t.a NOT IN (SELECT k FROM u WHERE c = 'NULL')",
    }
    made = "CREATE TABLE t (a INT, b INT, c TEXT, d DATE); CREATE TABLE u (a INT, k INT, c TEXT)"
    sources = [Source("ddl.sql", made, "duckdb")]
    sources += [
        Source(f"{name}.sql", f"CREATE TABLE {name} AS {query}", "duckdb")
        for name, query in queries.items()
    ]
    result = refactor(sources, dialect="duckdb", generated=False)
    assert result.macros == 1
    assert [verdict.outcome for verdict in result.verdicts] == ["proved"] * 3


def test_a_parameter_for_a_column_with_a_quoted_name_is_a_name() -> None:
    query = LONG.replace("e > {1}", '"two words" > {1} AND "1st" < {2}')
    drafts = [draft(f"r{i}", query.format("x", i, i + 5)) for i in range(3)]
    [macro] = choose(drafts, "duckdb").macros
    assert macro.params == ("value", "two_words_from")
