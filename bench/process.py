"""Running other programs, and what they cost.

run(command) -> Run(code, seconds, peak_mb, output, cpu)
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Run:
    """One finished program: exit code, wall seconds, peak resident MB, what it printed, and the
    CPU seconds of it and of the children it waited for."""

    command: tuple[str, ...]
    code: int
    seconds: float
    peak_mb: float
    output: str
    cpu: float = 0.0


def run(
    command: Sequence[str],
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Run:
    """Run `command` to its end; both output streams go to `log`.

    A non-zero exit code is a result, not an error. Raises BenchError if the program is not there.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with log.open("wb") as out:
        try:
            child = subprocess.Popen(
                list(command), stdout=out, stderr=subprocess.STDOUT, cwd=cwd, env=env and dict(env)
            )
        except FileNotFoundError as error:
            raise BenchError(f"no such program: {command[0]}") from error
        code, peak_mb, cpu = _wait(child)
    seconds = time.monotonic() - start
    return Run(tuple(command), code, seconds, peak_mb, log.read_text("utf-8", "replace"), cpu)


def _wait(child: "subprocess.Popen[bytes]") -> tuple[int, float, float]:
    # wait4 gives this child's own peak (RUSAGE_CHILDREN is the maximum over all children so far)
    if not hasattr(os, "wait4"):
        return child.wait(), 0.0, 0.0
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return child.returncode, usage.ru_maxrss / unit, usage.ru_utime + usage.ru_stime
