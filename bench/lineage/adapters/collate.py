"""collate-sqllineage; as sqllineage, of which it is a fork, but without metadata."""

from typing import Any

from collate_sqllineage.runner import LineageRunner

from bench.lineage.adapters.bare import RESULT, column_end, wrapped

DIALECTS = {"": "ansi", "spark": "sparksql"}


def answer(case: dict[str, Any]) -> dict[str, Any]:
    dialect = DIALECTS.get(case["dialect"], case["dialect"])
    runner = LineageRunner(wrapped(case["sql"]), dialect=dialect)
    edges = [[*column_end(path[0]), *column_end(path[-1])] for path in runner.get_column_lineage()]
    sources = [str(each) for each in runner.source_tables]
    targets = [name for each in runner.target_tables if not (name := str(each)).endswith(RESULT)]
    return {"columns": edges, "tables": {"sources": sources, "targets": targets}}
