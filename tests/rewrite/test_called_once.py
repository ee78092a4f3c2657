"""A macro that is called once is none: its text stands where the call does."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp, parse_one

from unwet.rewrite.called_once import (
    handed_once,
    macros_left,
    with_blocks,
    written_where_called,
)
from unwet.rewrite.library import Library, Macro, MacroCall, MacroKind
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.layout import laid_out


def tree(sql: str) -> exp.Expr:
    """A query, with its calls as the words that they are."""
    made = parse_one(sql, dialect="duckdb")
    for node in [*made.find_all(exp.Column, exp.Table)]:
        if node.name.startswith(("call__", "tail__")):
            node.replace(exp.Var(this=node.name))
    for node in [*made.find_all(exp.Select)]:  # a branch, or a CTE, that is only a call
        only = node.expressions[0] if len(node.expressions) == 1 else None
        if isinstance(only, exp.Var) and node.parent and not node.args.get("from_"):
            node.replace(only)
    return made


def macro(kind: MacroKind, sql: str, name: str = "m", *params: str) -> Macro:
    made = tree(sql) if kind != "expression" else parse_one(sql, dialect="duckdb")
    return Macro(name, params, made, kind)


ONE = MacroCall("m", ())
ONE_CALL = "call__0__call"


def written(host: str, kind: MacroKind, sql: str, dialect: str = "duckdb") -> str:
    made = written_where_called(Library({"host": tree(host)}, (macro(kind, sql),), (ONE,)), dialect)
    assert made.models.keys() == {"host"}
    text = made.models["host"].sql("duckdb")
    assert ("call__" in text or "tail__" in text) is bool(made.macros)
    return text


@pytest.mark.parametrize(
    ("host", "kind", "sql", "wanted"),
    [
        ("WITH a AS (SELECT call__0__call) SELECT b FROM a", "query", "SELECT b FROM t",
         "WITH a AS (SELECT b FROM t) SELECT b FROM a"),
        ("SELECT b FROM t UNION ALL SELECT call__0__call", "query", "SELECT 1 AS b",
         "SELECT b FROM t UNION ALL SELECT 1 AS b"),
        ("SELECT a, call__0__call, d FROM t", "items", "SELECT b, b + 1 AS c",
         "SELECT a, b, b + 1 AS c, d FROM t"),
        ("SELECT call__0__call AS a FROM t", "expression", "b + 1", "SELECT b + 1 AS a FROM t"),
        ("SELECT 2 * call__0__call AS a FROM t", "expression", "b + 1",
         "SELECT 2 * (b + 1) AS a FROM t"),
        ("SELECT NOT call__0__call AS a FROM t", "expression", "b OR c",
         "SELECT NOT (b OR c) AS a FROM t"),
        ("SELECT -call__0__call AS a FROM t", "expression", "CASE WHEN b THEN 1 END",
         "SELECT -CASE WHEN b THEN 1 END AS a FROM t"),
        ("WITH a AS (SELECT 1 AS x) SELECT tail__0__tail", "tail",
         "WITH b AS (SELECT x FROM a) SELECT x FROM b",
         "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM b"),
    ],
)  # fmt: skip
def test_the_text_stands_where_the_only_call_was(
    host: str, kind: MacroKind, sql: str, wanted: str
) -> None:
    assert written(host, kind, sql) == wanted


@pytest.mark.parametrize(
    ("host", "kind", "sql", "dialect"),
    [
        # ORDER BY and LIMIT would be those of the whole union
        ("SELECT b FROM t UNION ALL SELECT call__0__call", "query", "SELECT b FROM u LIMIT 1",
         "duckdb"),
        # the second UNION would no more be apart
        ("SELECT b FROM t UNION SELECT call__0__call", "query",
         "SELECT b FROM u UNION ALL SELECT b FROM u", "duckdb"),
        # T-SQL has no WITH within WITH
        ("WITH a AS (SELECT call__0__call) SELECT b FROM a", "query",
         "WITH c AS (SELECT 1 AS b) SELECT b FROM c", "tsql"),
    ],
)  # fmt: skip
def test_where_it_would_mean_something_else_the_macro_stays(
    host: str, kind: MacroKind, sql: str, dialect: str
) -> None:
    assert "call__0__call" in written(host, kind, sql, dialect)


NUMBERS = ["b", "b + 1", "b - c", "-b", "b * c", "b % 2", "CAST(b AS INT)", "COALESCE(b, c)",
           "CASE WHEN b > 1 THEN c END"]  # fmt: skip
TESTS = ["NOT b", "b > 1 OR c > 1", "b > 1 AND c > 1", "b IS NULL", "b IN (1, 2)", "b = c",
         "b BETWEEN 1 AND 2"]  # fmt: skip
OF_NUMBERS = ["2 * {}", "-{}", "{} - 1", "5 - {}", "{} * b"]
OF_BOTH = ["CAST({} AS INT)", "NOT {}", "{} AND b > 1", "b > 1 OR {}", "{} IS NULL", "{} IN (1, 2)",
           "{} BETWEEN 0 AND 2", "{} = 2", "CASE WHEN {} THEN 1 ELSE 0 END", "COALESCE({}, 7)",
           "CASE {} WHEN 1 THEN 2 END"]  # fmt: skip


@pytest.mark.parametrize(
    ("around", "expressions"),
    [*((each, NUMBERS) for each in OF_NUMBERS), *((each, NUMBERS + TESTS) for each in OF_BOTH)],
)
def test_what_is_written_has_the_value_of_the_call(around: str, expressions: list[str]) -> None:
    base = duckdb.connect()
    base.execute("CREATE TABLE t AS SELECT b, c FROM (VALUES (0), (1), (2), (3), (NULL)) AS x (b),"
                 " (VALUES (0), (1), (2), (NULL)) AS y (c)")  # fmt: skip
    for said in expressions:
        host = f"SELECT {around} AS a, b, c FROM t"
        old, new = host.format(f"({said})"), written(host.format(ONE_CALL), "expression", said)
        rows = [base.sql(f"FROM ({sql}) ORDER BY ALL").fetchall() for sql in (old, new)]
        assert rows[0] == rows[1] and len(rows[0]) == 20, new


def test_a_macro_within_such_a_macro_goes_too() -> None:
    inner = macro("expression", "b + 1", "inner")
    outer = Macro("outer", (), tree("SELECT call__0__call AS c FROM t"), "query")
    calls = (MacroCall("inner", ()), MacroCall("outer", ()))
    host = tree("SELECT c FROM (SELECT call__1__call) AS x")
    made = written_where_called(Library({"host": host}, (inner, outer), calls), "duckdb")
    assert made.macros == ()
    assert made.models["host"].sql() == "SELECT c FROM (SELECT b + 1 AS c FROM t) AS x"


def test_what_is_called_twice_stays() -> None:
    """By two calls, by one that stands in two places, and by what another call's default is."""
    m = macro("expression", "b + 1")
    two = Library({"host": tree("SELECT call__0__call AS a, call__1__call AS c FROM t")}, (m,),
                  (ONE, ONE))  # fmt: skip
    same = Library({"host": tree("SELECT call__0__call AS a, call__0__call AS c FROM t")}, (m,),
                   (ONE,))  # fmt: skip
    default = Macro("n", ("a",), tree("SELECT h__a__h AS a FROM t"), "query",
                    defaults={"a": "call__0__call"})  # fmt: skip
    usual = Library(
        {"host": exp.Var(this="call__1__call")}, (m, default), (ONE, MacroCall("n", ()))
    )
    for library in (two, same, usual):
        assert m in written_where_called(library, "duckdb").macros
        assert handed_once(library) == ()


