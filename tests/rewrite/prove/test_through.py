"""A model that says a table's query where the old script reads the table, from another dialect."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.verify import Request as Verify
from unwet.rewrite.verify import verify


@pytest.mark.parametrize(
    ("dialect", "behind", "old", "new", "is_proved"),
    [
        # the column is a fraction, and so is what it is divided by
        ("postgres", "n / 100.0", "SUM(f) / COUNT(*)", "SUM(f) / COUNT(*)", True),
        ("postgres", "n / 100.0", "SUM(f) / COUNT(*)", "SUM(f) // COUNT(*)", True),
        ("postgres", "a", "MIN(f) / 2", "MIN(f) // 2", True),
        ("postgres", "a", "MIN(f) / 2", "MIN(f) / 2", False),
        # DIV cuts off what // of decimals does not
        ("mysql", "n", "MIN(f) DIV 2", "MIN(f) // 2", False),
        ("mysql", "n", "MIN(f) DIV 2", "MIN(f) / 2", False),
    ],
)
def test_a_quotient_has_the_types_of_the_query_behind_its_table(
    tmp_path: Path, dialect: str, behind: str, old: str, new: str, is_proved: bool
) -> None:
    scripts = (
        "CREATE TABLE s.t (k INT, a INT, n DECIMAL(10, 2));\n"
        f"CREATE TABLE r.base AS SELECT k, {behind} AS f FROM s.t;\n"
        f"CREATE TABLE r.report AS SELECT k, {old} AS x FROM r.base GROUP BY k;\n"
    )
    pile = load([Source("a.sql", scripts, dialect)], dialect)
    out = tmp_path / "project"
    refactor(pile, Request(out=out, target="views", to_dialect="duckdb"))
    base = next(out.glob("views/**/base.sql")).read_text()
    query = base[base.index("SELECT") :].rstrip().rstrip(";")
    for file in [*out.glob("views/**/report.sql"), *out.glob("legacy/**/report.sql")]:
        file.unlink()
    view = f"CREATE OR REPLACE VIEW r.report AS SELECT k, {new} AS x FROM ({query}) AS b GROUP BY k"
    (next(out.glob("views/**/base.sql")).parent / "report.sql").write_text(f"{view};\n")
    [told] = [each for each in verify(pile, Verify(out)).reports if each.name == "report"]
    assert (told.verdict == "proved") is is_proved, told


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("SELECT ctid AS c, n FROM r", "kept"),
        ("SELECT n FROM r", "proved"),
        ("SELECT xmin AS c, n FROM o", "proved"),  # its own name for a column
    ],
)
def test_a_project_that_asks_a_model_where_rows_are_is_not_proved(
    tmp_path: Path, query: str, verdict: str
) -> None:
    """Somebody wrote the model that refactor does not write: a view has no ctid."""
    first = "CREATE TABLE r AS SELECT a, n FROM t; CREATE TABLE o AS SELECT a AS xmin, n FROM t;"
    out = tmp_path / "project"
    plain = load([Source("a.sql", f"{first} CREATE TABLE k AS SELECT n FROM r", "postgres")])
    refactor(plain, Request(out=out))
    (out / "models" / "marts" / "k.sql").write_text(
        query.replace("FROM r", "FROM {{ ref('r') }}").replace("FROM o", "FROM {{ ref('o') }}")
    )
    pile = load([Source("a.sql", f"{first} CREATE TABLE k AS {query}", "postgres")])
    [told] = [each for each in verify(pile, Verify(out)).reports if each.name == "k"]
    assert told.verdict == verdict
    assert (verdict == "proved") or "ctid is of a table, and r is a model" in told.reason


def test_a_project_that_reads_an_earlier_state_of_a_model_is_not_proved(tmp_path: Path) -> None:
    first, out = "CREATE TABLE r AS SELECT n FROM t;", tmp_path / "project"
    query = "SELECT n FROM r VERSION AS OF 1"
    plain = load([Source("a.sql", f"{first} CREATE TABLE k AS SELECT n FROM r", "databricks")])
    refactor(plain, Request(out=out))
    (out / "models" / "marts" / "k.sql").write_text(query.replace(" r ", " {{ ref('r') }} "))
    pile = load([Source("a.sql", f"{first} CREATE TABLE k AS {query}", "databricks")])
    [told] = [each for each in verify(pile, Verify(out)).reports if each.name == "k"]
    assert (told.verdict, "an earlier state is of a table" in told.reason) == ("kept", True)
