"""A list of constants that takes many lines in a query stands in few at the template's head."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.library import MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja import template
from unwet.tests.rewrite.targets.test_jinja import rendered

NUMBERS = ", ".join(str(400_000 + n) for n in range(40))
WORDS = ", ".join(f"'R{n}'" for n in range(40))
MORE = ", ".join(str(n) for n in range(40))


def tree(sql: str, dialect: str = "duckdb") -> exp.Expr:
    return sqlglot.parse_one(sql, read=dialect)


def written(sql: str, calls: tuple[MacroCall, ...] = (), dialect: str = "duckdb") -> str:
    return template(tree(sql, dialect), dialect, calls, tables=True)


@pytest.mark.parametrize("values", [NUMBERS, WORDS])
@pytest.mark.parametrize("sign", ["IN", "NOT IN"])
def test_it_is_called_after_the_column_and_wrapped(values: str, sign: str) -> None:
    sql = f"SELECT a FROM t WHERE NOT d IS NULL AND concept_id {sign} ({values})"
    text = written(sql)
    assert text.startswith("{% set concept_ids = [\n    ")
    assert f"concept_id {sign} ({{{{ concept_ids | join(', ') }}}})" in text
    assert len(text.splitlines()) < len(tree(sql).sql("duckdb", pretty=True).splitlines()) - 30
    assert tree(rendered(text)) == tree(sql)


def test_one_that_stands_there_twice_is_said_once_and_others_have_names_of_their_own() -> None:
    tests = f"k IN ({NUMBERS}) AND (j IN ({NUMBERS}) OR SUBSTR(k, 1, 3) IN ({WORDS}))"
    sql = f"SELECT a FROM t WHERE {tests}"
    text = written(sql)
    assert text.count("{% set ") == 2
    assert text.count("{{ ks | join(', ') }}") == 2
    assert text.count("{{ ks_2 | join(', ') }}") == 1
    assert tree(rendered(text)) == tree(sql)


@pytest.mark.parametrize("taken", ["ks", "h__ks__h"])
def test_its_name_is_no_other_one(taken: str) -> None:
    sql = f"SELECT {taken} FROM t WHERE k IN ({NUMBERS})"
    text = written(sql)
    assert "{% set ks_2 = [" in text
    assert tree(rendered(text, ks="x")) == tree(sql.replace("h__ks__h", "x"))


def test_its_name_is_no_macro_and_no_parameter_that_is_handed_on() -> None:
    calls = (MacroCall("ks", ()), MacroCall("other", (("a", Leaf("name", "h__ks_2__h")),)))
    assert "{% set ks_3 = [" in written(f"SELECT a FROM t WHERE k IN ({NUMBERS})", calls)


@pytest.mark.parametrize(
    "values",
    [
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10",  # in a line
        NUMBERS.replace("400003", "400003 /* why */"),
        NUMBERS.replace("400003", "x"),
        NUMBERS.replace("400003", "'h__p__h'"),
        NUMBERS.replace("400003", "'it''s'"),
        NUMBERS.replace("400003", "NULL"),
    ],
)
def test_others_stay(values: str) -> None:
    assert "{% set" not in written(f"SELECT a FROM t WHERE k IN ({values})")


def test_one_is_read_as_it_was_also_beside_a_text_with_a_name() -> None:
    sql = f"SELECT CASE WHEN k IN ({MORE}) THEN 'x' WHEN b THEN 'ks' END AS c FROM t"
    assert tree(rendered(written(sql))) == tree(sql)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.integers(0, 10**6).map(str) | st.text("ab'\\{%}# \n", max_size=4).map(
            lambda text: exp.Literal.string(text).sql("bigquery")
        ),
        min_size=1,
        max_size=60,
    )
)  # fmt: skip
def test_law_the_query_says_what_it_said(values: list[str]) -> None:
    sql = f"SELECT a FROM t WHERE long_name_of_k IN ({', '.join(values)}) AND b"
    text = written(sql, dialect="bigquery")
    assert tree(rendered(text), "bigquery") == tree(sql, "bigquery")
