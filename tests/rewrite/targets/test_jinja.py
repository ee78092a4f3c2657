"""Trees with tokens as templates: rendered by Jinja itself they are the SQL again."""

from __future__ import annotations

import jinja2
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import LINE, NO_CONDITION, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import call_text, template, wrapped
from unwet.rewrite.targets.jinja_values import argument, arguments, quoted, usual


def rendered(text: str, **names: object) -> str:
    functions = {
        "ref": lambda name: f"ref.{name}",
        "source": lambda schema, table: f"{schema}.{table}",
        "var": lambda name, default=None: f"<{name}>",
    }
    return jinja2.Environment().from_string(text).render(**functions, **names)


def tree(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="duckdb")


def test_tokens() -> None:
    found = template(tree("SELECT a FROM ref__x_y__ref, src__s__t_u__src AS z"), "duckdb", ())
    assert "{{ ref('x_y') }}" in found
    assert "{{ source('s', 't_u') }} AS z" in found
    assert "{{ var('day'" in template(tree("SELECT p__day__p AS d"), "duckdb", ())
    assert '\'{{ var("day"' in template(tree("SELECT 'p__day__p' AS d"), "duckdb", ())
    assert "{{ since }}" in template(tree("SELECT h__since__h AS d"), "duckdb", ())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT /* don't */ 'p__day__p' AS d",
        "SELECT a /* don't */ AS b, 'p__day__p' AS d",
        """SELECT "it's" AS b, 'p__day__p' AS d""",
        "SELECT 'it''s' AS b, 'p__day__p' AS d",
        "SELECT CASE "
        + " ".join(f"WHEN k = '{n}' THEN 'it''s {n}'" for n in range(20))
        + " END AS b, 'p__day__p' AS d",
    ],
)
def test_an_apostrophe_that_is_no_quote_begins_no_text(sql: str) -> None:
    assert '\'{{ var("day"' in template(tree(sql), "duckdb", ())


@pytest.mark.parametrize(
    ("token", "meant"),
    [
        ("src__main__src__src", "main.src"),
        ("src__src__src__src", "src.src"),
        ("src__src__t__src", "src.t"),
        ("src__main__src__x__src", "main.src__x"),
        ("src__main__src_x__src", "main.src_x"),
        ("src__main__src2__src", "main.src2"),
        ("src__src__src_src__src", "src.src_src"),
        ("ref__ref__ref", "ref.ref"),
        ("ref__a__ref__b__ref", "ref.a__ref__b"),
        ("ref__a__ref_2__ref", "ref.a__ref_2"),
    ],
)
def test_tables_that_are_called_like_tokens(token: str, meant: str) -> None:
    found = template(tree(f"SELECT a FROM {token} AS z"), "duckdb", ())
    assert rendered(found).split() == ["SELECT", "a", "FROM", meant, "AS", "z"]
    assert rendered("{{ " + argument(Leaf("name", token), "duckdb") + " }}") == meant


def test_a_call_in_its_place() -> None:
    said = (("b", Leaf("condition", "TRUE")), ("a", Leaf("number", "1")))
    whole = template(exp.Var(this="call__0__call"), "duckdb", (MacroCall("m", said),))
    assert whole == "{{ m(b='TRUE', a=1) }}"
    leading = (MacroCall("m", said, leading=("a", "c")),)
    assert template(exp.Var(this="call__0__call"), "duckdb", leading) == "{{ m(1, b='TRUE') }}"
    block = tree("WITH x AS (SELECT 1) SELECT a FROM x")
    block.find(exp.CTE).this.replace(exp.Var(this="call__0__call"))  # type: ignore[union-attr]
    assert "{{ m(1, b='TRUE') }}" in template(block, "duckdb", leading)


@pytest.mark.parametrize(
    ("leading", "written"),
    [
        ((), ["table='t'", "strict=true", "n=3"]),
        (("table",), ["'t'", "strict=true", "n=3"]),
        (("n", "table"), ["3", "'t'", "strict=true"]),
        (("table", "strict"), ["'t'", "strict=true", "n=3"]),
        (("strict", "n"), ["table='t'", "strict=true", "n=3"]),
        (("unsaid", "n"), ["table='t'", "strict=true", "n=3"]),
    ],
)
def test_what_is_said_without_a_name_tells_something(
    leading: tuple[str, ...], written: list[str]
) -> None:
    said = [("table", "'t'"), ("strict", "true"), ("n", "3")]
    assert arguments(said, leading) == written


