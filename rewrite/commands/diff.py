"""`unwet diff`: what is otherwise in another revision."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from unwet.lineage.commands.output import emit, notes
from unwet.lineage.commands.request import Request, shared
from unwet.lineage.errors import UsageError

if TYPE_CHECKING:
    from unwet.lineage.findings import Finding


@click.command()
@shared("text", "json", paths="[OLD NEW] [PATH]...")
@click.option("--since", metavar="REV", default="", help="Instead of OLD and NEW: PATH as it was "
              "in that git revision, and as it is.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit 1 when anything is otherwise.")
def diff(request: Request, since: str, check: bool) -> int:
    """Show what is otherwise in another revision: reports, and how columns flow.

    \b
    unwet diff OLD NEW             two folders
    unwet diff --since REV [PATH]  what git has, and what is there now

    A report that is only written otherwise is not told: it is proved that it returns the same
    rows. Where that is not proved, it may return others, and why is told. Exit code 0 unless
    --check is given.
    """
    from unwet.lineage.revision import sources_at
    from unwet.lineage.sources import Reading
    from unwet.rewrite import diff as job
    from unwet.rewrite import diff_forms

    if since:
        new, roots = request.load(), (os.curdir, os.curdir)
        was = sources_at(since, request.paths, request.dialect or None)
        old = request.load(was.sources)
    elif len(request.named) == 2:
        was, roots = Reading((), ()), (_folder(request.named[0]), _folder(request.named[1]))
        old, new = (replace(request, paths=(path,), given=()).load() for path in request.named)
    else:
        raise UsageError("diff of what?", "unwet diff OLD NEW, or unwet diff --since REV [PATH]")
    found = job.diff(old, new, roots)
    notes([*was.findings, *_only_old(old.findings, new.findings, roots), *new.findings], request)
    on_terminal = request.output is None and sys.stdout.isatty()
    form = diff_forms.as_json(found) if request.format == "json" else ""
    emit(form or diff_forms.as_text(found, on_terminal, request.verbose), request)
    return 1 if check and not found.is_empty else 0


def _only_old(
    old: "Sequence[Finding]", new: "Sequence[Finding]", roots: tuple[str, str]
) -> "list[Finding]":
    """What is found in the old revision, and not in the new one just as well, in whatever line."""
    again = Counter(_said(finding, roots[1]) for finding in new)
    left = []
    for finding in old:
        said = _said(finding, roots[0])
        if not again[said]:
            left.append(finding)
        again[said] -= again[said] > 0
    return left


def _said(finding: "Finding", root: str) -> tuple[str, str, str]:
    return finding.code, finding.message, os.path.relpath(finding.at.path, root or os.curdir)


def _folder(path: str) -> str:
    """From where files are counted; empty for a glob and for standard input."""
    if os.path.isdir(path):
        return path
    return os.path.dirname(path) or os.curdir if os.path.lexists(path) else ""
