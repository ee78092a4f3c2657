"""The SQL of a pile as it was in another revision of its git repository, without a checkout."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from unwet.lineage.errors import EmptyInput, UsageError
from unwet.lineage.sources import SUFFIXES, Source, decode


def sources_at(revision: str, paths: Iterable[str], dialect: str | None) -> tuple[Source, ...]:
    """The SQL files below the paths, under the names that they have today, sorted.

    Raises UsageError where there is no git, no repository or no such revision, EmptyInput where
    that has no SQL file there.
    """
    given = tuple(paths)
    found = {source.path: source for path in given for source in _at(revision, path, dialect)}
    if not found:
        raise EmptyInput(given, SUFFIXES)
    return tuple(found[path] for path in sorted(found))


def _at(revision: str, path: str, dialect: str | None) -> Iterator[Source]:
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    inside = "." if place.is_dir() else place.name
    if not folder.is_dir():
        raise UsageError(f"{path} is not there today", "name a folder that both revisions have")
    prefix = "" if str(folder) == "." else f"{folder}/"
    for name, data in _archived(revision, folder, inside):
        if name.lower().endswith(SUFFIXES):
            text, _ = decode(data, prefix + name)
            if text is not None:
                yield Source(prefix + name, text, dialect)


def _archived(revision: str, folder: Path, inside: str) -> Iterator[tuple[str, bytes]]:
    if revision.startswith("-"):
        raise UsageError(f"{revision} is no revision", "name a commit, a branch or a tag")
    data = _git(folder, "archive", "--format=tar", revision, "--", inside)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name.removeprefix("./"), content.read()


def _git(folder: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise UsageError("git is not installed", "compare two folders instead") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise UsageError(f"git: {said}", "name a commit, a branch or a tag of the repository")
    return done.stdout
