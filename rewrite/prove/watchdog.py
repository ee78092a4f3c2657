"""A time limit for one statement after the other, with one thread for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, process_time
from typing import Final

_PATIENCE: Final = 10  # seconds of the clock for each second of work that is allowed


class Watchdog:
    """Calls ``stop`` when what runs inside ``with watchdog:`` takes longer than ``seconds``.

    With ``cpu`` these are seconds of work of this process, so that a busy machine stops nothing
    that an idle one lets run; what sleeps is stopped after ten times as long by the clock.
    A thread per statement would cost more than most statements do. ``stop`` is never called for
    what has ended already. ``late``: whether it was called for the last one."""

    def __init__(self, seconds: float, stop: Callable[[], None], cpu: bool = False) -> None:
        self._seconds, self._stop = seconds, stop
        self._clock = process_time if cpu else monotonic
        self._lock = threading.Condition()
        self._deadline: float | None = None  # of what runs now, by `_clock`
        self._end = 0.0  # of it, by the clock on the wall
        self._asleep, self._closed = True, False
        self._thread: threading.Thread | None = None
        self.late = False

    def __enter__(self) -> Watchdog:
        with self._lock:
            self.late, self._deadline = False, self._clock() + self._seconds
            self._end = monotonic() + self._seconds * _PATIENCE
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            elif self._asleep:
                self._lock.notify()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._deadline = None

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            self._closed = True
            self._lock.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        """Sleeps until the deadline it knows of; a later one is seen then, an earlier one there
        cannot be."""
        with self._lock:
            while not self._closed:
                left = self._left()
                if left is not None and left <= 0:
                    self.late, self._deadline = True, None
                    self._stop()
                    continue
                self._asleep = left is None
                self._lock.wait(left)

    def _left(self) -> float | None:
        """Seconds for which nothing can be late; None while nothing runs."""
        if self._deadline is None:
            return None
        return min(self._deadline - self._clock(), self._end - monotonic())
