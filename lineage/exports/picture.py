"""Lineage as SVG or PNG, drawn by the Graphviz program `dot`."""

from unwet.lineage.errors import OutputError
from unwet.lineage.exports.dot import dot
from unwet.lineage.graph import Graph, Kinds


def picture(graph: Graph, format: str, kinds: Kinds = "direct") -> bytes:
    """SVG or PNG bytes; raises OutputError when the `dot` program is missing or gives up."""
    import graphviz

    try:
        drawn: bytes = graphviz.Source(dot(graph, kinds)).pipe(format=format)
    except graphviz.ExecutableNotFound as error:
        raise OutputError(
            f"{format} needs the Graphviz program dot, which is not installed",
            "install it (apt-get install graphviz, brew install graphviz), "
            "or use --format dot, mermaid or json",
        ) from error
    except graphviz.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        raise OutputError(f"dot could not draw the graph: {said[:300]}") from error
    return drawn
