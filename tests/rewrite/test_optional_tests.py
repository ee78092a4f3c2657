"""A condition that is only there where a call says something for its parameter."""

from __future__ import annotations

import duckdb
import jinja2
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.always_said import without_constants
from unwet.rewrite.as_query import as_query
from unwet.rewrite.library import NO_CONDITION, NO_VALUE, Library, Macro, MacroCall
from unwet.rewrite.one_macro import with_one_macro
from unwet.rewrite.optional_tests import optional_test, parameter_of, with_tests_if_said
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.side_by_side import side_by_side
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.jinja_values import argument

KIND = "kind = 'h__kind__h'"


def test(sql: str, name: str = "kind") -> exp.Expr:
    """A condition that may be none."""
    return optional_test(sqlglot.parse_one(sql), name)


test.__test__ = False  # type: ignore[attr-defined]


def select(where: str, more: str = "") -> exp.Select:
    """A query with what a macro needs to be worth one; ``c`` is the parameter of a condition."""
    sql = f"""SELECT client, place, COUNT(*) AS n, SUM(bytes) AS bytes, MIN(bytes) AS least,
        MAX(bytes) AS most, AVG(bytes) AS mean {more} FROM pages WHERE {where}
        GROUP BY client, place"""
    tree = sqlglot.parse_one(sql)
    assert isinstance(tree, exp.Select)
    for column in [*tree.find_all(exp.Column)]:
        if column.name == "c":
            column.replace(exp.Var(this="h__condition__h"))
    return tree


def printed(where: str, **said: str | None) -> str:
    """The WHERE of a template, as a call makes it."""
    tree = select(where)
    [found] = [each for each in tree.find_all(exp.EQ) if "h__kind__h" in each.sql()]
    found.replace(optional_test(found, "kind"))
    text = template(tree, "duckdb", (), "query")
    return " ".join(
        jinja2.Template(text).render(**said).split("WHERE")[1].split("GROUP")[0].split()
    )


@pytest.mark.parametrize(
    ("where", "with_kind", "without"),
    [
        (f"{KIND} AND c", "kind = 'a' AND n > 1", "n > 1"),
        (
            f"place > 2 AND {KIND} AND c",
            "place > 2 AND kind = 'a' AND n > 1",
            "place > 2 AND n > 1",
        ),
        (  # braces that are printed have quotes, which are none of SQL
            "REPLACE(kind, '{{', '(') = 'h__kind__h' AND c AND place <> '%}'",
            "REPLACE(kind, '{{', '(') = 'a' AND n > 1 AND place <> '%}'",
            "n > 1 AND place <> '%}'",
        ),
    ],
)
def test_a_call_says_it_or_does_without(where: str, with_kind: str, without: str) -> None:
    assert printed(where, kind="a", condition="n > 1") == with_kind
    assert printed(where, kind=None, condition="n > 1") == without


@pytest.mark.parametrize("text", ["a ) b", "it''s (", 'x "(" y', "((", "`"])
def test_signs_in_texts_close_nothing(text: str) -> None:
    sql = f"WHERE OPTIONAL__KIND__OPTIONAL(f(kind) = '{text}') AND c > ')' AND (d)"
    assert with_tests_if_said(sql, "mysql") == (
        f"WHERE {{% if kind is not none %}}f(kind) = '{text}' AND {{% endif %}}c > ')' AND (d)"
    )


@given(st.text("()'\"`ab\\ ", max_size=12))
def test_any_text_stands_in_one(text: str) -> None:
    literal = exp.Literal.string(text).sql("bigquery")
    sql = f"WHERE OPTIONAL__KIND__OPTIONAL(kind = {literal})\n  AND TRUE"
    test = f"{{% if kind is not none %}}kind = {literal} AND {{% endif %}}TRUE"
    assert with_tests_if_said(sql, "bigquery") == f"WHERE {test}"


@pytest.mark.parametrize(
    ("condition", "dialect"),
    [
        ("[a) ' b] = 'x'", "tsql"),
        ("kind LIKE 'x\\' AND b = ')'", "tsql"),
        ("kind = 'x\\') '", "bigquery"),
        ("kind = 'x' /* don't :) */", "duckdb"),
    ],
)
def test_names_texts_and_comments_are_those_of_the_dialect(condition: str, dialect: str) -> None:
    sql = f"WHERE OPTIONAL__KIND__OPTIONAL({condition}) /* :( */ AND c = ')'"
    assert with_tests_if_said(sql, dialect) == (
        f"WHERE {{% if kind is not none %}}{condition} /* :( */ AND {{% endif %}}c = ')'"
    )


