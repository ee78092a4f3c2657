"""Call `unwet refactor` as a user would, and read its result.

refactor(command, ...) -> Run;  read_result(file) -> Result
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.process import Run, run


@dataclass(frozen=True, slots=True)
class Report:
    """One report of result.json: the legacy relation, its model in the project, the verdict."""

    name: str
    path: str
    line: int
    model: str
    verdict: str
    reason: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What `unwet refactor --format json` says."""

    before: Mapping[str, int]
    after: Mapping[str, int]
    reports: tuple[Report, ...]
    assumptions: int


def refactor(
    unwet: Sequence[str],
    target: str,
    sql: Path,
    out: Path,
    schema: Path,
    params: Mapping[str, str],
    data: Path,
) -> Run:
    """Run it: the project goes to `out`, the result beside it. Exit code 1 is a failed proof."""
    result = result_file(out)
    result.unlink(missing_ok=True)
    words = ["refactor", str(sql), "--dialect", "tsql", "--to-dialect", "duckdb"]
    words += ["--target", target, "--out", str(out), "--force", "--schema", str(schema)]
    words += [word for name, value in params.items() for word in ("--param", f"{name}={value}")]
    words += ["--data", str(data), "--format", "json", "-o", str(result)]
    done = run([*unwet, *words], out.with_suffix(".log"))
    if not result.exists():
        last = (done.output.strip().splitlines() or ["it printed nothing"])[-1]
        raise BenchError(f"unwet refactor left no result (exit code {done.code}): {last}")
    return done


def result_file(out: Path) -> Path:
    return out.with_name(f"{out.name}.result.json")


def read_result(file: Path) -> Result:
    """Parse result.json. Raises BenchError when it has not the promised form."""
    raw = json.loads(file.read_text("utf-8"))
    try:
        reports = tuple(_report(report) for report in raw["reports"])
        return Result(raw["before"], raw["after"], reports, len(raw["assumptions"]))
    except (KeyError, TypeError) as error:
        raise BenchError(f"{file} is not a refactor result: {error!r}") from error


def _report(raw: Mapping[str, Any]) -> Report:
    return Report(
        raw["name"],
        raw["path"],
        int(raw["line"]),
        raw["model"] or "",
        raw["verdict"],
        raw["reason"] or "",
        bool(raw.get("shared", False)),
    )


def find(reports: Sequence[Report], relation: str) -> Report | None:
    """The report of a legacy relation `schema.name`; the schema may be missing in its name."""
    wanted = _parts(relation)
    exact = [report for report in reports if _parts(report.name)[-2:] == wanted]
    loose = [report for report in reports if _parts(report.name) == wanted[-1:]]
    return next(iter(exact or loose), None)


def _parts(name: str) -> list[str]:
    named, _, _script = name.partition("@")  # where several scripts write one relation in turn
    return named.replace('"', "").lower().split(".")