def test_a_tail_follows_its_first_ctes() -> None:
    calls = (MacroCall("m", ()),)
    short = tree("WITH x AS (SELECT 1 AS a) SELECT tail__0__tail")
    text = template(short, "duckdb", calls)
    body = template(tree("WITH y AS (SELECT a FROM x) SELECT a FROM y"), "duckdb", (), kind="tail")
    assert not body.startswith("WITH")
    whole = rendered(text, m=lambda: body)
    assert tree(whole) == tree("WITH x AS (SELECT 1 AS a), y AS (SELECT a FROM x) SELECT a FROM y")


def test_long_calls_are_wrapped() -> None:
    args = tuple((f"name_{i}", Leaf("string", f"some words {i}")) for i in range(9))
    text = call_text(MacroCall("macro", args), "duckdb")
    assert all(len(line) <= LINE for line in text.splitlines())
    assert rendered(text, macro=lambda **given: "|".join(given.values())) == "|".join(
        leaf.text for _, leaf in args
    )


def test_wrapping_does_not_change_the_blanks_of_a_value() -> None:
    value = "a  b " * 40
    text = call_text(MacroCall("m", (("x", Leaf("string", value)),)), "duckdb")
    assert rendered(text, m=lambda x: x) == value


STRINGS = ["", "it's", 'say "x"', "a\\b", "{{ x }}", "{% if %}", "{# no #}", "\n", "é€", "%}", "}}"]


@pytest.mark.parametrize("text", STRINGS)
def test_strings_of_the_author_come_out_as_they_were(text: str) -> None:
    select = exp.select(exp.alias_(exp.Literal.string(text), "x"))
    assert tree(rendered(template(select, "duckdb", ()))) == select
    printed = "'" + rendered("{{ " + argument(Leaf("string", text), "duckdb") + " }}") + "'"
    assert tree(f"SELECT {printed} AS x") == select


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="ab'\"\\{}%#-/* \n\té;", max_size=12))
def test_any_string_survives(text: str) -> None:
    select = exp.select(exp.alias_(exp.Literal.string(text), "x"))
    assert tree(rendered(template(select, "duckdb", ()))) == select
    leaf = Leaf("string", text)
    call = call_text(MacroCall("m", (("x", leaf),)), "duckdb")
    assert tree("SELECT '" + rendered(call, m=lambda x: x) + "' AS x") == select


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="a'\"\\{}%#", max_size=8))
def test_a_text_in_a_tag_has_no_border_of_one(text: str) -> None:
    """Whoever looks for the end of a tag knows nothing of the texts in it."""
    said = quoted(text)
    assert rendered("{{ " + said + " }}") == text
    assert not any(sign in said for sign in ("{{", "}}", "{%", "%}", "{#", "#}"))


def test_behind_a_backslash_a_relation_is_in_no_text() -> None:
    """`'\\'` is all of a text where a backslash is a sign like others."""
    sql = "SELECT '\\' AS a, 'b' AS b FROM src__main__t__src AS t WHERE t.c = 'c'"
    text = template(sqlglot.parse_one(sql, read="duckdb"), "duckdb", ())
    assert "FROM {{ source('main', 't') }} AS t" in text


@pytest.mark.parametrize("text", ["0", "12", "1.50", "007", "1e3", "99999999999999999999"])
def test_numbers_are_printed_as_they_were(text: str) -> None:
    assert rendered("{{ " + argument(Leaf("number", text), "duckdb") + " }}") == text


def test_names_keep_their_quotes() -> None:
    leaf = Leaf("name", 'My "col"', quoted=True)
    assert rendered("{{ " + argument(leaf, "duckdb") + " }}") == '"My ""col"""'
    assert rendered("{{ " + argument(Leaf("name", "src__a__b__src"), "duckdb") + " }}") == "a.b"
    assert rendered("{{ " + argument(Leaf("string", "x_p__day__p"), "duckdb") + " }}") == "x_<day>"


