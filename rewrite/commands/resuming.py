"""Runs over data that may take long: limits, and going on after they were stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from unwet.lineage.commands.output import say
from unwet.lineage.commands.request import Request

if TYPE_CHECKING:
    from unwet.rewrite.known_evidence import KnownEvidence
    from unwet.rewrite.unfinished import Unfinished

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Left:
    """What earlier runs have left: of tests on given data, and on data made from the queries."""

    store: Unfinished | None
    known: KnownEvidence | None


def long_options(command: Command) -> Command:
    """Adds `timeout` and `fresh` to the arguments of a command."""
    command = click.option(
        "--fresh", is_flag=True,
        help="Begin anew, where the same command was stopped before its end.",
    )(command)  # fmt: skip
    return click.option(
        "--timeout", type=click.FloatRange(min=0, min_open=True), default=600.0, metavar="SECONDS",
        show_default=True, help="Longest time for a statement on the data; a report that needs "
        "longer is not run, with that reason, and the rest goes on.",
    )(command)  # fmt: skip


@contextmanager
def going_on(request: Request, tests: bool, fresh: bool) -> Iterator[Left]:
    """What earlier runs have left; nothing when there are no `tests`. Whatever stops this run, its
    verdicts are there for the next one."""
    if not tests:
        yield Left(None, None)
        return
    from unwet.lineage.counted import counted
    from unwet.rewrite.check.engine import engine
    from unwet.rewrite.known_evidence import KnownEvidence
    from unwet.rewrite.unfinished import Unfinished

    tell = (lambda _: None) if request.quiet else say
    home = Path(request.settings.home if request.settings else ".")
    store = Unfinished(home, engine(), fresh, tell)
    try:
        yield Left(store, KnownEvidence(store))
    except BaseException:
        if kept := store.kept:
            verdicts = counted(kept, "verdict is", "verdicts are")
            tell(f"{verdicts} kept: the same command goes on from there")
        raise
    else:
        store.finish()
    finally:
        store.close()
        if store.trouble:
            tell(store.trouble)
