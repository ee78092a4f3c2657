"""python -m bench.spellbook [--write]: are the copies that somebody knew had drifted found?

A commit of Dune's spellbook replaced 51 copies of one model by a macro; its message names five
that deviated. The tree before it is read, and every deviation looked for among the findings of
`unwet drift`: in the 51 copies alone, and in the whole sub-project that they are part of. One of
the five is not in that tree: its file had been edited on a branch only, so it is laid over the
tree from there.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpora import CACHE, fetch, load, parse_mirrors
from bench.errors import BenchError
from bench.results import put

MODELS = Path("dbt_subprojects/dex/models/trades")
COPIES = "*/dex_*_base_trades.sql"


@dataclass(frozen=True, slots=True)
class Deviation:
    """What the message says, and how a finding of it looks: `code` at a file of that chain."""

    chain: str
    said: str
    code: str


# Our words for what the message of commit 06f70843d7 lists.
DEVIATIONS = (
    Deviation("ethereum", "leaves out one transaction", "DRIFT_FILTER"),
    Deviation("tron", "orders the rows it keeps the first of otherwise", "DRIFT_WINDOW"),
    Deviation("hyperevm", "does not drop duplicates", "DRIFT_FILTER"),
    Deviation("plasma", "calls its first CTE otherwise", "DRIFT_NAME"),
    Deviation("xlayer", "lacks the limit to recent days", "DRIFT_FILTER"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One deviation: its place among the findings (from 1) and its vote; None where not found."""

    deviation: Deviation
    place: int | None
    vote: str
    where: str


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        tree, copies = _lay_out(options)
        found = [(name, _findings(options.unwet.split(), at)) for name, at in
                 (("the 51 copies", copies), ("the sub-project", tree))]  # fmt: skip
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    sections = [_section(name, findings) for name, findings in found]
    print("\n\n".join(sections))
    if options.write:
        head = "## Drift in spellbook\n\n`python -m bench.spellbook --write`\n\n" + _ABOUT
        put("drift-spellbook", "\n\n".join([head, *sections]))
    complete = all(row.place for _, findings in found for row in rows(findings))
    return 0 if complete else 1


_ABOUT = (
    "The tree before commit 06f70843d7, whose message names five copies that deviate. That of\n"
    "hyperevm is not in it (its file is as all others there); it is in commit abd7fb4542, and\n"
    "laid over the tree from there."
)


def rows(findings: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Where each deviation stands among the findings."""
    return tuple(_row(deviation, findings) for deviation in DEVIATIONS)


def _row(deviation: Deviation, findings: Sequence[Mapping[str, Any]]) -> Row:
    for at, finding in enumerate(findings, 1):
        for outlier in finding["outliers"]:
            file = outlier["path"].rpartition("/")[2]
            if finding["code"] == deviation.code and _is_of(file, deviation.chain):
                vote = " : ".join(map(str, finding["vote"]))
                return Row(deviation, at, vote, f"{file}:{outlier['line']}")
    return Row(deviation, None, "", "")


def _is_of(file: str, chain: str) -> bool:
    return file == f"dex_{chain}_base_trades.sql"


def _section(name: str, findings: Sequence[Mapping[str, Any]]) -> str:
    found = rows(findings)
    number = sum(row.place is not None for row in found)
    lines = [
        f"In {name}: {number} of {len(found)} found, {len(findings)} findings in all.",
        "",
        "| chain | what the message says | code | found | vote | at |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in found:
        place = f"as number {row.place}" if row.place is not None else "**not found**"
        cells = (row.deviation.chain, row.deviation.said, row.deviation.code, place, row.vote,
                 row.where)  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.spellbook")
    add = parser.add_argument
    add("--cache", type=Path, default=CACHE)
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/spellbook"), help="where the trees are laid out")
    add("--unwet", default=f"{sys.executable} -m unwet", help="how to call it")
    add("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    return parser.parse_args(words)


def _lay_out(options: argparse.Namespace) -> tuple[Path, Path]:
    """The sub-project with the file from the branch, and a folder with the copies alone."""
    corpora, mirrors = load(), parse_mirrors(options.mirror)
    tree, copies = options.work / "tree", options.work / "copies"
    shutil.rmtree(options.work, ignore_errors=True)
    shutil.copytree(fetch(corpora["spellbook_dex"], options.cache, mirrors), tree)
    branch = fetch(corpora["spellbook_hyperevm"], options.cache, mirrors)
    for path in branch.rglob("*.sql"):
        shutil.copyfile(path, tree / path.relative_to(branch))
    copies.mkdir(parents=True)
    for path in _copies(tree):
        shutil.copyfile(path, copies / path.name)
    return tree, copies


def _copies(tree: Path) -> Iterator[Path]:
    found = sorted((tree / MODELS).glob(COPIES))
    if not found:
        raise BenchError(f"no {COPIES} below {tree / MODELS}", "remove build/corpora, fetch anew")
    yield from found


def _findings(unwet: Sequence[str], pile: Path) -> Sequence[Mapping[str, Any]]:
    command = [*unwet, "drift", str(pile), "--dialect", "trino", "--format", "json", "-q"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"unwet drift: {done.stderr.strip()[-300:]}", "run it alone")
    found: Sequence[Mapping[str, Any]] = json.loads(done.stdout)["findings"]
    return found


if __name__ == "__main__":
    sys.exit(main())
