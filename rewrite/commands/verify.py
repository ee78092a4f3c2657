"""`unwet verify`: whether a project returns what the reports return."""

from dataclasses import replace
from pathlib import Path

import click

from unwet.lineage.commands.output import Steps, emit, listed, notes, say
from unwet.lineage.commands.request import Request, shared, usual_paths
from unwet.lineage.errors import UnwetError, UsageError
from unwet.rewrite.commands.deciding import decisions_of, decisions_option, tell
from unwet.rewrite.commands.generating import alarm, budget_of, generated_options, write
from unwet.rewrite.commands.generating import check as check_folder
from unwet.rewrite.commands.resuming import going_on, long_options
from unwet.rewrite.commands.where_data_lies import data_options


@click.command()
@shared("text", "json", paths="LEGACY... PROJECT")
@data_options
@generated_options
@click.option("--to-dialect", metavar="NAME", default="", help="Dialect of the project; default: "
              "as it remembers, else that of LEGACY.")  # fmt: skip
@decisions_option
@click.option("--sql-out", metavar="DIR", help="Also write the queries that compare old and new, "
              "for somebody else to run, in the dialect of PROJECT.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write into a DIR that is not empty.")
@click.option("--strict", is_flag=True, help="Exit 1 also when a report is kept as it was.")
@long_options
def verify(
    request: Request,
    data: str,
    scratch: str,
    no_generated: bool,
    generated_seconds: float,
    check_proofs: bool,
    counterexamples: str | None,
    to_dialect: str,
    decisions: str | None,
    sql_out: str | None,
    force: bool,
    strict: bool,
    timeout: float,
    fresh: bool,
) -> int:
    """Check that the project PROJECT returns what the reports in LEGACY return.

    \b
    proved           same normal form: the same rows on any data
    tested           the same rows on the given data, or on data made from queries
    changed          as somebody has decided, and not otherwise
    order-dependent  the old rows themselves depend on the order of their input
    kept             no model, or neither a proof nor a test; with the reason
    failed           the rows differ; some of them are shown

    Below a report that is open stands what the old query says (was) and the model (is), where
    they part. With -v each proof names the rules that it used.

    Exit code 0 when every report is proved, tested, changed, order-dependent without rows that
    differ, or kept for a reason that the project remembers from `unwet refactor` (which leaves the
    old script of a model that failed, too; with --strict none may be kept); 2 when --check-proofs
    finds a false proof; else 1, also for a file of the project that does not parse.
    """
    from unwet.lineage.counted import counted
    from unwet.rewrite import verified
    from unwet.rewrite import verify as job
    from unwet.rewrite.commands.with_values import beside
    from unwet.rewrite.meaning import meaning_of
    from unwet.rewrite.sql_out import write_sql
    from unwet.rewrite.targets.place import check

    *legacy, project = request.named or ("",)
    if not legacy and request.settings and request.settings.paths:
        legacy = list(usual_paths(request.settings))
    if not legacy or not project:
        hint = "name the pile, then the project; or the pile as `paths` in unwet.toml"
        raise UsageError("verify needs LEGACY and PROJECT", hint)
    _check_project(legacy, project)
    given = decisions_of(request, decisions)
    check_folder(counterexamples)
    if sql_out is not None:
        check(Path(sql_out), force)
    request, pile = beside(replace(request, paths=tuple(legacy)), Path(project))
    meaning = meaning_of(pile)
    asked = job.Request(Path(project), to_dialect, data, request.params, given, scratch, timeout,
                        generated=budget_of(no_generated, generated_seconds),
                        check_proofs=check_proofs, intended=request.intended)  # fmt: skip
    written = write_sql(meaning, asked, Path(sql_out), force) if sql_out is not None else None
    steps = Steps(request)
    with going_on(request, bool(data) or not no_generated, fresh) as left:
        wanted = replace(
            asked,
            store=left.store,
            known=left.known,
            rules=request.verbose or request.format == "json",
        )
        found = job.verify(meaning, wanted, steps)
    steps.tell()
    notes(found.findings, request)
    tell(found.notes, request)
    if written is not None and not request.quiet:
        say(f"queries for {counted(written.files, 'report')}: {written.index}")
        without = [f"no query for {name}: {why}" for name, why in sorted(written.missing.items())]
        say(*listed(without, request, written.index))
    write({r.name: r.counterexample for r in found.reports if r.counterexample}, counterexamples,
          request)  # fmt: skip
    emit(
        verified.as_json(found)
        if request.format == "json"
        else verified.as_text(found, request.verbose),
        request,
    )
    kept = sum(report.verdict == "kept" for report in found.reports) if strict else 0
    if kept and not request.quiet:
        said = f"{counted(kept, 'report')} {'is' if kept == 1 else 'are'} kept"
        say(f"--strict: exit code 1, as {said}")
    return alarm(found.contradicted) or (0 if found.ok and not kept else 1)


def _check_project(legacy: list[str], project: str) -> None:
    """Raises UnwetError where PROJECT is none; who has swapped the two is told so."""
    from unwet.rewrite.prove.rendered import BadProject
    from unwet.rewrite.verify import check_project

    try:
        check_project(Path(project))
    except BadProject as error:
        try:
            check_project(Path(legacy[0]))
        except UnwetError:
            raise error from None
        hint = f"{legacy[0]} is one: the pile comes first, then the project"
        raise UsageError(f"no project in {project}", hint) from error
