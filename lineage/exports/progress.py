"""What is being done now, for somebody who watches: a bar on a terminal, else plain lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Watch = Callable[[str, str], None]
"""Told of a stage that begins, and of the steps of it (or of nothing yet)."""


@contextmanager
def watched(stages: Sequence[str], terminal: bool, say: Callable[[str], None]) -> Iterator[Watch]:
    """Shows how far along ``stages`` a job is: on the terminal behind stderr, or with ``say``."""
    if terminal:
        with _bar(stages) as watch:
            yield watch
    else:
        yield lambda stage, step: say(": ".join(filter(None, (stage, step))))


@contextmanager
def _bar(stages: Sequence[str]) -> Iterator[Watch]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(stages))

        def watch(stage: str, step: str) -> None:
            text = f"[bold]{escape(stage)}[/] {escape(step)}"
            progress.update(task, completed=stages.index(stage), description=text)

        yield watch
