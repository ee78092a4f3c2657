"""The baseline: problems that were there when somebody began to check, and may stay for now.

A file holds, for each file of the pile, its problems by code and key with their number, and never
a line number: so it does not change when something moves.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from unwet.lineage.errors import BadConfig, OutputReadOnly
from unwet.rewrite.check.found import Place, Problem

NAME: Final = ".unwet-baseline.json"
VERSION: Final = 1

_Entry = tuple[str, str]  # path from the baseline's folder, "CODE key"


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a file says; `path` is where it is, or would be."""

    path: Path
    entries: Mapping[_Entry, int]
    text: str = ""

    def entry(self, problem: Problem) -> _Entry:
        """What a problem is called in the file."""
        return self.place(problem.at.path), f"{problem.code} {problem.key}"

    def place(self, path: str) -> str:
        """A path from the current folder as one from the file's own."""
        home = os.path.relpath(path, self.path.parent or ".")
        return home.replace(os.sep, "/")


def read_baseline(path: Path) -> Baseline:
    """The baseline in a file; an empty one where there is none. Raises BadConfig."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Baseline(path, {})
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path}: cannot read: {error}") from error
    help = "make it anew with unwet check --update-baseline"
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadConfig(f"{path} is not valid JSON: {error}", help) from error
    entries = _entries(data)
    if entries is None:
        raise BadConfig(f"{path} is no baseline of version {VERSION}", help)
    return Baseline(path, entries, text)


def _entries(data: object) -> dict[_Entry, int] | None:
    files = data.get("problems") if isinstance(data, dict) else None
    if not isinstance(data, dict) or data.get("version") != VERSION or not isinstance(files, dict):
        return None
    found: dict[_Entry, int] = {}
    for path, problems in files.items():
        if not isinstance(problems, dict):
            return None
        for name, count in problems.items():
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                return None
            found[path, name] = count
    return found


def unknown(problems: Iterable[Problem], baseline: Baseline) -> list[Problem]:
    """The problems that the baseline does not have."""
    left = dict(baseline.entries)
    found: list[Problem] = []
    for problem in problems:
        entry = baseline.entry(problem)
        if left.get(entry, 0):
            left[entry] -= 1
        else:
            found.append(problem)
    return found


def stale(
    problems: Iterable[Problem], baseline: Baseline, checked: Iterable[str], pile: Iterable[str]
) -> list[Problem]:
    """What the baseline has of the checked files, and of files that are gone, and nobody finds any
    more: each as a problem of the baseline itself."""
    there = Counter(baseline.entry(problem) for problem in problems)
    settled = _settled(baseline, checked, pile)
    found: list[Problem] = []
    for entry, count in sorted(baseline.entries.items()):
        over = count - there[entry]
        if entry[0] in settled and over > 0:
            found.append(_stale(entry, over, baseline))
    return found


def _stale(entry: _Entry, over: int, baseline: Baseline) -> Problem:
    path, name = entry
    code = name.partition(" ")[0]
    times = f" {over} times" if over > 1 else ""
    line = _line(baseline.text, path, name)
    at = Place(os.path.relpath(baseline.path).replace(os.sep, "/"), line, 1, line)
    key = blake2b(f"{path} {name}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    message = f"{path} has no {code} of that kind any more{times}"
    help = "run unwet check --update-baseline, and commit the file"
    return Problem("BASELINE_STALE", at, message, help, (), key)


def _line(text: str, path: str, name: str) -> int:
    """The line of an entry."""
    start = text.find(json.dumps(path, ensure_ascii=False))
    at = text.find(json.dumps(name, ensure_ascii=False), max(start, 0))
    return text.count("\n", 0, max(at, 0)) + 1


def updated(
    problems: Iterable[Problem],
    baseline: Baseline,
    checked: Iterable[str],
    pile: Iterable[str],
    only_shrink: bool,
) -> Baseline:
    """The baseline with what is found now in the checked files; what it says of others stays, but
    for files that are gone. `only_shrink`: nothing new comes in."""
    there = Counter(baseline.entry(problem) for problem in problems)
    settled = _settled(baseline, checked, pile)
    entries = {e: n for e, n in baseline.entries.items() if e[0] not in settled}
    for entry, count in there.items():
        count = min(count, baseline.entries.get(entry, 0)) if only_shrink else count
        if count:
            entries[entry] = count
    return Baseline(baseline.path, entries)


def _settled(baseline: Baseline, checked: Iterable[str], pile: Iterable[str]) -> set[str]:
    """The files of which it is known now what they have."""
    there = {baseline.place(path) for path in pile}
    gone = {path for path, _ in baseline.entries if path not in there}
    return {baseline.place(path) for path in checked} | gone


def write(baseline: Baseline) -> None:
    """Write the file, in one piece. Raises OutputReadOnly."""
    files: dict[str, dict[str, int]] = {}
    for (path, name), count in sorted(baseline.entries.items()):
        files.setdefault(path, {})[name] = count
    data = {"version": VERSION, "problems": files}
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    beside = baseline.path.with_name(f"{baseline.path.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8", errors="surrogateescape")
        beside.replace(baseline.path)
    except OSError as error:
        raise OutputReadOnly(str(baseline.path), error.strerror or "") from error
    finally:
        beside.unlink(missing_ok=True)


def sizes(entries: Mapping[_Entry, int]) -> tuple[int, int]:
    """How many problems, in how many files."""
    return sum(entries.values()), len({path for path, _ in entries})


def is_ci(told: bool, environment: Mapping[str, str]) -> bool:
    """Whether this is a run that nobody watches: told so, or by what most CI services set."""
    return told or environment.get("CI", "").strip().lower() not in ("", "0", "false", "no")
