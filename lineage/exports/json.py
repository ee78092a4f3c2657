"""Lineage as JSON."""

import json
from dataclasses import asdict

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.findings import Finding, Span
from unwet.lineage.graph import Graph, Kinds


def json_text(graph: Graph, kinds: Kinds = "all") -> str:
    """`nodes[{relation,column}], edges[{source,target,type,subtype,certainty,spans}],
    unresolved[]`."""
    edges = graph.of_kinds(kinds)
    nodes = sorted({end for e in edges for end in (e.source, e.target)})
    value = {
        "nodes": [_column(node) for node in nodes],
        "edges": [_edge(e) for e in edges],
        "unresolved": [_finding(each) for each in graph.unresolved],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


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
    return asdict(at)


def _finding(each: Finding) -> dict[str, object]:
    return {
        "code": each.code,
        "message": each.message,
        "path": each.at.path,
        "line": each.at.line,
        "column": each.at.column,
    }
