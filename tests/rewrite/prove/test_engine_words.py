"""What an engine has words for: fixtures/rewrite/engines.

Cases say what becomes of an expression. Laws run what is called proved: DuckDB and SQLite prepare
it; DuckDB and PostgreSQL give the same values.
"""

from __future__ import annotations

import datetime
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from unwet.lineage.errors import UnwetError
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.engines.functions import called_in, functions_of
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.prove.servers import connected, run_sql

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "engines"
COLUMNS = (
    "a timestamp, d date, n int, s varchar(20), f double precision, b boolean, m numeric(10, 2), "
    "u uuid"
)
ROWS = (
    "('2024-01-31 10:00:30.5', '2024-01-31', 3, '2020-05-06', 2.5, true, 1.25, null),"
    "('2023-12-31 23:59:59', '2023-12-31', 7, 'abc', 8.5, false, -3.75, null),"
    "('2024-02-29 00:00:00', '2024-02-29', 1, '', 0.5, null, 0.05, null),"
    "(null, null, null, null, null, null, null, null),"
    "('2020-03-01 01:02:03', '2021-01-03', 100, 'Ab_a%c', 1024, true, 99999.99, null)"
)


class Case(NamedTuple):
    """A line of cases.txt."""

    source: str
    target: str
    computed: str
    said: str


