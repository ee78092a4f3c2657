"""Scripts that write one table in turn, from the pile to the project: all are proved."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_world import SCHEMA


def made(files: Mapping[str, str], dialect: str = "duckdb") -> Result:
    schema = {table: dict(columns) for table, columns in SCHEMA.items()}
    sources = [Source(f"{name}.sql", text, dialect) for name, text in files.items()]
    return refactor(load(sources, dialect, schema), Request())


def outcomes(result: Result) -> dict[str, str]:
    return {verdict.name: verdict.outcome for verdict in result.verdicts}


def model(result: Result, name: str) -> str:
    (text,) = (t for p, t in result.files.items() if p.endswith(f"/{name}.sql"))
    return flat(text)


def test_versions_of_a_script_read_their_own_tables() -> None:
    version = "CREATE OR REPLACE TABLE x AS SELECT {0} FROM t; CREATE TABLE {1} AS SELECT * FROM x"
    result = made({"v1": version.format("a", "p"), "v2": version.format("a, b", "q")})
    assert set(outcomes(result).values()) == {"proved"}
    assert set(outcomes(result)) == {"p", "q", "x_v1", "x_v2"}
    assert "from {{ ref('x_v1') }}" in model(result, "p")
    assert "from {{ ref('x_v2') }}" in model(result, "q")
    said = [each for each in result.assumptions if "x is written by several scripts" in each]
    assert len(said) == 1


def test_slices_of_a_table_that_nobody_declares() -> None:
    script = "DELETE FROM r WHERE k = {0}; INSERT INTO r SELECT {0} AS k, a FROM t WHERE b = {0}"
    result = made({name: script.format(n) for n, name in enumerate(("one", "two", "three"))})
    assert outcomes(result) == dict.fromkeys(("r_one", "r_two", "r_three"), "proved")
    assert "r takes the values that are inserted as they are" in result.assumptions
    assert not [path for path in result.files if path.startswith("legacy/")]


def test_a_table_that_nobody_declares_and_one_script_overwrites() -> None:
    script = "INSERT OVERWRITE TABLE mart.days SELECT a, COUNT(*) AS n FROM t GROUP BY a"
    listed = "TRUNCATE TABLE mart.few; INSERT INTO mart.few (a, n) SELECT d.a, d.n FROM mart.days d"
    result = made({"days": script, "few": listed}, "spark")
    assert outcomes(result) == {"days": "proved", "few": "proved"}
    assert "from {{ ref('days') }} as d" in model(result, "few")
    said = {each for each in result.assumptions if "mart." in each}
    assert said == {
        "mart.days takes the values that are inserted as they are",
        "INSERT OVERWRITE takes all rows out of mart.days, not those of some partitions",
        "mart.few takes the values that are inserted as they are",
        "mart.few has no columns but those that are inserted",
    }


def test_what_a_script_reads_before_it_is_complete_is_a_cte() -> None:
    first = """DELETE FROM r WHERE k = 1 AND m = 0;
