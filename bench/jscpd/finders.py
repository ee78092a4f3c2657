"""What the two programs say about a folder of SQL, as comparable values.

jscpd(folder, work) -> Said;  unwet(folder, dialect, work) -> Said
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from bench.errors import BenchError
from bench.process import Run, run

# 5.4.1 asks for platform packages that the index does not have yet
VERSION = "5.3.3"
PACKAGES = (f"jscpd@{VERSION}", f"jscpd-linux-x64-gnu@{VERSION}")
FIRST = 3  # places of a class that a person needs to see


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Lines of a file below the folder; both ends count."""

    path: str
    line: int
    end_line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}-{self.end_line}"


@dataclass(frozen=True, slots=True)
class Told:
    """One finding: what kind it is, and all its places."""

    kind: str
    places: tuple[Place, ...]

    def key(self, folder: Path) -> str:
        """The same for the same text at the same places, whatever the order of the findings."""
        state = blake2b(self.kind.encode(), digest_size=8)
        for place in self.places[:FIRST]:
            state.update(str(place).encode() + text(folder, place).encode())
        return state.hexdigest()


@dataclass(frozen=True, slots=True)
class Said:
    """All findings of one run in the program's order, and what the run cost."""

    told: tuple[Told, ...]
    cost: Run

    @property
    def places(self) -> int:
        """How many places the findings have together."""
        return sum(len(each.places) for each in self.told)


def text(folder: Path, place: Place) -> str:
    """The lines of a place."""
    lines = (folder / place.path).read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[place.line - 1 : place.end_line])


def jscpd(folder: Path, work: Path) -> Said:
    """The pairs jscpd finds, with its own thresholds. Raises BenchError when it does not run."""
    program = _installed(work) / "node_modules" / ".bin" / "jscpd"
    out = work / f"jscpd_{folder.name}"
    words = [str(program), str(folder), "-f", "sql", "-r", "json", "-o", str(out)]
    done = _run(words, work / f"jscpd_{folder.name}.log")
    report = json.loads((out / "jscpd-report.json").read_text("utf-8"))
    told = tuple(
        Told(each["kind"], tuple(_place(folder, each[end]) for end in ("firstFile", "secondFile")))
        for each in report["duplicates"]
    )
    return Said(told, done)


def unwet(folder: Path, dialect: str, work: Path) -> Said:
    """The classes `unwet dups` finds. Raises BenchError when it does not run."""
    out = work / f"unwet_{folder.name}.json"
    words = [sys.executable, "-m", "unwet", "dups", str(folder), "--dialect", dialect]
    done = _run([*words, "-q", "--format", "json", "-o", str(out)], work / f"{out.stem}.log")
    report = json.loads(out.read_text("utf-8"))
    return Said(tuple(_family(folder, each) for each in report["families"]), done)


def _family(folder: Path, family: dict[str, object]) -> Told:
    members = family["members"]
    assert isinstance(members, list)
    places = (
        Place(_below(folder, each["path"]), each["line"], each["end_line"]) for each in members
    )
    return Told(str(family["kind"]), tuple(places))


def _place(folder: Path, end: dict[str, object]) -> Place:
    name, first, last = str(end["name"]), end["start"], end["end"]
    assert isinstance(first, int) and isinstance(last, int)
    return Place(_below(folder, name), first, last)


def _below(folder: Path, name: str) -> str:
    path = Path(name)
    return path.relative_to(folder).as_posix() if path.is_absolute() else path.as_posix()


def _installed(work: Path) -> Path:
    home = work / "npm"
    if not (home / "node_modules" / PACKAGES[1].partition("@")[0]).exists():
        home.mkdir(parents=True, exist_ok=True)
        words = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(home), *PACKAGES]
        _run(words, work / "npm.log")
    return home


def _run(words: Sequence[str], log: Path) -> Run:
    done = run(words, log)
    if done.code not in (0, 1):
        raise BenchError(f"{words[0]} ended with {done.code}", f"see {log}")
    return done
