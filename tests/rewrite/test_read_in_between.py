"""What is read between two changes of a table, through views over it, is no model's to show."""

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor

CHAIN = (
    "CREATE {kind} VIEW v1 AS SELECT a FROM tt; CREATE {kind} VIEW v2 AS SELECT a FROM v1; "
    "{change}; CREATE TABLE rep.r AS SELECT a FROM v2;"
)
TEMP = "CREATE TEMP TABLE tt AS SELECT a FROM raw.t; "
MORE = "INSERT INTO tt SELECT a FROM raw.u"


def reason(sql: str, dialect: str = "duckdb") -> str:
    """Why rep.r is kept; empty where it is proved."""
    schema = "CREATE TABLE raw.t (a INT, b INT); CREATE TABLE raw.u (a INT, b INT);"
    files = [Source("made.sql", schema, dialect), Source("r.sql", sql, dialect)]
    found = {v.name: v for v in refactor(load(files, dialect), Request(target="views")).verdicts}
    return found["r"].reason if found["r"].outcome == "kept" else ""


@pytest.mark.parametrize("kind", ["TEMP", ""])
def test_views_over_views_over_a_temporary_table(kind: str) -> None:
    drop = "" if kind else " DROP VIEW v2; DROP VIEW v1;"
    changed = TEMP + CHAIN.format(kind=kind, change=MORE) + drop
    assert "over tt, made anew since" in reason(changed)
    same = TEMP + CHAIN.format(kind=kind, change="SELECT 1") + drop
    assert reason(same) == ""


def test_a_table_that_is_dropped_and_made_anew_under_a_view() -> None:
    made = "CREATE TABLE stg.tt AS SELECT a FROM raw.{}; "
    view = "CREATE VIEW rep.v AS SELECT a FROM stg.tt; "
    read = "CREATE TABLE rep.r AS SELECT a FROM rep.v; "
    drop = "DROP TABLE stg.tt; "
    between = made.format("t") + view + drop + made.format("u") + read + drop
    assert "over stg.tt, made anew since" in reason(between)
    assert reason(drop + made.format("t") + view + read) == ""


def test_rows_that_are_put_into_a_view() -> None:
    view = "CREATE VIEW rep.r AS SELECT a, b FROM raw.t WHERE a > 0"
    put = "; INSERT INTO rep.r VALUES (-1, 2);"
    assert "rep.r, which is a view" in reason(view + " WITH LOCAL CHECK OPTION" + put, "postgres")
    assert "rep.r, which is a view" in reason(view + put, "postgres")


def test_an_order_by_a_column_called_all() -> None:
    sql = 'CREATE TABLE rep.r AS SELECT a, b AS "all" FROM raw.t ORDER BY "all" LIMIT 1'
    files = [Source("r.sql", sql, "duckdb")]
    texts = refactor(load(files, "duckdb"), Request(target="views")).files
    [model] = [text for path, text in texts.items() if path.endswith("r.sql")]
    assert 'ORDER BY "all" LIMIT 1' in " ".join(model.split())
