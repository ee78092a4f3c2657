"""Queries that say the same of other columns are one macro with a list, with the same rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from unwet.lineage.pile import load
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
    assert "columns=['visits', 'people']" in said(project, "visits_totals")
    assert "columns=['people']" in said(project, "people_totals")
    assert "columns=['orders', 'revenue', 'basket', 'largest']" in said(project, "sales_totals")


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
        "WITH u AS (SELECT 1) SELECT SUM(t.a) AS a_sum FROM t",
        "SELECT DISTINCT SUM(t.a) AS a_sum FROM t",
        "SELECT SUM(t.a) AS a_sum FROM t LIMIT 1",
        "SELECT SUM(t.a) AS a_sum FROM t WHERE t.b IN (SELECT 1)",
        "SELECT 1 AS x FROM u WHERE u.x = (SELECT SUM(t.a) AS a_sum FROM t)",
        "SELECT t.a, t.b, t.c FROM t",  # nobody wants to look that up
        "SELECT t.*, SUM(t.a) AS a_sum FROM t",
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
