"""Signals are heard while an engine works, and given back afterwards."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove import interrupts
from unwet.rewrite.prove.engines import open_duckdb

SLOW = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range > 0"


@pytest.fixture(autouse=True)
def calm() -> Iterator[None]:
    """A Ctrl-C that does nothing by itself, so that only the ear can hear it."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


def descriptor() -> int:
    """What listens now; it goes on."""
    found = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(found)
    return found


def test_a_query_ends_at_once() -> None:
    with closing(open_duckdb(None)) as engine:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(EngineError, match=r"(?i)interrupt"):
            engine.rows(SLOW)
        timer.join()
        assert engine.rows("SELECT 1") == [(1,)]  # and the next one runs


def test_the_last_engine_gives_the_signals_back() -> None:
    assert descriptor() == -1
    with closing(open_duckdb(None)):
        with closing(open_duckdb(None)):
            assert descriptor() != -1
        assert descriptor() != -1
    assert descriptor() == -1


def test_whoever_listens_already_goes_on() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    try:
        with closing(open_duckdb(None)):
            assert descriptor() == writer
        assert descriptor() == writer
    finally:
        signal.set_wakeup_fd(-1)
        os.close(reader)
        os.close(writer)


def test_other_threads_work_without_it() -> None:
    found: list[object] = []

    def work() -> None:
        with closing(open_duckdb(None)) as engine:
            found.extend(engine.rows("SELECT 1"))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(1,)]
    assert descriptor() == -1


def test_one_that_cannot_be_stopped_does_not_keep_others_from_it() -> None:
    stopped = threading.Event()

    def broken() -> None:
        raise RuntimeError("closed")

    interrupts.listen(broken)
    interrupts.listen(stopped.set)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped.wait(10)
    finally:
        interrupts.forget(broken)
        interrupts.forget(stopped.set)
    assert descriptor() == -1
