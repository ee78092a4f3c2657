"""Queries of which no two save enough are one macro where several do, and unions are queries."""

from __future__ import annotations

import duckdb
import jinja2
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from unwet.rewrite.library import Library, Macro
from unwet.rewrite.one_macro import with_one_macro
from unwet.rewrite.targets.jinja import template

HOSTS = (
    "SELECT w.a, COUNT(*) AS n FROM ({}) AS w GROUP BY ALL",
    "SELECT a, MAX(b) AS most, MIN(b) AS least FROM ({}) AS w GROUP BY a",
    "SELECT v.b FROM other AS v JOIN ({}) AS w USING (a) WHERE v.b > 2",
    "WITH w AS ({}) SELECT a + b AS c FROM w ORDER BY c",
)
QUERY = "SELECT DISTINCT a, b FROM {} WHERE kind = 'x' AND size > {}"
UNION = (
    "SELECT a, b, kind AS label FROM t WHERE size > {0} "
    "UNION ALL SELECT a, size AS b, 'all' AS label FROM t WHERE b > {0}"
)


def library(*texts: str) -> Library:
    return Library({f"m{n}": sqlglot.parse_one(t) for n, t in enumerate(texts)}, (), ())


def rendered(made: Library, host: sqlglot.Expr) -> str:
    """Its text, with those of the calls in it."""
    macros = {macro.name: partial_of(made, macro) for macro in made.macros}
    return str(jinja2.Template(template(host, "duckdb", made.calls)).render(macros))


def partial_of(made: Library, macro: Macro) -> object:
    def call(*args: str, **said: str) -> str:
        values = {**macro.defaults, **dict(zip(macro.params, args, strict=False)), **said}
        return str(jinja2.Template(template(macro.tree, "duckdb", made.calls)).render(values))

    return call


def texts(query: str, words: list[tuple[object, ...]]) -> list[str]:
    return [host.format(query.format(*each)) for host, each in zip(HOSTS, words, strict=False)]


def test_two_are_left_and_three_are_one_macro() -> None:
    words: list[tuple[object, ...]] = [("t", 1), ("u", 2), ("t", 3), ("u", 4)]
    assert not with_one_macro(library(*texts(QUERY, words[:2])), "duckdb", 5).macros
    made = with_one_macro(library(*texts(QUERY, words)), "duckdb", 5)
    [macro] = made.macros
    assert [call.macro for call in made.calls] == [macro.name] * 4
    assert len(macro.params) == 2


def test_a_union_in_a_cte_is_the_query_of_a_model() -> None:
    start = Library(
        {
            "int_sized": sqlglot.parse_one(UNION.format(2)),
            "m": sqlglot.parse_one(
                f"WITH sized AS ({UNION.format(3)}) SELECT label, SUM(b) FROM sized GROUP BY ALL"
            ),
        },
        (),
        (),
    )
    made = with_one_macro(start, "duckdb", 5)
    assert [macro.name for macro in made.macros] == ["sized"]
    assert made.models["int_sized"].sql().startswith("call__")


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([QUERY, UNION.replace("{0}", "{1}").replace("FROM t", "FROM {0}")]),
    st.lists(
        st.tuples(st.sampled_from("tu"), st.integers(0, 4)), min_size=4, max_size=4
    ),
)  # fmt: skip
def test_each_host_returns_what_it_returned(query: str, words: list[tuple[object, ...]]) -> None:
    base = duckdb.connect()
    base.execute("CREATE TABLE other AS SELECT i % 4 AS a, i % 5 AS b FROM range(9) AS r (i)")
    for name, step in (("t", 3), ("u", 4)):
        base.execute(
            f"CREATE TABLE {name} AS SELECT i % {step} AS a, i % 5 AS b, "
            "['x', 'y', NULL][i % 3 + 1] AS kind, i % 6 AS size FROM range(40) AS r (i)"
        )
    old = texts(query, words)
    made = with_one_macro(library(*old), "duckdb", 5)
    for number, text in enumerate(old):
        new = rendered(made, made.models[f"m{number}"])
        assert base.sql(new).columns == base.sql(text).columns
        assert base.sql(f"({text}) EXCEPT ALL ({new})").fetchall() == []
        assert base.sql(f"({new}) EXCEPT ALL ({text})").fetchall() == []
