"""A GROUP BY is that of a template where it has keys fewer that tell no rows apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.rewrite.group_keys import may_differ
from unwet.rewrite.side_by_side import Aligned, side_by_side

NAMES = ("one", "two", "three")
HOLES = tuple(f"h__{name}__h" for name in NAMES)


def tree(sql: str) -> exp.Expr:
    """A template; words in it are parameters where they are written as these are."""
    found = sqlglot.parse_one(sql, read="duckdb")
    for column in list(found.find_all(exp.Column)):
        if column.name.startswith("h__"):
            column.replace(exp.Var(this=column.name))
    return found


def query(values: tuple[str, ...], keys: list[str], more: str = "") -> str:
    items = ", ".join(f"{value} AS {name}" for value, name in zip(values, NAMES, strict=True))
    grouped = f"GROUP BY {', '.join(keys)}" if keys else ""
    return f"SELECT {items}, COUNT(*) AS n, SUM(v) AS v FROM t {grouped} {more}"


MINE = query(HOLES, list(HOLES))


def laid(mine: str, other: str, dialect: str = "duckdb") -> Aligned | None:
    return side_by_side(tree(mine), tree(other), (), dialect, 0)


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        (("k", "l", "'x'"), ["k", "l"]),
        (("k", "'x'", "'x'"), ["k"]),
        (("k", "k", "'x'"), ["k"]),
        (("'x'", "k", "'x'"), ["k", "'x'"]),
        (("k + 1", "k + 1", "l"), ["k + 1", "l"]),
    ],
)
def test_keys_that_say_nothing_may_be_left_out(values: tuple[str, ...], keys: list[str]) -> None:
    found = laid(MINE, query(values, keys))
    assert found is not None and found.regrouped
    assert {name: leaf.text for name, leaf in found.said.items()} == dict(
        zip(NAMES, values, strict=True)
    )


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (MINE, query(("MIN(l)", "k", "'x'"), ["k"])),  # another value in each row
        (MINE, query(("'x'", "'x'", "'y'"), ["'x'"])),  # of no rows no group
        (MINE, query(("k", "1", "'x'"), ["k"])),  # a number is an output
        (MINE, query(("k", "NULL", "'x'"), ["k"])),
        (MINE, query(("k", "k", "'x'"), ["k", "l"])),  # a key more
        (query(HOLES, [*HOLES, "l"]), query(("k", "k", "'x'"), ["k"])),
        (MINE, query(("k", "k", "'x'"), ["CUBE (k)"])),
        (query(HOLES, [*HOLES, "CUBE (l)"]), query(("k", "k", "'x'"), ["k", "CUBE (l)"])),
        (MINE, query(("k", "k", "'x'"), [])),
    ],
)
def test_others_are_no_such_keys(mine: str, other: str) -> None:
    assert laid(mine, other) is None


def test_not_where_an_engine_takes_no_text_for_a_key() -> None:
    other = query(("k", "l", "'x'"), ["k", "l"])
    assert laid(MINE, other, "databricks") is not None
    for dialect in ("bigquery", "tsql", "postgres", "snowflake", ""):
        assert laid(MINE, other, dialect) is None
    one, two = (tree(sql).args["group"] for sql in (MINE, other))
    assert may_differ(one, two, "duckdb") and not may_differ(one, one, "duckdb")


def test_as_many_keys_are_as_they_are() -> None:
    found = laid(MINE, query(("k", "l", "'x'"), ["k", "l", "'x'"]))
    assert found is not None and not found.regrouped


VALUES = ("k", "l", "k || 'x'", "'x'", "'y'")


@pytest.fixture(scope="module")
def base() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('a', 'b', 1), ('a', 'x', 2), "
                    "('a', 'b', NULL), (NULL, 'b', 4), (NULL, NULL, 5)) AS x(k, l, v)")  # fmt: skip
        con.execute("CREATE TABLE e AS SELECT * FROM t WHERE FALSE")
        yield con


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(*[st.sampled_from(VALUES)] * 3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.sampled_from(["", "HAVING COUNT(*) > 1", "HAVING SUM(v) > 2"]),
    st.sampled_from([[], ["'x'"], ["k"]]),
)
def test_the_law(
    base: duckdb.DuckDBPyConnection,
    values: tuple[str, ...],
    left_out: list[bool],
    more: str,
    own: list[str],
) -> None:
    """What the template says with the words of the other one returns the other one's rows, also of
    no rows."""
    keys: list[str] = []
    for value, out in zip(values, left_out, strict=True):
        if not (out and (value in keys or value.startswith("'"))):
            keys.append(value)
    mine, other = query(HOLES, [*HOLES, *own], more), query(values, keys, more)
    found = laid(mine, other) if keys else None
    if found is None:
        return
    said = re.sub(r"h__(\w+?)__h", lambda hit: found.said[hit[1]].text, mine)
    for table in ("t", "e"):
        rows = [base.sql(f"FROM ({sql.replace('FROM t', f'FROM {table}')}) ORDER BY ALL").fetchall()
                for sql in (said, other)]  # fmt: skip
        assert rows[0] == rows[1]
