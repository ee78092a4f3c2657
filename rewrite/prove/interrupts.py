"""Ctrl-C while an engine works: Python looks at signals only when the engine's call is over, which
may take hours; so a thread hears of them at once, and tells the engine to stop."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable
from typing import Final

_STOPPING: Final = frozenset({signal.SIGINT, signal.SIGTERM})


class _Ear:
    """Hears of signals through the file descriptor that Python's own handler writes to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []
        self._mouth: socket.socket | None = None

    def listen(self, stop: Callable[[], None]) -> None:
        """Call `stop` when a signal comes that ends the process. Only for the main thread, and
        where nobody else listens: an event loop has its own way."""
        if threading.current_thread() is not threading.main_thread():
            return
        with self._lock:
            self._stops.append(stop)
            if self._mouth is not None:
                return
            ear, self._mouth = socket.socketpair()
            self._mouth.setblocking(False)
            before = signal.set_wakeup_fd(self._mouth.fileno(), warn_on_full_buffer=False)
            if before != -1:
                signal.set_wakeup_fd(before)
                self._mouth.close()
                ear.close()
                self._mouth = None
                return
            threading.Thread(target=self._hear, args=(ear,), daemon=True).start()

    def forget(self, stop: Callable[[], None]) -> None:
        """`stop` is not wanted any more; the last one gives the signals back."""
        with self._lock:
            self._stops = [each for each in self._stops if each != stop]
            main = threading.current_thread() is threading.main_thread()
            if self._stops or self._mouth is None or not main:
                return
            signal.set_wakeup_fd(-1)
            self._mouth.close()  # ends the thread
            self._mouth = None

    def _hear(self, ear: socket.socket) -> None:
        with ear:
            while heard := ear.recv(64):
                if _STOPPING.isdisjoint(heard):
                    continue
                with self._lock:
                    stops = tuple(self._stops)
                for stop in stops:
                    with contextlib.suppress(Exception):  # closed in this very moment
                        stop()


_EAR: Final = _Ear()
listen, forget = _EAR.listen, _EAR.forget
