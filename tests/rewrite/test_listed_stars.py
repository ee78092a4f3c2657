"""Stars over declared tables are lists of their columns: read back, proved, and run on data."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import pytest
import sqlglot

from unwet import Source, refactor
from unwet.lineage.pile import load
from unwet.lineage.tables import Column, Table
from unwet.rewrite.decisions.file import read_decisions
from unwet.rewrite.listed_columns import names_listed
from unwet.rewrite.refactor import Request, Result
from unwet.rewrite.refactor import refactor as run

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "listed_stars"
SCHEMA = (FOLDER / "schema.sql").read_text(encoding="utf-8")
CASE = re.compile(r"^-- (.+)\n(.+);\n(.+);$", re.MULTILINE)
CASES = CASE.findall((FOLDER / "cases.sql").read_text(encoding="utf-8"))
UNDECLARED = "CREATE TABLE shop.visits (id INTEGER, day DATE);"
WIDE = ", ".join(f"c{number} INT" for number in range(30))


def views(*texts: str, schema: str = SCHEMA, dialect: str = "duckdb", to: str = "") -> Result:
    """The pile as views; the reports are called r0, r1, .."""
    sources = [Source(f"r{n}.sql", f"CREATE TABLE out.r{n} AS {text};", dialect)
               for n, text in enumerate(texts)]  # fmt: skip
    return run(
        load([*sources, Source("schema.sql", schema, dialect)], dialect),
        Request(target="views", to_dialect=to),
    )


def dbt(*texts: str, schema: str, decisions: Path | None = None) -> Result:
    """The pile in T-SQL as models of dbt."""
    dialect = "tsql"
    sources = [Source(f"r{n}.sql", text, dialect) for n, text in enumerate(texts)]
    pile = load([*sources, Source("schema.sql", schema, dialect)], dialect)
    return run(pile, Request(decisions=read_decisions(decisions)))


def view(result: Result, name: str = "r0") -> str:
    """What a view says, on one line."""
    [text] = [text for path, text in result.files.items() if path.endswith(f"/{name}.sql")]
    return " ".join(text.partition(" AS\n")[2].split()).rstrip(";")


def flat(sql: str, dialect: str = "duckdb") -> str:
    return sqlglot.transpile(sql, read=dialect, write=dialect)[0]


@pytest.mark.parametrize(("title", "old", "new"), CASES, ids=[case[0] for case in CASES])
def test_a_star_is_a_list(title: str, old: str, new: str) -> None:
    result = views(old)
    assert [each.outcome for each in result.verdicts] == ["proved"], title
    assert flat(view(result)) == flat(new)
    assert same_rows(old, view(result))


def same_rows(old: str, new: str) -> bool:
    """Whether both have the same rows, under the same names in the same order, on random data."""
    with duckdb.connect() as made:
        made.execute("CREATE SCHEMA shop")
        for statement in [*sqlglot.parse(SCHEMA, read="duckdb"),
                          sqlglot.parse_one(UNDECLARED, read="duckdb")]:  # fmt: skip
            if statement is not None and "kind TEXT, id" not in statement.sql():
                made.execute(statement.sql("duckdb"))
        fill(made, random.Random(old))
        found = [(made.execute(sql).description, made.execute(sql).fetchall())
                 for sql in (old, new)]  # fmt: skip
    names = [[(each[0].lower(), each[1]) for each in described or ()] for described, _ in found]
    rows = [sorted(map(repr, each)) for _, each in found]
    return names[0] == names[1] and rows[0] == rows[1]


def fill(made: duckdb.DuckDBPyConnection, rng: random.Random) -> None:
    """Some rows in every table, with NULLs and duplicates."""
    tables = made.execute("SELECT table_name, table_schema FROM duckdb_tables() t JOIN "
                          "information_schema.tables i USING (table_name)").fetchall()  # fmt: skip
    for table, _ in tables:
        kinds = made.execute("SELECT data_type FROM information_schema.columns WHERE table_name = ?"
                             " ORDER BY ordinal_position", [table]).fetchall()  # fmt: skip
        for number in range(12):
            row = [_value(kind, rng, number if at == 0 else None)
                   for at, (kind,) in enumerate(kinds)]  # fmt: skip
            marks = ", ".join("?" * len(row))
            made.execute(f"INSERT INTO shop.{table} VALUES ({marks})", row)


def _value(kind: str, rng: random.Random, number: int | None) -> object:
    if number is not None and kind == "INTEGER":
        return number
    some: dict[str, list[object]] = {
        "INTEGER": [None, 1, 2, 20],
        "VARCHAR": [None, "a", "b"],
        "DATE": [None, "2024-01-01", "2024-02-01"],
    }
    return rng.choice(some[kind])


def test_what_it_rests_on_is_said() -> None:
    result = views("select * from shop.events", "select id from shop.customers")
    said = [each for each in result.assumptions if "declared, no others" in each]
    assert said == ["shop.events has the columns that are declared, no others"]


def test_where_a_star_stays_is_said_once() -> None:
    result = views("select * from shop.visits", "select * from shop.visits where id > 1",
                   "select * from shop.moved")  # fmt: skip
    page = result.files["MIGRATION.md"]
    assert "- `shop.visits`, as nothing declares its columns: `r0`, `r1`" in page
    assert "- `shop.moved`, as what declares its columns does not agree" in page
    assert "## Where a star stays (2)" in page


@pytest.mark.parametrize(
    ("dialect", "declared", "listed"),
    [
        ("postgres", 'a int, "Big" int, "user" int, date date', 'a, "Big", "user", date'),
        ("bigquery", "OrderId INT64, `select` INT64, day DATE", "OrderId, `select`, day"),
        ("tsql", "[OrderID] int, [Order Date] date, [plan] int", "OrderID, [Order Date], [plan]"),
        ("snowflake", 'ID int, "Mixed" int, "ORDER" int', 'ID, "Mixed", "ORDER"'),
        ("databricks", "Id INT, `a b` INT, `id2` INT", "Id, `a b`, id2"),
        ("mysql", "Id INT, `key` INT, `group` INT", "Id, `key`, `group`"),
    ],
)  # fmt: skip
def test_names_are_spelled_as_declared(dialect: str, declared: str, listed: str) -> None:
    result = views("select * from s.t", schema=f"create table s.t ({declared});", dialect=dialect)
    assert [each.outcome for each in result.verdicts] == ["proved"]
    said = view(result).removeprefix("SELECT ").partition(" FROM ")[0]
    assert said == listed


@pytest.mark.parametrize(
    ("dialect", "declared"),
    [
        ("mysql", "a int, b int invisible"),
        ("postgres", "a int, like s.u"),
        ("bigquery", "a INT64, _PARTITIONTIME TIMESTAMP"),
    ],
)
def test_not_where_a_star_shows_other_columns(dialect: str, declared: str) -> None:
    result = views("select * from s.t", schema=f"create table s.t ({declared});", dialect=dialect)
    assert view(result).startswith("SELECT * FROM s.t")


@pytest.mark.parametrize(
    "change",
    [
        "alter table s.t drop column b",
        "alter table s.t rename column b to c",
        "alter table s.t add column c int first",
        "alter table s.t add column c int after a",
    ],
)
def test_not_where_the_columns_change(change: str) -> None:
    schema = f"create table s.t (a int, b int); {change};"
    result = views("select * from s.t", schema=schema, dialect="mysql")
    assert view(result).startswith("SELECT * FROM s.t")


def test_a_wide_list_stands_once() -> None:
    result = dbt(
        "select * into rep.de from crm.accounts where region = 'DE';",
        "select a.*, l.what into rep.b from crm.accounts a join crm.logs l on l.id = a.id;",
        "select a.*, row_number() over (order by a.id) as n into rep.c from crm.accounts a;",
        schema=f"create table crm.accounts (id int, region text, {WIDE});"
        "create table crm.logs (id int, what text);",
    )
    assert {each.outcome for each in result.verdicts} == {"proved"}
    files = result.files
    assert files["models/marts/de.sql"] == (
        "select * from {{ ref('stg_crm__accounts') }} where region = 'DE'\n"
    )
    assert "select a.*, l.what" in files["models/marts/b.sql"]
    assert "source('crm', 'accounts')" in files["models/staging/stg_crm__accounts.sql"]
    assert "*" not in files["models/staging/stg_crm__accounts.sql"]
    assert sum("source('crm', 'accounts')" in text for text in files.values()) == 1


def test_a_table_that_is_an_argument_is_a_model_with_a_list() -> None:
    result = dbt(
        *(f"select * into rep.errors_{year} from crm.log_{year} where what = 'error' and at > 3 "
          "and id < 9 and id > 2;" for year in (2019, 2020, 2021, 2022)),
        schema="".join(f"create table crm.log_{year} (id int, what text, at int);"
                       for year in (2019, 2020, 2021, 2022)),
    )  # fmt: skip
    assert {each.outcome for each in result.verdicts} == {"proved"}
    assert "stg_crm__log_2019" in result.files["models/marts/errors_2019.sql"]
    assert "what" in result.files["models/staging/stg_crm__log_2019.sql"]


def test_nobody_wants_that_model(tmp_path: Path) -> None:
    forbid = tmp_path / "decisions.toml"
    forbid.write_text('[[forbid]]\nname = "stg_crm__accounts"\nreason = "r"\ndate = 2026-01-01\n')
    result = dbt(
        "select * into rep.de from crm.accounts where region = 'DE';",
        "select a.*, row_number() over (order by a.id) as n into rep.c from crm.accounts a;",
        schema=f"create table crm.accounts (id int, region text, {WIDE});",
        decisions=forbid,
    )
    assert {each.outcome for each in result.verdicts} == {"proved"}
    assert not any("staging" in path for path in result.files)
    assert not result.notes


def test_data_with_more_columns_keeps_the_star(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    (pile / "schema.sql").write_text("CREATE TABLE shop.events (id INTEGER, kind TEXT);")
    (pile / "r.sql").write_text("CREATE TABLE out.r AS SELECT * FROM shop.events WHERE id > 1;")
    with duckdb.connect(str(tmp_path / "data.duckdb")) as made:
        made.execute("CREATE SCHEMA shop")
        made.execute("CREATE TABLE shop.events AS SELECT 2 AS id, 'a' AS kind, 3 AS more")
    out = tmp_path / "project"
    result = refactor(pile, out, dialect="duckdb", data=str(tmp_path / "data.duckdb"))
    assert [each.outcome for each in result.verdicts] == ["proved"]
    assert "select *" in (out / "models" / "marts" / "r.sql").read_text()
    assert not [each for each in result.assumptions if "that are declared" in each]


def test_a_given_schema_is_listed_as_it_spells(tmp_path: Path) -> None:
    pile, schema = tmp_path / "r.sql", tmp_path / "schema.yml"
    pile.write_text("SELECT * FROM shop.events WHERE id > 1")
    schema.write_text("shop.events: [Id, Kind, order]\n")
    out = tmp_path / "project"
    refactor(pile, out, dialect="bigquery", schema=str(schema))
    said = (out / "models" / "marts" / "r.sql").read_text()
    assert said.startswith("select Id, Kind, `order` from")


@pytest.mark.parametrize("word", ["offset", "range", "key", "level"])
def test_a_column_that_some_engine_would_take_for_a_word_has_quotes(word: str) -> None:
    """MySQL declares it without any, which the project's engine may not understand."""
    column = Column(word, spelled=word, bare=True)
    table = Table("s.t", (column,), True, "ddl")
    names = names_listed(table, False, "postgres")
    assert names is not None and [name.sql("postgres") for name in names] == [f'"{word}"']


