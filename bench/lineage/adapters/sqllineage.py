"""sqllineage. It says nothing of a bare SELECT: such a query becomes a CREATE TABLE AS here."""

from typing import Any

from sqllineage.config import SQLLineageConfig
from sqllineage.core.metadata.dummy import DummyMetaDataProvider
from sqllineage.runner import LineageRunner

from bench.lineage.adapters.bare import RESULT, column_end, wrapped

DIALECTS = {"": "ansi", "spark": "sparksql", "presto": "trino"}
# Its setting for engines where a select list may use its own aliases.
LATERAL = {"redshift", "databricks", "spark", "snowflake", "teradata", "duckdb", "clickhouse"}


def answer(case: dict[str, Any]) -> dict[str, Any]:
    dialect = DIALECTS.get(case["dialect"], case["dialect"])
    provider = DummyMetaDataProvider(case["schema"]) if case["schema"] else DummyMetaDataProvider()
    settings: dict[str, Any] = {"LATERAL_COLUMN_ALIAS_REFERENCE": case["dialect"] in LATERAL}
    if case["dialect"] == "tsql":
        settings["TSQL_NO_SEMICOLON"] = True
    if case["default_schema"]:
        settings["DEFAULT_SCHEMA"] = case["default_schema"]
    with SQLLineageConfig(**settings):
        runner = LineageRunner(wrapped(case["sql"]), dialect=dialect, metadata_provider=provider)
        edges = [
            [*column_end(path[0]), *column_end(path[-1])] for path in runner.get_column_lineage()
        ]
        sources = [str(each) for each in runner.source_tables]
        targets = [str(each) for each in runner.target_tables if str(each) != _default(RESULT)]
    return {"columns": edges, "tables": {"sources": sources, "targets": targets}}


def _default(name: str) -> str:
    return f"<default>.{name}"
