"""What runs over data have found out before they were stopped, on disk, so that the next goes on.

A run is known by all that its verdicts depend on: the texts of the pile, the files of the project,
path, size and time of the data, values, dialect, and this version of unwet and DuckDB. What has
been found out is written down at once, a run that comes to its end is forgotten. No row of the data
gets here: verdicts that show rows, or quote the engine, are worked out again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

from unwet.lineage.parse import Script
from unwet.rewrite.cache_folder import FOLDER, make_folder
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.compare import Counts
from unwet.rewrite.prove.engines import TABLE_SUFFIXES
from unwet.rewrite.prove.tested import DataVerdict

KEPT: Final = 30  # days that a run may wait to be gone on with
_FORMAT: Final = 2
_WAIT: Final = 10.0  # seconds for another run to finish writing
_TABLES: Final = (
    "create table if not exists run (key text primary key, clock text not null, day integer)",
    "create table if not exists verdict (run text, name text, value text, primary key (run, name))",
    "create table if not exists note (key text primary key, value text not null, day integer)",
)
_NOT_READ: Final = frozenset({"logs", ".git", FOLDER})
# Of what was not run only this is kept: other reasons quote the engine, and it the data.
_LATE: Final = re.compile(r"(?:model \w+: |needs \w+: )*stopped after [\d.e+]+ s")


class Unfinished:
    """The runs in a folder. `trouble`: why nothing is remembered, when it cannot be."""

    def __init__(
        self,
        folder: Path,
        engine: str,
        fresh: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`engine`: which unwet this is; `fresh`: what is left of the same run is forgotten. `tell`
        hears that a run goes on."""
        self._path = folder / FOLDER / f"unfinished-{_FORMAT}.sqlite3"
        self._engine, self._fresh, self._tell = engine, fresh, tell
        self._open: sqlite3.Connection | None = None
        self._begun: list[str] = []
        self.kept = 0  # verdicts that this process has found, or found again
        self.trouble = ""

    def run(
        self,
        scripts: Sequence[Script],
        project: Path,
        reports: Sequence[ReportRef],
        data: Path | str,
        dialect: str,
        values: Mapping[str, str],
        seconds: float | None,
    ) -> Run | None:
        """What is left of that run, or a new one; None where it cannot be known whether the data
        is the same, or nothing can be written."""
        try:
            identity, files = _data(data), _files(project)
        except OSError:  # who opens them says so
            return None
        if identity is None or not self._ready():
            return None
        texts = [[s.source.path, s.source.text, s.source.dialect] for s in scripts]
        masked = [[each.masked.text for each in s.statements[:1]] for s in scripts]
        asked = [[r.name, r.relation, r.model, r.path, r.line] for r in reports]
        parts = (self._engine, _duckdb(), texts, asked, masked, files, identity, dialect,
                 sorted(values.items()), _place())  # fmt: skip
        key = blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()
        return self._run(key, seconds)

    def finish(self) -> None:
        """Forget the runs of this process: they came to their end."""
        if self._open is not None:
            with self._guarded():
                for key in self._begun:
                    self._forget(key)
        self.close()

    def close(self) -> None:
        """Leave what there is to the next run."""
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
        self._open = None

    # --- the file

    def _run(self, key: str, seconds: float | None) -> Run | None:
        clock = datetime.now().replace(microsecond=0)
        found: dict[str, DataVerdict] = {}
        with self._guarded():
            assert self._open is not None
            if self._fresh and key not in self._begun:
                self._forget(key)
            for (text,) in self._open.execute("select clock from run where key = ?", (key,)):
                clock = datetime.fromisoformat(text)
                found = dict(self._verdicts(key))
            row = (key, clock.isoformat(), int(time.time() // 86_400))
            self._open.execute("insert or ignore into run values (?, ?, ?)", row)
            self._begun.append(key)
            self.kept += len(found)
            if found:
                self._tell(f"going on with the run of {clock}, which was stopped: {len(found):,} "
                           "reports are done; --fresh begins anew")  # fmt: skip
            return Run(self, key, clock, found, seconds)
        return None

    def _verdicts(self, key: str) -> Iterator[tuple[str, DataVerdict]]:
        assert self._open is not None
        query = "select name, value from verdict where run = ?"
        for name, value in self._open.execute(query, (key,)).fetchall():
            verdict, before, after, reason, counts = json.loads(value)
            rows = Counts(*counts) if counts is not None else None
            yield name, DataVerdict(name, verdict, before, after, (), reason, rows)

    def keep(self, key: str, verdict: DataVerdict) -> None:
        """Write a verdict down."""
        told = (verdict.verdict, verdict.rows_before, verdict.rows_after, verdict.reason,
                astuple(verdict.counts) if verdict.counts is not None else None)  # fmt: skip
        if self._open is not None:
            with self._guarded():
                row = (key, verdict.name, json.dumps(told))
                self._open.execute("insert or replace into verdict values (?, ?, ?)", row)
                self.kept += 1

    def recall(self, key: str) -> str | None:
        """What was noted under a key, by this version of unwet."""
        if self._fresh or not self._ready():
            return None
        with self._guarded():
            assert self._open is not None
            query = "select value from note where key = ?"
            for (value,) in self._open.execute(query, (self._own(key),)):
                return str(value)
        return None

    def note(self, key: str, value: str) -> None:
        """Write down what is true for all time of whatever the key is made of."""
        if not self._ready():
            return
        with self._guarded():
            assert self._open is not None
            row = (self._own(key), value, int(time.time() // 86_400))
            self._open.execute("insert or replace into note values (?, ?, ?)", row)
            self.kept += 1

    def _own(self, key: str) -> str:
        whole = f"{self._engine} {_duckdb()} {_place()} {key}"
        return blake2b(whole.encode(), digest_size=16).hexdigest()

    def _forget(self, key: str) -> None:
        assert self._open is not None
        self._open.execute("delete from verdict where run = ?", (key,))
        self._open.execute("delete from run where key = ?", (key,))

    def _ready(self) -> bool:
        """Whether the file is open; one that is no such file is made anew."""
        for _ in range(2):
            if self._open is None and not self.trouble:
                with self._guarded():
                    make_folder(self._path.parent)
                    self._open = sqlite3.connect(self._path, timeout=_WAIT, isolation_level=None)
                    self._open.execute("pragma journal_mode = wal")
                    for table in _TABLES:
                        self._open.execute(table)
                    self._forget_old()
        return self._open is not None

    def _forget_old(self) -> None:
        assert self._open is not None
        day = int(time.time() // 86_400) - KEPT
        old = "select key from run where day < ?"
        self._open.execute(f"delete from verdict where run in ({old})", (day,))
        self._open.execute("delete from run where day < ?", (day,))
        self._open.execute("delete from note where day < ?", (day,))

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """A disk that is full, a folder that cannot be written, or garbage: nothing is remembered,
        and the run goes on."""
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:
            garbage = isinstance(error, ValueError) or (
                isinstance(error, sqlite3.DatabaseError)
                and not isinstance(error, sqlite3.OperationalError)
            )
            self.close()
            if garbage:
                with contextlib.suppress(OSError):
                    for end in ("", "-wal", "-shm"):
                        Path(f"{self._path}{end}").unlink(missing_ok=True)
                    return
            self.trouble = f"cannot be resumed if it is stopped: {self._path}: {error}"


class Run:
    """One run over one data, project and pile; a `Memory` of tests."""

    def __init__(
        self,
        home: Unfinished,
        key: str,
        clock: datetime,
        found: Mapping[str, DataVerdict],
        seconds: float | None,
    ) -> None:
        self.clock = clock
        self.found = found
        self._home, self._key = home, key
        self._late = f"stopped after {seconds:g} s" if seconds else ""

    def get(self, name: str) -> DataVerdict | None:
        """What was found out about a report; not that it took too long for another limit."""
        found = self.found.get(name)
        if found is not None and found.verdict == "not run":
            return found if self._late and found.reason.endswith(self._late) else None
        return found

    def put(self, verdict: DataVerdict) -> None:
        """Remember what shows nothing of the data."""
        late = verdict.verdict == "not run" and _LATE.fullmatch(verdict.reason)
        if not verdict.sample and (late or verdict.verdict in ("identical", "order-dependent")):
            self._home.keep(self._key, verdict)


# --- what a run is known by -------------------------------------------------------------------


def _data(data: Path | str) -> list[object] | None:
    """Path, size and time of every file; None for data behind a connection."""
    scheme, colon, rest = str(data).partition("://")
    if colon and scheme != "duckdb":
        return None
    place = Path(rest.partition("?")[0] if colon else str(data))
    if place.is_dir():
        below = (p for p in place.rglob("*") if p.name.lower().endswith(TABLE_SUFFIXES))
        return [[str(place.resolve())], *_stamps(below)]
    return _stamps(p for p in (place, Path(f"{place}.wal")) if p.exists()) or None


def _stamps(paths: Iterable[Path]) -> list[object]:
    found: list[object] = []
    for path in sorted(paths):
        stat = path.stat()
        found.append([str(path.resolve()), stat.st_size, stat.st_mtime_ns])
    return found


def _files(root: Path) -> list[list[str]]:
    """The files of a project, those that dbt has compiled, too, with hashes of their content."""
    found = []
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root)
        if path.is_file() and below.parts[0] not in _NOT_READ:
            content = blake2b(path.read_bytes(), digest_size=16).hexdigest()
            found.append([below.as_posix(), content])
    return found


def _place() -> list[object]:
    """What dates and times of the engine depend on."""
    return [os.environ.get("TZ"), *time.tzname]


def _duckdb() -> str:
    from importlib.metadata import version

    return version("duckdb")
