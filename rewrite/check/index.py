"""The index on disk: answers by the hash of everything that they were made of.

Nothing in it can be out of date. Who asks makes a key of all that an answer depends on: the
version of unwet, the settings, the texts. So two runs, or two versions of unwet, may use one index
at a time, and an answer that is missing, or was damaged, is only worked out again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

from unwet.rewrite.cache_folder import make_folder

FORMAT: Final = 1  # of the table; another one lives in another file
KEPT: Final = 30  # days without use
_WAIT: Final = 10.0  # seconds for another run to finish writing
_AT_ONCE: Final = 500
_TABLE: Final = (
    "create table if not exists answer "
    "(key blob primary key, value blob not null, day integer not null) without rowid"
)
_GARBAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)

Answer = object  # what JSON can say


def key(*parts: object) -> bytes:
    """A key made of everything an answer depends on; parts are what JSON can say."""
    return blake2b(_text(parts), digest_size=16).digest()


def _text(value: object) -> bytes:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return text.encode("utf-8", "surrogatepass")


class Index:
    """The index in a folder; `trouble` says why there is none, when it cannot be used."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / f"answers-{FORMAT}.sqlite3" if folder is not None else None
        self._open: sqlite3.Connection | None = None
        self._new: dict[bytes, bytes] = {}
        self._seen: set[bytes] = set()
        self.trouble = ""
        if self._path is not None:
            self._begin()

    def get(self, wanted: Iterable[bytes]) -> dict[bytes, Answer]:
        """The answers that are known, by their keys."""
        keys = list(dict.fromkeys(wanted))
        found = {each: self._new[each] for each in keys if each in self._new}
        try:
            found |= self._read([each for each in keys if each not in found])
        except sqlite3.Error as error:
            self._fail(error)
        sound = {each: _sound(each, raw) for each, raw in found.items()}
        return {each: answer[0] for each, answer in sound.items() if answer is not None}

    def put(self, answers: Mapping[bytes, Answer]) -> None:
        """Remember answers; they are written when the index is closed."""
        for each, answer in answers.items():
            raw = _text([answer])
            self._new[each] = _sum(each, raw) + raw

    def close(self) -> None:
        """Write what is new in one piece; drop what nobody has asked for in a month."""
        try:
            if self._open is None and self._path is not None and not self.trouble and self._new:
                self._begin()  # the old one was garbage
            if self._open is not None and (self._new or self._seen):
                self._write()
        except sqlite3.Error as error:
            self._fail(error)
        finally:
            if self._open is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._open.close()
            self._open = None

    # --- the file

    def _begin(self) -> None:
        assert self._path is not None
        try:
            make_folder(self._path.parent)
        except OSError as error:
            self.trouble = f"no index in {self._path.parent}: {error.strerror or error}"
            return
        for _ in range(2):
            try:
                self._open = _connected(self._path)
                return
            except sqlite3.Error as error:
                self._open = None
                self._fail(error)
                if self.trouble:
                    return

    def _fail(self, error: sqlite3.Error) -> None:
        """What is garbage is taken away, and made anew by this run or the next; anything else
        (a folder that cannot be written, a lock that is never given back) means: no index."""
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
            self._open = None
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _GARBAGE and type(error) is not sqlite3.DatabaseError:
            self.trouble = f"no index at {self._path}: {error}"
            return
        assert self._path is not None
        for end in ("", "-wal", "-shm"):
            try:
                Path(f"{self._path}{end}").unlink(missing_ok=True)
            except OSError as why:
                self.trouble = f"no index at {self._path}: {why.strerror or why}"

    def _read(self, keys: list[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        today = _today()
        for start in range(0, len(keys) if self._open is not None else 0, _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"select key, value, day from answer where key in ({marks})"
            for each, raw, day in self._open.execute(query, some):  # type: ignore[union-attr]
                if isinstance(raw, bytes):
                    found[each] = raw
                    if not isinstance(day, int) or day + 7 < today:
                        self._seen.add(each)
        return found

    def _write(self) -> None:
        assert self._open is not None
        today = _today()
        with self._open:
            self._open.execute("begin immediate")
            rows = [(each, raw, today) for each, raw in sorted(self._new.items())]
            self._open.executemany("insert or replace into answer values (?, ?, ?)", rows)
            used = [(today, each) for each in sorted(self._seen)]
            self._open.executemany("update answer set day = ? where key = ?", used)
            self._open.execute("delete from answer where day < ?", (today - KEPT,))


def _connected(path: Path) -> sqlite3.Connection:
    """A connection to a file that has the table, and takes rows."""
    connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        if connection.execute("pragma user_version").fetchone()[0] != FORMAT:
            connection.execute("begin immediate")
            connection.execute("drop table if exists answer")
            connection.execute(_TABLE)
            connection.execute(f"pragma user_version = {FORMAT}")
            connection.execute("commit")
        connection.execute("select key, value, day from answer limit 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _today() -> int:
    return int(time.time() // 86_400)


# --- damage -----------------------------------------------------------------------------------


def _sum(of: bytes, raw: bytes) -> bytes:
    return blake2b(raw, digest_size=8, key=of).digest()


def _sound(of: bytes, stored: bytes) -> list[Answer] | None:
    """The answer, in a list, if it is what was once stored under that key."""
    raw = stored[8:]
    if stored[:8] != _sum(of, raw):
        return None
    found: list[Answer] = json.loads(raw)
    return found
