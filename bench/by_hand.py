"""python -m bench.by_hand [COMMIT...] [--write]: commits that did what `unwet refactor` does.

Seven commits of Dune's spellbook moved what its models repeat into macros. The SQL files that such
a commit touches are the pile, as they were before it; those after it are what a human left. Lines
are counted alike on all sides: those that are neither blank nor only comment, as they stand.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bench.corpora import CACHE, git_dir, load, parse_mirrors
from bench.errors import BenchError
from bench.process import Run, run
from bench.results import put
from unwet.rewrite.sizes import code_lines

COMMITS = (
    "06f70843d7",
    "ac59b83fe2",
    "e025533a58",
    "ef96274dd8",
    "08da11ff6d",
    "225e6fbe0d",
    "36d2a52576",
)
_HEAD = """## Commits that did it by hand

`python -m bench.by_hand --write`

Seven commits of spellbook, a project of dbt for Trino, that moved what models repeat into macros:
the SQL files that each touches, before it, after it (by hand), and as `unwet refactor` leaves them.
Lines are those that are neither blank nor only comment, as they stand. By hand, models were dropped
or called otherwise (how many is in "gone"), their rows changed, and files for other chains added;
unwet keeps all reports, and proves that each says the same SQL in all branches of its template.
Without the models that they drop unwet leaves 1,481 lines of ac59b83fe2 and 563 of 36d2a52576
(`--still`), fewer than by hand."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a commit did: texts by path before and after."""

    commit: str
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def gone(self) -> int:
        """Files of before whose name no file of after has."""
        return len(self.before) - len(self.still().before)

    def still(self) -> "Pair":
        """Without these."""
        left = {PurePosixPath(path).name for path in self.after}
        before = {p: text for p, text in self.before.items() if PurePosixPath(p).name in left}
        return Pair(self.commit, before, self.after)


@dataclass(frozen=True, slots=True)
class Row:
    """One commit, and what `unwet refactor` made of the files before it."""

    pair: Pair
    result: Mapping[str, Any]
    cost: Run


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.by_hand")
    add = parser.add_argument
    add("commits", nargs="*", default=list(COMMITS), metavar="COMMIT")
    add("--cache", type=Path, default=CACHE)
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/by_hand"), help="where everything is written")
    add("--still", action="store_true", help="only files whose name is there after it, too")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    options = parser.parse_args(words)
    try:
        home = git_dir(load()["spellbook"], options.cache, parse_mirrors(options.mirror))
        pairs = [pair_of(home, commit) for commit in options.commits]
        pairs = [pair.still() for pair in pairs] if options.still else pairs
        rows = [_row(pair, options.work) for pair in pairs]
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    text = table(rows)
    print(text)
    if options.write:
        put("by-hand", f"{_HEAD}\n\n{text}")
    return 0


def pair_of(home: Path, commit: str) -> Pair:
    """The SQL files that a commit touches. Raises BenchError."""
    names = _git(home, "diff", "--name-status", "--no-renames", f"{commit}^", commit)
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for line in names.splitlines():
        status, path = line.split("\t")
        if path.endswith(".sql"):
            if status != "A":
                before[path] = _git(home, "show", f"{commit}^:{path}")
            if status != "D":
                after[path] = _git(home, "show", f"{commit}:{path}")
    return Pair(commit, before, after)


def _git(home: Path, *words: str) -> str:
    done = subprocess.run(["git", f"--git-dir={home}", *words], capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"git {words[0]}: {done.stderr.strip()[-200:]}", "give --mirror")
    return done.stdout


def _row(pair: Pair, work: Path) -> Row:
    print(f"bench: {pair.commit}", file=sys.stderr, flush=True)
    folder = work.resolve() / pair.commit
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in pair.before.items():
        file = folder / "pile" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    out = folder / "result.json"
    command = [sys.executable, "-m", "unwet", "refactor", "pile", "--out", "project", "--dialect",
               "trino", "--no-generated", "--format", "json", "-o", str(out)]  # fmt: skip
    cost = run(command, folder / "refactor.log", cwd=folder)
    if not out.is_file():
        raise BenchError(f"{pair.commit}: no result", f"see {folder / 'refactor.log'}")
    return Row(pair, json.loads(out.read_text("utf-8")), cost)


def table(rows: Sequence[Row]) -> str:
    """A row for each commit."""
    lines = [
        "| commit | reports | before | by hand | gone | unwet | proved | kept | macros | CPU s |",
        "| --- " + "| --: " * 9 + "|",
    ]
    return "\n".join([*lines, *map(_line, rows)])


def _line(row: Row) -> str:
    verdicts = Counter(report["verdict"] for report in row.result["reports"])
    before, after = (
        sum(map(code_lines, side.values())) for side in (row.pair.before, row.pair.after)
    )
    return (
        f"| {row.pair.commit} | {verdicts.total()} | {before:,} | {after:,} | {row.pair.gone} "
        f"| {row.result['after']['lines']:,} | {verdicts['proved']} | {verdicts['kept']} "
        f"| {row.result['macros']} | {row.cost.cpu:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
