"""Equations for proofs only: both sides are executed, and what looks like them is not taken."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest
import sqlglot

from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog, Column, Table
from unwet.lineage.templating import verbatim
from unwet.rewrite.algebra import Plan
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.adapt import to_duckdb
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.equations import same_rows
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.prove.strength import CLOCK
from unwet.rewrite.prove.unseen_duplicates import without_unseen
from unwet.rewrite.prove.whole_numbers import Integers
from unwet.tests.rewrite.prove.test_hunt import pairs

ALIKE, UNLIKE = pairs("alike.sql"), pairs("unlike.sql")
COLUMNS = {"a": "INTEGER", "b": "INTEGER", "c": "INTEGER", "w": "VARCHAR"}
WORDS = (None, "mail", "Mail", "fax", "other", "x", "")
DATABASES = 30


DECLARED = tuple(Column(name, kind, name == "c") for name, kind in COLUMNS.items())
CATALOG = Catalog({t: Table(t, DECLARED, True, "ddl") for t in ("t", "u")})
PROMISES, INTEGERS = promises(CATALOG, "duckdb", "duckdb"), Integers.of(CATALOG)


def plan_of(sql: str) -> Plan:
    script = parse(verbatim(Source("q.sql", sql, "duckdb")), "duckdb")
    query = resolve(script.statements[0], CATALOG).query
    assert query is not None
    return lower(query, Env(CATALOG))


@pytest.fixture(scope="module")
def engines() -> Iterator[duckdb.DuckDBPyConnection]:
    """Schemas s0, s1 ... with two tables each: few values, NULLs, rows that differ in one value."""
    with duckdb.connect(config={"threads": 1}) as connection:
        draw = random.Random(11)
        for seed in range(DATABASES):
            connection.execute(f"CREATE SCHEMA s{seed}")
            for table in ("t", "u"):
                columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
                connection.execute(f"CREATE TABLE s{seed}.{table} ({columns})")
                for n in range(draw.randrange(10)):
                    row = [draw.choice((None, 0, 1, 2)), draw.choice((None, 0, 1)), n]
                    insert = f"INSERT INTO s{seed}.{table} VALUES (?, ?, ?, ?)"
                    connection.execute(insert, [*row, draw.choice(WORDS)])
        yield connection


def bags(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Counter[tuple[object, ...]]]:
    found = []
    sql = to_duckdb(sqlglot.parse_one(sql, dialect="duckdb"), CLOCK, lambda _: None)  # WITH TIES
    for seed in range(DATABASES):
        connection.execute(f"USE memory.s{seed}")
        found.append(Counter(connection.execute(sql).fetchall()))
    return found


@pytest.mark.parametrize("name", ALIKE)
def test_alike(name: str, engines: duckdb.DuckDBPyConnection) -> None:
    one, other = ALIKE[name]
    plans = plan_of(one), plan_of(other)
    assert not proves(*plans, Normalizer()), "the rules are enough: it belongs to their cases"
    assert same_rows(*plans, Normalizer(), PROMISES, INTEGERS)
    assert bags(engines, one) == bags(engines, other)


@pytest.mark.parametrize("name", UNLIKE)
def test_unlike(name: str, engines: duckdb.DuckDBPyConnection) -> None:
    one, other = UNLIKE[name]
    assert not same_rows(plan_of(one), plan_of(other), Normalizer(), PROMISES, INTEGERS)
    assert bags(engines, one) != bags(engines, other), "the rows are the same here"


@pytest.mark.parametrize("what", ["max(v.n) as n", "sum(v.n) as n"])
def test_a_union_that_nobody_sees(what: str, engines: duckdb.DuckDBPyConnection) -> None:
    text = f"""with v as (select t.a, 'one' as k, t.b as n from t
        union all select u.a, 'two', u.b from u {{}} select u.a, 'three', u.c from u)
        select t.b, {what} from t left join v on v.a = t.a and v.k <> 'two' group by t.b"""
    every, once = text.format("union all"), text.format("union")
    slim = [without_unseen(plan_of(sql).rel) for sql in (every, once)]
    is_unseen = what.startswith("max")
    assert (slim[0] == slim[1]) is is_unseen
    assert (bags(engines, every) == bags(engines, once)) is is_unseen