OTHERWISE = [
    ("snowflake", "CREATE EXTERNAL TABLE f.t (id INT AS (value:c1::int)) LOCATION=@s"),
    ("tsql", "CREATE TABLE f.t (id INT, v INT) AS NODE"),
    ("tsql", "CREATE TABLE f.t (id INT, v INT); EXEC sp_rename 'f.t.v', 'w', 'COLUMN'"),
    ("tsql", "CREATE TABLE f.t (id INT); EXEC sp_rename @objname = N'f.t.id', @newname = N'w', "
             "@objtype = N'COLUMN'"),
    ("spark", "CREATE TABLE f.t (id INT, ds STRING, v INT) USING parquet PARTITIONED BY (ds)"),
    ("spark", "CREATE TABLE f.t (id INT, ds STRING, v INT) PARTITIONED BY (ds)"),
    ("databricks", "CREATE TABLE f.t (id INT, a INT, b INT) USING csv PARTITIONED BY (b, a)"),
    ("hive", "CREATE TABLE f.t (id INT, v INT); ALTER TABLE f.t CHANGE v w INT"),
    ("hive", "CREATE TABLE f.t (id INT, v INT); ALTER TABLE f.t CHANGE COLUMN v v INT FIRST"),
    ("oracle", "CREATE TABLE f.t (id INT, v INT); ALTER TABLE f.t SET UNUSED (v)"),
    ("snowflake", "CREATE TABLE f.t (id INT); CREATE TABLE f.s (v INT); "
                  "ALTER TABLE f.s SWAP WITH f.t"),
]  # fmt: skip
AS_DECLARED = [
    ("databricks", "CREATE TABLE f.t (id INT, ds STRING, v INT) PARTITIONED BY (ds)"),
    ("spark", "CREATE TABLE f.t (id INT, ds STRING, v INT) USING delta PARTITIONED BY (ds)"),
    ("spark", "CREATE TABLE f.t (id INT, ds STRING) USING parquet PARTITIONED BY (ds)"),
    ("spark", "CREATE TABLE f.t (id INT) PARTITIONED BY (ds STRING)"),
    ("tsql", "CREATE TABLE f.t (id INT, v INT); EXEC sp_rename 'f.t.ix', 'iy', 'INDEX'"),
    ("tsql", "CREATE TABLE f.t (id INT); ALTER TABLE f.t DROP CONSTRAINT c"),
    ("hive", "CREATE TABLE f.t (id INT, v INT); ALTER TABLE f.t CHANGE v v BIGINT"),
]


@pytest.mark.parametrize(("dialect", "schema"), [*OTHERWISE, *AS_DECLARED])
def test_what_a_star_shows_beside_what_is_declared(dialect: str, schema: str) -> None:
    said = view(views("SELECT * FROM f.t", schema=f"{schema};", dialect=dialect))
    assert said.startswith("SELECT *") == ((dialect, schema) in OTHERWISE)
