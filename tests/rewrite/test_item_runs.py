"""Queries that say the same of other columns are one macro with a list, with the same rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.item_runs import has_runs, is_run, name_of, put_back, run, say_runs
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.jinja import wrapped
from unwet.tests.rewrite.laid_out import flat
from unwet.tests.rewrite.small_pile import models

CASE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "item_runs"
SCHEMA: dict[str, object] = {
    "sales": {"month": "INTEGER", "region": "TEXT", "amount": "INTEGER"},
    "visits": dict.fromkeys(("month", "minutes"), "INTEGER")
    | dict.fromkeys(("region", "page", "person"), "TEXT"),
}
ROWS = """
    CREATE TABLE sales AS SELECT NULLIF(i % 7, 6) AS month, 'r' || i % 4 AS region,
      NULLIF(i % 11, 4) AS amount FROM range(120) AS t (i);
    CREATE TABLE visits AS SELECT NULLIF(i % 5, 4) AS month, NULLIF(i % 13, 5) AS minutes,
      'r' || i % 3 AS region, 'p' || i % 4 AS page, 'v' || i % 17 AS person
      FROM range(200) AS t (i);
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("item_runs") / "project"
    result = refactor(load(CASE, "duckdb", SCHEMA), Request(out=out))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    return out


def said(project: Path, name: str) -> str:
    return flat((project / "models" / "marts" / f"{name}.sql").read_text())


def test_a_macro_goes_over_the_columns_of_a_call(project: Path) -> None:
    totals = flat((project / "macros" / "totals.sql").read_text())
    loop = "{% for column in columns %} sum(t.{{ column }}) as {{ column }}_total, {% endfor %}"
    assert f"select t.month, {loop} count(*) as row_count" in totals
    assert "totals(['visits', 'people']" in said(project, "visits_totals")
    assert "totals(['people']" in said(project, "people_totals")
    assert "totals(['orders', 'revenue', 'basket', 'largest']" in said(project, "sales_totals")


def test_branches_of_other_columns_are_calls_of_one_macro(project: Path) -> None:
    macro = flat((project / "macros" / "of_region.sql").read_text())
    assert "t.{{ column }}{% if not loop.last %},{% endif %} {% endfor %}" in macro
    for name in ("sales_of_regions", "visits_of_regions"):
        assert said(project, name).count("{{ of_region(") == 1


def test_the_rows_are_what_they_were(project: Path) -> None:
    base = duckdb.connect()
    base.execute(ROWS)
    made = models(project)
    scripts = {script.stem: script.read_text() for script in CASE.glob("*.sql")}
    last = [name for name in scripts if name.endswith(("_totals", "_regions"))]
    for name in (*sorted({*scripts} - {*last}), *last):
        base.execute(scripts[name])
        assert base.sql(f"SELECT COUNT(*) FROM {name}").fetchall() != [(0,)]
        for one, other in ((name, f"({made[name]})"), (f"({made[name]})", name)):
            assert base.sql(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == [], name


def read(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def runs_of(sql: str) -> list[tuple[str, str]]:
    """What is said for the runs of a query: the names, and the item."""
    tree = read(sql)
    say_runs(tree, "duckdb")
    found = [run(node) for node in tree.find_all(exp.Anonymous) if is_run(node)]
    return [(names, item.sql()) for names, item in found]


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ("1 AS x, t.a, t.b, t.c", ["a, b, c"]),
        ("1 AS x, t.a, t.b", []),  # read as easily as a loop
        ("1 AS x, t.a, t.b, u.c", []),
        ("SUM(t.a) AS a_sum, SUM(t.b) AS b_sum, MAX(t.c) AS c_max", ["a, b", "c"]),
        ("SUM(t.a) AS sum_of_a", ["a"]),
        ("SUM(t.a) AS amount", []),  # a name of its own
        ("SUM(t.a) AS abc", []),  # begins so by chance
        ("SUM(t.a + t.b) AS a_sum", []),
        ('SUM(t."a") AS a_sum', []),
        ('SUM(t.a) AS "a_sum"', []),
        ("SUM(a.a) AS a_sum", []),
        ("SUM(t.a__b) AS a__b_sum", []),
        ("SUM(t.a) AS a_of_a", []),
    ],
)
def test_what_is_said_of_one_column_after_the_other(items: str, names: list[str]) -> None:
    assert [each for each, _ in runs_of(f"SELECT {items} FROM t")] == names


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(t.a) AS a_sum FROM t JOIN u ON t.a = u.a",
        "SELECT SUM(t.a) AS a_sum FROM (SELECT 1 AS a) AS t",
        "SELECT 1 AS x FROM t WHERE t.a = ANY (SELECT SUM(u.a) AS a_sum FROM u)",
        "WITH u AS (SELECT 1) SELECT SUM(t.a) AS a_sum FROM t",
        "SELECT DISTINCT SUM(t.a) AS a_sum FROM t",
        "SELECT SUM(t.a) AS a_sum FROM t LIMIT 1",
        "SELECT SUM(t.a) AS a_sum FROM t WHERE t.b IN (SELECT 1)",
        "SELECT 1 AS x FROM u WHERE u.x = (SELECT SUM(t.a) AS a_sum FROM t)",
        "SELECT t.a, t.b, t.c FROM t",  # nobody wants to look that up
        "SELECT t.*, SUM(t.a) AS a_sum FROM t",
        "WITH u AS (SELECT 1 AS a), t AS (SELECT SUM(u.a) AS a_sum FROM u) SELECT a_sum FROM t",
        "SELECT *, SUM(t.a) AS a_sum FROM t GROUP BY 1",
    ],
)
def test_where_nothing_stands_in(sql: str) -> None:
    assert runs_of(sql) == []


