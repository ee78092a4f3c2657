"""python -m bench.refactor.parts [PILE...]: random parts of piles, each rewritten alone.

What hundreds of copies share in one way, a few of them share in another: other macros, other
values that vary, other names. Whole piles hide what goes wrong there. Each part is some files that
a seed draws, half of the time such that stand beside each other. Exit code 1: a part has a fault.
"""

import argparse
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import corpora
from bench.errors import BenchError
from bench.process import Run, run
from bench.refactor import piles
from bench.results import put

FILES = (3, 14)
MOST = 120_000  # characters of a part: some notebooks have 50,000
NEAR = 15  # files before and behind one of which a part is drawn
SHARES = {
    "achilles": 25, "almanac_cms": 20, "almanac": 25, "bqetl_genonly": 30, "nhs_restraints": 4,
    "nhs_extract": 4, "phenotype_70": 8, "spellbook_trades": 12, "mimic": 20,
}  # fmt: skip
# Without what creates their tables the scripts of these have rows that nobody knows of
ALWAYS = {"nhs_restraints": "Create_Restraints_Tables", "nhs_extract": "LDA_metadata"}
TARGETS = ("dbt", "dbt", "dbt", "dbt", "dbt", "dbt", "views", "sqlmesh")  # by seed
TITLE = "## Random parts of piles\n\n`python -m bench.refactor.parts --write`"
# Lines that a model has beside its query, at most: a name that folds, CREATE VIEW,
# MODEL (name, kind, description, enabled) with the marks of Jinja
FRAMES = {"dbt": 1, "views": 2, "sqlmesh": 8}
HEAD = """| pile | parts | reports | lines | with faults | CPU s |
| --- | --: | --: | --- | --: | --: |"""
ASIDE = ("| part | files | fault |", "| --- | --- | --- |")


