"""Engines for tens of rows, in DuckDBs that run already.

To start a DuckDB takes longer than most of what generated data is asked for. A guest is a
connection of its own to one that runs: it has its own temporary tables and macros, and it is
the only guest there, so that the names of worlds are its own, too. When it is closed, its worlds
are detached, and the next guest finds nothing.
"""

from __future__ import annotations

import atexit
from functools import cache
from typing import TYPE_CHECKING, Final

from unwet.lineage.errors import EngineError
from unwet.rewrite.prove.engines import DATA, DuckEngine, open_duckdb, text

if TYPE_CHECKING:
    from duckdb import Statement

_SPARE: Final = 4  # hosts that wait for a guest
_KEPT: Final = "memory"  # the catalog that is there before and after a guest

_idle: Final[list[DuckEngine]] = []


class Guest(DuckEngine):
    """DuckDB with an empty catalog for data, and one thread. Make it with `guest`."""

    def __init__(self, host: DuckEngine, seconds: float | None) -> None:
        super().__init__(host.connected(), seconds, cpu=True)
        self._host: DuckEngine | None = host
        self._is_clean = True
        self.attach(DATA)

    def close(self) -> None:
        """Leave the host to the next guest; one in which something may have been left is closed."""
        host, self._host = self._host, None
        if host is None:
            return
        self._tidy()
        super().close()
        if self._is_clean and len(_idle) < _SPARE:
            _idle.append(host)
        else:
            host.close()

    def _tidy(self) -> None:
        try:
            for name in [*self._attached]:
                self.forget(name)
            self._is_clean &= not self.tables(_KEPT)
        except EngineError:
            self._is_clean = False

    def _checked(self, sql: str) -> Statement:
        self._is_clean &= _KEPT not in sql.lower()  # it may write there
        return super()._checked(sql)


def guest(seconds: float | None) -> DuckEngine:
    """An engine without data. `seconds`: of work, for each statement."""
    return Guest(_idle.pop() if _idle else _host(), seconds)


def _host() -> DuckEngine:
    host = open_duckdb(None).deaf()
    hurry(host)
    host.forget(DATA)
    _close_at_exit()
    return host


@cache
def _close_at_exit() -> None:
    """Before spill folders, which are there by now, are missed by their own clean-up."""
    atexit.register(_close)


def _close() -> None:
    for host in _idle:
        host.close()


def hurry(engine: DuckEngine) -> None:
    """Sets an engine up for large queries over tens of rows: one thread, and only those rewrites
    without which a query may never end. The others cost more than they save here."""
    known = [str(name) for (name,) in engine.rows("SELECT name FROM duckdb_optimizers()")]
    engine._trusted("SET threads=1")
    idle = ",".join(sorted(set(known) - _NEEDED))
    engine._trusted(f"SET disabled_optimizers={text(idle)}")


_NEEDED: Final = frozenset({"filter_pushdown", "join_order", "deliminator", "unused_columns"})
