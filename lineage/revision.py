"""The SQL of a pile as it was in another revision of its git repository.

It is written to a temporary folder and read there, so that just those files count that count today:
no hidden folders, no link beside its file. Neither the work tree nor the index is touched.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from unwet.lineage.errors import EmptyInput, PathNotFound, UsageError
from unwet.lineage.findings import Finding
from unwet.lineage.sources import DBT_PROJECT, SUFFIXES, Reading, Source, read_sources

_LINK: Final = b"120000"
_HELP: Final = "name a commit, a branch or a tag of the repository, and a folder that it has"
_MARKS: Final = (f"/{DBT_PROJECT}", ".unwet/manifest.json")  # of folders that are read otherwise


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
    if path == "-":
        raise UsageError("standard input has no revisions", "give a folder, a file or a glob")
    if revision.startswith("-"):
        raise UsageError(f"{revision} is no revision", "name a commit, a branch or a tag")
    folder = path
    while not os.path.isdir(folder or os.curdir):
        folder = os.path.dirname(folder)
    inside = path.removeprefix(folder).lstrip("/") if folder != path else ""
    with TemporaryDirectory() as scratch:
        there = os.path.join(_written(revision, folder or os.curdir, Path(scratch)), inside)
        base = there.removesuffix(inside)
        try:
            reading = read_sources(there, dialect)
        except PathNotFound as error:
            raise UsageError(f"{revision} has no {path}", _HELP) from error
        except EmptyInput:  # told where no path has any
            return Reading((), ())
        return Reading(
            tuple(_named(each, base, folder) for each in reading.sources),
            tuple(_placed(each, base, folder) for each in reading.findings),
        )


def _named(source: Source, base: str, folder: str) -> Source:
    return replace(source, path=_today(source.path, base, folder))


def _placed(finding: Finding, base: str, folder: str) -> Finding:
    return replace(finding, at=finding.at._replace(path=_today(finding.at.path, base, folder)))


def _today(path: str, base: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, path.removeprefix(base)))


def _written(revision: str, folder: str, place: Path) -> str:
    """Where the files below a folder are now."""
    env = {**os.environ, "GIT_INDEX_FILE": str(place / "index")}
    _git(folder, env, "-c", "core.sparseCheckout=false", "read-tree", revision)
    listed = _git(folder, env, "ls-files", "--stage", "-z").split(b"\0")
    names = [entry.partition(b"\t")[2] for entry in listed if _is_wanted(entry)]
    tree = place / "tree"
    _git(folder, env, "checkout-index", "-f", "-q", f"--prefix={tree}/", "-z", "--stdin",
         said=b"".join(name + b"\0" for name in names))  # fmt: skip
    within = os.fsdecode(_git(folder, env, "rev-parse", "--show-prefix").removesuffix(b"\n"))
    return os.path.join(tree, within)


def _is_wanted(entry: bytes) -> bool:
    name = f"/{os.fsdecode(entry)}".replace("\t", "/").lower()
    return entry.startswith(_LINK) or name.endswith((*SUFFIXES, *_MARKS))


def _git(folder: str, env: Mapping[str, str], *words: str, said: bytes = b"") -> bytes:
    command = ["git", "-C", folder, *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=env, input=said)
    except FileNotFoundError as error:
        raise UsageError("git is not installed", "compare two folders instead") from error
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise UsageError(f"git: {why.removeprefix('fatal: ')}", _HELP)
    return done.stdout
