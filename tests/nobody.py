"""What somebody sees who owns nothing: root may read everything, and builds run as root."""

import os
import pickle
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

T = TypeVar("T")
NOBODY = 65534


def as_nobody(call: Callable[[], T]) -> T:
    """What a call returns in a process of a user who owns nothing; needs fork.

    What the call imports must have been imported before: it may lie where nobody may read."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads do nothing here
        child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            answer = pickle.dumps(call())
            with os.fdopen(writer, "wb") as stream:
                stream.write(answer)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    assert os.waitpid(child, 0)[1] == 0, "the call failed"
    found: T = pickle.loads(data)
    return found


@contextmanager
def open_copy(folder: Path) -> Iterator[Path]:
    """A copy of a folder where everybody may look: pytest's own are closed to others."""
    with TemporaryDirectory() as place:
        shutil.copytree(folder, place, dirs_exist_ok=True)
        Path(place).chmod(0o755)
        yield Path(place)