def lines(name: str) -> list[str]:
    text = (FOLDER / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


CASES = [Case(*line.split(" | ")) for line in lines("cases.txt")]
PAIRS = sorted({(case.source, case.target) for case in CASES})
SOURCES = sorted(path.stem for path in (FOLDER / "expressions").glob("*.txt"))


@cache
def moved(source: str, target: str, computed: tuple[str, ...]) -> Result:
    """Expressions as the views of one project."""
    files = [Source("t.sql", f"create table t ({COLUMNS});", source)]
    files += [
        Source(f"r{n}.sql", f"create view r{n} as select {each} as x from t;", source)
        for n, each in enumerate(computed)
    ]
    return refactor(load(files, source), Request(target="views", to_dialect=target))


def query(result: Result, number: int) -> str:
    """The query of a view, on one line."""
    text = " ".join(result.files[f"views/marts/r{number}.sql"].split())
    return text[text.index(" AS SELECT ") + len(" AS ") :].rstrip(";")


def outcomes(result: Result) -> dict[str, tuple[str, str]]:
    return {each.name: (each.outcome, each.reason) for each in result.verdicts}


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_what_an_expression_becomes(pair: tuple[str, str]) -> None:
    cases = [case for case in CASES if (case.source, case.target) == pair]
    result = moved(*pair, tuple(case.computed for case in cases))
    found = outcomes(result)
    wrong = []
    for n, case in enumerate(cases):
        outcome, reason = found[f"r{n}"]
        if outcome == "kept":
            said = f"kept: {reason}"
        else:
            assert outcome == "proved"
            text = query(result, n).removeprefix("SELECT ")
            said = text[: text.rindex(" AS x FROM t")].replace("( ", "(").replace(" )", ")")
        if said != case.said and not (case.said == "kept: not proved" and case.said in said):
            wrong.append((case.computed, case.said, said))
    assert wrong == []


QUERIES = [
    ("tsql", "postgres", "select top 5 with ties n from t order by n", "LIMIT .. WITH TIES"),
    ("tsql", "snowflake", "select top 10 percent n from t order by n", "LIMIT .. PERCENT"),
    ("tsql", "postgres", "select s, sum(n) as x from t group by s with rollup", "WITH ROLLUP"),
    ("tsql", "databricks", "select s, sum(n) as x from t group by s with rollup", ""),
    ("tsql", "postgres", "select s, sum(n) as x from t group by rollup (s)", ""),
    ("postgres", "tsql", "select n from t order by n fetch first 3 rows with ties",
     "FETCH .. WITH TIES"),
    ("postgres", "tsql", "select distinct s from t order by s nulls last limit 2",
     "order beside DISTINCT by what is no output"),
    ("postgres", "tsql", "select distinct s from t order by s nulls first", ""),
    ("mysql", "postgres", "select distinct s from t order by n",
     "order beside DISTINCT by what is no output"),
    ("postgres", "tsql", "select n from t natural join u", "NATURAL JOIN"),
    ("postgres", "tsql", "select n from t where coalesce(b, false)", "condition that is a value"),
    ("postgres", "tsql", "select n from t where b and not b", ""),
    ("postgres", "bigquery", "select x.c from t cross join lateral (select count(*) as c from u "
     "where u.n = t.n) as x", "LATERAL"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "target", "sql", "lacked"), QUERIES)
def test_what_a_query_says_that_an_engine_has_not(
    source: str, target: str, sql: str, lacked: str
) -> None:
    files = [
        Source("t.sql", f"create table t ({COLUMNS}); create table u ({COLUMNS});", source),
        Source("r.sql", f"create view r as {sql};", source),
    ]
    result = refactor(load(files, source), Request(target="views", to_dialect=target))
    outcome, reason = outcomes(result)["r"]
    assert outcome == ("kept" if lacked else "proved")
    assert reason == (f"{target} has no {lacked}" if lacked else "")


def test_long_and_deep_expressions_are_judged_once_for_each_part() -> None:
    deep = "coalesce(" * 60 + "n" + ", 0)" * 60
    cases = "case when b then " * 40 + "n" + " end" * 40
    result = moved("postgres", "tsql", ("-".join(["n"] * 200), deep, cases))
    assert {outcome for outcome, _ in outcomes(result).values()} <= {"proved", "kept"}
    assert outcomes(result)["r0"] == ("proved", "")


def test_names_with_brackets_that_are_no_calls() -> None:
    sql = (
        "WITH stats (a, b) AS (SELECT 1, 2), age (c) AS (SELECT a FROM stats) "
        "SELECT CAST(c AS DECIMAL(10, 2)), dbo.lpad(c, 3) FROM age AS rank (c) WHERE c IN (1) "
        "AND LEN(c) > 1"
    )
    assert list(called_in(sql, "tsql")) == ["CAST", "LEN"]


@pytest.mark.parametrize(
    ("computed", "assumed"),
    [("cast(f as text)", True), ("cast(a as text)", True), ("cast(n as text)", False)],
)
def test_texts_of_floats_and_moments_are_assumed(computed: str, assumed: bool) -> None:
    found = moved("postgres", "tsql", (computed,)).assumptions
    assert any("floats and timestamps as the same texts" in each for each in found) is assumed


def test_days_as_texts_beside_what_nobody_knows_are_assumed() -> None:
    unknown = "case when our_own_thing(n) > '{}' then 1 end"
    for text, assumed in (("20200101", True), ("2020-01-01", False), ("12345678", False)):
        found = moved("tsql", "snowflake", (unknown.format(text),)).assumptions
        assert any("such as '20200101'" in each for each in found) is assumed


def told(target: str, source: str) -> Iterator[tuple[str, str]]:
    """The expressions of a dialect that another one is proved to have, and how it says them."""
    computed = tuple(lines(f"expressions/{source}.txt"))
    result = moved(source, target, computed)
    found = outcomes(result)
    assert len(found) == len(computed)
    for n, each in enumerate(computed):
        if found[f"r{n}"][0] in ("proved", "order-dependent"):
            yield each, query(result, n)


@pytest.mark.parametrize("source", [each for each in SOURCES if each != "duckdb"])
def test_duckdb_prepares_what_is_proved(source: str) -> None:
    with duckdb.connect() as engine:
        engine.execute(f"create table t ({COLUMNS})")
        refused = []
        known = list(told("duckdb", source))
        for computed, sql in known:
            try:
                engine.execute(f"explain {sql}")
            except duckdb.Error as error:
                refused.append((computed, sql, str(error).splitlines()[0]))
    assert refused == []
    assert len(known) > 30


@pytest.mark.parametrize("source", SOURCES)
def test_sqlite_has_the_functions_of_what_is_proved(source: str) -> None:
    known = list(told("sqlite", source))
    engine = sqlite3.connect(":memory:")
    listed = functions_of("sqlite")
    assert listed is not None
    for _, sql in known:
        assert {name.lower() for name in called_in(sql, "sqlite")} <= listed | {"our_own_thing"}
    there = {name for (name,) in engine.execute("select name from pragma_function_list")}
    engine.close()
    unlisted = {name for name in there if name.isidentifier()} - listed - _INSIDE
    assert unlisted == set()


# SQLite's own, which no manual has
_INSIDE = frozenset({"fts3_tokenizer", "fts5", "fts5_decode", "fts5_expr", "fts5_expr_tcl"})

VALUES: list[tuple[str, str]] = [("postgres", "duckdb"), ("duckdb", "postgres")]
# of these the two engines have other names for one value, or other values in each run
SHOWN_OTHERWISE = frozenset(
    {"now()", "random()", "uuid()", "age(a)", "array[1,2]", "list_value(1,2)", "today()",
     "date_trunc('day', d)", "date_trunc('week', d)"}
)  # fmt: skip


_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def plain(value: object) -> object:
    """A value as both drivers may have it."""
    match value:
        case bool() | None:
            return value
        case int() | float() | Decimal():
            return float(f"{float(value):.9g}")
        case datetime.datetime():
            return value.replace(tzinfo=None)
        case str() if _NUMBER.fullmatch(value):  # what a driver has for NUMERIC
            return float(f"{float(value):.9g}")
        case _:
            return value


def sorted_rows(rows: Sequence[Sequence[object]]) -> list[str]:
    return sorted(repr(plain(value)) for (value,) in rows)


@pytest.mark.parametrize("pair", VALUES, ids=" to ".join)
def test_two_engines_give_the_same_values(pair: tuple[str, str], postgres: str) -> None:
    source, target = pair
    schema = f"words_{source}"
    run_sql(
        postgres,
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.t ({COLUMNS})",
        f"INSERT INTO {schema}.t VALUES {ROWS}",
    )
    with connected(postgres) as server, duckdb.connect() as duck:
        duck.execute("SET timezone = 'UTC'")
        duck.execute(f"CREATE TABLE t ({COLUMNS}); INSERT INTO t VALUES {ROWS}")
        engines: dict[str, Callable[[str], list[str]]] = {
            "duckdb": lambda sql: sorted_rows(duck.execute(sql).fetchall()),
            "postgres": lambda sql: sorted_rows(server.rows(sql.replace(" t", f" {schema}.t"))),
        }
        differs, compared = [], 0
        for computed, sql in told(target, source):
            if computed in SHOWN_OTHERWISE:
                continue
            try:
                wanted = engines[source](f"select {computed} as x from t")
                found = engines[target](sql)
            except (duckdb.Error, UnwetError):  # an engine refuses it: no rows that differ
                continue
            compared += 1
            if wanted != found:
                differs.append((computed, sql, wanted, found))
    assert differs == []
    assert compared > 30


def test_names_that_are_words_of_the_other_engine_are_in_quotes() -> None:
    sql = (
        "create table r.file (plan text, key int);"
        "create view m.rule as select plan as open, f.key as close from r.file f;"
        "create view m.plan as select rule.open from m.rule where rule.close > 1;"
    )
    pile = load([Source("a.sql", sql, "postgres")], "postgres")
    result = refactor(pile, Request(target="views", to_dialect="tsql"))
    assert {each.outcome for each in result.verdicts} == {"proved"}
    rule = " ".join(result.files["views/marts/rule.sql"].split())
    assert "VIEW marts.[rule] AS SELECT [plan] AS [open], f.[key] AS [close] FROM r.[file]" in rule
    assert "FROM marts.[rule]" in " ".join(result.files["views/marts/plan.sql"].split())
