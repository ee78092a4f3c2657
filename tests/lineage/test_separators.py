"""What stands between texts where nobody says it."""

from __future__ import annotations

import duckdb
import pytest

from unwet import Source
from unwet.lineage.pile import load
from unwet.rewrite.refactor import Request, refactor

DDL = "CREATE TABLE s.t (a INT, b VARCHAR(9));"


@pytest.mark.parametrize(
    ("dialect", "call", "outcome"),
    [
        ("duckdb", "STRING_AGG(t.b)", "order-dependent"),
        ("duckdb", "STRING_AGG(DISTINCT t.b ORDER BY t.b)", "proved"),
        ("mysql", "GROUP_CONCAT(t.b ORDER BY t.b)", "proved"),
        # Databricks SQL, `listagg`: nothing stands between them, and a comma would be printed
        ("databricks", "LISTAGG(t.b)", "kept"),
    ],
)
def test_it_is_the_one_of_the_dialect(dialect: str, call: str, outcome: str) -> None:
    sql = f"CREATE VIEW s.r AS SELECT t.a, {call} AS names FROM s.t AS t GROUP BY t.a;"
    sources = [Source("ddl.sql", DDL, dialect), Source("r.sql", sql, dialect)]
    [verdict] = refactor(load(sources, dialect), Request(generated=None)).verdicts
    assert verdict.outcome == outcome


def test_duckdb_means_a_comma() -> None:
    with duckdb.connect() as db:
        row = db.execute(
            "SELECT STRING_AGG(b ORDER BY b), LISTAGG(b ORDER BY b), GROUP_CONCAT(b ORDER BY b), "
            "STRING_AGG(b, ',' ORDER BY b) FROM (VALUES ('x'), (NULL), ('y')) AS v (b)"
        ).fetchone()
    assert row == ("x,y",) * 4
