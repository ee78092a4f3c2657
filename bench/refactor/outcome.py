"""What one run left behind: its JSON, its cost, and what `unwet dups` finds in the project.

measured(name, work, mirrors) -> Outcome
"""

import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.process import Run, run
from bench.refactor import piles

REPEATED = 5
WIDTH = 100
_PARTICULAR = re.compile(r"\S+\.sql|`[^`]*`|'[^']*'|\b\w+(?:\.\w+)+|\d+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One pile: the JSON of `unwet refactor`, its cost, why reports are kept, what repeats;
    `folds`: how many lines more there would be if none were longer than `WIDTH`."""

    name: str
    result: Mapping[str, Any]
    cost: Run
    reasons: tuple[tuple[str, int], ...]
    repeated: tuple[str, ...]
    folds: int = 0
    target: str = "dbt"

    @property
    def verdicts(self) -> Counter[str]:
        """How many reports have which verdict."""
        return Counter(report["verdict"] for report in self.result["reports"])


def measured(name: str, work: Path, mirrors: Mapping[str, Path], target: str = "dbt") -> Outcome:
    """Runs `unwet refactor` on the pile, without data, in its own process. Raises BenchError."""
    folder = work.resolve() / name
    dialect = piles.prepared(name, folder / "pile", mirrors)
    file, project = folder / "result.json", folder / "project"
    file.unlink(missing_ok=True)
    shutil.rmtree(project, ignore_errors=True)
    words = ["refactor", "pile", "--target", target, "--out", str(project), "--no-generated"]
    cost = _unwet(words, dialect, file, folder)
    if not file.is_file():
        raise BenchError(f"{name}: no result", f"see {folder / 'refactor.log'}")
    result = json.loads(file.read_text("utf-8"))
    again = repeated(project, dialect, folder)
    return Outcome(name, result, cost, reasons(result), again, folds(project), target)


def _unwet(words: list[str], dialect: str, file: Path, folder: Path) -> Run:
    options = ["--dialect", dialect, "--format", "json", "-o", str(file)]
    command = [sys.executable, "-m", "unwet", *words, *options]
    return run(command, folder / f"{words[0]}.log", cwd=folder)


def reasons(result: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Why reports are kept, by count; names, numbers and texts in a reason are left out."""
    kept = (r["reason"] for r in result["reports"] if r["verdict"] in ("kept", "failed"))
    found = Counter(_PARTICULAR.sub("…", reason)[:110] for reason in kept)
    return tuple(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def folds(project: Path) -> int:
    """What long lines hide in models and macros: a formatter of SQL leaves arguments of Jinja
    alone, however long they are. Comments are left out."""
    files = (path for part in ("models", "macros") for path in (project / part).rglob("*.sql"))
    lines = (line.strip() for path in files for line in path.read_text("utf-8").splitlines())
    return sum((len(line) - 1) // WIDTH for line in lines if line and not line.startswith("--"))


def repeated(project: Path, dialect: str, folder: Path) -> tuple[str, ...]:
    """The families in the project's models and macros that would save most, in a line each."""
    places = [str(project / part) for part in ("models", "macros") if (project / part).is_dir()]
    file = folder / "dups.json"
    file.unlink(missing_ok=True)
    if not places or _unwet(["dups", *places], dialect, file, folder).code > 1:
        return ()
    families = json.loads(file.read_text("utf-8"))["families"]
    families.sort(key=lambda each: (-each["saves"], each["id"]))
    return tuple(_line(each, project) for each in families[:REPEATED])


def _line(family: Mapping[str, Any], project: Path) -> str:
    first = family["members"][0]
    path = Path(first["path"])
    place = path.relative_to(project) if path.is_relative_to(project) else path
    many = f"{len(family['members'])} times {family['what']}"
    return f"{family['saves']:,} lines: {many} ({family['kind']}), `{place}:{first['line']}`"
