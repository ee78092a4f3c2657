"""Putting a project where the user wants it: whole or not at all, and nothing of others lost."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from unwet.lineage.errors import OutputNotEmpty, OutputReadOnly

MANIFEST = ".unwet/manifest.json"


def check(out: Path, force: bool) -> None:
    """Raises before any work is done when the place cannot be used."""
    if out.exists() and not out.is_dir():
        raise OutputReadOnly(str(out), "it is a file")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise OutputNotEmpty(str(out))
    home = _existing(out)
    if not os.access(home, os.W_OK | os.X_OK):
        raise OutputReadOnly(str(out), f"no permission in {home}")


@contextmanager
def staged(files: Mapping[str, str], near: Path | None = None) -> Iterator[Path]:
    """A temporary folder with the files, on the file system of ``near``; gone afterwards."""
    home = _existing(near) if near is not None else None
    try:
        folder = Path(tempfile.mkdtemp(prefix=".unwet-", dir=home))
    except OSError as error:
        raise OutputReadOnly(str(near), error.strerror or "") from error
    try:
        write(files, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write(files: Mapping[str, str], folder: Path) -> None:
    """Writes the files and the list of them. A path that leads outside is refused."""
    root = folder.resolve()
    for name in sorted(files):
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise OutputReadOnly(name, "it lies outside the output folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name], encoding="utf-8", newline="\n")
    manifest = root / MANIFEST
    manifest.parent.mkdir(exist_ok=True)
    manifest.write_text(json.dumps(sorted(files), indent=1) + "\n", encoding="utf-8")


def place(folder: Path, out: Path) -> None:
    """Moves a staged project to its place: in one step into an empty one, else file by file over
    the last run's files; files that unwet did not write stay."""
    try:
        if not out.exists() or not any(out.iterdir()):
            if out.exists():
                out.rmdir()
            os.chmod(folder, 0o755)
            os.replace(folder, out)
            folder.mkdir()  # for whoever cleans up behind us
            return
        _over(folder, out)
    except OSError as error:
        raise OutputReadOnly(str(out), error.strerror or "") from error


def _over(folder: Path, out: Path) -> None:
    new = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}
    manifest = out / MANIFEST
    if manifest.is_file():
        for name in json.loads(manifest.read_text(encoding="utf-8")):
            stale = (out / name).resolve()
            inside = stale.is_relative_to(out.resolve())
            if inside and Path(name) not in new and stale.is_file():
                stale.unlink()
    for name in sorted(new):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder / name, out / name)


def _existing(path: Path) -> Path:
    """The nearest folder above (not including) ``path`` that is there."""
    home = path.absolute().parent
    while not home.is_dir():
        home = home.parent
    return home