def test_where_nothing_is_left_behind_it_none_is_always_true() -> None:
    """A condition that no call has goes out of its macro, and may have been the one behind."""
    macros = (
        Macro("rows", ("kind", "condition"), select(f"{KIND} AND c"), "query"),
        Macro("others", (), select("TRUE"), "query"),
    )
    own = [MacroCall("rows", (("kind", Leaf("string", kind)), ("condition", NO_CONDITION)))
           for kind in "abc"]  # fmt: skip
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in range(4)}
    calls = (*own, MacroCall("others", ()))
    made = without_constants(with_one_macro(Library(models, macros, calls), "duckdb", 5))
    assert "WHERE kind = 'a' GROUP" in " ".join(called(made, "m0").split())
    assert "WHERE 1 = 1 GROUP" in " ".join(called(made, "m3").split())


def test_alternatives_stay_together() -> None:
    said = test("kind = 'h__kind__h' OR place > 1").sql()
    assert "(kind = 'h__kind__h' OR place > 1)" in said


def test_other_functions_are_none() -> None:
    assert parameter_of(test(KIND)) == "kind"
    assert parameter_of(sqlglot.parse_one("optional(kind)")) == ""
    assert parameter_of(sqlglot.parse_one("kind")) == ""


def of(mine: str, other: str) -> str:
    """The WHERE of the macro that says both, where there is one."""
    found = side_by_side(select(mine), select(other), (), "duckdb", 3, fewer=True)
    if found is None or not found.optional:
        return ""
    for number, new in enumerate(found.new):
        for put in new.puts:
            put(f"p{number}")
    assert found.said["kind"] == NO_VALUE
    where: exp.Expr = found.tree.args["where"].this
    return where.sql()


OPTIONAL = "OPTIONAL__KIND__OPTIONAL(kind = 'h__kind__h')"


@pytest.mark.parametrize(
    ("mine", "other", "both"),
    [
        (f"{KIND} AND c", "place > 1", f"{OPTIONAL} AND h__condition__h"),
        (f"{KIND} AND place > 1 AND c", "place > 1 AND bytes > 2",
         f"{OPTIONAL} AND place > 1 AND h__condition__h"),
        (KIND, "place > 1", f"{OPTIONAL} AND h__p0__h"),  # a condition behind it is new
        (f"{KIND} AND c", f"{KIND} AND place > 1", ""),  # both have it
        (KIND, "TRUE", ""),
        (f"{KIND} AND c", "pages.kind = UPPER('a')", ""),  # a condition on the same column
        (f"{KIND} AND place > 1", "place > 1", ""),  # nothing that is always there is behind it
        (f"{KIND} AND bytes > 'h__kind__h' AND c", "place > 1", ""),  # it is said elsewhere, too
        (f"{KIND} AND bytes > 3 AND c", "place > 1", ""),
    ],
)  # fmt: skip
def test_what_becomes_optional(mine: str, other: str, both: str) -> None:
    assert of(mine, other) == both


def test_one_of_a_query_is_enough() -> None:
    """Who wants to know what a macro with two of them says?"""
    tree = select(f"{KIND} AND client > 'h__client__h' AND c")
    found = next(tree.find_all(exp.EQ))
    found.replace(optional_test(found, "kind"))
    assert side_by_side(tree, select("place > 1"), (), "duckdb", 3, fewer=True) is None


def test_a_case_keeps_its_conditions() -> None:
    mine, other = (
        select("TRUE", f", SUM(CASE WHEN {test} THEN 1 ELSE 0 END) AS hits")
        for test in (f"{KIND} AND c", "place > 1")
    )
    made = side_by_side(mine, other, (), "duckdb", 3, fewer=True)
    assert made is None or not made.optional


def test_only_where_it_is_asked_for() -> None:
    assert side_by_side(select(f"{KIND} AND c"), select("place > 1"), (), "duckdb", 3) is None


def test_one_that_may_be_none_is_said_or_not() -> None:
    tree = select(f"{KIND} AND c")
    found = next(tree.find_all(exp.EQ))
    found.replace(optional_test(found, "kind"))
    for other, said in (("kind = 'b' AND place > 1", Leaf("string", "b")), ("place > 1", NO_VALUE)):
        made = side_by_side(tree, select(other), (), "duckdb", 3)
        assert made is not None and not made.new
        assert made.said == {"kind": said, "condition": Leaf("condition", "place > 1")}


