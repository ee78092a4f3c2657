"""Where output goes: data to stdout or into a file, all else to stderr."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from unwet.lineage.commands.request import Request
from unwet.lineage.errors import OutputReadOnly

if TYPE_CHECKING:
    from unwet.lineage.findings import Finding

SHOWN = 20  # findings on stderr unless -v


def emit(data: str | bytes, request: Request) -> None:
    """Data to stdout or to the file that -o names; the file appears only when it is complete."""
    # UTF-8 whatever the locale; file names may hold bytes that no encoding knows
    raw = data.encode(errors="backslashreplace") if isinstance(data, str) else data
    if request.output is None:
        to_stdout(raw)
        return
    target = Path(request.output)
    if target.is_dir():
        raise OutputReadOnly(request.output or "''", "it is a folder")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(raw)  # a device or a pipe stays one: nothing is put in its place
        else:
            _in_one_piece(raw, target.resolve())  # a link stays one, too
    except FileNotFoundError as error:
        help = f"make the folder {target.parent} first"
        raise OutputReadOnly(str(target), "its folder is not there", help) from error
    except OSError as error:
        raise OutputReadOnly(str(target), error.strerror or "") from error


def _in_one_piece(raw: bytes, target: Path) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(raw)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def to_stdout(raw: bytes) -> None:
    """All of it, at once. Raises OutputReadOnly when it cannot be written, BrokenPipeError when
    nobody reads it any more."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(raw)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk behind `> file`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or exit tries it again
        raise OutputReadOnly("standard output", error.strerror or "") from error


def colourful(request: Request) -> bool:
    """Whether somebody looks at the output who wants colours."""
    return request.output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Label and value per line; fitted to the terminal when there is one."""
    from unwet.lineage.exports.table import aligned

    return aligned(rows, sys.stdout.isatty())


def notes(findings: Sequence["Finding"], request: Request) -> None:
    """Findings to stderr, one per line, what helps behind the first one that it helps with; the
    first few unless -v."""
    if request.quiet:
        return
    shown = findings if request.verbose else findings[:SHOWN]
    told = {""}
    for finding in shown:
        say(str(finding), f"  help: {finding.help}" if finding.help not in told else "")
        told.add(finding.help)
    if len(shown) < len(findings):
        say(f"... and {len(findings) - len(shown)} more (-v shows all)")


def listed(lines: Sequence[str], request: Request, where: Path) -> list[str]:
    """The first few of many lines unless -v, and `where` all of them stand."""
    if request.verbose or len(lines) <= SHOWN:
        return list(lines)
    return [*lines[:SHOWN], f"... and {len(lines) - SHOWN:,} more: {where}"]


def say(*lines: str) -> None:
    """Lines to stderr; empty ones are left out."""
    for line in lines:
        if line:
            click.echo(line, err=True)


def progress(text: str, quiet: bool) -> None:
    """What is being done now; only for somebody who watches."""
    if sys.stderr.isatty() and not quiet:
        click.echo(f"... {text}", err=True)


class Steps:
    """Tells what is being done now, and with -v at the end how many seconds each step took. What
    stands before a colon names the step; the rest says how far it is."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._taken: dict[str, float] = {}
        self._step, self._since = "", monotonic()

    def __call__(self, text: str) -> None:
        self._end()
        self._step = text.partition(":")[0]
        progress(text, self._request.quiet)

    def tell(self) -> None:
        """The seconds, to stderr."""
        self._end()
        if self._request.verbose and not self._request.quiet:
            say(*(f"{seconds:8.1f} s  {step}" for step, seconds in self._taken.items()))

    def _end(self) -> None:
        now = monotonic()
        if self._step:
            self._taken[self._step] = self._taken.get(self._step, 0.0) + now - self._since
        self._step, self._since = "", now
