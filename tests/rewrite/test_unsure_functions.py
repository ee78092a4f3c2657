"""What a function of a script does may hang on more than its definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.rewrite.unsure_functions import said, unsure
from unwet.tests.rewrite.test_own_functions import found, outcomes, pile, refactored

QUERY = "SELECT f(a) AS p FROM s.t"
BODY = "CREATE TEMP MACRO f(x) AS (g(x) * 2);\n"


def macro(name: str, body: str) -> str:
    return f"CREATE OR REPLACE TEMP MACRO {name}(x) AS ({body});\n"


def test_a_body_that_calls_what_no_project_makes_is_not_made(tmp_path: Path) -> None:
    """g reads a table, so that f, which calls it, is not made either; two of them are two."""
    scripts = [
        macro("g", f"x + (SELECT {which}(b) FROM s.t)") + BODY + QUERY for which in ("MAX", "MIN")
    ]
    assert not found(*scripts, dialect="duckdb")
    result = refactored(tmp_path, *scripts, dialect="duckdb")
    assert outcomes(result) == {"a": "kept", "b": "kept"}
    reasons = {each.path: each.reason for each in result.verdicts}
    assert reasons["a.sql"].endswith("f, which ends with its script and cannot be the project's")
    assert reasons["b.sql"].startswith("f is another function in it")


@pytest.mark.parametrize(
    ("script", "dialect", "reason"),
    [
        (
            macro("g", "x + 1") + BODY + macro("g", "x + 100") + QUERY,
            "duckdb",
            "it calls g: its script defines it anew behind what calls it",
        ),
        (
            macro("f", "x + 1")
            + f"CREATE TEMP VIEW v AS {QUERY};\n"
            + macro("f", "x + 100")
            + "SELECT p FROM v",
            "duckdb",
            "its script defines it anew behind what calls it",
        ),
        (
            "".join(
                f"CREATE TEMP FUNCTION f(x {kind}) RETURNS FLOAT LANGUAGE JAVASCRIPT AS"
                f" $$ return {body} $$;\n"
                for kind, body in (("FLOAT", "X + 1"), ("VARCHAR", "X.length"))
            )
            + QUERY,
            "snowflake",
            "its script defines several functions of that name",
        ),
        (
            "CREATE TEMP FUNCTION f(x INT64) AS (x + 1);\nEXECUTE IMMEDIATE"
            f" 'CREATE OR REPLACE TEMP FUNCTION f(x INT64) AS (x + 2)';\n{QUERY}",
            "bigquery",
            "its script defines several functions of that name",
        ),
        (macro("g", "x + RANDOM()") + BODY + QUERY, "duckdb", "it calls g: it is a random value"),
        (
            "CREATE TEMP FUNCTION f(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS"
            f" 'return x * Math.random()';\n{QUERY}",
            "bigquery",
            "it is a random value",
        ),
    ],
    ids=["a body", "a view", "types", "dynamic", "random", "another language"],
)
def test_nobody_knows_what_it_does(tmp_path: Path, script: str, dialect: str, reason: str) -> None:
    assert "functions.f" not in found(script, dialect=dialect)
    [kept] = refactored(tmp_path, script, dialect=dialect).verdicts
    assert kept.outcome == "kept" and kept.reason.endswith(f"it calls f: {reason}")


@pytest.mark.parametrize(
    ("definition", "dialect"),
    [
        ("CREATE TEMP AGGREGATE FUNCTION f(x INT64) AS (SUM(x) + {0})", "bigquery"),
        ("CREATE TEMP MACRO f(x, y := 3) AS (x + y + {0})", "duckdb"),
        ("CREATE TEMPORARY MACRO f(x INT) x + {0}", "hive"),
    ],
)
def test_definitions_that_nobody_parsed_count(
    tmp_path: Path, definition: str, dialect: str
) -> None:
    scripts = [f"{definition.format(n)};\n{QUERY}" for n in (1, 2, 1)]
    result = refactored(tmp_path, *scripts, dialect=dialect)
    assert {*outcomes(result).values()} == {"kept"}
    [second] = [each for each in result.verdicts if each.reason.startswith("f is another")]
    assert second.path == "b.sql"
    ends = "it calls f, which ends with its script and cannot be the project's"
    assert [each.path for each in result.verdicts if each.reason == ends] == ["a.sql", "c.sql"]


@pytest.mark.parametrize(
    "script",
    [
        macro("g", "x + 1") + BODY + QUERY,
        macro("g", "x + 1") + BODY + macro("g", "x + 1") + QUERY,
        macro("f", "x + 1") + f"CREATE TABLE r AS {QUERY};\n" + macro("f", "x + 2") + QUERY,
        f"GRANT EXECUTE ON FUNCTION f TO x;\nGRANT EXECUTE ON FUNCTION f TO y;\n{QUERY}",
        f"-- CREATE FUNCTION f(x) AS RANDOM()\n{QUERY}",
    ],
)
def test_what_is_known(script: str) -> None:
    [one] = pile(script, dialect="duckdb").scripts
    assert unsure(one, said(one)) == {}
