"""Conditions and defaults as SqlRender reads them: the answers are those of its version 1.19.2.

What it does not understand is never decided here, nor is what it reads otherwise than it looks.
"""

from __future__ import annotations

import pytest

from unwet.lineage.sources import Source
from unwet.lineage.sqlrender import declared, defaults, evaluated, with_blanks
from unwet.lineage.templating import mask

NOT_DECIDED = None
CONDITIONS = [
    ("@v == 'a'", {"v": "a"}, True),
    ("'@v' == 'a'", {"v": "a"}, True),
    ('"@v" == "a"', {"v": "b"}, False),
    ("@v == 'a'", {"v": "'a'"}, True),
    ("@v == 'a'", {"v": " a "}, True),
    ("@v == ' a'", {"v": " a"}, False),
    ("@v == @w", {"v": "a", "w": "a"}, True),
    ("@v == @w", {"v": "a"}, NOT_DECIDED),
    ("@v == 'a'", {"v": "@w", "w": "a"}, NOT_DECIDED),
    ("@v != ''", {"v": ""}, False),
    ("@v in ('a','b')", {"v": "b"}, True),
    ("@v in ('a', 'b')", {"v": "a"}, True),
    ("@v in ('a', 'b')", {"v": "b"}, False),
    ("@v in ( 'a')", {"v": "a"}, False),
    ("@v in ('a' ,'b')", {"v": "a"}, False),
    ("2 in (@v)", {"v": "1,2"}, True),
    ("2 IN (@v)", {"v": "1, 2"}, False),
    ("@v in('a')", {"v": "a"}, NOT_DECIDED),
    ("@v\nin ('a')", {"v": "a"}, NOT_DECIDED),
    ("@v = 'a'", {"v": "a"}, NOT_DECIDED),
    ("@v", {"v": "yes"}, NOT_DECIDED),
    ("!@v", {"v": "FALSE"}, True),
    ("!@v == 'a'", {"v": "b"}, NOT_DECIDED),
    ("!(@v in ('a'))", {"v": "b"}, True),
    ("@v <> 'a' & (@w | @v == 'c')", {"v": "b", "w": "TRUE"}, True),
    ("@w & @v == 'a' | @v == 'b'", {"v": "b", "w": "true"}, NOT_DECIDED),
    ("(@v in ('a','b')) & !(@w == 'x')", {"v": "a", "w": "y"}, True),
    ("true & (true & (true & 4 in (@v)))", {"v": "1,2,4"}, True),
    ("@v == 'a'", {"v": "a & true"}, NOT_DECIDED),
]


@pytest.mark.parametrize(("condition", "values", "holds"), CONDITIONS)
def test_a_condition(condition: str, values: dict[str, str], holds: bool | None) -> None:
    assert evaluated(condition, values) is holds


DEFAULTS = [
    ("{DEFAULT @v = 'a'}", {"v": "a"}),
    ("{DEFAULT @v = a b}", {"v": "a b"}),
    ('{DEFAULT @v=  "a"}', {"v": "a"}),
    ("{DEFAULT @v = 'a'}{DEFAULT @v = 'b'}", {"v": "b"}),
    # SqlRender takes the sign behind = for a blank, whatever it is
    ("{DEFAULT @v ='a'}", {}),
    ("{DEFAULT @v = 'a'}{DEFAULT @v=b}", {}),
    # and puts the value of @w in
    ("{DEFAULT @v = @w}", {}),
]


@pytest.mark.parametrize(("text", "values"), DEFAULTS)
def test_a_default(text: str, values: dict[str, str]) -> None:
    assert defaults(text) == values
    assert declared(text) == {"v"}


def test_a_blank_beside_a_comma_is_told() -> None:
    text = "{@v in ('a', 'b')}?{x}:{y} {@v == 'c'}?{z} f('d', 'e')"
    assert [*with_blanks(text)] == [("b", "('a', 'b')")]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        # in a string, too, SqlRender fills in what it has a value for
        ("{DEFAULT @v = 'x'}SELECT '@v'", "SELECT 'p__v__p'"),
        ("SELECT 'v @v' {1 == 1}?{}:{@v}{@v == 'x'}?{}", "SELECT 'v p__v__p'"),
        ("SELECT '@v', 'a@b.com' {1 == 1}?{}", "SELECT 'p__v__p', 'a@b.com'"),
        ("SELECT '@v'", "SELECT '@v'"),
    ],
)
def test_a_parameter_in_a_string(text: str, read: str) -> None:
    assert mask(Source("a.sql", text, "duckdb"), {}).text.strip() == read


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a{@v}?{b}:{c}d", ["c"]),
        ("a{@v}?{b}d", [""]),
        ("a{@v}?{-- b}:{c}d e", ["c", "d e"]),
        ("a{1 == 2}?{b}:{c}d", []),
        ("a{% if v %}b{% elif w %}c{% else %}d{% endif %}e", ["c", "d"]),
        ("a{% if v %}b{% endif %}e", []),
        ("a{% set v %}b{% endset %}e", ["b"]),
    ],
)
def test_what_is_left_out_and_may_be_read(text: str, left: list[str]) -> None:
    masked = mask(Source("a.sql", text, "postgres"), {})
    assert [text[start:stop] for start, stop in masked.left] == left


def test_a_guess_about_one_condition_decides_no_other() -> None:
    text = "SELECT 1 {@v == 'x'}?{AS a}; SELECT 2 {@v == 'x'}?{AS b}:{AS c} {@v = 'y'}?{}"
    said = [note.message for note in mask(Source("a.sql", text, "duckdb"), {}).findings]
    assert len(said) == 3 and all(each.endswith("value unknown") for each in said)
    given = mask(Source("a.sql", "{@v = 'x'}?{a} {@v == 'x'}?{b}:{c}", "duckdb"), {"v": "y"})
    assert given.text.strip() == "a c"
