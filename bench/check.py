"""What a commit waits for: CPU seconds of `unwet check`, as a whole process.

    python -m bench.check [--runs 5] [--write]

On copies of the bundled shop: the first run, which fills the index; then, each time from there, a
run after edits of 20 files that are drawn at random, and one in which nothing has changed. An edit
adds a condition to the last query of the file; every second one also pastes the first statement of
another file as a view in front. Among 20 there is often one that others read: these are read anew
as well. Bars: 1 s for 20 changed files, 0.3 s when nothing has changed. Exit code 1: above one.
"""

import argparse
import random
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from bench.process import Run, run
from bench.results import put

PILE = Path("fixtures/shop/pile")
CHANGED, BAR_CHANGED, BAR_SAME = 20, 1.0, 0.3
SEED = 5


def edited(text: str, other: str, number: int) -> str:
    """The file with something of its own in its last query; with a pasted statement in front, if
    there is one."""
    head, word, rest = text.rpartition("where ")
    own = f"{head}{word}{number} < 3 * {number} and {rest}" if word else f"-- {number}\n{text}"
    pasted = f"create view pasted.v{number} as\n{other.rstrip().rstrip(';')};\n" if other else ""
    return pasted + own


def query(path: Path) -> str:
    """The query of a file's first statement; "" if it has none."""
    first = path.read_text("utf-8").split(";\n")[0]
    lines = [line for line in first.splitlines() if not line.lstrip().startswith("--")]
    words = "\n".join(lines)
    start = re.search(r"(?i)\b(with|select)\b", words)
    return words[start.start() :] if start is not None else ""


def paste(files: list[Path], chance: random.Random, number: int) -> list[Path]:
    """Edits 20 of the files; returns them."""
    changed = sorted(chance.sample(files, CHANGED))
    for at, path in enumerate(changed):
        other = ""
        while at % 2 and not other:
            other = query(chance.choice(files))
        path.write_text(edited(path.read_text("utf-8"), other, 100 * number + at), "utf-8")
    return changed


def measure(runs: int) -> tuple[Run, list[float], list[float]]:
    """The first run, and CPU seconds of runs with 20 changed files and with none."""
    chance = random.Random(SEED)
    warm, same = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(PILE, home / "pile")
        index = home / ".unwet_cache"
        command = [sys.executable, "-m", "unwet", "check", "--dialect", "duckdb", "-q"]
        command += ["--format", "concise"]
        files = sorted((home / "pile").rglob("*.sql"))

        def check(changed: list[Path]) -> Run:
            done = run([*command, *map(str, changed)], home / "log", cwd=home)
            if done.code not in (0, 1):
                raise SystemExit(f"error: {done.output}")
            return done

        cold = check([])
        shutil.copytree(index, home / "kept")
        for number in range(runs):
            shutil.copytree(PILE, home / "pile", dirs_exist_ok=True)
            shutil.copytree(home / "kept", index, dirs_exist_ok=True)
            changed = paste(files, chance, number)
            warm.append(check(changed).cpu)
            same.append(check(changed).cpu)
    return cold, warm, same


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.check")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    options = parser.parse_args()
    cold, warm, same = measure(options.runs)
    rows = [
        ("first run, which fills the index", "", f"{cold.cpu:.1f}", "", ""),
        _row(f"{CHANGED} changed files", BAR_CHANGED, warm),
        _row("nothing changed", BAR_SAME, same),
    ]
    head = "| `unwet check` on the shop, CPU s | bar | median | min | max |"
    table = "\n".join([head, "| --- | --: | --: | --: | --: |", *map(_line, rows)])
    print(table)
    if options.write:
        put("check", f"## A check before a commit\n\n`python -m bench.check --write`\n\n{table}")
    over = statistics.median(warm) > BAR_CHANGED or statistics.median(same) > BAR_SAME
    return int(over)


def _row(what: str, bar: float, times: list[float]) -> tuple[str, ...]:
    seconds = (statistics.median(times), min(times), max(times))
    return (what, f"{bar}", *(f"{each:.2f}" for each in seconds))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