def test_one_that_may_be_none_is_none_for_another_test_of_its_column() -> None:
    tree = select(f"{KIND} AND c")
    found = next(tree.find_all(exp.EQ))
    found.replace(optional_test(found, "kind"))
    assert side_by_side(tree, select("kind IN ('a', 'b')"), (), "duckdb", 0) is None


def test_a_call_as_a_query() -> None:
    tree = select(f"{KIND} AND c")
    found = next(tree.find_all(exp.EQ))
    found.replace(optional_test(found, "kind"))
    macro = Macro("rows", ("kind", "condition"), tree, "query")
    for leaf, where in ((NO_VALUE, "place > 1"), (Leaf("string", "b"), "kind = 'b' AND place > 1")):
        call = MacroCall("rows", (("kind", leaf), ("condition", Leaf("condition", "place > 1"))))
        made = as_query(macro, call, "duckdb")
        assert made is not None and made.args["where"].this.sql() == where


def test_a_default_that_reads_it_says_it_always() -> None:
    """What follows from nothing would be nothing."""
    macros = (
        Macro("rows", ("kind", "name", "condition"), select(f"{KIND} AND c", ", 'h__name__h' AS x"),
              "query", defaults={"name": "first4__h__kind__h__first4"}),
        Macro("others", ("name", "condition"), select("place > 2 AND c", ", 'h__name__h' AS x"),
              "query"),
    )  # fmt: skip
    own = ("condition", Leaf("condition", "bytes > 3")), ("name", Leaf("string", "abcd"))
    kind = ("kind", Leaf("string", "abcdef"))
    calls = (*(MacroCall("rows", (kind, *own)) for _ in range(3)), MacroCall("others", own[::-1]))
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in range(4)}
    made = with_one_macro(Library(models, macros, calls), "duckdb", 5)
    assert all("OPTIONAL" not in macro.tree.sql() for macro in made.macros)


PAGES = """CREATE TABLE pages AS SELECT * FROM (VALUES ('c', 1, 5, 'a'), ('c', 1, 7, 'b'),
    ('d', 2, 9, 'a'), ('d', NULL, 2, NULL), (NULL, 3, 1, 'it''s'), ('e', 3, NULL, 'b'))
    AS t(client, place, bytes, kind)"""


def called(made: Library, model: str) -> str:
    """The SQL of a model, as Jinja makes it."""
    call = made.calls[int(made.models[model].name.split("__")[1])]
    [macro] = [each for each in made.macros if each.name == call.macro]
    said = {**dict(call.unsaid), **dict(call.args)}
    words = {name: argument(leaf, "duckdb") for name, leaf in said.items()}
    sets = "".join(f"{{% set {name} = {word} %}}" for name, word in words.items())
    text: str = jinja2.Template(sets + template(macro.tree, "duckdb", (), "query")).render()
    return text


@given(
    st.lists(st.sampled_from(["a", "b", "it's", "none", ""]), min_size=3, max_size=3),
    st.sampled_from(["TRUE", "place > 1", "(bytes > 2 OR place = 1)", "kind IS NULL"]),
    st.sampled_from(
        ["place > 1", "kind = 'b' AND bytes < 8", "client <> 'c'", "(bytes > 2 OR TRUE)"]
    ),
)
def test_both_return_what_they_did(kinds: list[str], condition: str, other: str) -> None:
    """The law: the rows of each query are those that its own words return."""
    macros = (
        Macro("rows", ("kind", "condition"), select(f"{KIND} AND c"), "query"),
        Macro("others", (), select(other), "query"),
    )
    said = ("condition", Leaf("condition", condition))
    own = [MacroCall("rows", (("kind", Leaf("string", kind)), said)) for kind in kinds]
    calls = (*own, MacroCall("others", ()))
    models: dict[str, exp.Expr] = {f"m{n}": exp.Var(this=f"call__{n}__call") for n in range(4)}
    made = with_one_macro(Library(models, macros, calls), "duckdb", 5)
    [macro] = made.macros
    assert macro.params == ("kind", "condition")
    assert ("OPTIONAL__KIND" in macro.tree.sql()) == ("kind = " not in other)
    wheres = [f"kind = {exp.Literal.string(kind).sql()} AND ({condition})" for kind in kinds]
    engine = duckdb.connect()
    engine.execute(PAGES)
    for model, where in zip(models, (*wheres, other), strict=True):
        rows = [sorted(engine.execute(sql).fetchall(), key=str)
                for sql in (called(made, model), select(where).sql("duckdb"))]  # fmt: skip
        assert rows[0] == rows[1]
