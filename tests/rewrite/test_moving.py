"""Conditions that a shared model says of columns that stand in FROM without a name."""

from __future__ import annotations

from pathlib import Path

import duckdb

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import assert_same_rows

TABLES = (
    "CREATE TABLE tech (client TEXT, url TEXT, category TEXT);"
    "CREATE TABLE pages (url TEXT, weight INT);"
)
QUERY = """CREATE TABLE {0} AS
SELECT client, COUNT(DISTINCT url) AS pages, SUM(w) AS w
FROM (SELECT client, url FROM tech WHERE {1})
JOIN (SELECT url, SUM(weight) AS w FROM pages WHERE weight > 1 GROUP BY url) USING (url)
GROUP BY client"""
ROWS = (
    "INSERT INTO tech VALUES ('a', 'u', 'x'), ('b', 'u', 'x'), ('b', 'v', 'y'), ('a', 'v', NULL);"
    "INSERT INTO pages VALUES ('u', 2), ('u', 1), ('v', 3), (NULL, 4);"
)


def test_the_models_run_and_have_their_rows(tmp_path: Path) -> None:
    scripts = {"one": "category = 'x'", "two": "category = 'y' AND client = 'b'"}
    (tmp_path / "pile").mkdir()
    for name, condition in scripts.items():
        (tmp_path / "pile" / f"{name}.sql").write_text(QUERY.format(name, condition))
    files = [Source(f"{n}.sql", QUERY.format(n, c), "duckdb") for n, c in scripts.items()]
    pile = load([Source("tables.sql", TABLES, "duckdb"), *files])
    found = refactor(pile, Request(out=tmp_path / "out"))
    assert {each.outcome for each in found.verdicts} == {"proved"}
    with duckdb.connect() as base:
        base.execute(TABLES + ROWS)
        assert_same_rows(base, tmp_path / "out", tmp_path / "pile")
