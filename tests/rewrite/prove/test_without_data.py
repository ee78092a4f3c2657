"""Wrong models are shown by data that is made from the queries alone.

The cases are a file (fixtures/rewrite/hunt/without_data.sql): tables, then old and wrong queries.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unwet.tests.rewrite.prove.test_generated import Bench

FILE = Path(__file__).parents[3] / "fixtures" / "rewrite" / "hunt" / "without_data.sql"
TABLES, *CASES = re.split(r"^-- case: ", FILE.read_text("utf-8"), flags=re.M)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.split("\n", 1)[0])
def test_a_wrong_model_is_shown(case: str, tmp_path: Path) -> None:
    old, wrong = (each.strip() for each in case.split("\n", 1)[1].strip().strip(";").split(";\n"))
    bench = Bench(tmp_path, TABLES, f"create table r.a as {old}", dialect="duckdb")
    next(bench.project.rglob("a.sql")).write_text(wrong, "utf-8")
    (found,) = bench.evidence("a").values()
    assert found.verdict.verdict == "different", found.words
