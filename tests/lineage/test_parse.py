"""Parsing: one bad statement loses itself; positions are those of the file; nothing is printed."""

import logging
import re

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.lineage.bodies import bodies
from unwet.lineage.errors import RenderError, UnknownDialect
from unwet.lineage.parse import Script, Statement, check_dialect, parse
from unwet.lineage.pile import trace
from unwet.lineage.printing import render
from unwet.lineage.sources import Source, decode
from unwet.lineage.templating import mask


def read(text: str, dialect: str = "tsql", **params: str) -> Script:
    return parse(mask(Source("x.sql", text, dialect), params))


def codes(script: Script) -> list[str]:
    return [finding.code for finding in script.findings]


def texts(script: Script) -> list[str]:
    return [statement.text for statement in script.statements]


def test_statements_know_their_place() -> None:
    script = read("-- title\nselect 1;\n\n  select a,\n b from t;\n")
    spans = [(s.span.line, s.span.column, s.span.end_line) for s in script.statements]
    assert spans == [(2, 1, 2), (4, 3, 5)]
    assert [statement.index for statement in script.statements] == [0, 1]
    assert script.lines == 5


def test_a_bad_statement_loses_only_itself() -> None:
    script = read("select 1;\nselect from where;\nselek 3;\nselect 4", "postgres")
    assert texts(script) == ["select 1", "select 4"]
    assert codes(script) == ["PARSE", "PARSE"]
    assert [(f.at.line, f.at.column) for f in script.findings] == [(2, 13), (3, 7)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select a from t where group by a", "a part of WHERE is missing near group by"),
        ("select a from t where a and", "a part of AND is missing"),
        ("select a + from t", "a part of + is missing"),
        ("select case when a then from t", "a part of IF or WHEN is missing"),
        ("select a from t order by", "a part of ORDER BY is missing"),
    ],
)
def test_a_message_has_the_words_of_sql(text: str, said: str) -> None:
    (finding,) = read(text, "postgres").findings
    assert finding.message.startswith(said)


def test_a_message_shows_the_placeholder_not_its_token() -> None:
    message = read("select from {{ x }} {{ y }} {{ z }}").findings[0].message
    assert "{{ " in message
    assert "p__" not in message


def test_a_forgotten_semicolon_is_forgiven_in_every_dialect() -> None:
    script = read("create table a as select 1 x\n\ncreate table b as select 2 x\n", "postgres")
    assert len(script.statements) == 2
    assert codes(script) == []


def test_the_tail_of_a_broken_statement_is_no_statement() -> None:
    text = """create table a as select 1 x;
    selct from from select 2 y
    ), b as (
        select 3 z
    )
    select * from b;
    select 4"""
    script = read(text, "postgres")
    assert [statement.span.line for statement in script.statements] == [1, 7]
    assert [(f.code, f.at.line) for f in script.findings] == [("PARSE", 2)]


@pytest.mark.parametrize(
    ("text", "kept", "line"),
    [
        ("select 1 a;\n\nselect 'abc from t;\n\nselect 2 b from u;\nselect 'x' c;\n", 3, 3),
        ("select 1\nGO\nselect 'abc from t\nGO\nselect 2 b from u\nGO\nselect 'x' c", 3, 3),
        ("select 1;\n/* never closed\nselect 2;\n", 1, 2),
        ("select 'a\n\nb' x;\nselect 'abc;\nselect 2;\n", 2, 4),
        ("select [a from t;\nselect 2;", 1, 1),
    ],
)
def test_an_open_quote_does_not_take_the_rest_of_the_file(text: str, kept: int, line: int) -> None:
    script = read(text)
    assert len(script.statements) == kept
    assert [(f.code, f.at.line) for f in script.findings] == [("TOKENIZE", line)]


def test_after_recovery_positions_are_those_of_the_file() -> None:
    statement = read("select 'abc;\nselect 2;\nselect a.b from a").statements[-1]
    column = statement.tree.find(exp.Column)
    assert column is not None
    span = statement.span_of(column)
    assert (span.line, span.column, span.end_column) == (3, 8, 11)


