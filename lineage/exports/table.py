"""Aligned columns for people."""

from collections.abc import Iterable, Sequence
from io import StringIO

WIDE = 10_000  # a line of a file or a pipe is never wrapped


def aligned(rows: Iterable[Sequence[str]], terminal: bool) -> str:
    """One line per row, the columns aligned; colours and wrapping only on a terminal."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(show_header=False, box=None, pad_edge=False)
    for row in rows:
        grid.add_row(*row)
    out = StringIO()
    Console(file=out, width=None if terminal else WIDE, force_terminal=terminal).print(grid)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
