"""`unwet check`: changed files against the pile, for a commit."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unwet.lineage.commands.output import emit, progress, say
from unwet.lineage.commands.request import Request, shared
from unwet.lineage.errors import PathNotFound, UsageError
from unwet.rewrite.commands.deciding import decisions_of
from unwet.rewrite.commands.problems import in_form

if TYPE_CHECKING:
    from unwet.rewrite.check.asked import Ask as AskCheck


@click.command()
@shared("full", "concise", "json", "github", "gitlab", "sarif", paths="[FILE]...")
@click.option("--min-lines", type=click.IntRange(min=1), default=3, show_default=True,
              metavar="N", help="Leave out copies of fewer printed lines.")  # fmt: skip
@click.option("--update-baseline", is_flag=True, help="Accept what is found now: it goes into the "
              "baseline file, and is not told again.")  # fmt: skip
@click.option("--ci", is_flag=True, help="The baseline may only shrink: what it has and nobody "
              "finds any more is told, and nothing new gets in. Also when CI is set.")  # fmt: skip
@click.option("--drift/--no-drift", default=None, help="Contradictions, too; for them all of the "
              "pile is read.  [default: as `drift` in the configuration, else not]")  # fmt: skip
@click.option("--no-index", is_flag=True, help="Neither read nor write .unwet_cache.")
def check(
    request: Request,
    min_lines: int,
    update_baseline: bool,
    ci: bool,
    drift: bool | None,
    no_index: bool,
) -> int:
    """Check changed files: what do they repeat, what is wrong with them?

    FILE is a file that has changed; without any, all files are checked. They are compared with the
    whole pile: the `paths` of the configuration, else all that lies below the current folder, which
    is told on stderr where there is no configuration.

    \b
    DUP_EXACT       a query that stands in the pile already
    DUP_PARAMETRIC  the same but for some constants or names
    PARSE, ...      what cannot be read
    DRIFT_...       with --drift: what the other copies say otherwise
    CHANGE_ORDER    with --drift: changes of a table whose order nothing tells

    Exit code 1 when there is anything to tell; `unwet explain CODE` says what each code means.
    What is meant stays out with `-- unwet: ignore[DUP] reason` in the SQL or [[intended]] in the
    configuration, what was there before with a baseline; what has been decided (docs/decisions.md)
    is no contradiction any more.
    """
    from unwet.rewrite.check import baseline as accepted
    from unwet.rewrite.check.run import check as run

    known = accepted.read_baseline(_baseline(request))
    asked = _asked(request, min_lines, drift, no_index)
    try:
        found = run(asked, lambda text: progress(text, request.quiet))
    except PathNotFound as error:
        if error.path not in asked.paths:
            raise
        raise PathNotFound(error.path, "the configuration names it in `paths`") from error
    if _is_unset(request) and not request.quiet:
        say(*_UNNAMED)
    if request.verbose and not request.quiet:
        say(*found.notes)
    if request.named and not found.changed and not request.quiet:
        say("none of the files is one of the pile: nothing was checked; see `paths` in unwet.toml")
    strict = accepted.is_ci(ci, os.environ)
    everything = (*found.problems, *found.firsts)
    if update_baseline:
        now = accepted.updated(everything, known, found.changed, found.pile, strict)
        accepted.write(now)
        (count, files), (before, _) = accepted.sizes(now.entries), accepted.sizes(known.entries)
        if not request.quiet:
            say(f"{now.path.name}: {count:,} problems in {files:,} files (before: {before:,})")
        return 0
    left = accepted.unknown(found.problems, known)
    past = accepted.stale(everything, known, found.changed, found.pile)
    if past and not strict and not request.quiet:
        entries, them = ("entry", "it") if len(past) == 1 else ("entries", "them")
        say(f"{known.path.name}: {len(past)} {entries} that nobody needs any more; "
             f"--update-baseline takes {them} out")  # fmt: skip
    if not request.dialect and not request.quiet and any(p.code == "PARSE" for p in left):
        say("no dialect was given: --dialect NAME, or in unwet.toml, may read more of it")
    shown = [*left, *(past if strict else ())]
    emit(in_form(request.format, shown, request), request)
    return 1 if shown else 0


def _asked(request: Request, min_lines: int, drift: bool | None, no_index: bool) -> "AskCheck":
    from unwet.rewrite.cache_folder import FOLDER
    from unwet.rewrite.check.asked import Ask

    settings = request.settings
    wants_drift = drift if drift is not None else bool(settings and settings.drift)
    if "-" in request.named:
        raise UsageError("a check reads files, not standard input", "name the files")
    decided = decisions_of(request) if wants_drift else None
    return Ask(
        paths=settings.paths if settings else (),
        named=request.named,
        dialect=request.dialect,
        schema=request.schema,
        default_schema=request.default_schema,
        params=request.params,
        intended=(*request.intended, *(decided.intended if decided else ())),
        home=None if no_index or not settings else Path(settings.home, FOLDER),
        min_lines=min_lines,
        drift=wants_drift,
        decisions=decided.resolutions if decided else (),
    )


def _is_unset(request: Request) -> bool:
    """Whether there is no configuration, or one that says nothing."""
    said = request.settings
    return said is None or replace(said, home="") == type(said)()


_UNNAMED = (
    "there is no configuration: the pile is all SQL below the current folder",
    '  help: unwet init writes an unwet.toml that does; by hand: paths = ["reports"]',
)


def _baseline(request: Request) -> Path:
    from unwet.rewrite.check.baseline import NAME

    settings = request.settings
    given = settings.baseline if settings else ""
    return Path(given) if given else Path(settings.home if settings else ".", NAME)