@pytest.mark.parametrize("text", ["{}}", "{%}", "{p__day__p", "{{%}}}"])
def test_braces_beside_tags(text: str) -> None:
    select = exp.select(exp.alias_(exp.Literal.string(text), "x"))
    found = tree(rendered(template(select, "duckdb", ())))
    assert found.expressions[0].this.name == text.replace("p__day__p", "<day>")


def test_names_are_quoted_as_the_dialect_does() -> None:
    plain, odd = Leaf("name", "2021_07_01"), Leaf("name", "My `col", quoted=True)
    assert rendered("{{ " + argument(plain, "bigquery") + " }}") == "`2021_07_01`"
    assert rendered("{{ " + argument(odd, "databricks") + " }}") == "`My ``col`"
    assert rendered("{{ " + argument(Leaf("string", "it's"), "bigquery") + " }}") == "it\\'s"


def test_a_relation_handed_to_a_macro_is_not_quoted_again() -> None:
    table = sqlglot.parse_one("SELECT a FROM `x.y_*`", read="bigquery")
    next(iter(table.find_all(exp.Table))).set("this", exp.to_identifier("h__relation__h"))
    for name in ("db", "catalog"):
        next(iter(table.find_all(exp.Table))).set(name, None)
    assert "FROM {{ relation }}" in template(table, "bigquery", ())


def test_a_call_among_the_columns_of_a_cte_gets_no_name_of_its_own_in_t_sql() -> None:
    found = sqlglot.parse_one(
        "WITH x(a, b, c) AS (SELECT d, y FROM t) SELECT a FROM x", read="tsql"
    )
    for column in [each for each in found.find_all(exp.Column) if each.name == "y"]:
        column.replace(exp.Var(this="call__0__call"))
    text = " ".join(template(found, "tsql", [MacroCall("m", ())]).split())
    assert text == "WITH x(a, b, c) AS ( SELECT d, {{ m() }} FROM t ) SELECT a FROM x"


@pytest.mark.parametrize("name", ["names=", ""])
def test_a_list_of_names_that_is_longer_than_a_line_is_broken(name: str) -> None:
    text = wrapped([f"{name}[{', '.join(repr(f'column_{n}') for n in range(12))}]"])
    assert text.count("\n") > 0
    assert all(len(line) <= LINE for line in text.splitlines())


@pytest.mark.parametrize("blank", ["\t", "\r", "\v", "\f", "\n", "  ", "\u00a0", "\\"])
def test_blanks_in_a_text_are_the_same_in_a_list_of_many_lines(blank: str) -> None:
    texts = [f"the{blank}{n}th of them" for n in range(20)]
    items = wrapped([quoted(text) for text in texts])
    assert items.count("\n") > 3
    printed = rendered(f"{{% for each in [\n{items}\n] %}}{{{{ each }}}}|{{% endfor %}}")
    assert printed.split("|")[:-1] == texts


@pytest.mark.parametrize(
    ("dialect", "said"),
    [("duckdb", "'TRUE'"), ("bigquery", "'TRUE'"), ("tsql", "'1 = 1'"), ("oracle", "'1 = 1'")],
)
def test_no_condition_is_said_in_the_words_of_the_dialect(dialect: str, said: str) -> None:
    """SQL Server and Oracle have no TRUE."""
    assert argument(NO_CONDITION, dialect) == said
    assert usual(NO_CONDITION.text, dialect, ()) == said


def test_a_parameter_that_is_columns_of_a_derived_table_gets_no_name_in_t_sql() -> None:
    found = sqlglot.parse_one("SELECT * FROM (SELECT a, b FROM t) AS q", read="tsql")
    inner = found.find(exp.Subquery)
    assert inner is not None
    inner.this.set("expressions", [exp.column("a"), exp.Var(this="h__columns__h")])
    text = " ".join(template(found, "tsql", ()).split())
    assert text == "SELECT * FROM ( SELECT a, {{ columns }} FROM t ) AS q"
