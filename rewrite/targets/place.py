"""Putting a project where the user wants it: whole or not at all, and nothing of others lost."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from unwet.lineage.errors import OutputEdited, OutputNotEmpty, OutputReadOnly, UsageError

MANIFEST = ".unwet/manifest.json"
_ALLOWED = "let this user write there, or choose another folder"
_MOVE = "move it away, or choose another folder"
_FOLDER = "choose a folder, or a new name"


def check(out: Path, force: bool, pile: Iterable[str] = ()) -> None:
    """Raises before any work is done when the place cannot be used. ``pile``: the files that are
    read; a project among them would be a part of the pile the next time, or hide it."""
    if out.exists() and not out.is_dir():
        raise OutputReadOnly(str(out), "it is a file", _FOLDER)
    for above in out.parents:
        if above.exists() and not above.is_dir():
            raise OutputReadOnly(str(out), f"{above} is a file", _FOLDER)
    for folder in (out, _home(out)):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise OutputReadOnly(str(out), f"no permission in {folder}", _ALLOWED)
    if out.is_dir() and any(out.iterdir()) and not force:
        raise OutputNotEmpty(str(out))
    if out.is_dir():
        home = os.path.join(os.path.realpath(out), "")
        for path in pile:
            if os.path.exists(path) and os.path.realpath(path).startswith(home):
                raise UsageError(
                    f"output folder holds the pile: {out} has {path}",
                    "choose another with --out, such as a new folder in it",
                )


def check_name(name: str) -> None:
    """dbt takes no other names, for projects as for profiles."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        better = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_0123456789")
        hint = "letters, digits and _ only" + (f": --name {better}" if better else "")
        raise UsageError(f"{name!r} cannot be the name of a dbt project", hint)


@contextmanager
def staged(files: Mapping[str, str], near: Path | None = None) -> Iterator[Path]:
    """A temporary folder with the files, on the file system of ``near``; gone afterwards."""
    home = _home(near) if near is not None else Path(tempfile.gettempdir())
    try:
        folder = Path(tempfile.mkdtemp(prefix=".unwet-", dir=home))
    except OSError as error:
        raise OutputReadOnly(str(near or home), error.strerror or "") from error
    try:
        try:
            write(files, folder)
        except OSError as error:  # most likely a full disk
            raise OutputReadOnly(str(near or home), error.strerror or "") from error
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
        # names of files that no encoding knows are in texts too
        path.write_text(files[name], encoding="utf-8", errors="backslashreplace", newline="\n")
    manifest = root / MANIFEST
    manifest.parent.mkdir(exist_ok=True)
    written = {name: _digest(root / name) for name in sorted(files)}
    manifest.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def place(folder: Path, out: Path) -> tuple[str, ...]:
    """Moves a staged project to its place: in one step to a new one, else file by file over the
    last run's files, which no Ctrl-C interrupts. Files that unwet did not write stay.

    So does what somebody edited since, where this run writes what the last one wrote: these paths
    are returned. Raises OutputEdited, before anything is moved, where it would write otherwise.
    """
    try:
        with _uninterrupted():
            if out.exists():
                return _over(folder, out)
            os.chmod(folder, 0o755)
            out.absolute().parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder, out)
            folder.mkdir()  # for whoever cleans up behind us
    except OSError as error:
        raise OutputReadOnly(str(out), error.strerror or "") from error
    return ()


def edited(files: Mapping[str, str], out: Path | None) -> tuple[str, ...]:
    """The files that somebody has edited in a project that is there, and that this run would write
    as the last one did: `place` leaves these."""
    if out is None or not out.is_dir():
        return ()
    return tuple(
        name.as_posix()
        for name, digest in sorted(_manifest(out).items())
        if digest == _digest_of(files.get(name.as_posix(), ""))
        and (out / name).is_file()
        and _digest(out / name) != digest
    )


def _over(folder: Path, out: Path) -> tuple[str, ...]:
    old = _manifest(out)
    new = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}
    ours = {*old, Path(MANIFEST)}
    for name in sorted(new - ours):
        if (out / name).exists():
            raise OutputReadOnly(str(out / name), "unwet did not write it", _MOVE)
    theirs = _edited(folder, out, old)
    for name in sorted(new - theirs):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder / name, out / name)
    for name in sorted(old.keys() - new, reverse=True):
        _remove(out, name)
    return tuple(name.as_posix() for name in sorted(theirs))


def _edited(folder: Path, out: Path, old: Mapping[Path, str]) -> set[Path]:
    """The last run's files that somebody edited, and that are to be what they were then. Raises
    OutputEdited where one is to be something else now."""
    theirs, lost = set(), []
    for name, digest in sorted(old.items()):
        if not (out / name).is_file() or (now := _digest(out / name)) == digest:
            continue
        wanted = _digest(folder / name) if (folder / name).is_file() else ""
        if wanted == digest:
            theirs.add(name)
        elif wanted != now:
            lost.append(name.as_posix())
    if lost:
        raise OutputEdited(str(out), lost)
    return theirs


def is_as_written(out: Path) -> bool:
    """Whether nobody has edited or removed what unwet wrote there; not where it wrote nothing."""
    written = _manifest(out)
    return bool(written) and all(
        (out / name).is_file() and _digest(out / name) == digest for name, digest in written.items()
    )


def _digest(path: Path) -> str:
    return _digest_of_bytes(path.read_bytes())


def _digest_of(text: str) -> str:
    """Of the file that `write` makes of a text."""
    return _digest_of_bytes(text.encode("utf-8", "backslashreplace"))


def _digest_of_bytes(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _manifest(out: Path) -> dict[Path, str]:
    """The files of the last run that are still inside, with digests of what it wrote; none when
    that cannot be read."""
    try:
        written = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        paths = {Path(name): str(digest) for name, digest in written.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    root = out.resolve()
    inside = (path for path in paths if (root / path).resolve().is_relative_to(root))
    return {path: paths[path] for path in inside}


def _remove(out: Path, name: Path) -> None:
    """Removes a file of the last run, and the folders that this leaves empty."""
    (out / name).unlink(missing_ok=True)
    for parent in list(name.parents)[:-1]:
        folder = out / parent
        if not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A Ctrl-C waits until the block is done; what is in it takes milliseconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _home(out: Path) -> Path:
    """Where a project for ``out`` is staged: in it if it is there, as it may be a file system of
    its own, else in the nearest folder above it."""
    home = out.absolute()
    while not home.is_dir():
        home = home.parent
    return home
