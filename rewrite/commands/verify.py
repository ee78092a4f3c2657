"""`unwet verify`: whether a project returns what the reports return."""

from dataclasses import replace
from pathlib import Path

import click

from unwet.lineage.commands.output import emit, notes, progress
from unwet.lineage.commands.request import Request, shared
from unwet.lineage.errors import UsageError
from unwet.rewrite.commands.deciding import decisions_of, decisions_option, tell
from unwet.rewrite.commands.where_data_lies import data_options


@click.command()
@shared("text", "json", paths="LEGACY... PROJECT")
@data_options
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project; default: "
              "as it remembers, else that of LEGACY.")  # fmt: skip
@decisions_option
def verify(
    request: Request, data: str, scratch: str, to_dialect: str, decisions: str | None
) -> int:
    """Check that the dbt project PROJECT returns what the reports in LEGACY return.

    \b
    proved           same normal form: the same rows on any data
    tested           the same rows on the given data
    changed          as somebody has decided, and not otherwise
    order-dependent  the old rows themselves depend on the order of their input
    kept             no model, or neither a proof nor a test; with the reason
    failed           the rows differ; some of them are shown

    Exit code 0 when every report is proved, tested, changed, or kept for a reason that the project
    remembers from `unwet refactor`; else 1.
    """
    from unwet.rewrite import verified
    from unwet.rewrite import verify as job

    *legacy, project = request.paths
    if not legacy:
        raise UsageError("verify needs LEGACY and PROJECT", "name the pile, then the project")
    job.check_project(Path(project))
    given = decisions_of(request, decisions)
    wanted = job.Request(Path(project), to_dialect, data, request.params, given, scratch)
    pile = replace(request, paths=tuple(legacy)).load()
    found = job.verify(pile, wanted, lambda text: progress(text, request.quiet))
    notes(found.findings, request)
    tell(found.notes, request)
    emit(verified.as_json(found) if request.format == "json" else verified.as_text(found), request)
    return 0 if found.ok else 1
