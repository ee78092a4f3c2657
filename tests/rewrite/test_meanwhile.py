"""What a second process makes is what the first one would have made, and nothing is left of it."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import time
from collections.abc import Callable

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import meanwhile, refactor
from unwet.rewrite.meanwhile import Meanwhile, pays
from unwet.rewrite.refactor import Request

# other tests may have left threads of a library, which a second process here has no need of
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")

TEXT = "SELECT o.id, SUM(o.cents) AS total FROM s.o AS o WHERE o.country = '{}' GROUP BY o.id"
PILE = [Source(f"{name}.sql", TEXT.format(name), "duckdb") for name in ("de", "fr", "it", "at")]


@pytest.fixture
def forking(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def allow() -> None:
        monkeypatch.setattr(meanwhile, "may_fork", lambda: True)
        monkeypatch.setattr(meanwhile, "cores", lambda: 2)
        monkeypatch.setattr(meanwhile, "SMALL", 0)

    return allow


def test_another_process_makes_it() -> None:
    with Meanwhile(os.getpid, forked=True) as work:
        assert work.result() != os.getpid()
    assert multiprocessing.active_children() == []


def test_this_process_makes_it_where_no_other_can() -> None:
    with Meanwhile(os.getpid, forked=False) as work:
        assert work.result() == os.getpid()
    first = os.getpid()

    def only_here() -> int:
        if os.getpid() != first:
            os._exit(9)  # as a process does that gets no memory
        return 7

    with Meanwhile(only_here, forked=True) as work:
        assert work.result() == 7


def test_an_error_is_raised_where_the_result_is_wanted() -> None:
    def fail() -> int:
        raise ZeroDivisionError("made of nothing")

    with Meanwhile(fail, forked=True) as work, pytest.raises(ZeroDivisionError, match="nothing"):
        work.result()


def test_who_does_not_want_it_any_more_does_not_wait() -> None:
    with pytest.raises(KeyError), Meanwhile(lambda: time.sleep(600), forked=True):
        raise KeyError
    assert multiprocessing.active_children() == []


def test_this_process_makes_it_where_no_second_one_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", no_more)
    with Meanwhile(os.getpid, forked=True) as work:
        assert work.result() == os.getpid()


def test_the_second_process_outlives_no_first_one_that_is_killed() -> None:
    ours, theirs = os.pipe()  # at its end when nobody has the other side open any more

    def first() -> None:
        with Meanwhile(lambda: bytes(1_000_000), forked=True):
            os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=first)
    process.start()
    os.close(theirs)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    ready, _, _ = select.select([ours], [], [], 60)
    assert ready and not os.read(ours, 1)
    os.close(ours)


def test_a_worker_of_a_pool_does_it_alone(forking: Callable[[], None]) -> None:
    pile = load(PILE, "duckdb")
    forking()
    with Meanwhile(lambda: (os.getpid(), pays(pile)), forked=True) as work:
        process, may = work.result()
    assert process != os.getpid() and not may


def test_it_pays_for_piles_that_are_neither_small_nor_very_large(
    forking: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pile = load(PILE, "duckdb")
    assert not pays(pile)
    forking()
    assert pays(pile)
    monkeypatch.setattr(meanwhile, "LARGE", 10)
    assert not pays(pile)


def test_a_project_is_the_same(forking: Callable[[], None]) -> None:
    alone = refactor.refactor(load(PILE, "duckdb"), Request())
    forking()
    assert refactor.refactor(load(PILE, "duckdb"), Request()) == alone
    assert any("country" in text for text in alone.files.values())
