"""`unwet init`: a first configuration."""

from pathlib import Path

import click

from unwet.lineage.commands.output import say
from unwet.lineage.errors import OutputReadOnly, UsageError


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
def init(paths: tuple[str, ...], quiet: bool) -> int:
    """Write a first unwet.toml: where the pile is, and in which dialect most of it is read.

    It is written into the current folder, wherever PATH (default: that folder) is: all commands
    that run there, or below, read it. A file that is there is left alone.
    """
    from unwet.lineage.config import Config, read_config
    from unwet.rewrite.starting import NAME, started

    place = Path(NAME)
    if place.exists() or place.is_symlink():
        raise UsageError(f"{NAME} is there already", "edit it, or move it away first")
    if "-" in paths:
        raise UsageError("a configuration cannot name standard input", "give a folder or a file")
    if any(not _is_text(path) for path in paths):
        raise UsageError("a configuration cannot name a path that is not UTF-8", "rename it")
    if (used := read_config(None, Path.cwd())) != Config(home=used.home):
        raise UsageError("pyproject.toml has a table [tool.unwet] already", "edit that")
    start = started(paths or (".",))
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(start.text)
    except OSError as error:
        raise OutputReadOnly(NAME, error.strerror or "") from error
    if not quiet:
        found = "nothing says which dialect it is" if start.is_open else start.best[0]
        say(f"{NAME} written into the current folder, {Path.cwd()}: {found}", "next: unwet scan")
    return 0


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
