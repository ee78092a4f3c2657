"""Running a peer's tests under one of our recording plugins.

record(python, plugin, folder, tests, out) -> the calls, in the order of the tests
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.process import run

ROOT = Path(__file__).parents[3]


def record(
    python: Path, plugin: str, folder: Path, tests: Sequence[str], out: Path
) -> list[dict[str, Any]]:
    """Run `tests` below `folder` with plugin `bench.lineage.record.<plugin>` loaded.

    Failing tests are no error: what matters is which calls were made. Raises BenchError when
    none was.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    command = [
        str(python),
        *("-m", "pytest", "--quiet", "--continue-on-collection-errors"),
        *("-p", f"bench.lineage.record.{plugin}", "-p", "no:cacheprovider"),
        *("--rootdir", str(folder.resolve()), *tests),
    ]
    env = {**os.environ, "BENCH_RECORD": str(out.resolve()), "PYTHONPATH": str(ROOT)}
    log = out.with_suffix(".log")
    run(command, log, cwd=folder, env=env)
    if not out.exists():
        raise BenchError(f"the tests below {folder} recorded nothing: see {log}")
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]
