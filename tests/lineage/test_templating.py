"""Placeholders: found where they are, left alone where the sign is the dialect's own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwet.lineage.dialects import lexis
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.templating import Masked, mask, mask_all, words_of


def masked(text: str, dialect: str = "tsql", **params: str) -> Masked:
    return mask(Source("x.sql", text, dialect), params)


@pytest.mark.parametrize(
    ("dialect", "before", "after"),
    [
        ("tsql", "select * from @cdm.person", "select * from p__cdm__p.person"),
        ("tsql", "into @a@b@c_1", "into p__a__pp__b__pp__c_1__p"),
        ("postgres", "select {{ x }}, {{y}}", "select p__x__p, p__y__p"),
        ("postgres", "a = '{{ x }}'", "a = 'p__x__p'"),
        ("postgres", "{{ ref('orders') }} o", "orders o"),
        ("postgres", "{{ ref('pkg', 'orders') }}", "orders"),
        ("postgres", "{{ source('raw', 'o') }}", "raw.o"),
        ("postgres", "{{ var('day') }} {{ var(\"day\", 3) }}", "p__day__p p__day__p"),
        ("postgres", "{{ config(materialized='view') }}select 1", "select 1"),
        ("spark", "from ${db}.t where a = '${day}'", "from p__db__p.t where a = 'p__day__p'"),
        ("tsql", "from [$(db)].dbo.t", "from [p__db__p].dbo.t"),
        ("databricks", "from $db.t", "from p__db__p.t"),
        ("databricks", "from $db.t where a = '$day'", "from p__db__p.t where a = 'p__day__p'"),
        ("databricks", "from $db.t where a = 'at $day'", "from p__db__p.t where a = 'at $day'"),
        ("databricks", "from t where a = '$day'", "from t where a = '$day'"),
        ("postgres", "x = :day", "x = p__day__p"),
        ("postgres", "x = %(day)s and y = %s", "x = p__day__p and y = p__arg1__p"),
        ("mysql", "x = ? and y = ?", "x = p__arg1__p and y = p__arg2__p"),
        ("postgres", "from {schema}.t", "from p__schema__p.t"),
        ("bigquery", "x = @day", "x = p__day__p"),
        ("postgres", "a = '{{ var('day') }}'", "a = 'p__day__p'"),
        ("postgres", "a = '{{ var(\"day\") }}-{{ x }}'", "a = 'p__day__p-p__x__p'"),
        ("postgres", "a = '{{\n x }}'", "a = 'p__x__p'"),
        ("postgres", "'{{' as a, {{ x }}, '}}'", "'{{' as a, p__x__p, '}}'"),
        ("postgres", "'{{', {{ x }}", "'{{', p__x__p"),
    ],
)
def test_masked(dialect: str, before: str, after: str) -> None:
    assert masked(before, dialect).text == after


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "select $1, $$ :x $$, $f$ {x} $f$"),
        ("bigquery", r"""select r'(?:a)[\'"]?' as a, r'(?:b)[\'"]?' as b, R"(?:\"c)" as c"""),
        ("postgres", "select '{{' as a, x, '}}' as b"),
        ("postgres", "select '{{' || x || '}}'"),
        ("postgres", "select '{{ ' || x || ' }}'"),
        ("postgres", "select '{{x' as a, y as '}}'"),
        ("postgres", "select '{{ f(' || x || ') }}'"),
        ("postgres", "select replace(replace(x, '{{', ''), '}}', '')"),
        ("postgres", "select a from t where b like '%{{%' and c like '%}}%'"),
        ("postgres", "select '{{' as a\nfrom t where b = '}}'"),
        ("postgres", "select '{{ x' as a,\n'}}' as b"),
        ("postgres", 'select "{{" as a, "}}" as b'),
        ("postgres", "select '{#' as a, x, '#}' as b"),
        ("postgres", "select '{% if x' || y || ' %}'"),
        ("mysql", "select '{{\\'' as a, x, '}}'"),
        ("postgres", "select x::int, a[1:2], a[:n]"),
        ("postgres", "select a ? 'b', a ?| c, a ?& d"),
        ("postgres", "select '12:30:00', ':x', '?', '%s', 'a@b.c'"),
        ("postgres", "select 1 -- @x :y ? {z}"),
        ("postgres", "select /* @x /* :y */ ? */ 1"),
        ("postgres", "select 5 % s, 5%s"),
        ("mysql", "select @x, @@version, @y := 1"),
        ("mysql", "select 'it\\'s :x'"),
        ("mysql", "select 1 # :x"),
        ("snowflake", "select col:path, $1 from @stage"),
        ("snowflake", "select 1 // :x"),
        ("tsql", "declare @x int = 1, @y int; select @x, @y, @@rowcount"),
        ("tsql", "create procedure p @x int, @y int as select @x + @y"),
        ("tsql", "output $action"),
        ("tsql", ":setvar db main\n:r other.sql\n:on error exit\nselect 1"),
        ("tsql", "select [a:b] from [c?d]"),
        ("duckdb", "select {'a': 1, 'b': x}, [1, 2][1:2]"),
        ("bigquery", "select r'\\' || ':x', '''a ' :x''', \"\"\"b \" :x\"\"\""),
    ],
)
def test_left_alone(dialect: str, text: str) -> None:
    result = masked(text, dialect)
    assert result.text == text
    assert result.placeholders == ()


@pytest.mark.parametrize(
    "inner", ["join(xs, ', ')", "d if x == 'y' else 'z'", "a | default('x')", "f('it is', 'b')"]
)
def test_a_template_in_quotes_may_have_the_same_quotes(inner: str) -> None:
    found = masked(f"select '{{{{ {inner} }}}}' as a, 'b' as c", "postgres")
    assert [place.name for place in found.placeholders] == [inner]
    assert found.text == f"select '{found.placeholders[0].token}' as a, 'b' as c"


def test_driver_bound_and_text_placeholders_are_told_apart() -> None:
    result = masked("select @a, {{ b }}, ${c} where x = :d and y = ? and z = %(e)s")
    binds = {place.name: place.binds for place in result.placeholders}
    assert binds == {"a": False, "b": False, "c": False, "d": True, "arg1": True, "e": True}


def test_in_quotes_an_at_sign_counts_only_if_the_name_stands_elsewhere_too() -> None:
    text = "select 'a@mail', '@x' from @x.t"
    assert masked(text).text == "select 'a@mail', 'p__x__p' from p__x__p.t"


def test_two_placeholders_never_share_a_token() -> None:
    result = masked("select @x, {{ x }}, ${X}, p__y__p, @y, @a__b")
    tokens = [place.token.lower() for place in result.placeholders]
    assert len(tokens) == len(set(tokens)) == 5
    assert "p__y__p" not in tokens
    assert result.restore(result.text) == result.source.text


# --- params ----------------------------------------------------------------------------------


def test_a_bound_parameter_is_text() -> None:
    result = masked("from @cdm.t where a = '@day'", cdm="main", day="2020")
    assert result.text == "from main.t where a = '2020'"
    assert result.placeholders == ()


def test_the_longest_declared_prefix_is_the_name() -> None:
    result = masked("@prefix_dist_0 @prefix_di @pre", prefix="tmp", prefix_di="x")
    assert result.text == "xst_0 x p__pre__p"


def test_a_default_declares_a_name_and_is_kept_with_it() -> None:
    result = masked("{DEFAULT @p = 'tmp'} select 1 into @p_1")
    assert result.text.strip() == "select 1 into p__p__p_1"
    assert [(place.name, place.default) for place in result.placeholders] == [("p", "tmp")]


@pytest.mark.parametrize(
    ("text", "params", "read", "noted"),
    [
        ("{@v == '5'} ? {a} : {b}", {"v": "5"}, "a", False),
        ("{@v == '5'} ? {a} : {b}", {"v": "6"}, "b", False),
        ("{@v != ''}?{a}", {"v": ""}, "", False),
        ("{@v in ('5.3','5.4')}?{a}:{b}", {"v": "5.4"}, "a", False),
        ("{@v IN (1,2)}?{a}:{b}", {"v": "3"}, "b", False),
        ("{!@v & (@w == 1 | @w == 2)}?{a}:{b}", {"v": "FALSE", "w": "2"}, "a", False),
        ("{@v}?{a {@w}?{c}:{d}}:{b}", {"v": "TRUE", "w": "0"}, "a d", False),
        ("{@v}?{a}:{b}", {}, "a", True),
        ("{@v}?{a}{!@v}?{b}", {}, "a", True),
        ("{DEFAULT @v = FALSE}{@v}?{a}:{b}", {}, "b", True),
        ("{nonsense (}?{a}:{b}", {}, "a", True),
        # SqlRender splits at & first, and compares 3 with "1 | 4 == 4"
        ("{@v == 2 & @v == 1 | @v == 3}?{a}:{b}", {"v": "3"}, "a", True),
        ("{(@v == 2 & @v == 1) | @v == 3}?{a}:{b}", {"v": "3"}, "a", False),
        # and compares "!2" with "3"
        ("{!@v == 3}?{a}:{b}", {"v": "3"}, "a", True),
        ("{!(@v == 3)}?{a}:{b}", {"v": "3"}, "b", False),
    ],
)
def test_sqlrender_conditionals(text: str, params: dict[str, str], read: str, noted: bool) -> None:
    result = masked(text, **params)
    assert result.text.strip() == read
    assert ("PLACEHOLDER" in [finding.code for finding in result.findings]) is noted


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a {# gone {{ x }} #} b", "a  b"),
        ("{% if x %}a{% elif y %}b{% else %}c{% endif %}", "a"),
        ("{% if is_incremental() %}a{% else %}b{% endif %}", "b"),
        ("{% for c in cs %}x{% if not loop.last %},{% endif %}{% endfor %}", "x"),
        ("{% set a = 1 %}b", "b"),
        ("{% set a %}gone{% endset %}b", "b"),
        ("{%- macro m(x) -%} gone {%- endmacro -%}b", "b"),
        (  # nested
            "{% if a %}{% if b %}1{% else %}2{% endif %}{% else %}3{% endif %}",
            "1",
        ),
        ("like '{%' and '%}'", "like '{%' and '%}'"),
    ],
)
def test_jinja_tags(text: str, read: str) -> None:
    assert masked(text, "postgres").text == read


def test_a_finding_says_which_branch_was_read_and_where() -> None:
    finding = masked("select 1\n  {@v}?{a}:{b}").findings[0]
    assert (finding.at.line, finding.at.column) == (2, 3)
    assert "first branch" in finding.message


# --- positions -------------------------------------------------------------------------------


def test_spans_are_places_in_the_original() -> None:
    result = masked("select\n  {{ ref('orders') }}.id,\r\n  @x {# c #} as yy")
    at = result.text.index("orders")
    span = result.span(at, at + len("orders"))
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 3, 2, 22)
    at = result.text.index("yy")
    span = result.span(at, at + 2)
    assert (span.line, span.column, span.end_column) == (3, 17, 19)


def test_a_span_does_not_reach_into_what_was_left_out_behind_it() -> None:
    result = masked("select a{% if x > 1 %} , b{% endif %}", "postgres")
    assert result.span(7, 8).end_column == 9


WORDS = (
    "select 'a b' \"q\" -- @c\n /* :d */ @x {{ y }} ${z} $w :v %(u)s ? {t} p__s__p , \n é €"
    " {% if q %} {% endif %} {% else %} {# r #} {@o}?{ }:{ } {DEFAULT @n = 1} ' \" $$ $m$"
)
FRAGMENTS = st.lists(st.sampled_from(re.split(" ", WORDS)), max_size=25).map(" ".join)
DIALECTS = st.sampled_from(["", "tsql", "postgres", "bigquery", "mysql", "snowflake", "spark"])


@given(FRAGMENTS | st.text(max_size=80), DIALECTS)
def test_positions_never_run_backwards(text: str, dialect: str) -> None:
    result = masked(text, dialect)
    origins = [result.origin(at) for at in range(len(result.text) + 1)]
    assert origins == sorted(origins)
    assert all(0 <= origin <= len(text) for origin in origins)


@given(FRAGMENTS | st.text(max_size=80), DIALECTS)
def test_text_outside_placeholders_is_the_original_text(text: str, dialect: str) -> None:
    result = masked(text, dialect)
    tokens = [re.escape(place.token) for place in result.placeholders]
    rest = re.split("|".join(tokens), result.text) if tokens else [result.text]
    at = 0
    for part in rest:
        at = result.text.index(part, at)
        for offset in range(at, at + len(part)):
            assert text[result.origin(offset)] == result.text[offset]
        at += len(part)


@given(st.text(alphabet="@:?${}%(). 'a\"b1_-\n", max_size=60), DIALECTS)
def test_restoring_gives_the_original_back(text: str, dialect: str) -> None:
    result = masked(text, dialect)
    if result.cuts and not result.findings and "{{" not in text and "{#" not in text:
        assert result.restore(result.text) == text


@given(st.text(max_size=60))
def test_text_without_signs_is_not_touched(text: str) -> None:
    plain = re.sub(r"[@:?${}%]", "", text)
    assert masked(plain).text == plain


def test_two_dashes_without_a_blank_are_no_comment_in_mysql() -> None:
    text = "SELECT 5--{{ x }} -- {{ y }}"
    for name, names in (("mysql", ["x"]), ("postgres", [])):
        found = mask(Source("x.sql", text, name), {}).placeholders
        assert [each.name for each in found] == names


# --- the table of dialects ---------------------------------------------------------------------


def test_the_lexical_table_agrees_with_the_tokenizers() -> None:
    from sqlglot import parse_one
    from sqlglot.dialects.dialect import Dialect

    for name in sorted(set(Dialect.classes) - {"dax", "prql", "tableau"}):
        tokenizer, habits = Dialect.get_or_raise(name).tokenizer_class, lexis(name)
        lines = {sign for sign in tokenizer.COMMENTS if isinstance(sign, str)} - {"#!"}
        assert habits.backslash == ("\\" in tokenizer.STRING_ESCAPES), name
        assert habits.nested == tokenizer.NESTED_COMMENTS, name
        assert set(habits.line_comments) == lines, name
        assert habits.dash_blank == (parse_one("5--3", dialect=name).key == "sub"), name
        assert habits.brackets == (("[", "]") in tokenizer.IDENTIFIERS), name
        assert habits.triple == ("'''" in tokenizer.QUOTES), name


def masked_together(**files: str) -> dict[str, str]:
    sources = [Source(f"{name}.sql", text) for name, text in files.items()]
    return {each.source.path[:-4]: each.text for each in mask_all(sources, {})}


def test_what_is_no_name_is_called_by_its_words() -> None:
    found = masked_together(
        a="select {{ params.least }}, {{ month_start() }}", b="select {{ params.least }}"
    )
    assert found == {
        "a": "select p__params_least__p, p__month_start__p",
        "b": "select p__params_least__p",
    }


@pytest.mark.parametrize(
    "other",
    [
        "{{ params_least }}",
        "{{ params['least'] }}",
        "{{ params.least() }}",
        "@params_least",
        "p__params_least__p",
    ],
)
def test_words_that_mean_two_things_name_none_of_them(other: str) -> None:
    """In another file, too: a project has one variable of a name."""
    found = masked_together(a="select {{ params.least }}", b=f"select {other}")
    assert re.fullmatch(r"select p__x[0-9a-f]{8}__p", found["a"])
    assert found["b"] != found["a"]


def test_a_text_is_masked_again_with_the_same_tokens() -> None:
    source = Source("a.sql", "select {{ params.least }}, {{ a }}, {{ a['b'] + 1 }}")
    (first,) = mask_all([source], {})
    assert mask(source, {}, words_of(first)).text == first.text != mask(source).text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '{# c #}', 'x\ny' FROM t",
        "SELECT 'x\ny {# c #}' FROM t",
        "SELECT 'x\n{# c #}\ny' FROM t",
        "SELECT a -- don't\n, 'x\n{# c #} -- z\ny' FROM t",
        "SELECT 'it''s\n{# c #} /* */\n' FROM t",
    ],
)
def test_a_comment_inside_a_string_of_several_lines_is_told(text: str) -> None:
    assert any("inside a string" in str(each) for each in load([Source("a.sql", text)]).findings)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 {# c #} -- don't\n",
        "SELECT 1 {# don't #}\n, 2",
        "SELECT 'a' /* don't\n */, 1\n{# c #}\n, 'b\nc' FROM t",
        'SELECT "it\'s"\n{# c #}\n, 2 FROM t',
    ],
)
def test_apostrophes_of_comments_open_no_string(text: str) -> None:
    found = load([Source("a.sql", text)]).findings
    assert not any("inside a string" in str(each) for each in found)
