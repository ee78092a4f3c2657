"""Which decisions file the commands obey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unwet.lineage.commands.output import say
from unwet.lineage.commands.request import Request

if TYPE_CHECKING:
    from unwet.rewrite.decisions.file import Decisions

decisions_option = click.option(
    "--decisions", metavar="FILE", help="What has been decided about contradictions.  "
    "[default: as in the configuration, else unwet-decisions.toml]")  # fmt: skip


def decisions_of(request: Request, given: str | None = None) -> Decisions:
    """The file that was given, else that of the configuration, else the one beside it, if any.
    Raises PathNotFound and BadDecision."""
    from unwet.rewrite.decisions.file import NAME, read_decisions

    settings = request.settings
    wanted = given or (settings.decisions if settings else "")
    usual = Path(settings.home if settings else ".", NAME)
    found = Path(wanted) if wanted else usual if usual.exists() else None
    if found is not None and found.is_relative_to(Path.cwd()):
        found = found.relative_to(Path.cwd())  # what is told of it is the same on all machines
    return read_decisions(found)


def tell(notes: tuple[str, ...], request: Request) -> None:
    """What is wrong with decisions, to stderr."""
    if not request.quiet:
        say(*notes)
