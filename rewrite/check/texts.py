"""The files of a pile as they stand on disk: their bytes, and for a dbt model what dbt made of it.

Nothing is decoded or parsed here: a run in which nothing has changed needs no more than hashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from unwet.lineage.sources import SUFFIXES, expand
from unwet.rewrite.check.compiled import Compiled, Projects
from unwet.rewrite.check.index import Index


@dataclass(frozen=True, slots=True)
class Text:
    """One file; `compiled` is what dbt made of it, if that is not older than the file. `trouble`:
    why it cannot be read. `digest` covers all of that."""

    path: str
    data: bytes
    digest: str
    compiled: Compiled | None = None
    model: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Pile:
    """All files by path, in order; `changed` are those that were asked about, `outside` were
    named but are no part of the pile."""

    texts: dict[str, Text]
    changed: tuple[str, ...]
    outside: tuple[str, ...]


def read_pile(paths: Sequence[str], named: Sequence[str], index: Index) -> Pile:
    """The files below `paths`, and those among them that are `named` (none: all).

    Without `paths` the pile is the current folder and what is named. Raises PathNotFound.
    """
    listed = dict.fromkeys(each for path in paths or (".",) for each in _files(path))
    wanted = list(dict.fromkeys(each for path in named for each in _files(path)))
    if not paths:
        listed |= dict.fromkeys(each for each in wanted if _is_sql(each))
    projects = Projects(index)
    texts = {path: _read(path, projects) for path in sorted(listed)}
    changed = tuple(path for path in wanted if path in texts) if named else tuple(texts)
    return Pile(texts, changed, tuple(each for each in wanted if each not in texts))


def _files(given: str) -> Iterable[str]:
    """Paths from the current folder, the same however they were given."""
    return (os.path.relpath(path).replace(os.sep, "/") for path in expand(given))


def _is_sql(path: str) -> bool:
    return path.lower().endswith(SUFFIXES)


def _read(path: str, projects: Projects) -> Text:
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return Text(path, b"", "gone", trouble="it disappeared while it was read")
    except OSError as error:
        return Text(path, b"", "unreadable", trouble=f"cannot read: {error.strerror or error}")
    model, compiled = projects.of(path, data)
    state = blake2b(data, digest_size=16)
    state.update(b"\0" + (compiled.text.encode() if compiled is not None else b""))
    return Text(path, data, state.hexdigest(), compiled, model)
