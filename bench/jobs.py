"""What several processes save: wall, CPU and memory of the same lineage by one and by two.

python -m bench.jobs [--piles shop,bqetl] [--jobs 1,2] [--runs 3] [--write]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import corpora
from bench.results import put
from bench.speed import piles
from bench.speed.__main__ import measure, written
from bench.speed.table import Timing

Row = tuple[str, int, int, Sequence[Timing]]  # pile, lines, processes, runs


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    mirrors = corpora.parse_mirrors(options.mirror)
    counts = [int(each) for each in options.jobs.split(",")]
    found: list[Row] = []
    for name in options.piles.split(","):
        dialect, texts = piles.texts(name, mirrors)
        file = written(name, texts, options.work)
        runs = [
            [measure("trace", dialect, file, options.work, jobs) for jobs in counts]
            for _ in range(options.runs)
        ]
        for jobs, timings in zip(counts, zip(*runs, strict=True), strict=True):
            found.append((name, piles.lines(texts), jobs, timings))
    text = "\n\n".join(
        [
            "## Several processes",
            "`python -m bench.jobs --write`",
            "`trace(..., jobs=N)` with its direct edges: the run with the least wall of "
            f"{options.runs}, in turn. All give the same edges. The wall is that of a machine "
            "which did other work as well; with a core for each process it is a little more than "
            "the CPU of the busiest.",
            table(found),
        ]
    )
    print(text)
    if options.write:
        put("jobs", text)
    return int(any(len(same) > 1 for same in _edges(found)))


def table(found: Sequence[Row]) -> str:
    """A row per pile and number of processes: the run with the least wall, as what else the
    machine does only adds to it."""
    rows = [
        "| pile | lines | processes | CPU s of the busiest | CPU s | wall s "
        "| peak MB, all processes | edges |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for name, lines, processes, runs in found:
        best = min(runs, key=lambda run: run.wall)
        rows.append(
            f"| {name} | {lines:,} | {processes} | {best.busiest(processes):.2f} "
            f"| {best.cpu:.2f} | {best.wall:.2f} | {best.peak_mb:.0f} | {best.edges:,} |"
        )
    return "\n".join(rows)


def _edges(found: Sequence[Row]) -> list[set[int]]:
    """Per pile, the numbers of edges that runs gave: one, if all is well."""
    by_pile: dict[str, set[int]] = {}
    for name, _, _, runs in found:
        by_pile.setdefault(name, set()).update(run.edges for run in runs)
    return list(by_pile.values())


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--piles", default="shop,bqetl")
    parser.add_argument("--jobs", default="1,2", help="numbers of processes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("build/speed"))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
