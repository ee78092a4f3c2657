"""Lineage as a Graphviz graph: relations are tables, their columns rows with ports."""

from html import escape
from itertools import groupby

from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.graph import Graph, Kinds

_STYLES = {
    "certain": "solid",
    "inferred": "dashed",
    "ambiguous": "dotted",
    "unknown": "dotted",
}
_COLORS = {"IDENTITY": "#4c6a92", "TRANSFORMATION": "#b3662d", "AGGREGATION": "#7a4b94"}
_INDIRECT = "#9a9a9a"
_HEAD = """digraph lineage {
  rankdir=LR
  graph [fontname="Helvetica", nodesep=0.25, ranksep=0.9, pad=0.3]
  node [shape=plain, fontname="Helvetica", fontsize=11]
  edge [arrowsize=0.6]
"""


def dot(graph: Graph, kinds: Kinds = "direct") -> str:
    """DOT source, sorted; every label is escaped."""
    edges = graph.of_kinds(kinds)
    nodes = sorted({end for e in edges for end in (e.source, e.target)})
    tables = [list(group) for _, group in groupby(nodes, key=lambda node: node.relation)]
    boxes = "".join(_box(columns) for columns in tables)
    return _HEAD + boxes + "".join(_arrow(e) for e in edges) + "}\n"


def _box(columns: list[ColumnId]) -> str:
    relation = columns[0].relation
    title = escape(relation or "(result)")
    rows = "".join(
        f'<tr><td port="{_port(column)}" align="left">{escape(column.column)}</td></tr>'
        for column in columns
    )
    head = f'<tr><td bgcolor="#e8edf3"><b>{title}</b></td></tr>'
    table = f'<table border="0" cellborder="1" cellspacing="0" color="#b9c3cf">{head}{rows}</table>'
    return f"  {_quoted(relation)} [label=<{table}>]\n"


def _arrow(e: Edge) -> str:
    color = _COLORS.get(e.subtype, _INDIRECT) if e.type == "DIRECT" else _INDIRECT
    places = escape(", ".join(str(at) for at in e.spans[:3]))
    tip = _quoted(f"{e.type} {e.subtype} ({e.certainty}) {places}")
    style = f'style={_STYLES[e.certainty]}, color="{color}", tooltip={tip}'
    return f"  {_end(e.source)}:e -> {_end(e.target)}:w [{style}]\n"


def _end(node: ColumnId) -> str:
    return f'{_quoted(node.relation)}:"{_port(node)}"'


def _port(node: ColumnId) -> str:
    """A port name: letters and digits only, because ports end at punctuation."""
    return "c" + node.column.encode().hex()


def _quoted(name: str) -> str:
    text = (name or "(result)").replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{text}"'
