"""`unwet report`: one offline page of it all."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unwet.lineage.commands.output import emit, notes, progress
from unwet.lineage.commands.request import Request, shared
from unwet.lineage.errors import UsageError
from unwet.rewrite.commands.deciding import decisions_of

if TYPE_CHECKING:
    from unwet.rewrite.accepted import Accepting


def _heading(path: str) -> str:
    """A path as a title: a folder that is only dots by its name."""
    return path if path == "-" or Path(path).name.strip(".") else Path(path).resolve().name


@click.command()
@shared("html")
@click.option("--out", metavar="FILE", help="The same as -o.")
@click.option("--project", metavar="DIR", default="", help="With what became of each report in "
              "this project: it is verified.")  # fmt: skip
@click.option("--data", metavar="URL", default="", help="With --project: DuckDB file, or folder of "
              "CSV and Parquet files, to run old and new on.")  # fmt: skip
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project.")
@click.option("--lineage", metavar="URL", default="", help="Link to this page of the lineage.")
@click.option("--title", default="", help="Heading of the page; default: the paths.")
@click.option("--link-template", metavar="URL", default="{path}", show_default=True,
              help="Where places lead to: {path} or {abspath}, and {line}.")  # fmt: skip
def report(
    request: Request,
    out: str | None,
    project: str,
    data: str,
    to_dialect: str,
    lineage: str,
    title: str,
    link_template: str,
) -> int:
    """Write one offline page of it all: inventory, copies, contradictions, verdicts."""
    from unwet.lineage.exports.html import way_back
    from unwet.rewrite import verify as job
    from unwet.rewrite.commands.with_values import beside
    from unwet.rewrite.overview.gather import overview
    from unwet.rewrite.overview.links import Links
    from unwet.rewrite.overview.page import page

    if not project and (data or to_dialect):
        raise UsageError("--data and --to-dialect need --project DIR")
    if project:
        job.check_project(Path(project))
    request = replace(request, output=out or request.output)
    request, pile = beside(request, Path(project)) if project else (request, request.load())
    links = Links(link_template, way_back(request.output), Path.cwd().as_posix())
    given = decisions_of(request)
    asked = job.Request(Path(project), to_dialect, data, request.params, given) if project else None
    accepted: tuple[Accepting, ...] = (*request.intended, *given.accepting)
    found = overview(pile, accepted, asked, lambda text: progress(text, request.quiet))
    notes((*pile.findings, *found.noticed), request)
    shown = replace(found, title=title or ", ".join(map(_heading, request.paths)), lineage=lineage)
    emit(page(shown, links), request)
    return 0
