"""python -m bench.refactor.rounds [FAMILY...]: which copies mean something else beside the others.

A report whose model does not come back with its meaning shares less in the next round, so that a
change of the engine costs lines, and time, and nobody sees why. Whole piles take minutes; here each
family of copies is rewritten alone: the files of one name in many folders, or with --by folder all
files in folders of one name. Exit code 1: some are lost.
"""

import argparse
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import corpora
from bench.errors import BenchError
from bench.process import Run, run
from bench.refactor import piles
from bench.results import put

FEW = 8  # copies that make a family
HEAD = """| family | files | reports | lines | lost in each round | CPU s |
| --- | --: | --: | --- | --- | --: |"""


@dataclass(frozen=True, slots=True)
class Family:
    """Files of one name, or in folders of one name, of a pile below `root`."""

    name: str
    root: Path
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What `unwet refactor` told of a family: `lost` has the reports of each round."""

    family: Family
    reports: int
    lines: tuple[int, int]
    lost: tuple[tuple[str, ...], ...]
    cost: Run


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        told = list(_told(options))
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    text = summary(told)
    print(text)
    if options.write:
        by, name = ("", "rounds") if options.by == "name" else (" --by folder", "rounds-folder")
        command = f"`python -m bench.refactor.rounds --pile {options.pile}{by} --write`"
        title = f"## Reports lost in a round, by family of {options.pile}"
        put(f"{name}-{options.pile}", f"{title}\n\n{command}\n\n{text}")
    return 1 if any(any(each.lost) for each in told) else 0


def families(root: Path, names: Sequence[str] = (), by: str = "name") -> tuple[Family, ...]:
    """The largest first; `names`: only those that have one of these words in theirs; `by`: the name
    of the files, or that of their folder."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(root.rglob("*.sql")):
        folder = path.parent.name
        found[folder if by == "folder" else f"{folder}/{path.stem}"].append(path)
    known = (Family(name, root, tuple(paths)) for name, paths in found.items() if len(paths) >= FEW)
    wanted = (each for each in known if not names or any(name in each.name for name in names))
    return tuple(sorted(wanted, key=lambda each: (-len(each.files), each.name)))


def summary(told: Iterable[Told]) -> str:
    """How many families lose nothing, and a row for each that does."""
    every = list(told)
    losing = [each for each in every if any(each.lost)]
    lost = sum(len(names) for each in losing for names in each.lost)
    reports, cpu = sum(each.reports for each in every), sum(each.cost.cpu for each in every)
    lines = [sum(each.lines[at] for each in every) for at in (0, 1)]
    first = (
        f"{len(every)} families, {reports:,} reports, {lines[0]:,} -> {lines[1]:,} lines, "
        f"{cpu:.0f} CPU s: {lost} reports lost, in {len(losing)} families."
    )
    return "\n".join([first, *(["", HEAD, *map(row, losing)] if losing else [])])


def row(each: Told) -> str:
    """One family, as a row of the table."""
    rounds = "; ".join(", ".join(names) or "-" for names in each.lost)
    before, after = each.lines
    return (
        f"| {each.family.name} | {len(each.family.files)} | {each.reports} "
        f"| {before:,} -> {after:,} | {rounds} | {each.cost.cpu:.1f} |"
    )


def _told(options: argparse.Namespace) -> Iterator[Told]:
    work = options.work.resolve() / options.pile
    dialect = piles.prepared(options.pile, work / "pile", corpora.parse_mirrors(options.mirror))
    for family in families(work / "pile", options.names, options.by):
        told = _rewritten(family, dialect, work / "families" / family.name.replace("/", "."))
        print(row(told), file=sys.stderr, flush=True)
        yield told


def _rewritten(family: Family, dialect: str, folder: Path) -> Told:
    shutil.rmtree(folder, ignore_errors=True)
    for path in family.files:
        copy = folder / "pile" / path.relative_to(family.root)
        copy.parent.mkdir(parents=True)
        shutil.copyfile(path, copy)
    file = folder / "result.json"
    words = ["refactor", "pile", "--dialect", dialect, "--target", "dbt", "--out", "project"]
    options = ["--no-generated", "--format", "json", "-o", str(file)]
    command = [sys.executable, "-m", "unwet", *words, *options]
    cost = run(command, folder / "refactor.log", cwd=folder)
    if not file.is_file():
        raise BenchError(f"{family.name}: no result", f"see {folder / 'refactor.log'}")
    return told_of(family, json.loads(file.read_text("utf-8")), cost)


def told_of(family: Family, result: Mapping[str, Any], cost: Run) -> Told:
    """From the JSON of the run."""
    if "rounds" not in result:
        raise BenchError(f"{family.name}: the result says no rounds", "is unwet older than this?")
    lost = tuple(tuple(names) for names in result["rounds"])
    lines = result["before"]["lines"], result["after"]["lines"]
    return Told(family, len(result["reports"]), lines, lost, cost)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.refactor.rounds")
    add = parser.add_argument
    add("names", nargs="*", metavar="FAMILY", help="words of names; default: all families")
    add("--pile", choices=[*piles.PILES], default="bqetl_genonly")
    add("--by", choices=["name", "folder"], default="name", help="what makes files a family")
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/rounds"), help="where everything is written")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
