"""Processes that share the work: started, told off, and ended."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from unwet.lineage import jobs
from unwet.lineage.errors import UnknownDialect, UsageError, WorkerError
from unwet.lineage.jobs import SMALL, Worker, jobs_for
from unwet.lineage.parse import Script, parse
from unwet.lineage.pile import look, trace
from unwet.lineage.shards import Work
from unwet.lineage.sources import Source
from unwet.lineage.templating import Masked

SOURCES = [
    *(Source(f"{i}.sql", f"create view v{i} as select * from v{i + 1}") for i in range(8)),
    Source("8.sql", "create table v8 (x int, y int)"),
    Source("9.sql", "select a.x from v0 a, v3 where y > {{ least }}"),
]
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_processes_give_the_same(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_context", lambda: multiprocessing.get_context(start))
    alone, shared = look(SOURCES, jobs=1), look(SOURCES, jobs=3)
    assert type(alone) is not type(shared)
    assert alone.graph.traced == shared.graph.traced
    assert alone.findings == shared.findings
    assert multiprocessing.active_children() == []


@linux
def test_what_runs_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert jobs._context().get_start_method() == "spawn"
    finally:
        stop.set()
        other.join()
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(jobs, "_system_threads", lambda: 1)
    assert jobs._context().get_start_method() == "fork"
    monkeypatch.setattr(jobs, "_system_threads", lambda: 2)  # of a library
    assert jobs._context().get_start_method() == "spawn"


@contextmanager
def parsing(monkeypatch: pytest.MonkeyPatch, fail: object) -> Iterator[None]:
    """Forked processes call `fail`; the test's own does not."""
    parent = os.getpid()
    monkeypatch.setattr(jobs, "_context", lambda: multiprocessing.get_context("fork"))

    def parsed(masked: Masked, dialect: str) -> Script:
        if os.getpid() != parent and callable(fail):
            fail()
        return parse(masked, dialect)

    monkeypatch.setattr("unwet.lineage.shards.parse", parsed)
    yield
    assert multiprocessing.active_children() == []


def fault() -> NoReturn:
    raise ZeroDivisionError("by nothing")


@linux
def test_a_fault_of_a_process_is_told_with_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with parsing(monkeypatch, fault), pytest.raises(WorkerError) as caught:
        trace(SOURCES, jobs=2)
    assert caught.value.path in {source.path for source in SOURCES}
    assert caught.value.message == f"{caught.value.path}: ZeroDivisionError: by nothing"
    assert "in fault" in "".join(caught.value.__notes__)


@linux
def test_a_refusal_of_a_process_is_the_same_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise UnknownDialect("tqsl", ["tsql"])

    with parsing(monkeypatch, refuse), pytest.raises(UnknownDialect) as caught:
        trace(SOURCES, jobs=2)
    assert (caught.value.name, caught.value.help) == ("tqsl", "did you mean tsql?")


@linux
def test_a_process_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with parsing(monkeypatch, gone), pytest.raises(WorkerError, match="ended with -9"):
        trace(SOURCES, jobs=3)


def test_wrong_requests() -> None:
    with pytest.raises(UsageError, match="0 processes"):
        trace(SOURCES, jobs=0)
    with pytest.raises(UnknownDialect):
        trace([*SOURCES, Source("z.sql", "select 1", "nosuch")], jobs=2)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_small_piles_are_read_by_one_process(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_context", lambda: multiprocessing.get_context(start))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(5), raising=False)
    assert jobs_for(SOURCES) == 1
    assert jobs_for([Source("a.sql", " " * SMALL[start])]) == 5


EARLY = """
import os, signal, sys
from multiprocessing import popen_fork
from unwet.lineage import jobs
launch = popen_fork.Popen._launch
def launched(self, process):
    launch(self, process)
    os.kill(os.getpid(), signal.{number})  # before anybody knows the process
    os.write(1, b"started\\n")
popen_fork.Popen._launch = launched
serve = jobs._serve
def served(*args):
    os.kill(os.getpid(), signal.SIGTERM)  # before it has handlers of its own
    serve(*args)
jobs._serve = served
from unwet.cli import main
main(["lineage", "--jobs", "3", sys.argv[1]])
"""


@linux
@pytest.mark.parametrize("name, code", [("SIGINT", 130), ("SIGTERM", 143)])
def test_an_interrupt_while_processes_start_ends_all(tmp_path: Path, name: str, code: int) -> None:
    for source in SOURCES:
        (tmp_path / source.path).write_text(source.text)
    command = [sys.executable, "-c", EARLY.replace("{number}", name), str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    ) as run:
        try:
            out, said = run.communicate(timeout=30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
    assert (run.returncode, out) == (code, "started\n")
    assert said.strip() == ("interrupted" if name == "SIGINT" else "")


@linux
def test_a_signal_that_wakes_nobody_is_heard_while_an_answer_is_waited_for() -> None:
    """Such as one that comes just before the process begins to wait; here, in another thread."""

    class Heard(Exception):
        pass

    def heard(*_: object) -> NoReturn:
        raise Heard

    worker = Worker(multiprocessing.get_context("fork"), Work(()), [])
    before = signal.signal(signal.SIGUSR1, heard)
    over, late = threading.Event(), list[str]()

    def send() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        if not over.wait(10):
            late.append("nobody heard it")
            worker.stop()  # so that the test ends

    other = threading.Timer(0.2, send)
    other.start()
    try:
        with pytest.raises(Heard):
            worker.answer()  # nobody asked anything
    finally:
        signal.signal(signal.SIGUSR1, before)
        over.set()
        other.join()
        worker.stop()
        worker.wait()
    assert not late


SLOW = """
import os, sys, time
from unwet.lineage import shards
parse = shards.parse
def slow(masked, dialect):
    os.write(1, b"begun\\n")  # in one piece, as three processes write
    for _ in range(600):  # a signal just before a long sleep would be heard of behind it
        time.sleep(0.1)
shards.parse = slow
from unwet.cli import main
main(["lineage", "--jobs", "3", sys.argv[1]])
"""


@linux
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("whole_group", [True, False])
def test_an_interrupt_ends_all(
    tmp_path: Path, number: signal.Signals, code: int, whole_group: bool
) -> None:
    for source in SOURCES:
        (tmp_path / source.path).write_text(source.text)
    command = [sys.executable, "-c", SLOW, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    ) as run:
        assert run.stdout is not None
        for _ in range(3):
            assert run.stdout.readline() == "begun\n"
        (os.killpg if whole_group else os.kill)(run.pid, number)
        _, said = run.communicate(timeout=30)
    assert (run.returncode, said.strip()) == (code, "interrupted" if code == 130 else "")
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)
