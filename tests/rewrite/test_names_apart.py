"""Tables whose names differ in capitals, or have a dot in them, are not taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_world import plan_of

QUERY = "SELECT country, COUNT(*) AS n, SUM(paid) AS paid FROM {} WHERE paid > 0 GROUP BY country"


def told(out: Path, dialect: str, **scripts: str) -> dict[str, str]:
    sources = [Source(f"{name}.sql", text) for name, text in scripts.items()]
    found = refactor(load(sources, dialect), Request(out=out, generated=None, force=True))
    return {each.name: f"{each.outcome}: {each.reason}" for each in found.verdicts}


def test_two_tables_of_bigquery_differ_in_capitals(tmp_path: Path) -> None:
    found = told(tmp_path, "bigquery", a=QUERY.format("d.users"), b=QUERY.format("d.Users"),
                 c=QUERY.format("d.users"), e=QUERY.format("`p.d.users`"))  # fmt: skip
    assert found == {
        "a": "proved: ",
        "b": "kept: it says d.Users, which is another table than d.users",
        "c": "proved: ",
        "e": "proved: ",
    }


def test_two_datasets_differ_in_capitals(tmp_path: Path) -> None:
    found = told(tmp_path, "bigquery", a=QUERY.format("d.users"), b=QUERY.format("D.users"),
                 c=QUERY.format("d.users"))  # fmt: skip
    assert found["b"] == "kept: it says D.users, which is another table than d.users"


def test_the_table_that_the_pile_makes_is_the_usual_one(tmp_path: Path) -> None:
    made = "CREATE TABLE d.Users AS SELECT country, paid FROM d.raw"
    found = told(tmp_path, "bigquery", made=made, a=QUERY.format("d.users"),
                 b=QUERY.format("d.users"), c=QUERY.format("d.Users"))  # fmt: skip
    said = "kept: it says d.users, which is another table than d.Users"
    assert found == {"users": "proved: ", "a": said, "b": said, "c": "proved: "}


def test_two_tables_that_are_made_are_nobodys(tmp_path: Path) -> None:
    made = "CREATE TABLE d.{0} AS SELECT country, {1} AS paid FROM d.raw"
    found = told(tmp_path, "bigquery", one=made.format("Users", "paid"),
                 two=made.format("users", "2 * paid"), a=QUERY.format("d.users"))  # fmt: skip
    assert not [name for name, each in found.items() if each.startswith("proved")]


def test_one_name_in_capitals_alone_is_one_table(tmp_path: Path) -> None:
    found = told(tmp_path, "postgres", a=QUERY.format('d."Users"'), b=QUERY.format('"d"."Users"'))
    assert {*found.values()} == {"proved: "}


def test_a_table_that_the_pile_makes_has_a_name_of_its_own(tmp_path: Path) -> None:
    made = 'CREATE TABLE d."Users" AS SELECT country, paid FROM d.raw'
    found = told(tmp_path, "postgres", made=made, a=QUERY.format("d.users"),
                 b=QUERY.format('d."Users"'))  # fmt: skip
    assert {*found.values()} == {"proved: "}
    a, b = (next(tmp_path.rglob(f"models/**/{name}.sql")).read_text() for name in "ab")
    assert "source('d', 'users')" in a and "ref('users')" in b


IN_CAPITALS = ('d."users"', 'd."USERS"', "D.users, which is another table than D.USERS")
IN_SMALL_ONES = ('d."Users"', 'd."users"', "d.Users, which is another table than d.users")


@pytest.mark.parametrize(
    ("dialect", "other", "same", "apart"),
    [
        *((dialect, *IN_CAPITALS) for dialect in ("snowflake", "oracle")),
        *((dialect, *IN_SMALL_ONES) for dialect in ("postgres", "materialize", "risingwave")),
    ],
)
def test_a_name_in_quotes_may_be_another_one(
    dialect: str, other: str, same: str, apart: str, tmp_path: Path
) -> None:
    """Without quotes it is one in the letters that the engine folds to."""
    found = told(tmp_path, dialect, a=QUERY.format("d.users"), b=QUERY.format(other),
                 c=QUERY.format(same), e=QUERY.format("D.Users"))  # fmt: skip
    assert found == {
        "a": "proved: ",
        "b": f"kept: it says {apart}",
        "c": "proved: ",
        "e": "proved: ",
    }


@pytest.mark.parametrize(
    ("sql", "outcome"),
    [
        # CTEs and columns are called in any case, and temporary tables by their own script
        ("WITH Base AS (SELECT country, paid FROM d.users) " + QUERY.format("base"), "proved"),
        ("CREATE TEMP TABLE Base AS SELECT country, paid FROM d.users; "
         "CREATE TABLE d.r AS " + QUERY.format("Base"), "proved"),
        ("SELECT Country, COUNT(*) AS n FROM d.users GROUP BY country", "proved"),
        ("SELECT table_name FROM d.information_schema.tables", "proved"),
    ],
)  # fmt: skip
def test_what_has_no_case(sql: str, outcome: str, tmp_path: Path) -> None:
    temp = "CREATE TEMP TABLE base AS SELECT 1 AS x FROM d.users; "
    other = temp + "CREATE TABLE d.s AS SELECT x FROM base"
    more = "SELECT table_schema FROM d.INFORMATION_SCHEMA.TABLES"
    found = told(tmp_path, "bigquery", a=sql, other=other, more=more)
    assert [each.partition(":")[0] for each in found.values()] == [outcome] * 3


@pytest.mark.parametrize("dialect", ["tsql", "snowflake", "postgres", "duckdb", "databricks"])
def test_elsewhere_case_is_noise(dialect: str, tmp_path: Path) -> None:
    found = told(tmp_path, dialect, a=QUERY.format("d.users"), b=QUERY.format("d.Users"))
    assert found == {"a": "proved: ", "b": "proved: "}


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "databricks", "tsql"])
def test_a_dot_in_a_name_is_no_end_of_a_schema(dialect: str, tmp_path: Path) -> None:
    name = {"databricks": "`a.b`", "tsql": "[a.b]"}.get(dialect, '"a.b"')
    made = f"CREATE TABLE out.{name} AS SELECT country, paid FROM raw.t"
    if dialect == "tsql":
        made = f"SELECT country, paid INTO out.{name} FROM raw.t"
    found = told(tmp_path, dialect, made=made, read=QUERY.format("out.a.b"))
    reason = 'it writes "a.b", in which a dot is no end of a schema'
    [other] = [each for name, each in found.items() if name != "read"]
    assert other == f"kept: {reason}"
    text = (next((tmp_path / "models").rglob("read.sql"))).read_text()
    assert "ref(" not in text


HYPHENS = {
    "bigquery": "SELECT x FROM `my-p.mart.c` WHERE x > 1",
    "postgres": 'SELECT "c-d".x FROM "c-d" JOIN "my-p".k ON k.x = "c-d".x WHERE k.x > 1',
}


@pytest.mark.parametrize("dialect", HYPHENS)
@pytest.mark.parametrize("target", ["dbt", "views"])
@pytest.mark.parametrize("to_dialect", ["snowflake", "oracle"])
def test_a_name_that_needs_quotes_is_the_same_table_elsewhere(
    dialect: str, target: str, to_dialect: str, tmp_path: Path
) -> None:
    pile = load([Source("a.sql", HYPHENS[dialect])], dialect)
    asked = Request(target=target, to_dialect=to_dialect, out=tmp_path, generated=None)
    [verdict] = refactor(pile, asked).verdicts
    assert (verdict.outcome, verdict.reason) == ("proved", "")


def test_dbt_quotes_a_database_that_needs_it() -> None:
    pile = load([Source("a.sql", HYPHENS["bigquery"])], "bigquery")
    files = refactor(pile, Request(to_dialect="snowflake", generated=None)).files
    assert "quoting:\n    database: true\n" in files["models/sources.yml"]


@pytest.mark.parametrize(("one", "other"), [
    ('"a-b"', '"A-B"'), ('"a-b".t', '"A-B".t'), ('"a-b".s.t', '"A-B".s.t'), ('"Users"', "users"),
])  # fmt: skip
def test_quoted_names_that_differ_in_capitals_are_two(one: str, other: str, tmp_path: Path) -> None:
    found = told(tmp_path, "snowflake", a=QUERY.format(one), b=QUERY.format(other))
    assert "which is another table than" in found["b"]
    plans = [plan_of(f"SELECT x FROM {name}", "snowflake").rel for name in (one, other)]
    assert plans[0] != plans[1]
