"""Keys of a GROUP BY that are numbers one behind the other: a range, which says them again."""

from __future__ import annotations

import pytest
import sqlglot
from jinja2 import Environment

from unwet.rewrite.prove.sandbox import CHARACTERS, STEPS, Budget, Sandbox
from unwet.rewrite.targets.jinja import template


def query(keys: str, table: str = "src__raw__t__src") -> str:
    columns = ", ".join(f"c{n}" for n in range(1, 31))
    return f"SELECT {columns} FROM {table} GROUP BY {keys}"


def numbers(first: int, last: int) -> str:
    return ", ".join(map(str, range(first, last + 1)))


def printed(sql: str) -> str:
    return template(sqlglot.parse_one(sql), "duckdb", (), tables=True)


def rendered(text: str) -> str:
    known = {"source": lambda schema, table: f"src__{schema}__{table}__src"}
    environments: tuple[Environment, ...] = (Environment(), Sandbox(Budget(STEPS, CHARACTERS)))
    found = {each.from_string(text).render(known) for each in environments}
    assert len(found) == 1
    return sqlglot.parse_one(found.pop()).sql()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (numbers(1, 8), "{{ range(1, 9) | join(', ') }}"),
        (f"{numbers(1, 28)}, c29, 30", "{{ range(1, 29) | join(', ') }},\n  c29,\n  30"),
        (f"c1, {numbers(2, 12)}", "c1,\n  {{ range(2, 13) | join(', ') }}"),
        (f"{numbers(1, 9)}, {numbers(11, 19)}",
         "{{ range(1, 10) | join(', ') }},\n  {{ range(11, 20) | join(', ') }}"),
        (f"ROLLUP ({numbers(1, 9)})", "ROLLUP ("),
    ],
)  # fmt: skip
def test_a_range_says_the_numbers(keys: str, said: str) -> None:
    text = printed(query(keys))
    assert said in text
    assert rendered(text) == sqlglot.parse_one(query(keys)).sql()


@pytest.mark.parametrize(
    "keys",
    [numbers(1, 7), "1, 2, 3, 4, 6, 5, 7, 8, 9", "1, 2, 3, 4 /* the year */, 5, 6, 7, 8", "'1', 2"],
)
def test_few_numbers_and_those_in_another_order_stay(keys: str) -> None:
    text = printed(query(keys))
    assert "range" not in text
    assert rendered(text) == sqlglot.parse_one(query(keys)).sql()


def test_a_text_without_a_tag_stays_without_one() -> None:
    sql = query(numbers(1, 12), "t")
    assert printed(sql) == sqlglot.parse_one(sql).sql("duckdb", pretty=True)


def test_numbers_elsewhere_are_no_keys() -> None:
    sql = f"SELECT * FROM src__raw__t__src WHERE c1 IN ({numbers(1, 20)}) ORDER BY {numbers(1, 9)}"
    assert "range" not in printed(sql)
