"""Calling unwet as a user would.

refactor(unwet, case) -> Run, and its JSON;  findings(unwet, case, command) -> its JSON or None
decisions(unwet, case) -> a file that says of every contradiction: the majority is right
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.process import Run, run
from bench.shop.case import Case


def refactor(
    unwet: Sequence[str], case: Case, decided: Path | None = None
) -> tuple[Run, Mapping[str, Any]]:
    """Into a dbt project for DuckDB, tested on the case's data. With decisions: into a folder
    beside it, and proved only. Raises BenchError without JSON."""
    words = [*_input(case), "--to-dialect", "duckdb", "--force"]
    if decided is not None:
        words += ["--out", str(case.folder / "decided"), "--decisions", str(decided)]
        return _call(unwet, case, "refactor", words, "decided")
    words += ["--out", str(case.folder / "project"), "--data", str(case.warehouse)]
    return _call(unwet, case, "refactor", words)


def proved_only(
    unwet: Sequence[str], case: Case, decided: Path | None = None
) -> tuple[Run, Mapping[str, Any]]:
    """Into a dbt project of the pile's own dialect, without any data. Raises BenchError."""
    name = "sizes" if decided is None else "sizes-decided"
    words = [*_input(case), "--force", "--out", str(case.folder / name), "--no-generated"]
    words += ["--decisions", str(decided)] if decided is not None else []
    return _call(unwet, case, "refactor", words, name)


def decisions(unwet: Sequence[str], case: Case) -> Path:
    """What `unwet drift` drafts, with a date and a reason: what somebody writes who finds the
    majority right everywhere. Raises BenchError where nothing is drafted."""
    file = case.folder / "decisions.toml"
    file.unlink(missing_ok=True)
    words = ["drift", *_input(case), "--format", "toml", "-o", str(file)]
    run([*unwet, *words], case.folder / "decisions.log")
    if not file.exists():
        raise BenchError("unwet drift drafted no decisions")
    text = file.read_text("utf-8").replace('date = ""', 'date = "2026-01-01"')
    file.write_text(text.replace('reason = ""', 'reason = "as the others"'), "utf-8")
    return file


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
    unwet: Sequence[str], case: Case, command: str, words: Sequence[str], name: str = ""
) -> tuple[Run, Mapping[str, Any]]:
    result = case.folder / f"{name or command}.json"
    result.unlink(missing_ok=True)
    done = run(
        [*unwet, command, *words, "--format", "json", "-o", str(result)],
        case.folder / f"{name or command}.log",
    )
    if not result.exists():
        last = (done.output.strip().splitlines() or ["it printed nothing"])[-1]
        raise BenchError(f"unwet {command} left no result (exit code {done.code}): {last}")
    return done, json.loads(result.read_text("utf-8"))
