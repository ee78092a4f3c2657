"""sqllineage's and collate-sqllineage's tests: recorded calls of their assertion helpers."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bench.lineage.case import Case, Edge, Tables, columns_of

# Their names of dialects, where sqlglot has another.
DIALECTS = {
    "ansi": "",
    "non-validating": "",
    "sparksql": "spark",
    "greenplum": "postgres",
    "vertica": "postgres",
    "mariadb": "mysql",
    "db2": "",
    "impala": "hive",
}
# Standard SQL has no lateral alias references: a test that switches them on means another engine.
LATERAL = "redshift"
_NOT_TABLES = {"SubQuery", "DataFunction"}


def cases(origin: str, recorded: Iterable[Mapping[str, Any]]) -> tuple[Case, ...]:
    """One case per SQL text and dialect; a text asked for tables and for columns is one case."""
    found: dict[tuple[str, str, str, str], Case] = {}
    numbers: dict[str, int] = {}
    for each in recorded:
        dialect = DIALECTS.get(each["dialect"], each["dialect"])
        settings = each.get("settings") or {}
        if not dialect and settings.get("LATERAL_COLUMN_ALIAS_REFERENCE"):
            dialect = LATERAL
        default = settings.get("DEFAULT_SCHEMA") or ""
        schema = columns_of(each.get("schema") or {})
        key = (each["sql"], dialect, str(schema), default)
        case = found.get(key)
        if case is None:
            test = _name(each["test"])
            numbers[test] = numbers.get(test, 0) + 1
            id = f"{origin}:{test}#{numbers[test]}"
            case = Case(id, origin, each["sql"], dialect, schema, default)
        found[key] = _with(case, each)
    return tuple(found.values())


def _with(case: Case, call: Mapping[str, Any]) -> Case:
    tables, columns = case.tables, case.columns
    if call["kind"] == "tables":
        tables = Tables(_relations(call["sources"]), _relations(call["targets"]))
    else:
        columns = frozenset(Edge(sr or "?", sc, tr, tc) for sr, sc, tr, tc in call["edges"])
    return replace(case, tables=tables, columns=columns)


def _relations(values: Iterable[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(each["name"] for each in values if each["kind"] not in _NOT_TABLES)


def _name(test: str) -> str:
    path, _, name = test.partition("::")
    return f"{path.rpartition('/')[2].removesuffix('.py')}::{name}"
