"""Branches of UNION ALL with other constants: DISTINCT above them is idle, or it is not."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.equations import same_rows
from unwet.rewrite.rules.promises import Promises
from unwet.tests.rewrite.prove.test_equations import INTEGERS, PROMISES, plan_of

ANYWHERE = replace(PROMISES, dialects=frozenset({"postgres"}))  # of which no collation is known


def said_twice(one: str, other: str, first: str = "t.a", second: str = "t.a") -> tuple[str, str]:
    every = f"""select {one} as c, {first} as k, count(*) as n from t group by {first}
        union all select {other}, {second}, count(*) from t where t.b = 1 group by {second}"""
    return every, f"select distinct * from ({every}) q"


def is_proved(pair: tuple[str, str], promises: Promises) -> bool:
    one, other = map(plan_of, pair)
    return same_rows(one, other, Normalizer(), promises, INTEGERS)


@pytest.mark.parametrize("promises", [PROMISES, ANYWHERE])
@pytest.mark.parametrize(
    ("one", "other"), [("'web'", "'shop'"), ("'Tier 1'", "'tier 10'"), ("'a'", "'ab'")]
)
def test_other_constants_in_every_collation(one: str, other: str, promises: Promises) -> None:
    assert is_proved(said_twice(one, other), promises)
    assert is_proved(said_twice(one, other, "upper(t.w)", "upper(t.w)"), promises)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'web'", "'WEB'"),
        ("'web'", "'web '"),
        ("'web'", "'veb'"),
        ("'city'", "'citi'"),
        ("'web'", "'w-e-b'"),
        ("'cote'", "'cot\u00e9'"),
        ("'\u00e9'", "'e'"),
        ("''", "'-'"),
        ("'a1'", "'a01'"),
    ],
)
def test_constants_that_a_collation_may_find_equal(one: str, other: str) -> None:
    pair = said_twice(one, other)
    assert is_proved(pair, PROMISES), "DuckDB compares letters"
    assert not is_proved(pair, ANYWHERE)


@pytest.mark.parametrize("promises", [PROMISES, ANYWHERE])
def test_a_union_that_converts_what_tells_rows_apart(promises: Promises) -> None:
    """Beside a DOUBLE, two large integers become one."""
    large = "t.a + 9007199254740992"
    pair = said_twice("'web'", "'shop'", large, "cast(t.w as double)")
    assert not is_proved(pair, promises)
    with duckdb.connect() as engine:
        engine.execute("create table t (a bigint, b bigint, c bigint, w varchar)")
        engine.execute("insert into t values (0, 0, 0, '1'), (1, 0, 0, '1')")
        every, once = (len(engine.execute(sql).fetchall()) for sql in pair)
    assert (every, once) == (2, 1)


@pytest.mark.parametrize("promises", [PROMISES, ANYWHERE])
def test_a_branch_with_a_row_twice(promises: Promises) -> None:
    every = """select 'web' as c, t.a as k from t group by t.a, t.b
        union all select 'shop', t.a from t group by t.a"""
    assert not is_proved((every, f"select distinct * from ({every}) q"), promises)
