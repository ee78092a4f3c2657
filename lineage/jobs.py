"""Lineage in several processes: dealing a pile's sources to them, starting them, ending them."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from unwet.lineage.errors import UnwetError, WorkerError
from unwet.lineage.shards import Answer, Question, Shard, Work
from unwet.lineage.sources import Source

BLOCKS = 16  # per process: neighbours stay together, and sizes still even out
# Characters below which processes save next to nothing. Measured: with 2 forked processes, 320,000
# characters take 0.27 s instead of 0.32, and 1,150,000 take 0.56 instead of 0.92; a process that
# has to import everything anew begins half a second later.
SMALL = {"fork": 500_000, "spawn": 3_000_000}
HOME = 0.06  # of the whole: what it takes at home to put the answers of others together
_PATIENCE = 5.0  # seconds to end after SIGTERM
_GLANCE = 0.5  # seconds to wait for an answer before signals are looked at
ENDING = (signal.SIGINT, signal.SIGTERM)


def jobs_for(sources: Sequence[Source]) -> int:
    """As many processes as pay: one for a small pile, else one per core that we may use."""
    start = _context().get_start_method() or "spawn"
    if sum(len(source.text) for source in sources) < SMALL[start]:
        return 1
    return cores()


def cores() -> int:
    """The cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def deal(sources: Sequence[Source], jobs: int) -> list[tuple[tuple[int, Source], ...]]:
    """Numbered sources for at most `jobs` shards of about the same size, none of them empty.

    Sources of one path stay together; temporary tables are known by the path of their script.
    """
    by_path: dict[str, list[tuple[int, Source]]] = {}
    for number, source in enumerate(sources):
        by_path.setdefault(source.path, []).append((number, source))
    total = sum(len(source.text) for source in sources)
    hands: list[list[tuple[int, Source]]] = [[] for _ in range(jobs)]
    sizes = [HOME * total, *[0.0] * (jobs - 1)]
    block, size = list[tuple[int, Source]](), 0
    for same in by_path.values():
        block += same
        size += sum(len(source.text) for _, source in same)
        if size >= total / (BLOCKS * jobs):
            least = sizes.index(min(sizes))
            hands[least] += block
            sizes[least] += size
            block, size = [], 0
    hands[sizes.index(min(sizes))] += block
    return [tuple(sorted(hand, key=lambda pair: pair[0])) for hand in hands if hand]


@contextmanager
def started(works: Sequence[Work]) -> Iterator[list["Worker"]]:
    """A process for each of these works; however the block ends, so do they."""
    found: list[Worker] = []
    try:
        context = _context()
        for work in works:
            with signals_held():  # what is started is known before anything can end us
                found.append(Worker(context, work, [each.pipe for each in found]))
        yield found
    finally:
        for each in found:
            each.stop()
        for each in found:
            each.wait()


@dataclass(frozen=True, slots=True)
class _Failed:
    """A worker's exception: the path that it was at, and what to tell of it."""

    path: str
    message: str
    trace: str


class Worker:
    """A shard in a process of its own; a `Port` of the survey."""

    def __init__(self, context: BaseContext, work: Work, others: Sequence[Connection]) -> None:
        self.pipe, theirs = context.Pipe()
        # others: a forked process has copies of them, and would keep its siblings' pipes open
        mine = [*others, self.pipe] if context.get_start_method() == "fork" else []
        self._process = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, mine, work), daemon=True
        )
        self._process.start()
        theirs.close()

    def ask(self, question: Question) -> None:
        """Begin to work on a question."""
        try:
            self.pipe.send(question)
        except OSError as error:
            raise self._lost() from error

    def answer(self) -> Answer:
        """The answer to the last question. Raises WorkerError, and UnwetErrors of the worker."""
        try:
            said: Answer | _Failed | UnwetError = received(self.pipe)
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if isinstance(said, UnwetError):
            raise said
        if isinstance(said, _Failed):
            raise WorkerError(said.path, said.message, said.trace)
        return said

    def stop(self) -> None:
        """End at once."""
        self.pipe.close()
        self._process.terminate()

    def wait(self) -> None:
        """Until it has ended."""
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _lost(self) -> WorkerError:
        self._process.join(_PATIENCE)
        code = self._process.exitcode
        return WorkerError("", f"a process of --jobs ended with {code}; one needs less memory")


def received(pipe: Connection) -> Any:
    """What the other end sends. Raises EOFError and OSError where there is none any more."""
    # A signal that comes just before a read would wait for its end: none takes long
    while not pipe.poll(_GLANCE):
        pass
    return pipe.recv()


def _serve(pipe: Connection, others: Sequence[Connection], work: Work) -> None:
    """Answer questions until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    gc.disable()  # nearly all that is made stays until the end
    for each in others:
        each.close()
    shard = Shard(work)
    while True:
        try:
            question: Question = pipe.recv()
        except (EOFError, OSError):
            return
        said: Answer | _Failed | UnwetError
        try:
            said = shard.answer(question)
        except UnwetError as error:
            said = error
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            said = _Failed(shard.at, message, traceback.format_exc())
        try:
            pipe.send(said)
        except OSError:
            return


@contextmanager
def signals_held() -> Iterator[None]:
    """Signals that end us come when the block is over. A process that is started inside begins with
    them held, and lets them come when it has handlers of its own: while it still has ours, Python
    takes one for lost ("ignored due to race condition"), and nobody could end the process."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> BaseContext:
    """Forked processes have read the sources and the modules already; where threads run, or
    forks are not safe, processes begin anew."""
    return multiprocessing.get_context("fork" if may_fork() else "spawn")


def may_fork() -> bool:
    """Whether a copy of this process can be made: not where forks are not safe, nor where threads
    run, which may hold what the copy then waits for in vain."""
    return threading.active_count() == 1 and sys.platform == "linux" and _system_threads() == 1


def _system_threads() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    except OSError:
        return 2  # not known