# --- in the caller's words


def in_callers_words(
    sql: str, *said: str, params: tuple[str, ...] = ("a", "b"), calls: tuple[MacroCall, ...] = ()
) -> Library:
    """A macro `m` whose only call, the first, hands on what is said from a macro `host`."""
    leaves = (Leaf("list" if each.startswith("list") else "condition", each) for each in said)
    made = macro("query", sql, "m", *params)
    host = macro("query", "SELECT 1 AS n UNION ALL SELECT call__0__call", "host", "a", "b", "c")
    call = MacroCall("m", tuple(zip(params, leaves, strict=True)))
    return written_where_called(Library({}, (made, host), (call, *calls)), "duckdb")


def test_what_only_hands_on_stands_there_in_the_callers_words() -> None:
    sql = "SELECT h__a__h + h__b__h AS n FROM t WHERE x = 'first4__h__a__h__first4' /* h__b__h */"
    [host] = in_callers_words(sql, "h__b__h", "h__a__h").macros
    assert host.tree.sql("duckdb") == (
        "SELECT 1 AS n UNION ALL SELECT h__b__h + h__a__h AS n FROM t"
        " WHERE x = 'first4__h__b__h__first4' /* h__a__h */"
    )


def test_so_do_its_lists_and_what_its_own_calls_say() -> None:
    inner = MacroCall("n", (("k", Leaf("condition", "h__a__h + call__2__call")),))
    deep = MacroCall("o", (("k", Leaf("condition", "h__a__h")),))
    same = MacroCall("o", (("k", Leaf("condition", "1")),))
    sql = "SELECT call__1__call AS n, call__3__call AS o FROM t WHERE x IN (list__b__list)"
    made = in_callers_words(sql, "h__c__h", "h__a__h", calls=(inner, deep, same))
    [host] = made.macros
    said = host.tree.sql("duckdb")
    assert said.endswith(
        "SELECT call__5__call AS n, call__3__call AS o FROM t WHERE x IN (list__a__list)"
    )
    assert made.calls[5].args == (("k", Leaf("condition", "h__c__h + call__4__call")),)
    assert made.calls[4].args == (("k", Leaf("condition", "h__c__h")),)
    assert made.calls[1:4] == (inner, deep, same)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT h__a__h + h__b__h AS n FROM t", ("h__a__h", "7")),  # more than it is told
        ("SELECT h__a__h + h__b__h AS n FROM t", ("h__a__h", "h__b__h + 1")),
        ("SELECT h__a__h + h__z__h AS n FROM t", ("h__a__h", "h__b__h")),  # nobody knows what z is
        (
            "SELECT n FROM t WHERE optional__a__optional(h__a__h = h__b__h) AND TRUE",
            ("h__a__h",) * 2,
        ),
    ],
)
def test_what_says_more_stays_a_macro(sql: str, said: tuple[str, str]) -> None:
    assert [each.name for each in in_callers_words(sql, *said).macros] == ["m", "host"]


