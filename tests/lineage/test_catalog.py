"""Catalogs: DDL, given schemas of every kind, names, contradictions."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from unwet.lineage.catalog import build_catalog
from unwet.lineage.errors import BadSchema, PathNotFound
from unwet.lineage.findings import Finding
from unwet.lineage.parse import Statement, parse
from unwet.lineage.resolve import Resolved, resolve
from unwet.lineage.schema import Schema, read_schema
from unwet.lineage.sources import Source
from unwet.lineage.tables import Catalog
from unwet.lineage.templating import mask


def build(
    *texts: str, schema: Schema | None = None, default_schema: str = "", dialect: str = ""
) -> tuple[Catalog, tuple[Finding, ...]]:
    sources = [Source(f"f{i}.sql", text, dialect) for i, text in enumerate(texts)]
    return build_catalog([parse(mask(s), dialect) for s in sources], schema, default_schema)


def test_ddl_gives_types_nulls_and_keys() -> None:
    catalog, _ = build(
        "create table s(a int not null, b decimal(10, 2), c text unique, primary key (a, b))"
    )
    table = catalog.get("s")
    assert table is not None and table.closed and table.origin == "ddl"
    assert [(c.name, c.type, c.not_null) for c in table.columns] == [
        ("a", "INT", True),
        ("b", "DECIMAL(10, 2)", True),
        ("c", "TEXT", False),
    ]
    assert table.keys == (("a", "b"), ("c",))


def test_alter_table_adds_columns_and_keys() -> None:
    catalog, _ = build(
        "create table s(a int); alter table s add column b int;"
        "alter table s add constraint pk primary key (a)",
        dialect="postgres",
    )
    table = catalog.get("s")
    assert table is not None
    assert table.names == ("a", "b")
    assert table.keys == (("a",),)
    assert table.columns[0].not_null


@pytest.mark.parametrize(
    ("sql", "foreign"),
    [
        ("create table a (b int references s.c (id))", [(("b",), "s.c", ("id",))]),
        ("create table a (b int references c)", [(("b",), "c", ())]),
        ("create table a (b int, d int, constraint x foreign key (b, d) references q (e, f))",
         [(("b", "d"), "q", ("e", "f"))]),
        ("create table a (b int); alter table a add constraint f foreign key (b) references c (d)",
         [(("b",), "c", ("d",))]),
        ("create table a (b int); alter table a add foreign key (b) references c (d) not valid",
         []),
        ("create table a (b int references c); alter table a drop constraint a_b_fkey", []),
        ("create table a (b int references c); create table a (b int)", []),
        ("create table a (b int references c); create table a as select 1 as b", []),
        ("create table a (b int references c, d int); alter table a drop column d",
         [(("b",), "c", ())]),
        ("create table a (b int references c, d int); alter table a drop column b", []),
        ("create table a (b int references c, d int); alter table a rename column b to e", []),
    ],
)  # fmt: skip
def test_foreign_keys_as_long_as_somebody_checks_them(
    sql: str, foreign: list[tuple[tuple[str, ...], str, tuple[str, ...]]]
) -> None:
    catalog, _ = build(sql, dialect="postgres")
    table = catalog.get("a")
    assert table is not None
    assert [(key.columns, key.table, key.to) for key in table.foreign] == foreign


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ("create table a (b int, foreign key (b) references c (d) not enforced)", "bigquery"),
        ("create table a (b int references c); alter table a nocheck constraint all", "tsql"),
        ("create table a (b int references c); alter table [a] nocheck constraint all", "tsql"),
        ("create table a (b int references c (d))", "mysql"),
        ("create table a (b int, constraint x foreign key (b) references c (d)); "
         "alter table a drop foreign key x", "mysql"),
        ("create table a (b int, foreign key (b) references c (d)) engine=MyISAM", "mysql"),
        ("create table a (b int, foreign key (b) references c (d)); "
         "alter table a engine = MyISAM", "mysql"),
        ("create table a (b int references c); create table e (f int) inherits (a)", "postgres"),
    ],
)  # fmt: skip
def test_foreign_keys_that_nobody_checks(sql: str, dialect: str) -> None:
    catalog, _ = build(sql, dialect=dialect)
    table = catalog.get("a")
    assert table is not None and not any(key.checked for key in table.foreign)


def test_a_foreign_key_that_is_not_enforced_is_known() -> None:
    sql = "create table a (b int, foreign key (b) references c (d) not enforced)"
    table = build(sql, dialect="bigquery")[0].get("a")
    assert table is not None
    assert [(key.columns, key.table, key.checked) for key in table.foreign] == [
        (("b",), "c", False)
    ]


@pytest.mark.parametrize("child", ["create table e (f int) inherits (d, s.a)",
                                   "create table e () inherits (s.a)",
                                   "alter table e inherit s.a"])  # fmt: skip
def test_a_table_that_shows_the_rows_of_others_has_no_key(child: str) -> None:
    """SELECT from it returns those of tables that inherit from it, which no key of it checks."""
    made = "create table s.a (b int primary key, c int references d)"
    for change, keys in (("", (("b",),)), (child, ())):
        catalog, _ = build(f"{made}; {change}", dialect="postgres")
        table = catalog.get("s.a")
        assert table is not None and table.keys == keys
        assert bool(table.foreign) is bool(keys)


def test_foreign_keys_of_an_engine_that_checks_them() -> None:
    catalog, _ = build("create table a (b int, foreign key (b) references c (d)) engine=InnoDB",
                       dialect="mysql")  # fmt: skip
    table = catalog.get("a")
    assert table is not None and [key.table for key in table.foreign] == ["c"]


@pytest.mark.parametrize(
    ("change", "dialect", "left"),
    [
        ("alter table a alter column b drop not null", "postgres", ["c"]),
        ("alter table a alter column b set not null", "postgres", ["b", "c"]),
        ("alter table a modify b int null", "mysql", ["c"]),
        ("alter table a drop primary key", "mysql", []),
        ("alter table a add d int", "mysql", ["b", "c"]),
        ("create table a (b int not null, c int)", "postgres", ["b"]),
        ("create view w as select 1", "postgres", ["b", "c"]),
    ],
)
def test_not_null_until_it_is_taken_back(change: str, dialect: str, left: list[str]) -> None:
    catalog, _ = build(f"create table a (b int not null, c int primary key); {change}",
                       dialect=dialect)  # fmt: skip
    table = catalog.get("a")
    assert table is not None
    assert [column.name for column in table.columns if column.not_null] == left
    assert table.keys == ((("c",),) if "c" in left else ())


def test_outputs_of_statements_in_any_order() -> None:
    catalog, _ = build(
        "create view c as select * from b",
        "create view b as select *, 1 as one from a",
        "create table a(x int)",
    )
    table = catalog.get("c")
    assert table is not None and table.closed and table.origin == "statement"
    assert table.names == ("x", "one")


def test_what_a_statement_makes_is_no_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[int] = []

    def counted(statement: Statement, *rest: Any) -> Resolved:
        resolved.append(statement.span.line)
        return resolve(statement, *rest)

    monkeypatch.setattr("unwet.lineage.catalog.resolve", counted)
    build("create view c as select * from b;\ncreate table b as select 1;\ninsert into b select 2")
    assert sorted(resolved) == [1, 2, 3]


def test_a_temporary_table_with_types_and_a_query_has_the_columns_of_both() -> None:
    made = "create temp table t (a int) as select x as a, y as b from s"
    for texts in ((made, "create view v as select * from t"),
                  ("create view v as select * from t", made)):  # fmt: skip
        view = build(*texts, dialect="postgres")[0].get("v")
        assert view is not None and set(view.index) == {"a", "b"}


def test_views_in_a_circle_end() -> None:
    catalog, _ = build("create view v as select * from w; create view w as select *, 1 as x from v")
    table = catalog.get("w")
    assert table is not None and not table.closed and "x" in table.index


def test_a_long_chain_of_views_in_reverse_order() -> None:
    views = [f"create view v{i} as select * from v{i + 1};" for i in range(1500)]
    catalog, _ = build("\n".join(views) + "create table v1500(x int)")
    table = catalog.get("v0")
    assert table is not None and table.names == ("x",)


def test_a_short_name_means_the_only_longer_one() -> None:
    catalog, _ = build("select 1", schema={"cdm.person": ["id"], "a.t": ["x"], "b.t": ["y"]})
    assert catalog.find("person")[0] == "cdm.person"
    assert catalog.get("t") is None
    assert catalog.candidates("t") == ("a.t", "b.t")


def test_a_given_table_without_schema_serves_all_schemas() -> None:
    catalog, _ = build("select 1", schema={"person": ["id"]})
    name, table = catalog.find("cdm.person")
    assert name == "cdm.person"
    assert table is not None and table.names == ("id",)


def test_the_default_schema_completes_names() -> None:
    catalog, _ = build("create table t(a int)", default_schema="dbo")
    assert catalog.find("t")[0] == "dbo.t"


def test_a_schema_that_contradicts_the_ddl_is_found() -> None:
    catalog, findings = build("create table s(a int, b int)", schema={"s": ["a", "c"]})
    (finding,) = findings
    assert finding.code == "SCHEMA"
    assert "lacks b and has c besides" in finding.message
    table = catalog.get("s")
    assert table is not None and table.names == ("a", "c")


def test_what_is_not_traced_is_said() -> None:
    _, findings = build("copy t from stdin", dialect="postgres")
    assert [finding.code for finding in findings] == ["UNSUPPORTED"]


def test_json_schema(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"DB.S": {"A": "INT"}}))
    (table,) = read_schema(path)
    assert (table.name, table.names, table.columns[0].type) == ("db.s", ("a",), "INT")


def test_ddl_schema_with_placeholders(tmp_path: Path) -> None:
    path = tmp_path / "schema.sql"
    path.write_text("create table @cdm.person (person_id integer not null);")
    catalog, _ = build("select 1", schema=path, dialect="tsql")
    name, table = catalog.find("omop.person")
    assert name == "omop.person"
    assert table is not None and table.names == ("person_id",)


def test_duckdb_schema(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table s(a int not null, b text)")
    (table,) = read_schema(path)
    assert (table.name, table.names) == ("main.s", ("a", "b"))
    assert [column.not_null for column in table.columns] == [True, False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.json", "{"),
        ("s.json", "[1]"),
        ("s.json", '{"s": 1}'),
        ("s.sql", "select 1"),
        ("s.yaml", "s: [a"),
        ("s.toml", "s = 1"),
        ("s.json", '{"s": {"id": {"a": 1}}}'),
        ("s.duckdb", "not a database"),
    ],
)
def test_bad_schemas_say_what_is_understood(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadSchema) as caught:
        read_schema(path)
    assert str(path) in caught.value.message


def test_a_missing_schema_file() -> None:
    with pytest.raises(PathNotFound):
        read_schema("nowhere.json")
