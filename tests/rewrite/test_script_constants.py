"""Variables of scripts that have one value.

Cases are in fixtures/rewrite/script_constants.sql: what the model of r says, or why there is none.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from unwet.rewrite.compose import NotComposable, compose
from unwet.rewrite.plan_sql import to_sql
from unwet.rewrite.script_constants import with_constants
from unwet.tests.rewrite.small_world import Worlds
from unwet.tests.rewrite.test_script import Case, pile_of, read_case, state_of

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "script_constants.sql"
CASES = [
    pytest.param(case, id=case.title)
    for text in re.split(r"(?m)^(?=-- # )", FILE.read_text(encoding="utf-8"))[1:]
    for case in [read_case(text)]
]


def made_of(case: Case) -> tuple[str, frozenset[str]]:
    state = state_of({n: t for n, t in case.files.items() if t.strip()}, case.dialect)
    [report] = [each for each in state.reports if each.relation == "r"]
    try:
        tree = compose(report, {}).tree
    except NotComposable as error:
        return f"kept: {error}", frozenset()
    return tree.sql(case.dialect), report.definition.assumed


@pytest.mark.parametrize("case", CASES)
def test_what_the_model_says(case: Case) -> None:
    said, assumed = made_of(case)
    [expected] = case.expected
    if expected.startswith("kept: "):
        assert said.startswith("kept: ") and expected.removeprefix("kept: ") in said
    else:
        assert said == expected
    lines = "".join(case.files.values()).splitlines()
    assert assumed == {line[12:] for line in lines if line.startswith("-- assumed: ")}


def test_what_reads_none_is_the_same_object() -> None:
    pile = pile_of({"a": "SELECT a INTO r FROM t;"}, "tsql")
    assert with_constants(pile.scripts, pile.resolved, pile.catalog) == (pile.resolved, {})


QUERIES = (
    "SELECT a, @k AS k INTO r FROM t WHERE b < @k OR c = @s",
    "SELECT CASE WHEN a = @k THEN @s ELSE c END AS c, a - @k AS n INTO r FROM t",
    "SELECT t.a INTO r FROM t LEFT JOIN u ON u.k = t.a AND u.k > @k WHERE t.b IN (@k, 2)",
    "SELECT c, SUM(a * @k) AS n INTO r FROM t GROUP BY c HAVING COUNT(*) > @k",
    "SELECT a, b INTO #x FROM t WHERE b > @k; SELECT a INTO r FROM #x WHERE a <> @k",
)


@pytest.mark.parametrize("query", QUERIES)
def test_a_variable_is_its_value_on_any_data(query: str) -> None:
    """A variable is the column of a table that has one row."""
    draw = random.Random(query)
    for _ in range(2):
        k, s = draw.choice([-2, 0, 1, 2, 3]), draw.choice(["'x'", "''", "'a''b'"])
        head = f"DECLARE @k INT = {k}; DECLARE @s VARCHAR(9) = {s};"
        state = state_of({"a": f"{head} {query}"}, "tsql")
        [report] = [each for each in state.reports if each.relation == "r"]
        assert report.definition.plan is not None
        worlds = Worlds()
        worlds.engine.execute("USE memory.w1")
        worlds.engine.execute(f"CREATE TABLE one AS SELECT CAST({k} AS INT) k, {s} s")
        for each in query.split(";"):
            old = re.sub(r"@(\w)", r"(SELECT one.\1 FROM one)", each).replace("#", "temp_")
            made = re.sub(r"^\s*(.*?) INTO (\w+) (.*)$", r"CREATE TABLE \2 AS \1 \3", old)
            worlds.engine.execute(made)
        plan = to_sql(report.definition.plan)
        assert worlds.difference_in(1, "SELECT * FROM r", plan) == ""
