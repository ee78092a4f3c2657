"""Column lineage in other people's formats: one module each, sorted, the same on every run."""

from collections.abc import Callable

from unwet.lineage.exports.dot import dot
from unwet.lineage.exports.json import json_text
from unwet.lineage.exports.mermaid import mermaid
from unwet.lineage.exports.picture import picture
from unwet.lineage.exports.text import text
from unwet.lineage.graph import Graph, Kinds

TEXTS: dict[str, Callable[[Graph, Kinds], str]] = {
    "text": text,
    "json": json_text,
    "dot": dot,
    "mermaid": mermaid,
}
PICTURES = ("svg", "png")
FORMATS = (*TEXTS, *PICTURES)

__all__ = ["FORMATS", "PICTURES", "TEXTS", "picture"]
