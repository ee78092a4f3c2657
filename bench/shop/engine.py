"""Calling unwet as a user would.

refactor(unwet, case) -> Run, and its JSON;  findings(unwet, case, command) -> its JSON or None
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from bench.errors import BenchError
from bench.process import Run, run
from bench.shop.case import Case


def refactor(unwet: Sequence[str], case: Case) -> tuple[Run, Mapping[str, Any]]:
    """Into a dbt project for DuckDB, tested on the case's data. Raises BenchError without JSON."""
    words = [*_input(case), "--to-dialect", "duckdb", "--out", str(case.folder / "project")]
    words += ["--force", "--data", str(case.warehouse)]
    return _call(unwet, case, "refactor", words)


def findings(
    unwet: Sequence[str], case: Case, command: str, *more: str
) -> tuple[Run, Mapping[str, Any]] | None:
    """`unwet dups` or `unwet drift`, with `more` options; None if there is no such command."""
    known = subprocess.run([*unwet, command, "--help"], capture_output=True, check=False)
    return _call(unwet, case, command, [*_input(case), *more]) if known.returncode == 0 else None


def _input(case: Case) -> list[str]:
    words = [str(case.pile), "--dialect", "postgres", "--schema", str(case.schema)]
    for name, value in case.key["placeholders"].items():
        words += ["--param", f"{name}={value}"]
    return words


def _call(
    unwet: Sequence[str], case: Case, command: str, words: Sequence[str]
) -> tuple[Run, Mapping[str, Any]]:
    result = case.folder / f"{command}.json"
    result.unlink(missing_ok=True)
    done = run(
        [*unwet, command, *words, "--format", "json", "-o", str(result)],
        case.folder / f"{command}.log",
    )
    if not result.exists():
        last = (done.output.strip().splitlines() or ["it printed nothing"])[-1]
        raise BenchError(f"unwet {command} left no result (exit code {done.code}): {last}")
    return done, json.loads(result.read_text("utf-8"))
