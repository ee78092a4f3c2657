"""Lineage as SVG or PNG, drawn by the Graphviz program `dot`."""

from __future__ import annotations

import subprocess

from unwet.lineage.errors import OutputError
from unwet.lineage.exports.arrows import drawing
from unwet.lineage.exports.dot import dot
from unwet.lineage.exports.png import with_text
from unwet.lineage.exports.view import View

MOST = 1500  # columns and arrows in one picture; nobody reads more, and dot takes minutes
SECONDS = 60  # for dot, whatever the size
_SMALLER = "choose a part with --column, --table or --depth, or look at it with --format html"


def picture(view: View, format: str) -> bytes:
    """SVG or PNG bytes.

    Raises OutputError when there is too much for one picture, and when the `dot` program is
    missing, gives up, or takes too long.
    """
    shown = drawing(view)
    columns, lines = len(shown.nodes), shown.arrows
    if columns + len(lines) > MOST:
        raise OutputError(
            f"too much for one picture: {columns:,} columns and {len(lines):,} arrows", _SMALLER
        )
    drawn = _drawn(dot(view), format)
    # an SVG can be read back as it is
    return with_text(drawn, "\n".join(map(str, lines))) if format == "png" else drawn


def _drawn(source: str, format: str) -> bytes:
    """What `dot` makes of a source; its warnings, such as of missing fonts, are of no use here."""
    from graphviz import CalledProcessError, ExecutableNotFound
    from graphviz.backend import dot_command, execute

    # twice the usual resolution: for screens of today
    command = [*dot_command.command("dot", format), *(["-Gdpi=144"] if format == "png" else [])]
    raw = source.encode(errors="backslashreplace")
    try:
        done = execute.run_check(
            command, input=raw, capture_output=True, quiet=True, timeout=SECONDS
        )
    except ExecutableNotFound as error:
        raise OutputError(
            f"{format} needs the Graphviz program dot, which is not installed",
            "install it (apt-get install graphviz, brew install graphviz), "
            "or use --format html, mermaid or dot, which do without",
        ) from error
    except subprocess.TimeoutExpired as error:
        message = f"dot took more than {SECONDS} seconds to draw the graph"
        raise OutputError(message, _SMALLER) from error
    except CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        raise OutputError(f"dot could not draw the graph: {said[:300]}") from error
    return bytes(done.stdout)
