"""Databricks: wrong models are refused, right ones in other words are not called different.

The cases are files (fixtures/rewrite/databricks): tables, then pairs of queries. The sources are
the functions of Databricks' manual ("Built-in functions").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import verify
from unwet.rewrite.prove.generated import Budget

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "databricks"
PROJECT = """
name: p
version: "1.0"
config-version: 2
profile: p
model-paths: [models]
models: {p: {+materialized: table}}
"""
# DuckDB rounds where Databricks cuts off: what is right there differs here
ROUNDED = {"div"}


def verdicts(file: str, root: Path) -> Mapping[str, str]:
    """By the case: what is said of its second query, as a model of the first."""
    tables, *cases = re.split(r"^-- case: ", (FOLDER / file).read_text("utf-8"), flags=re.M)
    sources, names = [Source("tables.sql", tables, "databricks")], {}
    (root / "models").mkdir()
    (root / "dbt_project.yml").write_text(PROJECT, "utf-8")
    for number, case in enumerate(cases):
        title, text = case.split("\n", 1)
        old, new = text.strip().strip(";").split(";\n")
        name = f"case_{number}"
        names[name] = title
        sources.append(Source(f"{name}.sql", f"create table r.{name} as {old}", "databricks"))
        (root / "models" / f"{name}.sql").write_text(new, "utf-8")
    asked = verify.Request(root, generated=Budget(all=3600.0))
    reports = verify.verify(load(sources, "databricks"), asked).reports
    return {names[each.name]: each.verdict for each in reports if each.name in names}


def test_wrong_models_are_neither_proved_nor_tested(tmp_path: Path) -> None:
    found = verdicts("wrong.sql", tmp_path)
    assert len(found) > 80
    assert {name for name, said in found.items() if said in ("proved", "tested")} == set()
    assert sum(said == "failed" for said in found.values()) >= 67


def test_right_models_are_not_called_different(tmp_path: Path) -> None:
    found = verdicts("right.sql", tmp_path)
    assert {name for name, said in found.items() if said == "failed"} == ROUNDED
    assert sum(said in ("proved", "tested") for said in found.values()) >= 20
