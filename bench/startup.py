"""What it costs to start: CPU seconds of `unwet --help`, as a whole process.

    python -m bench.startup [--runs 20] [--write]

The bar is 0.15 s. Exit code 1 when the median is above it.
"""

import argparse
import os
import statistics
import subprocess
import sys

from bench.results import put

BAR = 0.15


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of a program."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.startup")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put the row into bench/RESULTS.md")
    options = parser.parse_args()
    command = [sys.executable, "-m", "unwet", "--help"]
    cpu_seconds(command)  # the first run compiles
    times = [cpu_seconds(command) for _ in range(options.runs)]
    low, median = min(times), statistics.median(times)
    row = f"| `unwet --help`, CPU s | {BAR} | {median:.3f} | {low:.3f} | {options.runs} |"
    table = "| what | bar | median | min | runs |\n| --- | --: | --: | --: | --: |\n" + row
    print(table)
    if options.write:
        put("startup", f"## Start-up\n\n`python -m bench.startup --write`\n\n{table}")
    return int(median > BAR)


if __name__ == "__main__":
    sys.exit(main())
