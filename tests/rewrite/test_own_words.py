"""A function that a script defines is that script's: another one of its name is another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.small_pile import verdicts

GOOD = "CREATE FUNCTION good(x INT64) RETURNS BOOL AS (x > {0});"
QUERY = "SELECT d.a, COUNT(*) AS n, SUM(d.b) AS b FROM s.t AS d WHERE good(d.a) GROUP BY d.a"


def refactored(out: Path, *scripts: str, dialect: str = "bigquery") -> Result:
    sources = [Source(f"{'abcdef'[at]}.sql", text) for at, text in enumerate(scripts)]
    return refactor(load(sources, dialect), Request(out=out, generated=None, force=True))


def outcomes(result: Result) -> dict[str, str]:
    return {each.name: each.outcome for each in result.verdicts}


def test_a_report_with_another_function_is_kept(tmp_path: Path) -> None:
    scripts = [f"{GOOD.format(n)}\n{QUERY}" for n in (3, 5, 3)]
    result = refactored(tmp_path, *scripts)
    assert outcomes(result) == {"a": "proved", "b": "kept", "c": "proved"}
    [kept] = [each for each in result.verdicts if each.name == "b"]
    assert kept.reason == "good is another function in it than in a.sql"
    assert "the function good is there as a.sql has it" in result.assumptions


@pytest.mark.parametrize("table", ["d.INFORMATION_SCHEMA.TABLES", "d.__TABLES__"])
def test_what_the_engine_says_of_its_tables_is_assumed(tmp_path: Path, table: str) -> None:
    result = refactored(tmp_path, f"CREATE TABLE d.r AS SELECT n FROM {table};")
    [told] = result.assumptions
    assert told.endswith("says of the project's tables what it said of the scripts'")
    assert not refactored(tmp_path, "CREATE TABLE d.r AS SELECT n FROM d.tables;").assumptions


@pytest.mark.parametrize("body", ["CONCAT(x, '{{ s }}')", "(SELECT MAX(y) FROM d.u)"])
def test_a_function_that_ends_with_its_script_is_none_of_a_model(tmp_path: Path, body: str) -> None:
    made = f"CREATE TEMP FUNCTION g(x STRING) AS ({body});"
    result = refactored(
        tmp_path, f"{made}\nCREATE TABLE d.r AS SELECT g(p) AS v, g(q) AS w FROM d.t;"
    )
    [kept] = result.verdicts
    assert kept.outcome == "kept"
    assert kept.reason == "it calls g, which ends with its script and cannot be the project's"


def test_a_model_of_another_function_is_not_proved_either(tmp_path: Path) -> None:
    same = [f"{GOOD.format(3)}\n{QUERY}" for _ in range(2)]
    refactored(tmp_path, *same)
    pile = load([Source("a.sql", same[0]), Source("b.sql", f"{GOOD.format(5)}\n{QUERY}")],
                "bigquery")  # fmt: skip
    found = {name: each.verdict for name, each in verdicts(tmp_path, pile).items()}
    assert found["a"] == "proved" and found["b"] != "proved"


@pytest.mark.parametrize(
    "other",
    [
        f"-- what is good\n{GOOD.format('/* three */ 3')}\n{QUERY}",
        f"{GOOD.format(3).replace('CREATE', 'CREATE OR REPLACE')}\n{QUERY}",
        f"{GOOD.format(3).replace('good', 'Good')}\n{QUERY.replace('good', 'GOOD')}",
    ],
)
def test_other_words_for_a_function_are_the_same(tmp_path: Path, other: str) -> None:
    result = refactored(tmp_path, f"{GOOD.format(3)}\n{QUERY}", other)
    found = outcomes(result)
    wanted = "kept" if "Good" in other else "proved"  # a definition is compared word by word
    assert found == {"a": "proved", "b": wanted}


def test_a_function_that_lasts_is_that_of_all(tmp_path: Path) -> None:
    lasting = GOOD.format(3)
    result = refactored(tmp_path, f"{lasting}\n{QUERY}", QUERY)
    assert outcomes(result) == {"a": "proved", "b": "proved"}
    result = refactored(tmp_path, f"{lasting}\n{QUERY}",
                        f"{lasting.replace('3', '5')}\n{QUERY}", QUERY)  # fmt: skip
    assert outcomes(result) == {"a": "proved", "b": "kept", "c": "kept"}


def test_a_function_that_changes_within_a_script(tmp_path: Path) -> None:
    made = [f"CREATE TABLE s.r{n} AS {QUERY};" for n in range(2)]
    text = f"{GOOD.format(3)}\n{made[0]}\n{GOOD.format(5)}\n{made[1]}"
    found = outcomes(refactored(tmp_path, text))
    assert found == {"r0": "proved", "r1": "kept"}


def test_a_function_called_as_one_of_the_engine(tmp_path: Path) -> None:
    """The parser knows LEFT; a script's own one is another function."""
    own = "CREATE MACRO left(a, b) AS a || b || '{0}';\nSELECT LEFT(a, b) AS l FROM t"
    found = outcomes(refactored(tmp_path, own.format("x"), own.format("y"), dialect="duckdb"))
    assert found == {"a": "proved", "b": "kept"}


def test_scripts_of_two_time_zones(tmp_path: Path) -> None:
    query = "SELECT CAST(at AS DATE) AS day, COUNT(*) AS n FROM t GROUP BY 1"
    zones = [f"SET TIME ZONE '{zone}';\n{query}" for zone in ("UTC", "Asia/Tokyo")]
    found = outcomes(refactored(tmp_path, *zones, query, dialect="postgres"))
    assert found == {"a": "kept", "b": "kept", "c": "proved"}
    found = outcomes(refactored(tmp_path, zones[0], zones[0], dialect="postgres"))
    assert found == {"a": "proved", "b": "proved"}
