"""Limits that do not depend on how busy the machine is."""

import threading
import time

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove import effort, strength, watchdog
from unwet.rewrite.prove.effort import Effort, cost
from unwet.rewrite.prove.same_meaning import Meant
from unwet.rewrite.prove.strength import Limits
from unwet.rewrite.prove.synthetic.database import Database, Table
from unwet.rewrite.prove.synthetic.units import units
from unwet.rewrite.prove.watchdog import Watchdog

QUERY = "select a, count(*) as n from s.t where b >= 10 and a <> 'q' and b < 90 group by a"


def test_what_is_left_is_counted() -> None:
    left = Effort(100)
    left.spend(49)
    assert left.is_left(0.5)
    left.spend(1)
    assert left.is_left() and not left.is_left(0.5)
    left.spend(50)
    assert not left.is_left()


def test_time_is_a_guard_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(effort, "process_time", lambda: now)
    left = Effort(40_000)  # a second of work
    now = 3.0
    assert left.is_left()
    now = 60.0
    assert not left.is_left()


def test_longer_text_costs_more() -> None:
    def of(text: str) -> int:
        return cost(load([Source("r.sql", text, "duckdb")], "duckdb").scripts)

    assert of(QUERY) > of("select a from s.t") > 0
    assert of(f"{QUERY}; {QUERY}") == 2 * of(QUERY)


def scored(most: int) -> tuple[int, int]:
    """How many mistakes were tried with so much effort, and how many are seen."""
    meaning = Meaning(load([Source("r.sql", QUERY, "duckdb")], "duckdb"))
    (unit,) = units(meaning)
    columns = (("a", "VARCHAR"), ("b", "BIGINT"))
    rows = [("x", "10"), ("x", "89"), ("y", "90"), ("q", "20")]
    data = Database({"s.t": Table(columns, tuple(rows))})
    found = strength.strength(unit, [data], Meant(meaning), limits=Limits(effort=most))
    return found.valid, found.killed


def test_a_slow_machine_finds_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it is so slow that the guard has to end it."""
    unhurried = scored(300)
    assert 0 < unhurried[0] < scored(400_000)[0]
    took = 0.0

    def clock() -> float:
        nonlocal took
        took += 1e-5
        return took

    monkeypatch.setattr(effort, "process_time", clock)
    assert scored(300) == unhurried


def test_a_statement_that_waits_for_the_processor_is_not_late() -> None:
    """Only work counts; the clock goes on for all the others on the machine."""
    stopped = threading.Event()
    dog = Watchdog(0.05, stopped.set, cpu=True)
    try:
        with dog:
            time.sleep(0.2)
        assert not dog.late
        with dog:
            end = time.process_time() + 2.0
            while not stopped.is_set() and time.process_time() < end:
                pass
        assert dog.late
    finally:
        dog.close()


def test_a_statement_that_never_works_is_stopped_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_PATIENCE", 2)
    stopped = threading.Event()
    dog = Watchdog(0.05, stopped.set, cpu=True)
    try:
        with dog:
            assert stopped.wait(5.0)
        assert dog.late
    finally:
        dog.close()
