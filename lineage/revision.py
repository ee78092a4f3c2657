"""The SQL of a pile as it was in another revision of its git repository, without a checkout."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from unwet.lineage.errors import EmptyInput, UsageError
from unwet.lineage.findings import Finding
from unwet.lineage.sources import SUFFIXES, Reading, Source, read_sources


def sources_at(revision: str, paths: Iterable[str], dialect: str | None) -> Reading:
    """The SQL files below the paths, under the names that they have today, sorted; the same files
    are left out as of a folder.

    Raises UsageError where there is no git, no repository or no such revision, EmptyInput where
    that has no SQL file there.
    """
    given = tuple(paths)
    readings = [_at(revision, path, dialect) for path in given]
    found = {source.path: source for reading in readings for source in reading.sources}
    if not found:
        raise EmptyInput(given, SUFFIXES)
    findings = (finding for reading in readings for finding in reading.findings)
    return Reading(tuple(found[path] for path in sorted(found)), tuple(dict.fromkeys(findings)))


def _at(revision: str, path: str, dialect: str | None) -> Reading:
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    inside = "." if place.is_dir() else place.name
    if not folder.is_dir():
        raise UsageError(f"{path} is not there today", "name a folder that both revisions have")
    prefix = "" if str(folder) == "." else f"{folder}/"
    with TemporaryDirectory() as scratch:
        for name, data in _archived(revision, folder, inside):
            copy = Path(scratch, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # whatever else is there tells only which folders are somebody's output
            is_sql = name == inside or name.lower().endswith(SUFFIXES)
            copy.write_bytes(data if is_sql else b"")
        try:
            reading = read_sources(os.path.join(scratch, inside), dialect)
        except EmptyInput:  # told where no path has any
            return Reading((), ())
        return Reading(
            tuple(_named(each, scratch, prefix) for each in reading.sources),
            tuple(_placed(each, scratch, prefix) for each in reading.findings),
        )


def _named(source: Source, scratch: str, prefix: str) -> Source:
    return replace(source, path=prefix + Path(source.path).relative_to(scratch).as_posix())


def _placed(finding: Finding, scratch: str, prefix: str) -> Finding:
    path = prefix + Path(finding.at.path).relative_to(scratch).as_posix()
    return replace(finding, at=finding.at._replace(path=path))


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
        raise UsageError(
            f"git: {said.removeprefix('fatal: ')}",
            "name a commit, a branch or a tag of the repository, and a folder that it has",
        )
    return done.stdout