@dataclass(frozen=True, slots=True)
class Part:
    """Some files of a pile, below `root`."""

    pile: str
    seed: int
    root: Path
    files: tuple[Path, ...]

    @property
    def target(self) -> str:
        """The kind of project that is made of it."""
        return TARGETS[self.seed % len(TARGETS)]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a part; `faults`: what went wrong, in words."""

    part: Part
    reports: int
    lines: tuple[int, int]
    faults: tuple[str, ...]
    cpu: float


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    told: list[Told] = []
    try:
        for name in options.piles or SHARES:
            told += _of_pile(name, options)
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    text = summary(told)
    print(text)
    if options.write:
        put("parts", f"{TITLE}\n\n{text}")
    return 1 if any(each.faults for each in told) else 0


def drawn(pile: str, seed: int, root: Path) -> Part:
    """The part that the seed draws: of files anywhere, or beside each other by path or by name."""
    chance = random.Random(f"{pile} {seed}")
    paths = sorted(root.rglob("*.sql"))
    count, order = chance.randint(*FILES), chance.choice(("any", "any", "path", "name"))
    if order == "name":  # a/daily_v1/query.sql is beside b/daily_v1/query.sql
        paths.sort(key=lambda path: path.parts[::-1])
    if order != "any":
        at = chance.randrange(len(paths))
        paths = paths[max(0, at - NEAR) : at + NEAR]
    always = {path for path in root.rglob("*.sql") if path.stem == ALWAYS.get(pile)}
    few = {*_few(chance.sample(paths, min(count, len(paths))))}
    return Part(pile, seed, root, tuple(sorted(few | always)))


def _few(paths: Sequence[Path]) -> Iterator[Path]:
    """Of these, what is not too much; two at least."""
    size = 0
    for number, path in enumerate(paths):
        size += path.stat().st_size
        if number < 2 or size <= MOST:
            yield path


def faults(
    result: Mapping[str, Any], scanned: Mapping[str, Any], target: str = "dbt"
) -> Iterator[str]:
    """What is wrong with the JSON of a run, beside the reports that a scan of the part finds."""
    for number, names in enumerate(result["rounds"], 1):
        if names:
            yield f"lost in round {number}: {', '.join(names)}"
    # by file: a project may call a report otherwise, and a template begins in its first line
    told, known = (Counter(r["path"] for r in found["reports"]) for found in (result, scanned))
    if missing := sorted(known - told):
        yield f"not accounted for, of {', '.join(missing)}"
    if failed := [r["name"] for r in result["reports"] if r["verdict"] == "failed"]:
        yield f"failed: {', '.join(failed)}"
    before, after = result["before"]["lines"], result["after"]["lines"]
    kept = any(r["verdict"] == "kept" for r in result["reports"])  # its script stays beside models
    if not kept and after > before + FRAMES[target] * len(result["reports"]):
        yield f"grown: {before:,} -> {after:,} lines"


def summary(told: Sequence[Told]) -> str:
    """A row per pile, and one for each part that has a fault."""
    rows = [_row([each for each in told if each.part.pile == name], name)
            for name in dict.fromkeys(each.part.pile for each in told)]  # fmt: skip
    bad = [row(each) for each in told if each.faults]
    return "\n".join([HEAD, *rows, *(["", *ASIDE, *bad] if bad else [])])


def _row(told: Sequence[Told], name: str) -> str:
    reports, cpu = sum(each.reports for each in told), sum(each.cpu for each in told)
    before, after = (sum(each.lines[at] for each in told) for at in (0, 1))
    bad = sum(bool(each.faults) for each in told)
    return f"| {name} | {len(told)} | {reports:,} | {before:,} -> {after:,} | {bad} | {cpu:.0f} |"


def row(each: Told) -> str:
    """One part, with its files and its faults."""
    part = each.part
    files = ", ".join(str(path.relative_to(part.root)) for path in part.files)
    return f"| {part.pile} {part.seed} {part.target} | {files} | {'; '.join(each.faults)} |"


def _of_pile(name: str, options: argparse.Namespace) -> Iterator[Told]:
    work = options.work.resolve() / name
    dialect = piles.prepared(name, work / "pile", corpora.parse_mirrors(options.mirror))
    for seed in range(options.first, options.first + (options.seeds or SHARES[name])):
        told = _rewritten(drawn(name, seed, work / "pile"), dialect, work / "parts" / str(seed))
        said = "\n    ".join([_row([told], f"{name} {seed}"), *told.faults])
        print(said, file=sys.stderr, flush=True)
        yield told


def _rewritten(part: Part, dialect: str, folder: Path) -> Told:
    shutil.rmtree(folder, ignore_errors=True)
    for path in part.files:
        copy = folder / "pile" / path.relative_to(part.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    options = ["--target", part.target, "--out", "project", "--no-generated"]
    cost, result = _unwet(["refactor", "pile", *options], dialect, folder)
    _, scanned = _unwet(["scan", "pile"], dialect, folder)
    if cost.code > 1 or "Traceback" in cost.output or not result:
        return Told(part, 0, (0, 0), (f"crash: exit code {cost.code}, see {folder}",), cost.cpu)
    lines = result["before"]["lines"], result["after"]["lines"]
    wrong = tuple(faults(result, scanned, part.target))
    if not wrong:
        shutil.rmtree(folder / "project")
    return Told(part, len(result["reports"]), lines, wrong, cost.cpu)


def _unwet(words: Sequence[str], dialect: str, folder: Path) -> tuple[Run, Mapping[str, Any]]:
    file = folder / f"{words[0]}.json"
    options = ["--dialect", dialect, "--format", "json", "-o", str(file)]
    command = [sys.executable, "-m", "unwet", *words, *options]
    cost = run(command, folder / f"{words[0]}.log", cwd=folder)
    return cost, json.loads(file.read_text("utf-8")) if file.is_file() else {}


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.refactor.parts")
    add = parser.add_argument
    add("piles", nargs="*", metavar="PILE", help=f"default: all of {', '.join(SHARES)}")
    add("--first", type=int, default=0, metavar="SEED", help="the first seed of each pile")
    add("--seeds", type=int, default=0, help="how many; default: a share that depends on the pile")
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/parts"), help="where everything is written")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
