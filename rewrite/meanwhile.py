"""Work that needs the pile alone, done by a second process while the first one goes on.

The second one is a copy of the first, so that it begins at once and knows all that is known by
then. What it makes is what the first would have made; where there is no second core, where copies
are not safe or where memory is dearer than time, the first makes it when it is wanted.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Generic, TypeVar

from unwet.lineage.jobs import ENDING, cores, may_fork, received, signals_held
from unwet.lineage.pile import Pile

SMALL: Final = 400_000  # characters of a pile below which a copy of the process saves nothing
LARGE: Final = 5_000_000  # and from which on the copy takes memory that the first may need

T = TypeVar("T")


def pays(pile: Pile) -> bool:
    """Whether a second process is worth its memory for what is made of a pile, and may be had:
    a worker of a pool that runs us has no children."""
    size = sum(len(source.text) for source in pile.sources)
    alone = not multiprocessing.current_process().daemon
    return SMALL <= size < LARGE and cores() > 1 and alone and may_fork()


class Meanwhile(Generic[T]):
    """A piece of work under way; a context that ends the second process when it is left."""

    def __init__(self, make: Callable[[], T], forked: bool) -> None:
        self._make = make
        self._pipe: Connection | None = None
        if forked:
            context = multiprocessing.get_context("fork")
            pipe, theirs = context.Pipe(duplex=False)
            self._process = context.Process(target=_serve, args=(pipe, theirs, make), daemon=True)
            try:
                with signals_held():
                    self._process.start()
                self._pipe = pipe
            except OSError:  # no memory for another process, or too many run
                pipe.close()
            theirs.close()

    def result(self) -> T:
        """What is made. An error is raised here, as if it had been made here: a second process
        that cannot, for want of memory say, is done without."""
        if self._pipe is not None:
            try:
                made: T = received(self._pipe)
            except (EOFError, OSError):
                pass
            else:
                return made
        return self._make()

    def __enter__(self) -> Meanwhile[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._pipe is not None:
            self._pipe.close()
            self._process.kill()
            self._process.join()
            self._process.close()
            self._pipe = None


def _serve(read: Connection, pipe: Connection, make: Callable[[], object]) -> None:
    read.close()  # nobody reads when the first has been killed: what is sent then ends us, too
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first gets it, too, and ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    gc.disable()  # it would write to all memory, which is shared until somebody does
    try:
        pipe.send(make())
    except Exception:  # the first finds the pipe empty, and meets the error itself
        pipe.close()
