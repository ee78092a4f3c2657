"""`unwet search`: where something is defined, and where it is used."""

import sys
from dataclasses import replace

import click

from unwet.lineage.commands.output import emit, notes
from unwet.lineage.commands.request import Request, shared, usual_paths
from unwet.lineage.errors import UsageError


@click.command()
@shared("text", "json", paths="[NAME] [PATH]...")
@click.option("--expression", metavar="SQL", default="", help="Instead of NAME: an expression of "
              "this shape; ? is any constant.")  # fmt: skip
@click.option("--table", metavar="REL", default="", help="Instead of NAME: what makes this table "
              "or view, and what reads it.")  # fmt: skip
def search(request: Request, expression: str, table: str) -> int:
    """Find logic: where a column, an expression or a table is defined, and where it is used.

    \b
    unwet search revenue                    outputs of this name, their readers
    unwet search orders.amount              a base column, under any name
    unwet search --expression 'sum(a * b)'  expressions of this shape
    unwet search --table orders             what makes it, and what reads it

    Definitions come before uses, exact matches before similar ones, what stands there most often
    first; equal definitions are one hit. Exit code 1 when nothing is found.
    """
    from unwet.rewrite import search as job
    from unwet.rewrite import search_forms

    if expression and table:
        raise UsageError("--expression and --table do not go together")
    name, paths = "", request.paths
    if not expression and not table:
        if not request.named or request.named[0] == ".":
            raise UsageError("search for what?", "unwet search NAME [PATH]...")
        name, paths = request.named[0], request.named[1:] or usual_paths(request.settings)
    pile = replace(request, paths=paths).load()
    found = job.search(pile, job.Wanted(name, expression, table))
    notes(pile.findings, request)
    on_terminal = request.output is None and sys.stdout.isatty()
    form = search_forms.as_json(found) if request.format == "json" else ""
    emit(form or search_forms.as_text(found, on_terminal, request.verbose), request)
    return 0 if found.hits else 1
