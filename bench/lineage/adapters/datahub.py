"""DataHub's sqlglot_lineage: one statement at a time, as its own tests call it."""

import re
from typing import Any

from datahub.ingestion.source.bigquery_v2.bigquery_audit import BigqueryTableIdentifier
from datahub.sql_parsing._models import _TableName
from datahub.sql_parsing.schema_resolver import SchemaResolver
from datahub.sql_parsing.sqlglot_lineage import sqlglot_lineage
from sqlglot import Dialect

from bench.lineage.adapters.splitting import texts

PLATFORMS = {"tsql": "mssql", "spark": "spark", "": "ansi"}
# Dialects whose names have three parts: a default of one part is a database there.
THREE = {"snowflake", "bigquery", "tsql", "redshift", "databricks"}
_URN = re.compile(r"urn:li:dataset:\(urn:li:dataPlatform:[^,]*,(?P<name>.*),[A-Z]+\)$")
# Another part of DataHub changes this value while it runs; its own tests set it as well.
BigqueryTableIdentifier._BQ_SHARDED_TABLE_SUFFIX = "_yyyymmdd"


def answer(case: dict[str, Any]) -> dict[str, Any]:
    dialect = case["dialect"]
    resolver = SchemaResolver(platform=PLATFORMS.get(dialect, dialect))
    for relation, columns in case["schema"].items():
        urn = resolver.get_urn_for_table(_table(relation))
        resolver.add_raw_schema_info(urn, dict.fromkeys(columns, "VARCHAR"))
    parts = case["default_schema"].split(".") if case["default_schema"] else []
    database = parts[0] if len(parts) > 1 or (parts and dialect in THREE) else None
    schema = parts[-1] if parts and (len(parts) > 1 or database is None) else None
    edges: list[list[str]] = []
    sources: set[str] = set()
    targets: set[str] = set()
    for sql in texts(case["sql"], dialect):
        said = sqlglot_lineage(
            sql,
            schema_resolver=resolver,
            default_db=database,
            default_schema=schema,
            override_dialect=None if dialect else Dialect(),
        )
        sources.update(_name(urn) for urn in said.in_tables)
        targets.update(_name(urn) for urn in said.out_tables)
        for column in said.column_lineage or ():
            target = _name(column.downstream.table or "")
            for source in column.upstreams:
                edges.append([_name(source.table), source.column, target, column.downstream.column])
    return {
        "columns": edges,
        "tables": {"sources": sorted(sources), "targets": sorted(targets)},
    }


def _table(name: str) -> _TableName:
    *above, table = name.split(".")
    schema = above[-1] if above else None
    return _TableName(database=".".join(above[:-1]) or None, db_schema=schema, table=table)


def _name(urn: str) -> str:
    match = _URN.match(urn)
    return match["name"] if match else urn
