"""OpenLineage's SQL parser (Rust). It names no target relation: the only one written is taken."""

from typing import Any

from openlineage_sql import parse

DIALECTS = {"": "generic", "tsql": "mssql", "spark": "databricks"}


def answer(case: dict[str, Any]) -> dict[str, Any]:
    dialect = DIALECTS.get(case["dialect"], case["dialect"])
    said = parse([case["sql"]], dialect, case["default_schema"] or None)
    if said is None:
        return {}
    targets = [each.qualified_name for each in said.out_tables]
    target = targets[0] if len(targets) == 1 else ""
    edges = [
        [
            source.origin.qualified_name if source.origin else "?",
            source.name,
            target,
            each.descendant.name,
        ]
        for each in said.column_lineage
        for source in each.lineage
    ]
    if said.errors and not (edges or targets or said.in_tables):
        return {"crash": str(said.errors[0].message)[:200]}
    return {
        "columns": edges,
        "tables": {"sources": [each.qualified_name for each in said.in_tables], "targets": targets},
    }
