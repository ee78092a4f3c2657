"""Column lineage in other people's formats: one module each, sorted, the same on every run."""

from collections.abc import Callable

from unwet.lineage.columns import ColumnId
from unwet.lineage.exports.dot import dot
from unwet.lineage.exports.html import html
from unwet.lineage.exports.json import json_text
from unwet.lineage.exports.mermaid import mermaid
from unwet.lineage.exports.picture import picture
from unwet.lineage.exports.text import text, tree
from unwet.lineage.graph import Graph, Kinds

__all__ = ["FORMATS", "export"]

_TEXTS: dict[str, Callable[[Graph, Kinds], str]] = {
    "text": text,
    "json": json_text,
    "dot": dot,
    "mermaid": mermaid,
    "html": html,
}
FORMATS = (*_TEXTS, "svg", "png")


def export(graph: Graph, format: str, kinds: Kinds, center: ColumnId | None = None) -> str | bytes:
    """The graph in one of FORMATS; text around a `center` is a tree in each direction.

    Raises OutputError when a picture is wanted and Graphviz is missing.
    """
    if format == "text" and center is not None:
        both = (tree(graph, center, upstream, kinds) for upstream in (True, False))
        return "".join(one for one in both if one.count("\n") > 1) or f"{center}\n"
    if format in _TEXTS:
        return _TEXTS[format](graph, kinds)
    return picture(graph, format, kinds)
