"""The command line: read the configuration, make one pipeline call, render the result.

The group and its border: what commands return, and failures, become exit codes here and nowhere
else: 0 fine, 1 findings or a failed proof, 2 wrong use or an internal error, 130 interrupted. Data
goes to stdout, all else to stderr. The commands are in `lineage/commands/` and
`rewrite/commands/`; they import what they need themselves, so that `unwet --help` stays fast.
"""

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unwet.lineage.commands.explain import explain
from unwet.lineage.commands.lineage import lineage
from unwet.lineage.commands.output import say, table, to_stdout
from unwet.lineage.commands.scan import merge, scan
from unwet.lineage.errors import UnwetError, UsageError
from unwet.rewrite.commands.check import check
from unwet.rewrite.commands.diff import diff
from unwet.rewrite.commands.drift import drift
from unwet.rewrite.commands.dups import dups
from unwet.rewrite.commands.init import init
from unwet.rewrite.commands.refactor import refactor
from unwet.rewrite.commands.report import report
from unwet.rewrite.commands.search import search
from unwet.rewrite.commands.verify import verify

if TYPE_CHECKING:
    from unwet.rewrite.demo import Case

COMMANDS = (
    init, scan, merge, lineage, check, explain, dups, drift, search, refactor, verify, report, diff
)  # fmt: skip
_INTERRUPTED, _TERMINATED = 130, 143  # as shells say of SIGINT and SIGTERM
_SENTENCE = 200  # letters, more than any has
_terminated = threading.Event()


class Border(click.Group):
    """Turns failures into messages and exit codes; nothing above it catches anything."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run and leave the process with an exit code."""
        # or the collector looks once more at millions of objects, which all go with the process
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)
        try:
            with _terminable():
                code = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.ClickException as error:
            say(f"error: {error.format_message()}", f"help: {_way_out(error)}")
            code = error.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = _interrupted()
        except UnwetError as error:
            say(f"error: {error.message}", f"help: {error.help}" if error.help else "")
            say(*getattr(error, "__notes__", ()))
            code = 2
        except BrokenPipeError:  # the reader has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        except Exception as error:
            # DuckDB's word for a signal during a query, whichever it was
            code = _interrupted() if str(error) == "Query interrupted" else _internal_error()
        sys.exit((_TERMINATED if _terminated.is_set() and code == _INTERRUPTED else code) or 0)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with the whole of its first sentence, where click would cut it off."""
        names = self.list_commands(ctx)
        known = [(name, found) for name in names if (found := self.get_command(ctx, name))]
        with formatter.section("Commands"):
            told = [(name, found.get_short_help_str(_SENTENCE)) for name, found in known]
            formatter.write_dl(told)


def _way_out(error: click.ClickException) -> str:
    """What to do about words that click does not take: the nearest it does, or where all are."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "unwet"
    kind = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    if isinstance(kind, click.Choice) and (near := _near(error.message, kind.choices)):
        return f"did you mean {near}?"
    if context and isinstance(context.command, click.Group):
        return f"{path} --help lists all commands"
    return f"{path} --help says what it takes"


def _near(message: str, words: Iterable[object]) -> str:
    """The one of the words that is nearest to what the message has in quotes first."""
    from difflib import get_close_matches

    _, _, rest = message.partition("'")
    given, _, _ = rest.partition("'")
    return next(iter(get_close_matches(given, [str(w) for w in words], n=1)), "")


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C, so that what was begun is cleaned up."""
    here = threading.current_thread() is threading.main_thread()
    _terminated.clear()
    before = signal.signal(signal.SIGTERM, _terminate) if here else None
    try:
        yield
    finally:
        if here:
            signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> None:
    _terminated.set()
    sys.exit(_TERMINATED)


def _interrupted() -> int:
    say("interrupted")
    return _INTERRUPTED


def _internal_error() -> int:
    import traceback

    say("internal error; please report it:", traceback.format_exc().rstrip())
    return 2


@click.group(cls=Border, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="unwet", prog_name="unwet")
def main() -> None:
    """Read a pile of copy-pasted SQL; rewrite it as a small, proven, modular project."""


for command in COMMANDS:
    main.add_command(command)


@main.command()
@click.option("--out", metavar="DIR", default="unwet-demo", show_default=True,
              help="Where pile, data, project and pages go.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=None,
              help="Another pile, made now; default: the one that is bundled.")  # fmt: skip
@click.option("--size", type=click.FloatRange(0, 1), metavar="SHARE", default=1.0,
              help="Share of the pile's copies, for a quick look: 0.1.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write into a folder that is not empty.")
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
@click.option("-v", "--verbose", is_flag=True, help="Also the CPU seconds of each stage.")
def demo(out: str, seed: int | None, size: float, force: bool, quiet: bool, verbose: bool) -> int:
    """Run everything on the bundled case, a shop's reports of five years."""
    from unwet.lineage.exports.progress import watched
    from unwet.rewrite import demo as job

    def tell(line: str) -> None:
        if not quiet:
            say(line)

    bar = sys.stderr.isatty() and not quiet
    with watched(job.STAGES, bar, tell) as watch:
        found = job.demo(_bundled(seed, size), Path(out), force, watch)
    if verbose:
        say(*(f"{stage}: {used:.1f} s CPU" for stage, used in found.seconds.items()))
    to_stdout(table(job.rows(found)).encode())
    if not quiet:
        say(" ", *job.next_steps(found))
    return 0 if found.verified.ok else 1


def _bundled(seed: int | None, size: float) -> "Case":
    """The case that is shipped beside this file; the stages know nothing of it."""
    from unwet.fixtures.shop import case as shop
    from unwet.rewrite.demo import Case

    try:
        made = shop.case(shop.DEFAULT if seed is None else seed, size)
    except OSError as error:
        hint = "install unwet anew"
        raise UsageError(f"the bundled pile cannot be read: {error}", hint) from error
    return Case(made.files, made.build, shop.DIALECT, made.answers["placeholders"])