INSERT INTO r SELECT 1 AS k, 0 AS m, a FROM t;
CREATE TABLE p AS SELECT a FROM r;
DELETE FROM r WHERE k = 1 AND m = 1;
INSERT INTO r SELECT 1 AS k, 1 AS m, a FROM t WHERE a > 3;
CREATE TABLE q AS SELECT SUM(a) AS a FROM r"""
    second = "DELETE FROM r WHERE k = 2; INSERT INTO r SELECT 2 AS k, 0 AS m, a FROM t"
    result = made({"a": first, "b": second})
    assert outcomes(result) == dict.fromkeys(("p", "q", "r_a", "r_b"), "proved")
    assert "union all" not in model(result, "p")
    assert "union all" in model(result, "q")


_MODES = """DELETE FROM r WHERE k = 1 AND m = 0;
INSERT INTO r (k, m, a) SELECT 1 AS k, 0 AS m, a FROM t;
CREATE TABLE p AS SELECT t.b, r.a FROM t {read};
DELETE FROM r WHERE k = 1 AND m = 1;
INSERT INTO r (k, m, a) SELECT 1 AS k, {other} AS m, a FROM t WHERE a > 3"""


@pytest.mark.parametrize(
    ("read", "other", "whole"),
    [
        ("LEFT JOIN r ON r.m = 0 AND r.a = t.a", "1", True),
        ("CROSS JOIN r WHERE 0 = r.m", "1", True),
        ("FULL JOIN r ON r.a = t.a WHERE r.m = 0", "1", True),
        ("LEFT JOIN r ON r.m = 0 AND r.a = t.a", "0", False),
        ("LEFT JOIN r ON r.m = 1 AND r.a = t.a", "1", False),
        ("FULL JOIN r ON r.m = 0 AND r.a = t.a", "1", False),
        ("LEFT JOIN r ON r.m >= 0 AND r.a = t.a", "1", False),
        ("JOIN r ON r.m = 0 AND r.a = t.a JOIN r AS s ON s.a = t.a", "1", False),
    ],
)
def test_rows_that_come_later_and_are_not_asked_for(read: str, other: str, whole: bool) -> None:
    second = "DELETE FROM r WHERE k = 2; INSERT INTO r (k, m, a) SELECT 2 AS k, 0 AS m, a FROM t"
    result = made({"a": _MODES.format(read=read, other=other), "b": second})
    assert outcomes(result)["p"] == "proved"
    assert ("ref('r_a')" in model(result, "p")) == whole


def test_a_slice_that_is_dropped_after_it_was_read() -> None:
    first = _MODES.format(read="LEFT JOIN r ON r.m = 0", other="1") + "; DROP TABLE r"
    second = "DELETE FROM r WHERE k = 2; INSERT INTO r (k, m, a) SELECT 2 AS k, 0 AS m, a FROM t"
    result = made({"a": first, "b": second})
    assert outcomes(result)["p"] == "kept"


def test_a_slice_that_a_rounded_number_may_be_in_is_no_slice_of_others() -> None:
    first = """CREATE TABLE r (k INTEGER, a INTEGER);
DELETE FROM r WHERE k = 1;
INSERT INTO r SELECT {0}, a FROM t;
DELETE FROM r WHERE k = 2;
INSERT INTO r SELECT 2, b FROM t"""
    second = "DELETE FROM r WHERE k = 3; INSERT INTO r SELECT 3, a FROM t"
    found = {n: made({"a": first.format(n), "b": second}) for n in ("1", "2.4")}
    assert {n: outcomes(result)["r_a"] for n, result in found.items()} == {
        "1": "proved",
        "2.4": "proved",
    }
    assert {n: "coalesce" in model(result, "r_a") for n, result in found.items()} == {
        "1": False,
        "2.4": True,  # the DELETE may meet it
    }


@pytest.mark.parametrize(
    ("kind", "column", "is_slice"),
    [
        ("INT", "k", True),
        ("BIT", "k", False),  # it makes 1 of 2
        ("DECIMAL(1, 1)", "k", False),
        ("CHAR(1)", "k", False),
        ("INT", '"K"', False),  # another column than k
    ],
)
def test_a_column_need_not_hold_the_number_that_is_put_in(
    kind: str, column: str, is_slice: bool
) -> None:
    dialect = "tsql" if kind == "BIT" else "postgres"
    first = f"""CREATE TABLE r (k {kind}, "K" INTEGER, a INTEGER);
