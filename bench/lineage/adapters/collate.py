"""collate-sqllineage; as sqllineage, of which it is a fork, but without metadata."""

from typing import Any

from collate_sqllineage.runner import LineageRunner

from bench.lineage.adapters.bare import RESULT, wrapped

DIALECTS = {"": "ansi", "spark": "sparksql"}


def answer(case: dict[str, Any]) -> dict[str, Any]:
    dialect = DIALECTS.get(case["dialect"], case["dialect"])
    runner = LineageRunner(wrapped(case["sql"]), dialect=dialect)
    edges = [[*_column(path[0]), *_column(path[-1])] for path in runner.get_column_lineage()]
    sources = [str(each) for each in runner.source_tables]
    targets = [name for each in runner.target_tables if not (name := str(each)).endswith(RESULT)]
    return {"columns": edges, "tables": {"sources": sources, "targets": targets}}


def _column(column: Any) -> list[str]:
    parent = column.parent
    if parent is None:
        candidates = "|".join(sorted(str(each) for each in column.parent_candidates))
        return [candidates or "?", column.raw_name]
    relation = str(parent)
    if type(parent).__name__ == "SubQuery":
        relation = "(" + relation
    return ["" if relation.rpartition(".")[2] == RESULT else relation, column.raw_name]
