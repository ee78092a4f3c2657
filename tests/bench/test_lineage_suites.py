"""From a peer's way to say what it expects to neutral cases; the texts here are made by hand."""

from pathlib import Path
from typing import Any

import pytest

from bench.lineage.case import Case, Edge, Tables, write
from bench.lineage.suites import datahub, openlineage, sqlglot, sqllineage
from bench.lineage.suites.rust import Call, functions, tokens, value

RUST = r"""
use crate::test_utils::*; // "not a text"

#[test]
fn one() {
    let output = test_sql(
        "SELECT a, \
         \"B\" FROM t1",
    ).unwrap();
    assert_eq!(
        output.column_lineage,
        vec![ColumnLineage {
            descendant: ColumnMeta { origin: None, name: "a".to_string() },
            lineage: vec![ColumnMeta { origin: Some(table("t1")), name: "a".to_string() }]
        }]
    );
    assert_eq!(
        test_multiple_sql_dialect(vec!["USE d;", "INSERT INTO t SELECT x FROM s"], "snowflake")
            .unwrap().table_lineage,
        TableLineage {
            in_tables: tables(vec!["s"]),
            out_tables: vec![_tbl(Some("d"), None, "t")],
        }
    );
}

#[test]
fn two() {
    for each in ["a", "b"] {
        let sql = format!("SELECT {}", each);
        assert_eq!(test_sql(&sql).unwrap().table_lineage, TableLineage {
            in_tables: vec![], out_tables: vec![] });
    }
}
"""


def test_rust_texts() -> None:
    found = [token.text for token in tokens(r'f("a\"b\n", r#"c\d"#, 1)')]
    assert found == ["f", "(", 'a"b\n', ",", "c\\d", ",", "1", ")"]


def test_rust_values() -> None:
    found = value(list(tokens('Some(X { a: vec!["p".to_string(), q::r()], b: None })')))
    assert found == Call(
        "Some",
        (Call("X", (Call("a", (Call("vec!", ("p", Call("r"))),)), Call("b", (Call("None"),)))),),
    )


def test_rust_functions() -> None:
    assert [name for name, _ in functions(RUST)] == ["one", "two"]


def test_openlineage(tmp_path: Path) -> None:
    (tmp_path / "tests_x.rs").write_text(RUST)
    first, second = openlineage.cases(tmp_path)  # a text made by format! is left out
    assert first.id == "openlineage:tests_x::one#1"
    assert first.sql == 'SELECT a, "B" FROM t1'
    assert first.dialect == "postgres"
    assert first.columns == frozenset({Edge("t1", "a", "", "a")})
    assert second.sql == "USE d;\nINSERT INTO t SELECT x FROM s;"
    assert second.dialect == "snowflake"
    assert second.tables == Tables(frozenset({"s"}), frozenset({"d.t"}))


def test_datahub() -> None:
    def urn(name: str) -> str:
        return f"urn:li:dataset:(urn:li:dataPlatform:bigquery,{name},PROD)"

    call: dict[str, Any] = {
        "test": "test_x",
        "sql": "SELECT a FROM `p.d.t_20230101`",
        "dialect": "bigquery",
        "schemas": {urn("p.d.t_yyyymmdd"): ["a"]},
        "platform_instance": "inst",
        "default_db": "p",
        "default_schema": None,
        "golden": {
            "in_tables": [urn("inst.p.d.t_yyyymmdd")],
            "out_tables": [],
            "column_lineage": [
                {
                    "downstream": {"table": None, "column": "a"},
                    "upstreams": [{"table": urn("inst.p.d.t_yyyymmdd"), "column": "a"}],
                }
            ],
        },
    }
    (found,) = datahub.cases([call])
    assert found.columns == frozenset({Edge("p.d.t_yyyymmdd", "a", "", "a")})
    assert dict(found.schema) == {"p.d.t_yyyymmdd": ("a",), "p.d.t_20230101": ("a",)}
    assert found.default_schema == "p"
    (silent,) = datahub.cases([{**call, "golden": {**call["golden"], "column_lineage": None}}])
    assert silent.columns is None


def test_sqlglot() -> None:
    call = {
        "test": "test_x",
        "passed": True,
        "column": "a",
        "sql": "SELECT a FROM z",
        "dialect": "",
        "schema": {"x": ["a"]},
        "sources": {"z": "SELECT a FROM y", "y": "SELECT * FROM x"},
        "leaves": [["x", "a"]],
    }
    found = sqlglot.cases([call, call, {**call, "column": "b", "passed": False}])
    assert len(found) == 1
    assert found[0].sql.startswith("CREATE VIEW y AS SELECT * FROM x;\nCREATE VIEW z AS")
    assert found[0].outputs == ("a",)
    assert found[0].columns == frozenset({Edge("x", "a", "", "a")})


@pytest.mark.parametrize(("lateral", "dialect"), [(False, ""), (True, "redshift")])
def test_sqllineage(lateral: bool, dialect: str) -> None:
    call = {
        "test": "tests/sql/test_x.py::test_one",
        "kind": "columns",
        "sql": "INSERT INTO t SELECT a FROM s1, s2",
        "dialect": "ansi",
        "settings": {"LATERAL_COLUMN_ALIAS_REFERENCE": lateral, "DEFAULT_SCHEMA": ""},
        "schema": {},
        "edges": [["", "a", "t", "a"]],
    }
    tables = {
        **{name: call[name] for name in ("test", "sql", "dialect", "settings")},
        "kind": "tables",
        "sources": [{"kind": "Table", "name": "s1"}, {"kind": "SubQuery", "name": "q"}],
        "targets": [],
    }
    (found,) = sqllineage.cases("sqllineage", [call, tables])
    assert found.id == "sqllineage:test_x::test_one#1"
    assert found.dialect == dialect
    assert found.columns == frozenset({Edge("?", "a", "t", "a")})
    assert found.tables == Tables(frozenset({"s1"}), frozenset())


def test_cases_are_written_sorted(tmp_path: Path) -> None:
    case = Case(
        "x#1",
        "x",
        "SELECT 1",
        columns=frozenset({Edge("s", "b", "", "b"), Edge("a", "a", "", "a")}),
    )
    write([case], tmp_path / "cases.jsonl")
    assert (
        '"columns": [["a", "a", "", "a"], ["s", "b", "", "b"]]'
        in (tmp_path / "cases.jsonl").read_text()
    )
