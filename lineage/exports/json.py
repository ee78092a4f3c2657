"""Lineage as JSON."""

import json
from collections.abc import Iterable

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports.view import View
from unwet.lineage.findings import Finding, Span


def json_text(view: View) -> str:
    """`nodes[{relation,column}], edges[{source,target,type,subtype,certainty,spans}],
    unresolved[]`."""
    writer = _Writer()
    encode = json.JSONEncoder(ensure_ascii=False).encode
    parts = {
        "nodes": map(writer.column, view.nodes),
        "edges": map(writer.edge, view.edges),
        "unresolved": (encode(_finding(each)) for each in view.graph.unresolved),
    }
    lists = (f'"{name}": {_lines(values)}' for name, values in parts.items())
    return "{" + ",\n".join(lists) + "}\n"


def _lines(values: Iterable[str]) -> str:
    """A list with one value per line, so that diffs stay readable."""
    rows = ",\n".join(values)
    return f"[\n{rows}\n]" if rows else "[]"


class _Writer:
    """Writes edges; a graph has many more of them than columns and files, so that those are
    encoded once."""

    def __init__(self) -> None:
        self._encode = json.JSONEncoder(ensure_ascii=False).encode
        self._columns: dict[ColumnId, str] = {}
        self._paths: dict[str, str] = {}

    def column(self, one: ColumnId) -> str:
        known = self._columns.get(one)
        if known is None:
            text = self._encode({"relation": one.relation, "column": one.column})
            known = self._columns[one] = text
        return known

    def edge(self, e: Edge) -> str:
        source, target, type_, subtype, certainty, spans, evidence = e
        also = f', "evidence": {self._spans(evidence)}' if evidence else ""
        return (
            f'{{"source": {self.column(source)}, "target": {self.column(target)}, '
            f'"type": "{type_}", "subtype": "{subtype}", "certainty": "{certainty}", '
            f'"spans": {self._spans(spans)}{also}}}'
        )

    def _spans(self, spans: Iterable[Span]) -> str:
        return "[" + ", ".join(map(self._span, spans)) + "]"

    def _span(self, at: Span) -> str:
        path, line, column, end_line, end_column = at
        known = self._paths.get(path)
        if known is None:
            known = self._paths[path] = self._encode(path)
        return (
            f'{{"path": {known}, "line": {line}, "column": {column}, '
            f'"end_line": {end_line}, "end_column": {end_column}}}'
        )


def _finding(each: Finding) -> dict[str, object]:
    return {
        "code": each.code,
        "message": each.message,
        "path": each.at.path,
        "line": each.at.line,
        "column": each.at.column,
    }
