"""What somebody who read the SQL said of a contradiction, by its code and its first place.

read(file) -> {(code, place): Verdict};  judged(findings, verdicts) -> one Judged a finding
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError

# in the order in which they are counted, with the words of the count
VERDICTS = {
    "mistake": "that give a wrong number",
    "contradiction": "that whoever owns the queries would want to know",
    "no consequence": "without a consequence",
    "meant": "meant",
    "not comparable": "that compare what cannot be compared",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of VERDICTS, and why."""

    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding (its JSON), where its first outlier stands, and the verdict, if there is one."""

    finding: Mapping[str, Any]
    at: str
    verdict: Verdict | None


def read(file: Path) -> Mapping[tuple[str, str], Verdict]:
    """The verdicts of a file. Raises BenchError."""
    if not file.exists():
        raise BenchError(f"no verdicts: {file.name}", f"beside it: {_beside(file)}")
    found: dict[tuple[str, str], Verdict] = {}
    for entry in tomllib.loads(file.read_text("utf-8")).get("finding", []):
        verdict = Verdict(entry["verdict"], entry["reason"])
        if verdict.verdict not in VERDICTS:
            raise BenchError(
                f"{file.name}: unknown verdict {verdict.verdict!r}", f"one of: {list(VERDICTS)}"
            )
        key = entry["code"], entry["at"]
        if key in found:
            raise BenchError(f"{file.name}: judged twice: {' '.join(key)}", "keep one of them")
        found[key] = verdict
    return found


def judged(
    findings: Sequence[Mapping[str, Any]], verdicts: Mapping[tuple[str, str], Verdict]
) -> list[Judged]:
    """Each finding with its verdict."""
    made: list[Judged] = []
    for finding in findings:
        first = finding["outliers"][0]
        at = f"{first['path'].removeprefix('./').removeprefix('sql/')}:{first['line']}"
        made.append(Judged(finding, at, verdicts.get((finding["code"], at))))
    return made


def _beside(file: Path) -> str:
    return ", ".join(sorted(each.name for each in file.parent.glob("*.toml")))
