"""`unwet dups`: what stands there more than once."""

import sys

import click

from unwet.lineage.commands.output import emit, notes
from unwet.lineage.commands.request import Request, shared


@click.command()
@shared("text", "json")
@click.option("--min-lines", type=click.IntRange(min=1), default=3, show_default=True,
              metavar="N", help="Leave out copies of fewer printed lines.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit 1 when there are any families.")
def dups(request: Request, min_lines: int, check: bool) -> int:
    """Show the queries, and the parts of queries, that stand there more than once.

    \b
    exact       the same rows, whatever names, order and nesting look like
    parametric  the same but for a few holes: literals, columns, relations, ...
    core        the same relations, joined alike; other columns, filters or grain
    near        most of the query is the same, and most of what it puts out

    Copies are whole queries, blocks inside them, branches of set operations, items of one SELECT
    that are a loop written out, or expressions of several lines.

    Each hole is told with its value in every copy. `saves` are the printed lines that one
    definition for all would save; what saves most comes first, what saves nothing is not told.
    Exit code 0 unless --check is given.
    """
    from unwet.rewrite import family_forms
    from unwet.rewrite.families import duplicates

    pile = request.load()
    found = duplicates(pile, min_lines)
    notes(pile.findings, request)
    on_terminal = request.output is None and sys.stdout.isatty()
    form = family_forms.as_json(found) if request.format == "json" else ""
    emit(form or family_forms.as_text(found, on_terminal, request.verbose), request)
    return 1 if check and found.families else 0