# --- arguments

PICKED = macro("query", "SELECT p.person FROM people AS p WHERE p.age > 17", "host_picked")
STAYS = Macro(
    "stays", ("picked", "least"),
    tree("SELECT s.person FROM stays AS s JOIN h__picked__h AS x ON x.person = s.person"),
    "query",
)  # fmt: skip


def called(number: int, least: str = "1") -> MacroCall:
    picked = Leaf("condition", f"call__{number}__call")
    return MacroCall("stays", (("picked", picked), ("least", Leaf("number", least))))


def handing(*more: MacroCall, host: str = "call__1__call") -> Library:
    calls = (MacroCall("host_picked", ()), called(0), *more)
    made = exp.Var(this=host) if host.startswith("call") else tree(host)
    return Library({"host": made}, (PICKED, STAYS), calls)


def test_a_query_that_one_call_hands_on_is_a_block_of_its_template() -> None:
    made = with_blocks(handing())
    assert [m.name for m in made.macros] == ["stays"] == [m.name for m in macros_left(handing())]
    assert made.blocks == {"host": (("picked", PICKED),)}
    text = template(made.models["host"], "duckdb", made.calls)
    assert text == "{{ stays(picked=picked, least=1) }}"


TWICE = "SELECT a FROM (SELECT call__1__call) AS a, (SELECT call__{}__call) AS b"


@pytest.mark.parametrize(
    "library",
    [
        handing(called(0), host=TWICE.format(2)),
        handing(host=TWICE.format(1)),
        handing(host=TWICE.format(0)),
    ],
)
def test_what_is_handed_on_twice_is_a_macro(library: Library) -> None:
    assert with_blocks(library) is library
    assert macros_left(library) == library.macros


def test_in_several_calls_of_one_macro_each_block_has_its_own_name() -> None:
    """They may be a loop, whose rows have a word called like the parameter."""
    other = Macro("other_picked", (), PICKED.tree, "query")
    library = handing(
        MacroCall("other_picked", ()), called(2),
        host="SELECT call__1__call UNION ALL SELECT call__3__call",
    )  # fmt: skip
    made = with_blocks(Library(library.models, (*library.macros, other), library.calls))
    assert [name for name, _ in made.blocks["host"]] == ["host_picked", "other_picked"]
    text = template(made.models["host"], "duckdb", made.calls)
    assert "picked=host_picked" in text and "picked=other_picked" in text


def test_no_block_is_called_like_a_parameter_of_its_macro() -> None:
    query = tree("SELECT h__picked__h FROM (SELECT call__1__call) AS x")
    around = Macro("around", ("picked",), query, "query")
    said = MacroCall("around", (("picked", Leaf("name", "a")),))
    calls = (MacroCall("host_picked", ()), called(0), said)
    made = with_blocks(
        Library({"host": exp.Var(this="call__2__call")}, (PICKED, STAYS, around), calls)
    )
    assert made.blocks == {"around": (("host_picked", PICKED),)}


def test_a_block_within_a_block_comes_first() -> None:
    """A query that is handed on, and calls a macro that another one is handed on to."""
    outer = Macro(
        "host_rows", (), tree("SELECT x.person FROM (SELECT call__1__call) AS x"), "query"
    )
    calls = (MacroCall("host_picked", ()), called(0), MacroCall("host_rows", ()), called(2, "2"))
    made = with_blocks(
        Library({"host": exp.Var(this="call__3__call")}, (outer, PICKED, STAYS), calls)
    )
    assert [name for name, _ in made.blocks["host"]] == ["picked", "host_rows"]
    assert [m.name for m in made.macros] == ["stays"]


def test_blocks_are_laid_out_as_what_is_around_them() -> None:
    block = "{% set q %}\nSELECT a,b FROM t\n{% endset %}\n"
    text = f"{{% macro x() %}}\n{block}{{{{ m(q=q) }}}}\n{{% endmacro %}}\n"
    wanted = (
        "{% macro x() %}\n    {% set q %}\n        select a, b from t\n    {% endset %}\n"
        "    {{ m(q=q) }}\n{% endmacro %}\n"
    )
    assert laid_out(text) == wanted == laid_out(wanted)


def test_a_text_of_several_lines_in_a_block_stays_what_it_is() -> None:
    text = "{% set q %}\nSELECT 'a\nb' AS c\n{% endset %}\n{{ m(q=q) }}\n"
    assert "'a\nb'" in laid_out(text)
