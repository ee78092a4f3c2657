"""Texts of functions in JavaScript: what is one program, and what may be another one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unwet.rewrite.function_text import created
from unwet.rewrite.function_words import meaning
from unwet.rewrite.script_text import plain_script

SAME = [
    (
        'var a = {"k": 1,\n  "l": 2};\n\nreturn a;',
        'var a = { // names\n"k":1, "l" : 2 }; return a;',
    ),
    ("\n return f(a,\n b);\n", "return f(a, b);"),
    ("if (x) {\n  y();\n}", "if(x){y();}"),
    ("a = b /* of all */ + c", "a=b+c"),
    ("return [1,\n2\n];", "return [1, 2];"),
]
OTHER = [
    ("return\na;", "return a;"),
    ("a\n++b", "a++\nb"),
    ("a\n(b)", "a(b)"),
    ("a = b\n[c]", "a = b[c]"),
    ("x\n/* one\ntwo */ y", "x y"),
    ("a + +b", "a ++b"),
    ("1 .f()", "1.f()"),
    ('"a  b"', '"a b"'),
    ("'a//b'", "'a'"),
    ("var ab", "var a b"),
    ("{} \n [1]", "{} [1]"),
]
UNSURE = ["a = b / c // d\n", "x = /[/*]/", "`a\n b`", "f.toString( )", "a <!-- b", "s = 'a\n b'",
          "eval( a )", "a --> b"]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_nothing_makes_no_other_program(one: str, other: str) -> None:
    assert plain_script(one) == plain_script(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_may_say_something_does(one: str, other: str) -> None:
    assert plain_script(one) != plain_script(other)


@pytest.mark.parametrize("text", UNSURE)
def test_a_text_that_only_a_parser_understands_stays(text: str) -> None:
    assert plain_script(text) == text


@given(st.text(alphabet="ab1 .,;:{}()[]+-=\n\t\"'/*<>!?", max_size=30))
def test_the_plain_text_is_plain(text: str) -> None:
    plain = plain_script(text)
    assert plain_script(plain) == plain


PARTS = st.lists(st.text(alphabet="a1 .;:{}()[]+-=\n", max_size=8), min_size=2, max_size=4)


@given(PARTS, st.sampled_from([" ", "\n", "/**/", "// b\n"]))
def test_white_space_behind_a_comma_says_nothing(parts: list[str], more: str) -> None:
    assert plain_script(f",{more}".join(parts)) == plain_script(",".join(parts))


@pytest.mark.parametrize(("language", "same"), [("js", True), ("python", False)])
def test_functions_are_one_by_what_their_texts_say(language: str, same: bool) -> None:
    head = f"CREATE FUNCTION f(a STRING) RETURNS STRING LANGUAGE {language} AS '''"
    one, other = (created(f"{head}{body}'''", "bigquery")
                  for body in ("\nreturn g(a,\n  1);\n", "return g(a, 1);"))  # fmt: skip
    assert one is not None and other is not None
    assert (meaning(one) == meaning(other)) is same
