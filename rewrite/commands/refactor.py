"""`unwet refactor`: the pile as a project, with the proof."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unwet.lineage.commands.output import Steps, emit, notes, say, table
from unwet.lineage.commands.request import Request, shared
from unwet.lineage.config import USUAL_SHARING
from unwet.lineage.errors import UsageError
from unwet.rewrite.commands.deciding import decisions_of, decisions_option, tell
from unwet.rewrite.commands.generating import alarm, budget_of, check, generated_options, write
from unwet.rewrite.commands.resuming import going_on, long_options
from unwet.rewrite.commands.where_data_lies import data_options

if TYPE_CHECKING:
    from unwet.rewrite.request import Result


@click.command()
@shared(
    "text",
    "json",
    output="Write the summary there instead of to stdout; the project is written to --out.",
)
@click.option("--target", type=click.Choice(["dbt", "sqlmesh", "views"]), default="dbt",
              metavar="KIND", show_default=True,
              help="Kind of project to write: dbt, sqlmesh or views.")  # fmt: skip
@click.option("--out", metavar="DIR", help="The folder that the project is written into.")
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project.")
@data_options
@generated_options
@click.option("--name", metavar="NAME", default="unwet_project", help="Name of the project.")
@decisions_option
@long_options
@click.option(
    "--budget",
    "search",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="Seconds of work to look for what repeats: what is found by then is used. As many as it "
    "takes without.",
)
@click.option(
    "--plan",
    is_flag=True,
    help="Show what would be made once, what that saves, and the sizes; write nothing.",
)
@click.option("--force", is_flag=True, help="Write into a folder that is not empty; "
              "what somebody wrote or edited there is not lost.")  # fmt: skip
@click.option("--unit-tests", is_flag=True,
              help="Make some unit tests, of what the old scripts make of small rows.")  # fmt: skip
@click.option(
    "--strict",
    is_flag=True,
    help="Exit 1 also when a report is kept as it was, or a file as somebody edited it.",
)
def refactor(
    request: Request,
    target: str,
    out: str | None,
    to_dialect: str,
    data: str,
    scratch: str,
    no_generated: bool,
    generated_seconds: float,
    check_proofs: bool,
    counterexamples: str | None,
    name: str,
    decisions: str | None,
    timeout: float,
    fresh: bool,
    search: float | None,
    plan: bool,
    force: bool,
    unit_tests: bool,
    strict: bool,
) -> int:
    """Rewrite the pile as a modular project that returns the same rows, and prove it.

    PATH is a folder, a file, a glob or -; without any, the `paths` of the configuration are read,
    else what lies below the current folder. A report for which no such model is found is kept as it
    was; MIGRATION.md in DIR says what became of each.
    """
    from unwet.rewrite import plan_forms, summary
    from unwet.rewrite import refactor as job

    if out is None and not plan:
        hint = "add --out DIR, or --plan to only look"
        hint += "; -o is the file of the summary" if request.output else ""
        raise UsageError("no output folder", hint)
    if out and request.output and os.path.realpath(out) == os.path.realpath(request.output):
        hint = "--out is the folder of the project, -o a file for what stdout would get"
        raise UsageError(f"--out and -o both name {out}", hint)
    check(counterexamples)
    asked = job.Request(
        out=None if plan or out is None else Path(out),
        target=target,
        name=name,
        to_dialect=to_dialect,
        data=data,
        scratch=scratch,
        force=force,
        unit_tests=unit_tests,
        before=Path(out) if out is not None else None,
        values=request.params,
        decisions=decisions_of(request, decisions),
        intended=request.intended,
        sharing=request.settings.sharing if request.settings else USUAL_SHARING,
        seconds=timeout,
        generated=budget_of(no_generated, generated_seconds),
        check_proofs=check_proofs,
        search=search,
    )
    pile = request.load()
    steps = Steps(request)
    with going_on(request, bool(data) or not no_generated, fresh) as left:
        wanted = replace(asked, store=left.store, known=left.known)
        result = job.refactor(pile, wanted, steps)
    steps.tell()
    if not (request.dialect or to_dialect or request.quiet):
        say("no dialect was given: the project is in SQL of no engine; say --dialect NAME")
    notes(result.findings, request)
    tell(result.notes, request)
    if not request.quiet:
        say(*summary.open_reports(result, request.verbose))
    write(result.counterexamples, counterexamples, request)
    rows = summary.rows(result, wanted.out is not None)
    form = summary.as_json(result) if request.format == "json" else table(rows)
    if plan and request.format != "json":
        form = f"{plan_forms.as_text(result.abstractions, request.verbose)}\n{form}"
    emit(form, request)
    if wanted.out and not request.quiet:
        say(f"what became of each report: {wanted.out / 'MIGRATION.md'}")
    outcomes = {v.outcome for v in result.verdicts}
    if code := alarm(result.contradicted):
        return code
    lost = any(finding.code == "UNREADABLE" for finding in result.findings)
    doubtful = lost or "kept" in outcomes or bool(result.edited)
    if strict and doubtful and not request.quiet:
        say(f"--strict: exit code 1, as {_doubts(result, lost)}")
    return 1 if "failed" in outcomes or (strict and doubtful) else 0


def _doubts(result: "Result", lost: bool) -> str:
    """Why --strict is not content, in words."""
    from unwet.lineage.counted import counted

    kept = sum(verdict.outcome == "kept" for verdict in result.verdicts)
    edited = len(result.edited)
    said = {
        f"{counted(kept, 'report')} {'is' if kept == 1 else 'are'} kept": kept,
        f"{counted(edited, 'file')} {'is' if edited == 1 else 'are'} edited by hand": edited,
        "a file cannot be read": lost,
    }
    return ", and ".join(words for words, holds in said.items() if holds)
