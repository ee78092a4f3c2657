"""Lineage as JSON."""

import json
from collections.abc import Iterable

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports.view import View
from unwet.lineage.findings import Finding, Span


def json_text(view: View) -> str:
    """`nodes[{relation,column}], edges[{source,target,type,subtype,certainty,spans}],
    unresolved[]`."""
    parts: dict[str, list[dict[str, str]] | list[dict[str, object]]] = {
        "nodes": [_column(node) for node in view.nodes],
        "edges": [_edge(e) for e in view.edges],
        "unresolved": [_finding(each) for each in view.graph.unresolved],
    }
    lists = (f'"{name}": {_lines(values)}' for name, values in parts.items())
    return "{" + ",\n".join(lists) + "}\n"


def _lines(values: Iterable[object]) -> str:
    """A list with one value per line: diffs stay readable, and the fast encoder does the work."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    rows = ",\n".join(encode(value) for value in values)
    return f"[\n{rows}\n]" if rows else "[]"


def _column(node: ColumnId) -> dict[str, str]:
    return {"relation": node.relation, "column": node.column}


def _edge(e: Edge) -> dict[str, object]:
    return {
        "source": _column(e.source),
        "target": _column(e.target),
        "type": e.type,
        "subtype": e.subtype,
        "certainty": e.certainty,
        "spans": [_span(at) for at in e.spans],
        **({"evidence": [_span(at) for at in e.evidence]} if e.evidence else {}),
    }


def _span(at: Span) -> dict[str, object]:
    return {
        "path": at.path,
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
    }


def _finding(each: Finding) -> dict[str, object]:
    return {
        "code": each.code,
        "message": each.message,
        "path": each.at.path,
        "line": each.at.line,
        "column": each.at.column,
    }
