"""Column lineage in other people's formats: one module each, sorted, the same on every run."""

from collections.abc import Callable

from unwet.lineage.exports.dot import dot
from unwet.lineage.exports.html import html
from unwet.lineage.exports.json import json_text
from unwet.lineage.exports.mermaid import mermaid
from unwet.lineage.exports.picture import picture
from unwet.lineage.exports.text import text
from unwet.lineage.exports.view import View

__all__ = ["FORMATS", "View", "export"]

_TEXTS: dict[str, Callable[[View], str]] = {
    "text": text,
    "json": json_text,
    "dot": dot,
    "mermaid": mermaid,
    "html": lambda view: html(view.whole, view.kinds, view.centers),
}
FORMATS = (*_TEXTS, "svg", "png")


def export(view: View, format: str) -> str | bytes:
    """What is to be shown, in one of FORMATS.

    Raises OutputError when a picture is wanted and Graphviz is missing, or it is too large.
    """
    return _TEXTS[format](view) if format in _TEXTS else picture(view, format)
