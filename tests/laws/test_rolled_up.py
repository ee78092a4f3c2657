"""The laws of roll-up: what is proved by it has the same rows, of the same types, where it runs.

Pairs of queries in fixtures/rewrite/rolled_up, and pairs that hypothesis puts together: a query
over rows, and one over a finer aggregate of them, with or without a mistake. Both run on DuckDB,
over rows with NULLs, duplicates and empty groups; in PostgreSQL's words on PostgreSQL.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unwet.lineage.catalog import build_catalog
from unwet.lineage.parse import parse
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.lineage.templating import mask, verbatim
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import Normalizer, ruled
from unwet.rewrite.prove.declarations import promises
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.prove.servers.postgres import PostgresEngine
from unwet.rewrite.rules.promised import Promised
from unwet.tests.rewrite.prove.servers import connected, missing, postgres_server, run_sql

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "rolled_up"
SCHEMA = (FOLDER / "schema.sql").read_text(encoding="utf-8")
DATABASES = 12
DEEPER = int(os.environ.get("UNWET_LAW_EXAMPLES", "1"))
EVERY = ["duckdb", "postgres", "tsql", "redshift", "bigquery", "trino", "spark", "snowflake", ""]


class Case(NamedTuple):
    """Two queries, and the dialects in which they are one or two."""

    title: str
    dialects: tuple[str, ...]
    direct: str
    rolled: str


def cases(name: str) -> list[Case]:
    found: list[Case] = []
    for block in (FOLDER / name).read_text(encoding="utf-8").split("\n\n")[1:]:
        head, _, rest = block.strip().partition("\n")
        spoken, _, title = head.removeprefix("-- ").partition(": ")
        direct, rolled = [s.strip() for s in rest.split(";") if s.strip()]
        found.append(Case(title, tuple(spoken.split()), direct, rolled))
    return found


@cache
def catalog(dialect: str) -> Catalog:
    return build_catalog([parse(mask(Source("ddl.sql", SCHEMA, dialect)), dialect)])[0]


def plan_of(sql: str, dialect: str) -> Plan:
    known = catalog(dialect)
    script = parse(verbatim(Source("case.sql", sql, dialect)), dialect)
    assert not script.findings, script.findings
    query = resolve(script.statements[0], known).query
    assert query is not None
    plan = lower(query, Env(known))
    assert not any(isinstance(each, Opaque) for each in walk(plan.rel))
    return plan


def grounds(direct: str, rolled: str, dialect: str) -> set[str] | None:
    """What the proof rests on; None where there is none."""
    sides = plan_of(direct, dialect), plan_of(rolled, dialect)
    if proves(*sides, Normalizer()):
        return set()
    promised = Promised(promises(catalog(dialect), dialect, dialect))
    return promised.used if proves(*sides, ruled(promised)) else None


def inserts(seed: int, schema: str) -> Iterator[str]:
    """Rows of both tables: few keys, values that floats round, NULLs, rows that are there twice;
    none at all in the first schema."""
    rng = random.Random(seed)
    big = ["NULL", "1", "2", "-7", str(1 << 40)]
    columns = (["NULL", "1", "2"], ["NULL", "'a'", "'b'"], ["NULL", "0", "1", "3"], big,
               ["NULL", "0.10", "0.20", "7.25"], ["NULL", "0.1", "0.2", "0.3", "1e15"])  # fmt: skip
    for table, own in (("t", columns), ("u", (["NULL", "0", "1", "3"], ["NULL", "2", "5"]))):
        for _ in range(seed and rng.randrange(14)):
            row = ", ".join(map(rng.choice, own))
            yield from [f"INSERT INTO {schema}.{table} VALUES ({row})"] * rng.choice([1, 1, 2])


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as made:
        for seed in range(DATABASES):
            made.execute(f"CREATE SCHEMA s{seed}; USE memory.s{seed}; {SCHEMA}")
            for statement in inserts(seed, f"s{seed}"):
                made.execute(statement)
        yield made


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as made:
        yield made


def seen(connection: duckdb.DuckDBPyConnection, sql: str) -> list[object]:
    """The types of the columns, and the bag of rows on each database."""
    found: list[object] = []
    for seed in range(DATABASES):
        connection.execute(f"USE memory.s{seed}")
        done = connection.execute(sql)
        found.append([str(column[1]) for column in connection.description or ()])
        found.append([column[0] for column in connection.description or ()])
        types = connection.sql(sql).types
        found += [list(map(str, types)), Counter(done.fetchall())]
    return found


SAME = [(case, dialect) for case in cases("same.sql") for dialect in case.dialects]
APART = [(case, dialect) for case in cases("apart.sql") for dialect in case.dialects]


def titled(pair: tuple[Case, str]) -> str:
    return f"{pair[1]}: {pair[0].title}"


@pytest.mark.parametrize("pair", SAME, ids=titled)
def test_a_roll_up_is_proved(pair: tuple[Case, str], connection: duckdb.DuckDBPyConnection) -> None:
    case, dialect = pair
    found = grounds(case.direct, case.rolled, dialect)
    assert found is not None
    assert all(each.startswith(("t.", "u.")) for each in found)
    if dialect == "duckdb":
        assert seen(connection, case.direct) == seen(connection, case.rolled)


@pytest.mark.parametrize("pair", APART, ids=titled)
def test_what_is_no_roll_up_is_not_proved(
    pair: tuple[Case, str], connection: duckdb.DuckDBPyConnection
) -> None:
    case, dialect = pair
    assert grounds(case.direct, case.rolled, dialect) is None
    if dialect == "duckdb":
        old, new = seen(connection, case.direct), seen(connection, case.rolled)
        assert old != new, "the case itself is wrong"


def test_types_that_nobody_declares_prove_nothing() -> None:
    direct = "select g, sum(x) as s from x group by g"
    rolled = (
        "select g, sum(s) as s from (select g, h, sum(x) as s from x group by g, h) q group by g"
    )
    assert {d: grounds(direct, rolled, d) for d in EVERY} == dict.fromkeys(EVERY)


def test_a_cast_to_the_own_type_is_idle_where_types_are_known() -> None:
    direct, cast = "select b from t", "select cast(b as bigint) as b from t"
    proved = {d for d in [*EVERY, "oracle", "mysql"] if d and grounds(direct, cast, d) is not None}
    assert proved == {*EVERY} - {"", "spark"}  # Spark's cast is NULL where it fails


def test_a_sum_of_constants_needs_no_declaration() -> None:
    ones = "sum(case when h = 1 then 1 else 0 end)"
    direct = f"select g, {ones} as s from x group by g"
    rolled = (
        f"select g, sum(s) as s from (select g, h, {ones} as s from x group by g, h) q group by g"
    )
    proved = {d for d in EVERY if grounds(direct, rolled, d) == set()}
    assert proved == {"duckdb", "tsql", "bigquery", "trino", "spark", "snowflake"}


# --- put together ---------------------------------------------------------------------------------

_VALUES = ["i", "b", "d", "f", "i * b", "i + 1", "case when h = 'a' then i else 0 end",
           "coalesce(d, 0)", "d * i", "b / 2", "cast(f as bigint)", "t.i - u.w"]  # fmt: skip
_KEYS = ["g", "h", "t.i"]
_OUTER = {"sum": "sum", "count": "sum", "min": "min", "max": "max", "avg": "avg"}
_WRAPS = ["{}", "{}", "cast({} as bigint)", "coalesce({}, 0)", "cast(coalesce({}, 0) as bigint)",
          "{} * 1.0", "{} / 2"]  # fmt: skip


@st.composite
def pair(draw: st.DrawFn) -> tuple[str, str]:
    """A query over rows and one over a finer aggregate, which may have mistakes."""
    keys = draw(st.lists(st.sampled_from(_KEYS), unique=True, max_size=2))
    more = draw(st.lists(st.sampled_from(_KEYS), unique=True, max_size=2))
    finer = list(dict.fromkeys([*keys, *more]))
    join = draw(st.sampled_from(["t join u on u.k = t.i", "t left join u on u.k = t.i", "t, u"]))
    where = draw(st.sampled_from(["", "", "where b > 0", "where g = 1"]))
    direct, inner, outer = [*keys], [f"{key} as k{n}" for n, key in enumerate(finer)], list[str]()
    for at in range(draw(st.integers(1, 3))):
        op, value = draw(st.sampled_from([*_OUTER])), draw(st.sampled_from(_VALUES))
        distinct = "distinct " if draw(st.integers(0, 5)) == 0 else ""
        agg = f"{op}({distinct}{value})"
        again = draw(st.sampled_from([_OUTER[op]] * 6 + ["sum", "count", "max"]))
        wrap = draw(st.sampled_from(_WRAPS))
        back = wrap if draw(st.integers(0, 2)) else draw(st.sampled_from(_WRAPS))
        direct.append(f"{wrap.format(agg)} as a{at}")
        inner.append(f"{agg} as v{at}")
        outer.append(f"{back.format(f'{again}(v{at})')} as a{at}")
    named = [f"k{finer.index(key)}" for key in keys]
    having = draw(st.sampled_from(["", "", "", "having count(*) > 1"]))
    by, by_finer = (f"group by {', '.join(names)}" if names else "" for names in (keys, finer))
    below = f"select {', '.join(inner)} from {join} {where} {by_finer} {having}"
    by_named = f"group by {', '.join(named)}" if named else ""
    rows = ", ".join([*_called(keys), *direct[len(keys) :]])
    rolled = ", ".join([*_called(named), *outer])
    return (
        f"select {rows} from {join} {where} {by}",
        f"select {rolled} from ({below}) as q {by_named}",
    )


def _called(keys: list[str]) -> list[str]:
    return [f"{key} as x{n}" for n, key in enumerate(keys)]


def over_pairs(examples: int, check: Callable[[str, str], None]) -> None:
    """The check over pairs that hypothesis draws, and makes smaller where it fails."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(pair())
    def law(queries: tuple[str, str]) -> None:
        check(*queries)

    law()