def test_the_span_of_a_node_and_of_a_placeholder() -> None:
    statement = read("select x + {{ day }} as y,\n  *\nfrom @cdm.t").statements[0]
    spans = {type(node): statement.span_of(node) for node in statement.tree.walk()}
    assert (spans[exp.Add].column, spans[exp.Add].end_column) == (8, 21)
    assert (spans[exp.Table].line, spans[exp.Table].column, spans[exp.Table].end_column) == (
        3,
        6,
        12,
    )
    assert spans[exp.Star].line == 2


@pytest.mark.parametrize("kind", ["decimal", "decimal(10, 2)"])
def test_a_span_has_no_digits_that_the_parser_put_into_a_type(kind: str) -> None:
    statement = read(
        f"select\n  1 as a,\n  cast(\n    b as {kind}) as c\nfrom t", "duckdb"
    ).statements[0]
    cast = statement.tree.find(exp.Cast)
    assert cast is not None
    span = statement.span_of(cast)
    assert (span.line, span.column, span.end_line) == (4, 5, 4)


def test_what_the_parser_gives_up_on_is_kept_and_reported() -> None:
    script = read("exec dbo.refresh @day = 3\nprint 'x'\nselect 1")
    assert len(script.statements) == 3
    assert codes(script) == ["OPAQUE", "OPAQUE"]


@pytest.mark.parametrize(("language", "found"), [("js", []), ("sql", ["OPAQUE"])])
def test_words_of_javascript_are_no_queries(language: str, found: list[str]) -> None:
    body = "return 1; // SELECT x FROM y"
    made = f"CREATE FUNCTION f(x STRING) RETURNS BOOL LANGUAGE {language} AS '{body}'"
    assert codes(read(made, "bigquery")) == found


def test_existence_tests_are_unwrapped_and_other_conditions_reported() -> None:
    script = read(
        "IF OBJECT_ID('a.b', 'U') IS NOT NULL DROP TABLE a.b;\n"
        "IF @@rowcount > 3 DELETE FROM t WHERE a = 1;"
    )
    assert [type(statement.tree) for statement in script.statements] == [exp.Drop, exp.Delete]
    assert [(f.code, f.at.line) for f in script.findings] == [("OPAQUE", 2)]


@pytest.mark.parametrize(
    ("dialect", "call"),
    [
        ("tsql", "hashbytes()"),
        ("bigquery", "date_add()"),
        ("bigquery", "regexp_extract()"),
        ("postgres", "levenshtein_less_equal()"),
    ],
)
def test_where_the_parser_itself_breaks_the_rest_is_read(dialect: str, call: str) -> None:
    script = read(f"select {call};\nselect 2", dialect)
    assert texts(script) == ["select 2"]
    assert codes(script) == ["PARSE"]


def test_sqlglot_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    script = read("call p(); vacuum full t;", "snowflake")
    assert codes(script).count("OPAQUE") == 2
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("sqlglot").propagate


def test_unknown_dialect_says_what_was_meant() -> None:
    with pytest.raises(UnknownDialect) as caught:
        check_dialect("postgress")
    assert caught.value.help == "did you mean postgres?"
    assert check_dialect("TSQL") == "tsql"


def test_render_keeps_comments_and_placeholders() -> None:
    statement = read("select a /* why */ from @cdm.t").statements[0]
    assert render(statement.tree, "tsql", pretty=False) == "SELECT a /* why */ FROM p__cdm__p.t"


def test_render_refuses_to_drop_what_it_cannot_write() -> None:
    tree = read("select split_part(a, ':', 2) from t", "postgres").statements[0].tree
    with pytest.raises(RenderError):
        render(tree, "tsql")


# --- size and shape --------------------------------------------------------------------------


