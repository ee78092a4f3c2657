"""GROUPING SETS with sets in common are what they were, with these said once."""

from __future__ import annotations

from itertools import count

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.lineage.config import Sharing
from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.limits import NO_LIMITS, Limits
from unwet.rewrite.same_sets import with_same_sets
from unwet.rewrite.targets.jinja import template
from unwet.tests.rewrite.targets.test_jinja import tree

SETS = ["(a, b)", "(a, b, c)", "(a, c)", "c", "(b, c)", "b", "()"]
EASY = Limits(sharing=Sharing(min_lines=1, min_saved=1))


SELECTED = "SELECT MIN(a) AS x, MIN(b) AS y, MAX(c) AS z, COUNT(*) AS n FROM t"


def query(sets: list[str], more: str = "") -> str:
    return f"{SELECTED} GROUP BY {more}GROUPING SETS ({', '.join(sets)})"


def library(
    *queries: str, macros: tuple[Macro, ...] = (), calls: tuple[MacroCall, ...] = ()
) -> Library:
    return Library({f"m{n}": tree(sql) for n, sql in zip(count(), queries)}, macros, calls)


def shared(given: Library, limits: Limits = EASY, alone: tuple[str, ...] = ()) -> Library:
    return with_same_sets(given, "duckdb", frozenset(), alone, limits)


def printed(made: Library, host: str) -> str:
    """A model or macro with all calls in it as they are written."""
    environment = jinja2.Environment()
    written = {m.name: template(m.tree, "duckdb", made.calls, m.kind) for m in made.macros}

    def text(sql: str) -> str:
        return environment.from_string(sql).render(functions)

    functions = {name: lambda sql=sql: text(sql) for name, sql in written.items()}
    return text(template(made.hosts[host], "duckdb", made.calls, spent=False))


def test_what_both_begin_with_is_said_once() -> None:
    made = shared(library(query(SETS[:6]), query([*SETS[:4], "()"]), query(["b", *SETS[:4]])))
    [macro] = made.macros
    assert (macro.name, macro.kind) == ("sets", "items")
    assert template(macro.tree, "duckdb", (), "items") == "(a, b),\n(a, b, c),\n(a, c),\nc"
    assert [call.macro for call in made.calls] == ["sets"] * 3
    assert tree(printed(made, "m0")) == tree(query(SETS[:6]))
    assert tree(printed(made, "m1")) == tree(query([*SETS[:4], "()"]))


def test_what_is_a_macro_has_a_call_in_it() -> None:
    sets = tree(query(SETS[:4])).find(exp.GroupingSets)
    assert sets is not None
    known = Macro("known", (), sets, "expression")
    host = tree(f"{SELECTED} GROUP BY x")
    group = host.find(exp.Group)
    assert group is not None
    group.set("expressions", [exp.Var(this="call__0__call")])
    models = {"m0": host, "m1": tree(query(SETS)), "m2": tree(query(SETS[:5]))}
    given = Library(models, (known,), (MacroCall("known", ()),))
    made = shared(given)
    assert {macro.name for macro in made.macros} == {"known", "sets"}
    assert tree(printed(made, "m0")) == tree(query(SETS[:4]))
    assert tree(printed(made, "m1")) == tree(query(SETS))


@pytest.mark.parametrize(
    ("first", "second", "limits"),
    [
        (query(SETS[:5]), query(["(b, c)", *SETS[:2]]), EASY),  # two sets
        (query(SETS[:5]), query([s.replace("a", "h__x__h") for s in SETS[:5]]), EASY),
        (*[query([s.replace("a", "h__x__h") for s in SETS])] * 2, EASY),
        (query(SETS[:3]), query(SETS[:3]), EASY),  # saves none
        (query(SETS), query(SETS), Limits(sharing=Sharing(min_lines=1, min_uses=3))),
        (query(SETS), query(SETS), Limits(forbidden=frozenset({"sets"}))),
        (query(SETS[:5]), query(SETS[:5]), NO_LIMITS),  # five lines
    ],
)
def test_others_stay(first: str, second: str, limits: Limits) -> None:
    assert shared(library(first, second), limits).macros == ()


def test_models_that_share_nothing_stay() -> None:
    given = library(*[query(SETS)] * 2)
    assert shared(given, alone=("m1",)).macros == ()
    [macro] = shared(library(*[query(SETS)] * 3), alone=("m1",)).macros
    assert macro.comment.endswith("m0, m2")


RUNS = st.lists(st.sampled_from(SETS), min_size=1, max_size=9)
PARTS = st.builds(
    lambda first, many, more: [*more[:2], *SETS[first : first + many], *more[2:]],
    st.integers(0, 3), st.integers(4, 7), st.lists(st.sampled_from(SETS), max_size=4),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(RUNS, PARTS), min_size=2, max_size=6))
def test_the_law(lists: list[list[str]]) -> None:
    """The text is the same but for blanks, and so are the rows."""
    queries = [query(sets, "a, " if len(sets) % 2 else "") for sets in lists]
    made = shared(library(*queries))
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT * FROM (VALUES (1, NULL, 2), (1, 2, NULL), "
                    "(NULL, 2, 2), (1, 2, 2), (1, 2, 2)) AS x(a, b, c)")  # fmt: skip
        for n, sql in enumerate(queries):
            text = printed(made, f"m{n}")
            assert tree(text) == tree(sql)
            rows = [con.sql(f"FROM ({q}) ORDER BY ALL").fetchall() for q in (text, sql)]
            assert rows[0] == rows[1]