def test_what_is_proved_returns_the_same_rows_of_the_same_types(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    proved: set[str] = set()

    def check(direct: str, rolled: str) -> None:
        if grounds(direct, rolled, "duckdb") is not None:
            proved.add(direct)
            assert seen(connection, direct) == seen(connection, rolled)

    over_pairs(800 * DEEPER, check)
    assert len(proved) >= 20


# --- on PostgreSQL --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if find_spec("adbc_driver_postgresql") is None:
        missing("adbc-driver-postgresql")
    with postgres_server() as dsn:
        for seed in range(DATABASES):
            made = SCHEMA.replace("CREATE TABLE ", f"CREATE TABLE s{seed}.")
            run_sql(dsn, f"CREATE SCHEMA s{seed}", *made.split(";")[:2], *inserts(seed, f"s{seed}"))
        yield dsn


def typed(there: PostgresEngine, sql: str) -> list[object]:
    """The rows on each database, with the types of their values."""
    names = plan_of(sql, "postgres").names
    types = ", ".join(f"pg_typeof(q.{name})::text, q.{name}::text" for name in names)
    found: list[object] = []
    for seed in range(DATABASES):
        here = re.sub(r"\b(from|join|,) (t|u)\b", rf"\1 s{seed}.\2", sql)
        found.append(Counter(there.rows(f"select {types} from ({here}) as q")))
    return found


def test_postgres_returns_the_same_rows_of_the_same_types(postgres: str) -> None:
    proved: set[str] = set()
    with connected(postgres) as there:

        def check(direct: str, rolled: str) -> None:
            if grounds(direct, rolled, "postgres") is not None:
                proved.add(direct)
                assert typed(there, direct) == typed(there, rolled)

        for case in cases("same.sql"):
            if "postgres" in case.dialects:
                check(case.direct, case.rolled)
        known = len(proved)
        over_pairs(300 * DEEPER, check)
    assert known >= 9 and len(proved) >= known + 8