def rows(count: int) -> str:
    return ", ".join(f"({at}, 'it''s @x {{{{y}}}} {at}', ?)" for at in range(count))


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("insert into t values " + rows(30_000), 1),
        ("select '" + "{" * 1_000_000, 0),
        ("{% if " * 150_000, 0),
        ("/*" * 500_000, 0),
        ("$a$ $b$ " * 100_000, 0),
        ("'\n\n\n" * 100_001, 0),
    ],
    ids=["one long line", "braces", "tags", "comments", "dollars", "quotes"],
)
def test_huge_and_hostile_texts_are_read_or_reported(text: str, statements: int) -> None:
    script = read(text, "postgres")
    assert len(script.statements) == statements or script.findings


@pytest.mark.parametrize(
    "text", ["select " + "(" * 20_000, "select " + "(" * 999 + "1" + ")" * 999]
)
def test_deep_nesting_is_a_finding_or_a_statement(text: str) -> None:
    script = read(text)
    assert len(script.statements) + len(script.findings) == 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120), st.sampled_from(["", "tsql", "postgres", "bigquery", "mysql"]))
def test_any_bytes_are_read(data: bytes, dialect: str) -> None:
    text, finding = decode(data, "x.sql")
    assert text is not None or finding is not None
    script = read(text or "", dialect)
    assert all(isinstance(statement, Statement) for statement in script.statements)


WORDS = (
    "select from where ( ) , ; 'a' ' \" [ ] case when then else end begin if while go union"
    " insert into t values create table as view procedure @x {{y}} $$ -- /* */ declare merge"
    " with drop \n update set delete exec 1 a . * = for do loop"
)
SQLISH = st.lists(st.sampled_from(re.split(" ", WORDS)), max_size=40).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(SQLISH, st.sampled_from(["", "tsql", "postgres", "bigquery", "mysql", "snowflake"]))
def test_any_words_are_read(text: str, dialect: str) -> None:
    script = read(text, dialect)
    for statement in script.statements:
        assert statement.text
        assert statement.span.line <= statement.span_of(statement.tree).line


def test_float_of_t_sql_has_double_precision_and_real_has_not() -> None:
    source = Source("f.sql", "select cast(a as float) x, cast(a as real) y, cast(a as float(24)) z")
    statement = parse(mask(source), "tsql").statements[0]
    assert "AS DOUBLE" in render(statement.tree, "duckdb")
    types = [cast.to.sql() for cast in statement.tree.find_all(exp.Cast)]
    assert types == ["DOUBLE", "FLOAT", "FLOAT(24)"]


def test_the_rows_of_a_loop_stand_where_they_are_written() -> None:
    graph = trace(Source("a.sql", "for r in (select b from s) do\nselect 1;\nend for;"), "bigquery")
    (edge,) = [e for e in graph.edges if e.target.relation == "r"]
    assert [str(span) for span in edge.spans] == ["a.sql:1:18"]


def test_many_comments_before_a_body_take_no_time() -> None:
    """Each could once be read as a part of the one before it: 2 ** 200 ways."""
    assert [*bodies("execute '" + "/**/ " * 200 + "1'", "postgres")] == []


def test_the_parsers_doubts_are_heard_whoever_silenced_it() -> None:
    logger = logging.getLogger("sqlglot")
    before = logger.disabled, logger.level
    logger.disabled = True
    logger.setLevel(logging.CRITICAL)
    try:
        text = "SELECT JSON_VALUE(payload, '$.items[') AS item FROM events"
        found = parse(mask(Source("a.sql", text)), "bigquery").findings
        assert logger.disabled and logger.level == logging.CRITICAL
    finally:
        logger.disabled = before[0]
        logger.setLevel(before[1])
    assert [each.code for each in found] == ["WARNING"]


@pytest.mark.parametrize("key", ["a", "t.a"])
def test_bigquery_groups_by_what_was_written(key: str) -> None:
    written = f"SELECT {key} AS b, COUNT(*) AS n FROM t GROUP BY {key} ORDER BY n"
    (statement,) = parse(mask(Source("a.sql", written, "bigquery"))).statements
    assert render(statement.tree, "bigquery", pretty=False) == written
    assert statement.tree.args["group"].expressions[0].sql() == key


