"""No file that is written has a name that only unwet knows."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import small_pile

INNER = re.compile(r"@\w+_sql\b|\b(p|ref|src|h|list|call|loop|tail)__\w+?__\1\b", re.IGNORECASE)
TURNS = {
    "v1/a.sql": "DROP TABLE $db.out; CREATE TABLE $db.out AS SELECT * FROM $db.raw WHERE k = 1;",
    "v2/a.sql": "DROP TABLE $db.out; CREATE TABLE $db.out AS SELECT * FROM $db.raw WHERE k = 2;",
    "v1/b.sql": "CREATE TABLE $db.b AS SELECT a FROM $db.out",
    "v2/b.sql": "CREATE TABLE $db.c AS SELECT a FROM $db.out",
    "v2/c.sql": "DELETE FROM $db.raw WHERE a = 3",
}


def inner(files: Mapping[str, str]) -> list[str]:
    return [f"{path}: {hit[0]}" for path, text in files.items() for hit in INNER.finditer(text)]


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_relations_that_scripts_write_in_turn_are_called_as_there(target: str) -> None:
    said = "db" if target == "sqlmesh" else "$db"
    pile = load([Source(path, text.replace("$db", said)) for path, text in TURNS.items()],
                "databricks")  # fmt: skip
    result = refactor(pile, Request(target=target))
    assert len(result.verdicts) >= 4
    assert inner(result.files) == []
    assert "(of v1/a.sql)" in result.files["MIGRATION.md"] or target != "dbt"


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_the_small_pile(target: str) -> None:
    assert inner(refactor(small_pile(), Request(target=target)).files) == []


def test_a_report_has_its_name_again_wherever_the_pile_lies() -> None:
    names = []
    for root in ("/one/pile/", "/elsewhere/on/disk/pile/"):
        pile = load([Source(root + path, text) for path, text in TURNS.items()], "databricks")
        record = refactor(pile, Request()).files[".unwet/project.json"]
        names.append(record[record.index('"names"') :])
    assert names[0] == names[1] and "pile/v1/a.sql#$db.out" in names[0]