DELETE FROM r WHERE k = 2;
INSERT INTO r (k, "K", a) SELECT 2, 1, a FROM t;
DELETE FROM r WHERE {column} = 1;
INSERT INTO r (k, "K", a) SELECT 1, 1, b FROM t"""
    if kind == "BIT":
        first = first.replace('"K"', "k2")
    second = "DELETE FROM r WHERE k = 3; INSERT INTO r (k, a) SELECT 3, a FROM t"
    result = made({"a": first, "b": second}, dialect)
    simple = outcomes(result)["r_a"] == "proved" and "where" not in model(result, "r_a")
    assert simple == is_slice


def test_columns_that_nobody_has_given_a_name() -> None:
    script = "DELETE FROM r WHERE k = {0}; INSERT INTO r SELECT {0}, a FROM t"
    result = made({"one": script.format(1), "two": script.format(2)})
    assert outcomes(result) == {"r_one": "kept", "r_two": "kept"}
    assert "nobody says what a column of r is called" in result.verdicts[0].reason


def test_a_third_script_that_reads_it_is_kept() -> None:
    turn = "CREATE OR REPLACE TABLE x AS SELECT a FROM t WHERE a = {}"
    files = {"a": turn.format(1), "b": turn.format(2), "c": "CREATE TABLE p AS SELECT a FROM x"}
    result = made(files)
    assert outcomes(result) == {"p": "kept", "x_a": "proved", "x_b": "proved"}
    assert "legacy/c.sql" in result.files
    assert "legacy/a.sql" not in result.files


def test_many_inserts_of_many_scripts_are_one_report() -> None:
    insert = "INSERT INTO r SELECT a, '{0}' AS name FROM t WHERE b = {1};"
    files = {f"s{n}": "".join(insert.format(f"{n}{m}", m) for m in range(4)) for n in range(3)} | {
        "z": "DROP TABLE IF EXISTS r; CREATE TABLE r (a INTEGER, name TEXT)"
    }
    result = made(files)
    assert outcomes(result) == {"r": "proved"}
    assert model(result, "r").count("{% for") >= 1
    assert result.parameter_lines == 12


def test_statements_that_only_take_rows_away_stay_without_their_scripts() -> None:
    result = made({"a": "DELETE FROM far WHERE k = 1;\nCREATE TABLE p AS SELECT a FROM t;\n"})
    assert outcomes(result) == {"far": "kept", "p": "proved"}
    assert result.files["legacy/a.sql"] == "DELETE FROM far WHERE k = 1;\n"
    before, after = result.before, result.after
    assert after.lines < before.lines + 4


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "INSERT INTO #x SELECT a, 1 FROM t UNION ALL SELECT k, 2 FROM u",
            "kept",  # the second column has no name to cast it by
        ),
        ("INSERT INTO #x SELECT a, 1 AS n FROM t UNION ALL SELECT k, 2 FROM u", "proved"),
        ("INSERT INTO #x SELECT DISTINCT a, 1 AS n FROM t", "proved"),
        ("UPDATE STATISTICS #x", "proved"),  # it stays empty
    ],
)
def test_temporary_tables_with_declared_types(sql: str, expected: str) -> None:
    script = f"CREATE TABLE #x (i BIGINT, n INT);\n{sql};\nSELECT i, n INTO r FROM #x;"
    result = made({"a": script}, "tsql")
    assert outcomes(result)["r"] == expected


def test_a_script_reads_what_the_nearest_one_leaves() -> None:
    turn = "CREATE OR REPLACE TABLE x AS SELECT a FROM t WHERE a = {}"
    reads = "CREATE TABLE {} AS SELECT a FROM x"
    files = {"v1/prep/x": turn.format(1), "v1/out/p": reads.format("p"), "v2/x": turn.format(2),
             "v2/q": reads.format("q"), "r": reads.format("r")}  # fmt: skip
    result = made(files)
    assert outcomes(result) == {
        "p": "proved", "q": "proved", "r": "kept", **dict.fromkeys(("x_prep", "x_v2"), "proved")
    }  # fmt: skip
    assert "a = 1" in model(result, "x_prep") and "a = 2" in model(result, "x_v2")
    assert "ref('x_prep')" in model(result, "p")
    assert "ref('x_v2')" in model(result, "q")
    told = [each for each in result.assumptions if "the nearest to it" in each]
    assert len(told) == 2


@pytest.mark.parametrize(
    "reads",
    [
        "CREATE TEMP TABLE y AS SELECT a FROM x; CREATE TABLE p AS SELECT a FROM y",
        "CREATE TABLE p (a INT); INSERT INTO p SELECT a FROM x",
        "CREATE TABLE p (a INT); INSERT INTO p SELECT a FROM t; "
        "UPDATE p SET a = (SELECT MAX(a) FROM x) WHERE a = 1",
    ],
)
def test_the_nearest_one_is_an_assumption_however_it_is_read(reads: str) -> None:
    turn = "CREATE OR REPLACE TABLE x AS SELECT a FROM t WHERE a = {}"
    result = made({"v1/x": turn.format(1), "v1/p": reads, "v2/x": turn.format(2)})
    assert outcomes(result)["p"] == "proved"
    assert [each for each in result.assumptions if "the nearest to it" in each] == [
        "v1/p.sql reads x as v1/x.sql leaves it, which is the nearest to it of all that write it"
    ]
