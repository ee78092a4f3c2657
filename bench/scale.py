"""Families of duplicates in ever larger parts of one pile: CPU, wall and memory per line.

python -m bench.scale [--sizes 10000,50000,200000,430000] [--write]
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.results import put
from bench.speed import piles
from bench.speed.__main__ import SIZES, measure, written
from bench.speed.table import Timing

WALL = 300.0  # seconds, at the largest size
PEAK = 4096.0  # MB
STEEPER = 1.5  # times the CPU per line of the second size, at the largest: linear but for noise


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    dialect, texts = piles.texts("bqetl", corpora.parse_mirrors(options.mirror))
    found: list[tuple[int, Timing]] = []
    lost: list[str] = []
    for size in map(int, options.sizes.split(",")):
        some = piles.upto(texts, size)
        file = written(f"scale_{size}", some, options.work)
        try:
            found.append((piles.lines(some), measure("dups", dialect, file, options.work)))
        except BenchError as error:
            lost.append(f"Not measured: {size:,} lines: {error}; {error.help}")
    text = "\n\n".join(
        [
            "## Scale",
            "`python -m bench.scale --write`",
            "`find_families()` over seeded parts of bqetl's generated SQL, one process. Bars at "
            f"430,000 lines: {WALL / 60:.0f} minutes, {PEAK / 1024:.0f} GiB; linear in lines. "
            "The wall is that of whatever share of the machine this had; alone, it is the CPU.",
            table(found),
            *lost,
        ]
    )
    print(text)
    if options.write:
        put("scale", text)
    return int(bool(lost) or not within(found))


def table(found: Sequence[tuple[int, Timing]]) -> str:
    """A row per size."""
    rows = [
        "| lines | CPU s | CPU ms per 1,000 lines | wall s | peak MB | families |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    for lines, run in found:
        rows.append(
            f"| {lines:,} | {run.cpu:.1f} | {1e6 * run.cpu / lines:.0f} | {run.wall:.1f} "
            f"| {run.peak_mb:.0f} | {run.families:,} |"
        )
    return "\n".join(rows)


def within(found: Sequence[tuple[int, Timing]]) -> bool:
    """Whether the largest size keeps the bars."""
    lines, last = found[-1]
    per_line = [run.cpu / size for size, run in found]
    linear = per_line[-1] <= STEEPER * per_line[min(1, len(found) - 1)]
    return last.wall <= WALL and last.peak_mb <= PEAK and linear and lines > 0


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--work", type=Path, default=Path("build/speed"))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
