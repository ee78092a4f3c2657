"""What is divided and rounded, from one dialect to another: fixtures/rewrite/quotients."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.prove.servers import connected, run_sql

FILE = Path(__file__).parents[3] / "fixtures" / "rewrite" / "quotients" / "cases.txt"
COLUMNS = (
    "a int, s smallint, b bigint, n numeric(10, 2), f double precision, d date, ts timestamp, "
    "c varchar(20)"
)
ROWS = (
    "(7, 3, 71, 7.25, 7.5, '2024-07-07', '2024-07-07 01:02:03', 'abc'),"
    "(-7, -2, -71, -7.25, -2.5, '2023-11-30', '2023-11-30 23:59:59', 'x'),"
    "(1, 5, 3000000001, 0.5, 0.5, '1999-02-28', '1999-02-28 12:00:00', 'abcde')"
)


class Case(NamedTuple):
    """A line of the file."""

    source: str
    target: str
    computed: str
    said: str

    @property
    def query(self) -> str:
        """The whole query."""
        whole = self.computed.startswith("select ")
        return self.computed if whole else f"select {self.computed} as x from t"


LINES = FILE.read_text("utf-8").splitlines()
CASES = [Case(*line.split(" | ")) for line in LINES if not line.startswith("#")]
PAIRS = sorted({(case.source, case.target) for case in CASES})


def of(pair: tuple[str, str]) -> list[Case]:
    return [case for case in CASES if (case.source, case.target) == pair]


@cache
def moved(pair: tuple[str, str]) -> Result:
    """All cases of two dialects as the views of one project."""
    views = [f"create view r{n} as {case.query};" for n, case in enumerate(of(pair))]
    sql = "\n".join([f"create table t ({COLUMNS});", *views])
    pile = load([Source("a.sql", sql, pair[0])], pair[0])
    return refactor(pile, Request(target="views", to_dialect=pair[1]))


def written(pair: tuple[str, str], number: int) -> str:
    """What the project says of a case, on one line."""
    text = " ".join(moved(pair).files[f"views/marts/r{number}.sql"].split())
    return text.replace("( ", "(").replace(" )", ")")


@pytest.mark.parametrize("pair", PAIRS, ids=" to ".join)
def test_what_a_quotient_becomes(pair: tuple[str, str]) -> None:
    outcomes = {each.name: each.outcome for each in moved(pair).verdicts}
    assert set(outcomes.values()) <= {"proved", "kept"}
    wrong = [
        (case.computed, case.said, written(pair, n) if outcomes[f"r{n}"] == "proved" else "kept")
        for n, case in enumerate(of(pair))
        if (outcomes[f"r{n}"] == "kept") != (case.said == "kept")
        or (case.said != "kept" and f" {case.said.split(': ')[-1]} AS x " not in written(pair, n))
    ]
    assert wrong == []


@pytest.mark.parametrize("case", [c for c in CASES if "assumed" in c.said], ids=lambda c: c[2])
def test_what_is_assumed_where_a_type_is_not_known(case: Case) -> None:
    sql = f"create table t ({COLUMNS}); create view r as {case.query};"
    result = refactor(load([Source("a.sql", sql, case.source)], case.source),
                      Request(target="views", to_dialect=case.target))  # fmt: skip
    told = ("divides integers", "halfway", "without a remainder")
    assert any(word in each for each in result.assumptions for word in told)


def test_nothing_is_assumed_where_the_types_are_known() -> None:
    known = [case for case in of(("postgres", "duckdb")) if " from w" not in case.computed]
    views = [f"create view r{n} as {case.query};" for n, case in enumerate(known)]
    sql = "\n".join([f"create table t ({COLUMNS});", *views])
    pile = load([Source("a.sql", sql, "postgres")], "postgres")
    assumed = refactor(pile, Request(target="views", to_dialect="duckdb")).assumptions
    assert not [each for each in assumed if "divide" in each or "halfway" in each]


def test_the_rows_are_those_of_postgres(postgres: str) -> None:
    pair, number = ("postgres", "duckdb"), 0
    run_sql(
        postgres,
        "CREATE SCHEMA quotients",
        f"CREATE TABLE quotients.t ({COLUMNS})",
        f"INSERT INTO quotients.t VALUES {ROWS}",
    )
    with connected(postgres) as there, duckdb.connect() as here:
        here.execute(f"CREATE TABLE t ({COLUMNS}); INSERT INTO t VALUES {ROWS}")
        for number, case in enumerate(of(pair)):
            if case.said == "kept" or " from w" in case.computed:
                continue
            old = there.rows(case.query.replace("from t", "from quotients.t"))
            text = moved(pair).files[f"views/marts/r{number}.sql"]
            here.execute("CREATE SCHEMA IF NOT EXISTS marts")
            here.execute(text)
            new = here.execute(f"SELECT x FROM marts.r{number}").fetchall()
            assert numbers(new) == pytest.approx(numbers(old)), (case.computed, old, new)
    assert number > 30


def numbers(rows: list[tuple[object, ...]]) -> list[float]:
    found = (value for (value,) in rows)
    return sorted(float(v) if isinstance(v, Decimal) else float(str(v)) for v in found)
