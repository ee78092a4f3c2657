"""A call that one template says several times stands once at its head."""

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

HEADERS = "LOWER(CONCAT(resp_other_headers, resp_x_powered_by, resp_via, resp_server))"


def tree(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, read="bigquery")


def cdn(call: str = HEADERS, times: int = 6, column: str = "cdn") -> str:
    tests = (f"WHEN REGEXP_EXTRACT({call}, '(name-{n})') = 'name-{n}' THEN '{n * n}'"
             for n in range(times))  # fmt: skip
    return f"SELECT url, CASE {' '.join(tests)} ELSE NULL END AS {column} FROM t"


def written(sql: str, calls: tuple[MacroCall, ...] = ()) -> str:
    return template(tree(sql), "bigquery", calls, tables=True)


def test_it_has_a_name_that_all_its_columns_begin_with() -> None:
    text = written(cdn())
    assert text.startswith(f"{{% set resp = '{HEADERS}' %}}\nSELECT\n")
    assert text.count("{{ resp }}") == 6
    assert len(text.splitlines()) == len(tree(cdn()).sql("bigquery", pretty=True).splitlines()) - 17
    assert tree(rendered(text)) == tree(cdn())


@pytest.mark.parametrize("taken", ["resp", "RESP", "h__resp__h"])
def test_its_name_is_no_other_one(taken: str) -> None:
    sql = cdn(column=taken)
    text = written(sql)
    assert "{% set resp_2 = '" in text
    assert tree(rendered(text, resp="x")) == tree(sql.replace("h__resp__h", "x"))


def test_its_name_is_no_macro_and_no_parameter_that_is_handed_on() -> None:
    calls = (MacroCall("resp", ()), MacroCall("other", (("a", Leaf("name", "h__resp_2__h")),)))
    assert "{% set resp_3 = '" in written(cdn(), calls)


def test_its_name_is_nothing_that_dbt_has() -> None:
    call = HEADERS.replace("resp_", "source_")
    text = written(cdn(call))
    assert "{% set source = " not in text
    assert tree(rendered(text)) == tree(cdn(call))


@pytest.mark.parametrize(
    "call",
    [
        "LOWER(resp_other_headers)",
        "LOWER(CONCAT(h__column__h, resp_x_powered_by, resp_via, resp_server))",
        "LOWER(CONCAT(resp_other_headers, resp_x_powered_by, '{{', resp_via, resp_server))",
        r"LOWER(CONCAT(resp_other_headers, resp_x_powered_by, '\\n', resp_via, resp_server))",
        "MAX(CONCAT(resp_headers, resp_powered)) OVER (PARTITION BY resp_via)",
        "LOWER((SELECT CONCAT(resp_headers, resp_powered) FROM u))",
    ],
)
def test_what_is_short_or_means_something_where_it_stands_stays(call: str) -> None:
    assert "{% set" not in written(cdn(call))


def test_a_cast_that_is_printed_in_some_of_its_places_only_stays() -> None:
    """It was a word that nothing stood for: in T-SQL's trees YEAR(x) has a cast of x to a date."""
    sql = (
        "SELECT YEAR(payer_plan_period_start_date) * 9 + MONTH(payer_plan_period_start_date) AS n,"
        " EOMONTH(CAST(payer_plan_period_start_date AS DATE)) AS month_end FROM t"
    )
    found = sqlglot.parse_one(sql, read="tsql")
    text = template(found, "tsql", (), tables=True)
    assert "set" not in text
    assert sqlglot.parse_one(text, read="tsql") == sqlglot.parse_one(sql, read="tsql")


def test_what_saves_no_lines_stays() -> None:
    assert "{% set" not in written(cdn(times=2))
    items = ", ".join(f"{HEADERS} > 'a' AS b_{word}" for word in ("one", "two", "three"))
    assert "{% set" not in written(f"SELECT {items} FROM t")


NAMES = ("resp_a", "resp_server", "via", "SourceOfIt", "target_of_the_call", "v2", "date", "ref")


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_it_reads_as_it_did(data: st.DataObject) -> None:
    columns = data.draw(st.lists(st.sampled_from(NAMES), min_size=4, max_size=6, unique=True))
    call = f"LOWER(CONCAT({', '.join(columns)}, 'more/of it', the_last_of_its_columns))"
    sql = cdn(call, data.draw(st.integers(3, 7)), data.draw(st.sampled_from(NAMES)))
    text = written(sql)
    assert text.count("{% set ") == 1
    assert tree(rendered(text)) == tree(sql)
