"""`--no-generated` and its kin: for commands that test on data from the queries alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from unwet.lineage.commands.output import say
from unwet.lineage.commands.request import Request
from unwet.lineage.errors import OutputError, OutputReadOnly

if TYPE_CHECKING:
    from unwet.rewrite.prove.generated import Budget

Command = TypeVar("Command", bound=Callable[..., object])


def generated_options(command: Command) -> Command:
    """Adds `no_generated`, `generated_seconds`, `check_proofs` and `counterexamples` to the
    arguments."""
    options = (
        click.option(
            "--no-generated", is_flag=True,
            help="No test on data that is made from the queries alone.",
        ),
        click.option(
            "--generated-seconds", metavar="N", type=click.FloatRange(min=0), default=300.0,
            show_default=True, help="After so many seconds of work no further report is tested.",
        ),
        click.option(
            "--check-proofs", is_flag=True,
            help="Test on such data what is proved, too: a check of unwet itself. Rows that differ "
            "are a bug: exit code 2.",
        ),
        click.option(
            "--counterexamples", metavar="DIR",
            help="Where to write, for each report that differs on such data, SQL that shows it.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def budget_of(no_generated: bool, seconds: float) -> Budget | None:
    """The time for generated data; None for none."""
    from unwet.rewrite.prove.generated import Budget

    return None if no_generated else Budget(all=seconds)


def alarm(contradicted: Sequence[str]) -> int:
    """Tells of proofs that data has contradicted; the exit code for that, 0 when there are none."""
    for name in contradicted:
        say(f"error: {name} is proved, and its rows differ on generated data: a bug of unwet, or "
            "of how its SQL is run on DuckDB")  # fmt: skip
    if contradicted:
        say("help: please report it, with what --counterexamples DIR writes; do not rely on the "
            "proof")  # fmt: skip
    return 2 if contradicted else 0


def check(folder: str | None) -> None:
    """Before any work is done: raises OutputError for a folder with SQL in it that could be
    somebody's own, and be overwritten; OutputReadOnly for what is no folder."""
    from unwet.rewrite.prove.counterexample import SAYS

    if folder is None:
        return
    root = Path(folder)
    if root.exists() and not root.is_dir():
        raise OutputReadOnly(folder, "it is no folder", "choose a folder, or a new name")
    for path in sorted(root.glob("*.sql")):
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                first = lines.readline().rstrip()
        except OSError as error:
            raise OutputReadOnly(folder, error.strerror or "cannot be read") from error
        if not first.endswith(SAYS):
            raise OutputError(f"{path} is no counterexample, and could be overwritten",
                              "choose another folder with --counterexamples")  # fmt: skip


def write(scripts: Mapping[str, str], folder: str | None, request: Request) -> None:
    """A file for each report below `folder`, or a note that they can be had."""
    if not scripts:
        return
    if folder is None:
        if not request.quiet:
            many = "1 report differs" if len(scripts) == 1 else f"{len(scripts)} reports differ"
            say(f"{many} on generated data: --counterexamples DIR writes the tables that show it")
        return
    root = Path(folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
        for name, text in sorted(scripts.items()):
            (root / f"{name}.sql").write_text(text, "utf-8", newline="\n")
    except OSError as error:
        raise OutputReadOnly(folder, error.strerror or "cannot be written") from error
    if not request.quiet:
        say(f"rows that differ on generated data: {root}")