def test_a_comma_at_the_end_of_a_select_list_makes_no_tuple() -> None:
    (statement,) = parse(mask(Source("a.sql", "SELECT (SELECT b,) AS c, (a, b) FROM t"))).statements
    assert [type(each.unalias()) for each in statement.tree.expressions] == [
        exp.Subquery, exp.Tuple
    ]  # fmt: skip


def test_bigquery_has_one_integer() -> None:
    text = "SELECT CAST(a AS INT), CAST(a AS SMALLINT), CAST(a AS INT64) FROM t"
    (statement,) = parse(mask(Source("a.sql", text)), "bigquery").statements
    assert len({each.sql() for each in statement.tree.expressions}) == 1
    (statement,) = parse(mask(Source("a.sql", text)), "postgres").statements
    assert len({each.sql() for each in statement.tree.expressions}) == 3


@pytest.mark.parametrize(
    "value",
    [
        "EOMONTH(a)",
        "EOMONTH(a, -1)",
        "EOMONTH(EOMONTH(a), b)",
        "EOMONTH(CAST(a AS DATE))",
        "EOMONTH(DATEADD(MONTH, 2, a))",
        "EOMONTH(DATEADD(YEAR, 2, CAST(a AS DATE)))",
    ],
)
def test_the_end_of_a_month_is_printed_as_it_was_written(value: str) -> None:
    tree = sqlglot.parse_one(f"SELECT {value} AS x FROM t", read="tsql")
    assert render(tree, "tsql", pretty=False) == f"SELECT {value} AS x FROM t"
    assert render(sqlglot.parse_one(value, read="tsql"), "tsql", pretty=False) == value


def test_a_match_without_its_definitions_is_a_finding() -> None:
    odd = "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY a PATTERN (a)); SELECT 1 AS x"
    script = read(odd, "snowflake")
    assert codes(script) == ["PARSE"] and len(script.statements) == 1
    assert script.findings[0].message == "MATCH_RECOGNIZE without DEFINE"
    assert codes(read(odd.replace("(a))", "(a) DEFINE a AS TRUE)"), "snowflake")) == []


def test_a_comment_that_the_server_runs_is_no_comment() -> None:
    text = "SELECT a FROM t /*! WHERE a > 1 */; SELECT a /* ! no */ FROM t; "
    text += "CREATE TABLE u (a INT) /*!5 x */"
    script = read(text, "mysql")
    assert codes(script) == ["PARSE"] and len(script.statements) == 2
    assert "a comment that the server runs" in script.findings[0].message
    assert codes(read(text, "postgres")) == []


@pytest.mark.parametrize("dialect", ["tsql", "postgres", "mysql", "snowflake"])
@pytest.mark.parametrize("which", ["", "LOCAL ", "CASCADED "])
def test_what_may_be_written_through_a_view_is_left_out(dialect: str, which: str) -> None:
    query = "SELECT id FROM t WHERE id > 5"
    script = read(f"CREATE VIEW w AS {query} WITH {which}CHECK OPTION;\nSELECT 1", dialect)
    assert codes(script) == [] and len(script.statements) == 2
    assert script.statements[0].tree.expression.sql(dialect) == query
    assert script.statements[0].text.endswith("CHECK OPTION")
    assert codes(read(f"{query} WITH {which}CHECK OPTION", dialect)) == ["PARSE"]  # no view


def test_lines_of_sqlplus_take_no_statement_with_them() -> None:
    text = """PROMPT making r; and s
SET DEFINE OFF
set serveroutput on size 100
SET LINES 200;
CREATE TABLE r AS SELECT a FROM t;
UPDATE r
SET long = 1, heading = 2;
UPDATE r
SET ROLE = 1;
SET ROLE x;
"""
    script = read(text, "oracle")
    assert [each.span.line for each in script.statements] == [5, 6, 8, 10]
    assert script.statements[1].tree.key == script.statements[2].tree.key == "update"
