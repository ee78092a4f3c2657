"""DELETEs that an earlier one in the same words has done already."""

from __future__ import annotations

import random

import duckdb
import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor

_PLAIN = "DELETE FROM done.stats WHERE run = 7 AND (kind <> 'x' OR kind IS NULL);"


def rewritten(*texts: str, dialect: str = "tsql") -> Result:
    """The project of scripts a.sql, b.sql and so on, each with a report besides."""
    scripts = [Source(f"{name}.sql", f"{text}\nSELECT {at} AS n FROM t{at};", dialect)
               for at, (name, text) in enumerate(zip("abcd", texts, strict=False))]  # fmt: skip
    return refactor(load(scripts), Request())


def kept(result: Result) -> dict[str, str]:
    return {path.removeprefix("legacy/"): text for path, text in result.files.items()
            if path.startswith("legacy/")}  # fmt: skip


def test_one_script_is_left_for_what_all_do() -> None:
    result = rewritten(_PLAIN, f"{_PLAIN} {_PLAIN}", f"-- again\n{_PLAIN.lower()}")
    assert {path: text.strip() for path, text in kept(result).items()} == {"a.sql": _PLAIN}
    [reason] = [v.reason for v in result.verdicts if v.outcome == "kept"]
    assert "in the same words, is done once" in reason
    assert result.after.files == 4


def test_another_statement_keeps_its_script() -> None:
    other = "DELETE FROM done.stats WHERE run = 8;"
    found = kept(rewritten(_PLAIN, other, f"{other} {_PLAIN}"))
    assert {path: text.strip() for path, text in found.items()} == {"a.sql": _PLAIN, "b.sql": other}


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("EXEC load_stats;", "tsql"),
        ("CALL load_stats();", "postgres"),
        ("COPY done.stats FROM 's3://x/y.csv';", "postgres"),
        ("INSERT INTO done.stats SELECT FROM WHERE;", "tsql"),
    ],
)
def test_what_nobody_follows_may_fill_the_table(text: str, dialect: str) -> None:
    """Of what is not understood, each script that takes rows out stays."""
    found = kept(rewritten(_PLAIN, text, _PLAIN, dialect=dialect))
    assert {"a.sql", "c.sql"} <= found.keys()


def test_a_placeholder_is_one_value_and_the_reason_says_so() -> None:
    text = "DELETE FROM done.stats WHERE run = @run;"
    result = rewritten(text, text)
    assert [*kept(result)] == ["a.sql"]
    [reason] = [v.reason for v in result.verdicts if v.outcome == "kept"]
    assert reason.endswith("with one value of @run, is done once")


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("DELETE FROM s WHERE at < CURRENT_TIMESTAMP;", "postgres"),
        ("DELETE FROM s WHERE at < GETDATE();", "tsql"),
        ("DELETE FROM s WHERE RAND() < 0.5;", "mysql"),
        ("DELETE FROM s WHERE rownum <= 10;", "oracle"),
        ("DELETE FROM s WHERE at < SYSDATE;", "oracle"),
        ("DELETE FROM s WHERE owner = USER;", "oracle"),
        ("DELETE FROM s WHERE owner = SYSTEM_USER;", "tsql"),
        ("DELETE FROM s WHERE id IN (SELECT id FROM gone);", "tsql"),
        ("DELETE FROM s USING gone WHERE s.id = gone.id;", "postgres"),
        ("DELETE FROM s WHERE id = 1 LIMIT 5;", "mysql"),
        ("DELETE FROM s WHERE id = 1 RETURNING id;", "postgres"),
        ("DELETE FROM s WHERE id = ?;", "postgres"),
        ("DELETE FROM s WHERE id = :id;", "postgres"),
        ("DELETE FROM s WHERE {{ condition }};", "postgres"),
        ("DELETE FROM s WHERE id = 1 AND {{ condition }};", "postgres"),
        ("DECLARE @d INT = 5; DELETE FROM s WHERE id = @d;", "tsql"),
        ("SET @d = 5; DELETE FROM s WHERE id = @d;", "tsql"),
        ("DECLARE d INT64 DEFAULT 5; DELETE FROM s WHERE id = d;", "bigquery"),
        ("IF @x = 1 DELETE FROM s WHERE id = 1;", "tsql"),
        ("EXEC('INSERT INTO s VALUES (1)'); DELETE FROM s WHERE id = 1;", "tsql"),
    ],
)
def test_what_may_find_rows_again_stays(text: str, dialect: str) -> None:
    found = kept(rewritten(text, text, dialect=dialect))
    assert [path for path in found if "DELETE" in found[path]] == ["a.sql", "b.sql"]


def test_rows_that_another_script_puts_in() -> None:
    text = "DELETE FROM s WHERE id = 1;"
    found = kept(rewritten(text, "INSERT INTO s (id) SELECT id FROM t;", text))
    assert {"a.sql", "c.sql"} <= {*found}


@pytest.mark.parametrize("seed", range(20))
def test_the_second_time_finds_nothing(seed: int) -> None:
    """Both sides run on rows with NULLs and rows that are there twice."""
    chance = random.Random(seed)
    tests = ["a = 1", "b <> 2", "a IS NULL", "NOT (a = b)", "a IN (1, NULL)", "b BETWEEN 1 AND 2",
             "a NOT IN (2, 3)", "a < b"]  # fmt: skip
    p, q = (" OR ".join(chance.sample(tests, 2)) if chance.random() < 0.5
            else " AND ".join(chance.sample(tests, 2)) for _ in range(2))  # fmt: skip
    rows = [(chance.choice([None, 1, 2, 3]), chance.choice([None, 1, 2, 3])) for _ in range(30)]

    def left(*conditions: str) -> list[tuple[int | None, int | None]]:
        with duckdb.connect() as run:
            run.execute("CREATE TABLE t (a INT, b INT)")
            run.executemany("INSERT INTO t VALUES (?, ?)", rows)
            for condition in conditions:
                run.execute(f"DELETE FROM t WHERE {condition}")
            return sorted(run.execute("SELECT * FROM t").fetchall(), key=str)

    assert left(p, q, p) == left(p, q)


def test_the_script_that_takes_rows_out_is_named_and_not_the_one_that_declares() -> None:
    table = Source("a.sql", "CREATE TABLE s.t (id INT, gone BIT);", "tsql")
    emptied = Source("b.sql", "DELETE FROM s.t WHERE gone = 1;", "tsql")
    report = Source("c.sql", "CREATE VIEW r.v AS SELECT id FROM s.t;", "tsql")
    said = refactor(load([table, emptied, report]), Request()).assumptions
    assert [each.partition(",")[0] for each in said if "takes rows out" in each] == [
        "b.sql takes rows out of s.t"
    ]
