"""UPDATE and DELETE become queries: the script and the models are executed, and return the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot

from unwet.lineage.parse import parse
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.edits import edited
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.tests.rewrite.small_pile import models

SCHEMA: dict[str, object] = {"src": {"k": "INTEGER", "v": "INTEGER", "s": "TEXT"}}
ROWS = "CREATE TABLE src AS SELECT i AS k, CASE WHEN i % 4 > 0 THEN i % 7 END AS v, "
ROWS += "CASE WHEN i % 3 > 0 THEN 's' || i % 5 END AS s FROM range(40) AS r (i)"
MAKE = "CREATE TABLE t (k INTEGER, v INTEGER, s TEXT); INSERT INTO t SELECT k, v, s FROM src; "
SCRIPTS = {
    "delete": "DELETE FROM t WHERE v > 3",
    "delete_unknown": "DELETE FROM t AS x WHERE x.v <> 2 OR x.s = 's1'",
    "delete_by_query": "DELETE FROM t WHERE k IN (SELECT k FROM src WHERE v = 1)",
    "delete_correlated": "DELETE FROM t WHERE EXISTS (SELECT 1 FROM src AS r WHERE r.k = t.v)",
    "update_all": "UPDATE t SET v = v + 1",
    "update": "UPDATE t SET v = 0, s = 'none' WHERE s IS NULL",
    "update_swaps": "UPDATE t SET k = v, v = k WHERE v > 2",
    "update_null": "UPDATE t SET s = NULL WHERE NOT v > 2",
    "update_casts": "UPDATE t SET v = k / 2.0 WHERE k > 5",
    "one_after_the_other": "UPDATE t SET v = 9 WHERE v IS NULL; DELETE FROM t WHERE v > 8; "
    "UPDATE t SET s = s || '!' WHERE k < 9; INSERT INTO t VALUES (99, 1, 'x'); "
    "DELETE FROM t WHERE k = 0",
    "read_before_and_after": "CREATE TABLE u AS SELECT 1 AS one; UPDATE t SET v = 5 WHERE k = 3",
    "delete_using": "DELETE FROM t USING src AS r WHERE r.k = t.v AND r.v > 2",
    "delete_using_two": "DELETE FROM t USING src AS r, src AS q WHERE r.k = t.v AND q.k = r.v",
    "update_from": "UPDATE t SET v = r.v, s = NULL FROM src AS r WHERE r.k = t.k + 3 AND t.v > 1",
    "merge": "MERGE INTO t USING (SELECT k + 20 AS k, v, s FROM src) AS r ON r.k = t.k "
    "WHEN MATCHED AND r.v > 3 THEN UPDATE SET v = r.v "
    "WHEN MATCHED AND t.s IS NULL THEN DELETE WHEN MATCHED AND t.v < 3 THEN UPDATE SET s = 'low' "
    "WHEN NOT MATCHED AND r.v IS NOT NULL THEN INSERT (v, k, s) VALUES (r.v / 2.0, r.k, r.s)",
    "merge_inserts": "MERGE INTO t USING (SELECT k % 50 + 30 AS k, v FROM src) AS r ON t.k = r.k "
    "WHEN NOT MATCHED THEN INSERT VALUES (r.k, r.v, 'new')",
    "merge_deletes": "MERGE INTO t AS x USING src AS r ON x.k = r.v WHEN MATCHED AND r.k < 7 "
    "THEN DELETE",
    "rows_of_constants": "INSERT INTO t VALUES (1, NULL, 'x'), (2, 3, NULL), (3, 4, 'y')",
    "temporary": "CREATE TEMP TABLE m (k INTEGER, v INTEGER); INSERT INTO m SELECT k, v FROM t; "
    "DELETE FROM m WHERE v IS NULL; CREATE TABLE u AS SELECT k, SUM(v) AS v FROM m GROUP BY k",
}
KEPT = {
    "UPDATE t SET v = r.v FROM src AS r, src AS q WHERE r.k = t.k": "from of several relations",
    "UPDATE t SET v = src.v FROM src": "UPDATE with from is not followed",
    "DELETE FROM t USING src AS r WHERE r.k = s": "names without their table is not followed",
    "DELETE FROM t USING t AS r WHERE r.k = t.v": "that reads the table it changes",
    "DELETE FROM t WHERE k = (SELECT MAX(k) FROM t)": "that reads the table it changes",
    "UPDATE t SET v = DEFAULT": "UPDATE of v to its default is not followed",
    "UPDATE t SET w = 1": "UPDATE of w, which the table is not known to have once",
    "MERGE INTO t USING src ON t.k = src.k WHEN NOT MATCHED BY SOURCE THEN DELETE": "by source",
    "MERGE INTO t USING src ON t.k = src.k WHEN NOT MATCHED THEN INSERT (k) VALUES (1)": "some of",
    "MERGE INTO t USING src ON t.k = src.k WHEN NOT MATCHED THEN INSERT (k, v, s) "
    "VALUES (1, DEFAULT, DEFAULT)": "inserts a DEFAULT",
    "INSERT INTO t VALUES (1, DEFAULT, 'a')": "VALUES with a DEFAULT",
    "MERGE INTO t USING src ON t.k = src.k WHEN MATCHED THEN UPDATE SET *": "several columns",
    "MERGE INTO t USING src ON t.k = src.k WHEN MATCHED THEN DO NOTHING": "another action",
}


def made(script: str, out: Path | None = None) -> Result:
    return refactor(load([Source("r.sql", script)], "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_rows_are_what_the_script_leaves(name: str, tmp_path: Path) -> None:
    result = made(MAKE + SCRIPTS[name], tmp_path / "project")
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    base = duckdb.connect()
    base.execute(ROWS)
    for statement in (MAKE + SCRIPTS[name]).split(";"):
        base.execute(statement)
    for model, sql in models(tmp_path / "project").items():
        old = base.execute(f"SELECT * FROM {model}").fetchall()
        assert sorted(base.execute(sql).fetchall(), key=str) == sorted(old, key=str)
        assert old, "a table without rows shows nothing"


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM rep.t WHERE rep.t.v > 3",
        "DELETE FROM rep.t USING src AS r WHERE r.k = rep.t.v AND r.v > 2",
        "UPDATE rep.t SET v = rep.t.v + r.v FROM src AS r WHERE r.k = rep.t.k AND t.v > 1",
        "DELETE FROM rep.t WHERE NOT EXISTS (SELECT 1 FROM src WHERE src.v = rep.t.k)",
        "MERGE INTO rep.t USING src ON rep.t.k = src.v WHEN MATCHED AND src.k < 7 THEN DELETE",
    ],
)
def test_columns_are_told_with_the_schema_of_their_table(change: str, tmp_path: Path) -> None:
    script = f"{MAKE}{change}".replace("TABLE t", "TABLE rep.t").replace("INTO t", "INTO rep.t")
    [verdict] = made(script, tmp_path / "project").verdicts
    assert (verdict.outcome, verdict.reason) == ("proved", "")
    base = duckdb.connect()
    for statement in ("CREATE SCHEMA rep", ROWS, *script.split(";")):
        base.execute(statement)
    old = base.execute("SELECT * FROM rep.t").fetchall()
    [sql] = models(tmp_path / "project").values()
    assert sorted(base.execute(sql).fetchall(), key=str) == sorted(old, key=str)
    assert 0 < len(old) < 40 or "UPDATE" in change


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM rep.t WHERE EXISTS (SELECT 1 FROM a.t WHERE a.t.k = rep.t.v)",
        "DELETE FROM rep.t WHERE k IN (SELECT rep.t.v FROM src AS rep)",
        "DELETE FROM rep.t WHERE k IN (SELECT other.t.v FROM src AS r)",
    ],
)
def test_where_something_else_is_called_so_it_may_be_a_column_of_that(change: str) -> None:
    [statement] = parse(verbatim(Source("r.sql", change)), "duckdb").statements
    found = edited(statement, ("k", "v"), ("INTEGER", "INTEGER"), "before")
    assert isinstance(found, sqlglot.exp.Select)
    old, new = ([column.sql() for column in tree.find_all(sqlglot.exp.Column)
                 if column.args.get("db")] for tree in (statement.tree, found))  # fmt: skip
    assert old and new == old


@pytest.mark.parametrize("script", KEPT)
def test_what_cannot_be_composed_is_kept_with_its_reason(script: str) -> None:
    [verdict] = made(MAKE + script).verdicts
    assert (verdict.outcome, KEPT[script] in verdict.reason) == ("kept", True)


def test_many_rows_of_constants_are_no_query() -> None:
    rows = ", ".join(f"({n}, {n}, 'x')" for n in range(101))
    [verdict] = made(f"{MAKE} INSERT INTO t VALUES {rows}").verdicts
    assert (verdict.outcome, "are data, not a query" in verdict.reason) == ("kept", True)


def test_a_type_that_nobody_declares_is_a_reason() -> None:
    table = "CREATE TABLE t AS SELECT k, v || '' AS v FROM src"
    [verdict] = made(f"{table}; UPDATE t SET v = 'x'").verdicts
    assert "UPDATE casts to the type of v, which is not known" in verdict.reason
    [verdict] = made(f"{table}; UPDATE t SET v = NULL WHERE k > 1").verdicts
    assert verdict.outcome == "proved"  # the rows that stay say which type it has
    [verdict] = made(f"{table}; UPDATE t SET v = NULL").verdicts
    assert "UPDATE casts to the type of v, which is not known" in verdict.reason


def test_another_script_that_changes_a_table_runs_after_the_one_that_makes_it() -> None:
    change = Source("b.sql", "DELETE FROM t WHERE v > 3")
    result = refactor(load([Source("a.sql", MAKE), change], "duckdb", SCHEMA), Request())  # type: ignore[arg-type]
    assert [verdict.outcome for verdict in result.verdicts] == ["proved"]
    assert result.assumptions == ("b.sql changes t before anything else reads it",)


def test_where_the_table_may_be_there_already_it_may_run_before() -> None:
    sources = [Source("a.sql", MAKE.replace("TABLE", "TABLE IF NOT EXISTS")),
               Source("b.sql", "DELETE FROM t WHERE v > 3")]  # fmt: skip
    result = refactor(load(sources, "duckdb", SCHEMA), Request())  # type: ignore[arg-type]
    assert [verdict.outcome for verdict in result.verdicts] == ["kept"]


def test_all_lines_are_told_that_a_model_replaces(tmp_path: Path) -> None:
    made(MAKE.replace("; ", ";\n") + "DELETE FROM t\nWHERE v > 3", tmp_path / "project")
    told = (tmp_path / "project" / "models" / "marts" / "_models.yml").read_text()
    assert "- r.sql:2-4\n" in told


def test_lines_of_other_relations_between_them_are_not(tmp_path: Path) -> None:
    between = "CREATE TABLE o AS SELECT 1 AS one;\n"
    scripts = MAKE.replace("; ", ";\n") + between + "DELETE FROM t\nWHERE v > 3"
    made(scripts, tmp_path / "project")
    told = (tmp_path / "project" / "models" / "marts" / "_models.yml").read_text()
    assert "- r.sql:2\n      - r.sql:4-5\n" in told and "- r.sql:3\n" in told


def test_in_mysql_what_is_set_is_read_anew() -> None:
    for sets, fits in (("a = 1, b = 2", True), ("a = b, b = a", False)):
        source = Source("r.sql", f"UPDATE t SET {sets}", "mysql")
        [statement] = parse(verbatim(source), "mysql").statements
        found = edited(statement, ("a", "b"), ("INT", "INT"), "t_before")
        assert isinstance(found, sqlglot.exp.Select) == fits


def test_where_a_truth_value_is_no_value() -> None:
    source = Source("r.sql", "DELETE FROM t WHERE a > 1", "tsql")
    [statement] = parse(verbatim(source), "tsql").statements
    found = edited(statement, ("a",), ("INT",), "t_before")
    assert isinstance(found, sqlglot.exp.Select)
    assert "WHERE CASE WHEN a > 1 THEN 1 ELSE 0 END = 0" in found.sql("tsql")


@pytest.mark.parametrize(
    "change", ["DELETE FROM x WHERE v > 1", "INSERT INTO x SELECT k, v FROM src"]
)
def test_a_view_over_a_temporary_table_shows_what_that_holds_later(change: str) -> None:
    first = "CREATE TEMP TABLE x AS SELECT k, v FROM src; CREATE VIEW w AS SELECT k FROM x; "
    assert {v.outcome for v in made(first).verdicts} == {"proved"}
    [verdict] = made(first + change).verdicts
    assert (verdict.outcome, "a view over x, which is" in verdict.reason) == ("kept", True)


@pytest.mark.parametrize("again", ["", "; INSERT INTO x SELECT k, v FROM src"])
def test_a_temporary_table_without_types_that_is_emptied(again: str) -> None:
    """What is empty in a query has types: without known ones its readers are kept."""
    first = "CREATE TEMP TABLE x AS SELECT k + 1 AS k, v FROM src; "
    last = "; CREATE VIEW w AS SELECT k FROM x"
    [verdict] = made(f"{first}TRUNCATE x{again}{last}").verdicts
    why = "" if again else "x is empty, and the types of its columns are not known"
    assert (verdict.outcome, verdict.reason) == ("kept" if why else "proved", why)