def test_what_is_no_parameter_is_put_back() -> None:
    sql = (
        "SELECT t.m, SUM(t.a) AS a_sum, SUM(t.b) AS b_sum, MAX(t.c) AS c_max, COUNT(*) AS n"
        " FROM t GROUP BY t.m"
    )
    tree = read(sql)
    say_runs(tree, "duckdb")
    assert has_runs(tree)
    assert name_of(tree) == "sums"
    put_back(tree)
    assert tree.sql() == sql


def test_what_is_put_back_has_the_parameters_of_the_macro() -> None:
    tree = read("SELECT SUM(t.a * 3) AS a_sum, SUM(t.b * 3) AS b_sum, COUNT(*) AS n FROM t")
    say_runs(tree, "duckdb")
    for number in [each for each in tree.find_all(exp.Literal) if each.name == "3"]:
        number.replace(exp.Var(this="h__times__h"))
    put_back(tree)
    assert tree.sql() == (
        "SELECT SUM(t.a * h__times__h) AS a_sum, SUM(t.b * h__times__h) AS b_sum, COUNT(*) AS n"
        " FROM t"
    )


def test_keys_and_conditions_read_as_in_other_copies() -> None:
    tree = read(
        "SELECT m, SUM(a) AS a_sum, LOWER(k) AS l FROM t"
        " WHERE 1 = 1 AND (m > 1 OR 2 = 2) GROUP BY 1, 3"
    )
    say_runs(tree, "duckdb")
    put_back(tree)
    assert tree.sql() == (
        "SELECT m, SUM(a) AS a_sum, LOWER(k) AS l FROM t WHERE (m > 1 OR 2 = 2) GROUP BY m, 3"
    )


def test_a_number_is_a_constant_where_the_dialect_says_so() -> None:
    tree = read("SELECT m, SUM(a) AS a_sum FROM t GROUP BY 1")
    say_runs(tree, "tsql")
    assert tree.args["group"].sql() == "GROUP BY 1"


def test_a_long_list_of_names_is_broken_between_them() -> None:
    names = ", ".join(f"'column_{n}'" for n in range(9))
    assert max(map(len, wrapped([f"columns=[{names}]", "day='2024-01-01'"]).splitlines())) <= 88
    text = f"columns=[{names}, 'two words']"
    assert wrapped([text]).strip() == text


LATEST = """CREATE TABLE {name} AS WITH newest AS (SELECT {columns}, ROW_NUMBER() OVER (
PARTITION BY s.{key} ORDER BY s.loaded DESC) AS rn FROM {table} AS s)
SELECT {shown} FROM newest AS n WHERE n.rn = 1"""
READINGS: dict[str, object] = {
    "stays": dict.fromkeys(("stay", "person", "ward", "days", "loaded"), "INTEGER"),
    "wards": dict.fromkeys(("ward", "beds", "floor", "head", "house", "loaded"), "INTEGER"),
    "people": dict.fromkeys(("person", "born", "town", "loaded"), "INTEGER"),
}


def test_a_cte_and_a_derived_table_may_have_a_list_of_columns(tmp_path: Path) -> None:
    scripts = []
    for table, (key, *others) in {
        "stays": ("stay", "person", "ward", "days"),
        "wards": ("ward", "beds", "floor", "head", "house"),
        "people": ("person", "born", "town"),
    }.items():
        columns = ", ".join(f"s.{name}" for name in (key, *others))
        shown = ", ".join(f"n.{name}" for name in others)
        text = LATEST.format(
            name=f"new_{table}", columns=columns, key=key, table=table, shown=shown
        )
        scripts.append(Source(f"new_{table}.sql", text, "duckdb"))
    result = refactor(load(scripts, "duckdb", READINGS), Request(out=tmp_path / "p"))  # type: ignore[arg-type]
    assert {report.outcome for report in result.verdicts} == {"proved"}
    macro = flat(result.files["macros/with_rn.sql"])
    loop = "{% for column_2 in columns %} s.{{ column_2 }}, {% endfor %}"
    assert f"{loop} row_number() over (partition by s.{{{{ column }}}}" in macro
    for name in ("stays", "wards", "people"):
        assert "with_rn(" in result.files[f"models/marts/new_{name}.sql"]


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT 'DE' AS scope, t.a, t.b, t.c FROM t", "of_scope"),
        ("SELECT t.a, t.b, t.c, COUNT(*) OVER () AS n FROM t", "with_n"),
        ("SELECT t.a, t.b, t.c, COUNT(*) OVER () AS n, 1 + 1 AS m FROM t", ""),
        ("SELECT t.a, t.b, t.c, COUNT(*) OVER () FROM t", ""),
        ("SELECT t.k, SUM(t.a) AS sum_of_a FROM t", "sum_ofs"),
        ("SELECT t.k, 1 AS n FROM t", ""),
    ],
)
def test_a_macro_is_called_after_what_it_makes(sql: str, name: str) -> None:
    tree = read(sql)
    say_runs(tree, "duckdb")
    assert name_of(tree) == name
