"""A declaration decides how a comparison is read only where it is certain to hold."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.algebra import Plan
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import normalize_plan

TEXT = "select d from {} where d >= '2024-01-01'"
DATE = "select d from {} where d >= date '2024-01-01'"
DECLARED = "create table t (a text, d date);"
FLAGS = "create table t (a int, f boolean);"


def normal(sql: str, declared: str, dialect: str) -> Plan:
    sources = [Source("ddl.sql", declared, dialect), Source("a.sql", sql, dialect)]
    pile = load(sources, dialect, None)
    query = next(r for r in pile.resolved if r.statement.path == "a.sql").query
    assert query is not None
    return normalize_plan(lower(query, Env(pile.catalog)))[0]


def is_date(declared: str, dialect: str, read: str = "t") -> bool:
    one, other = (normal(q.format(read), declared, dialect) for q in (TEXT, DATE))
    return one.rel == other.rel


@pytest.mark.parametrize(
    ("dialect", "declared"),
    [
        ("postgres", DECLARED),
        ("mysql", DECLARED + "alter table t add column e int;"),
        ("postgres", DECLARED + "alter table t alter d set not null;"),
        ("postgres", DECLARED + "create table t (d DATE);"),
        ("postgres", "create table s (x date); create table t as select x as d from s;"),
    ],
)
def test_a_text_beside_a_declared_date_is_a_date(dialect: str, declared: str) -> None:
    assert is_date(declared, dialect)


@pytest.mark.parametrize(
    ("dialect", "declared"),
    [
        ("postgres", DECLARED + "alter table t alter column d type varchar(10);"),
        ("mysql", DECLARED + "alter table t modify column d varchar(20);"),
        ("mysql", DECLARED + "alter table t change column e d varchar(20);"),
        ("tsql", DECLARED + "alter table t alter column d varchar(20);"),
        ("databricks", DECLARED + "alter table t change column d d string;"),
        (
            "postgres",
            DECLARED + "alter table t rename column d to e; alter table t rename column a to d;",
        ),
        ("postgres", DECLARED + "create table t (a text, d text);"),
        ("postgres", DECLARED + "create table t as select 'x' as d;"),
        ("postgres", "create temp table t (d date); alter table t alter d type text;"),
        (
            "postgres",
            "create table s (x date, y text); create table t as select x as d from s;"
            "drop table t; create table t as select y as d from s;",
        ),
        (
            "postgres",
            "create table s (x date); create table t as select x as d from s;"
            "alter table t alter d type text;",
        ),
    ],
)
def test_no_type_is_certain_where_another_statement_changes_it(dialect: str, declared: str) -> None:
    assert not is_date(declared, dialect)


def test_columns_called_otherwise_have_the_types_of_their_positions() -> None:
    assert not is_date(DECLARED, "postgres", "t as q (d, a)")


@pytest.mark.parametrize(("dialect", "same"), [("postgres", True), ("sqlite", False)])
def test_a_cast_to_boolean_is_any_number_in_sqlite(dialect: str, same: bool) -> None:
    one = normal("select a from t where cast(a as boolean) <> true", FLAGS, dialect)
    other = normal("select a from t where not cast(a as boolean)", FLAGS, dialect)
    assert (one.rel == other.rel) == same


@pytest.mark.parametrize(("dialect", "same"), [("postgres", True), ("sqlite", False)])
def test_not_distinct_from_true_is_any_number_in_sqlite(dialect: str, same: bool) -> None:
    one = normal("select a from t where f is not distinct from true", FLAGS, dialect)
    other = normal("select a from t where f = true", FLAGS, dialect)
    assert (one.rel == other.rel) == same
