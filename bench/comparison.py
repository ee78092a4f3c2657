"""Comparing two results of ten million rows and eight columns on DuckDB: CPU seconds and memory.

    python -m bench.comparison [--rows 10000000] [--runs 5] [--write]

The new side has the rows in another order. Each run is a process of its own, with the memory limit
that verify works with; what DuckDB keeps on disk beside it is told, too. In between, as a peer,
what people write by hand: EXCEPT ALL, both ways. Exit code 1 when equal sides take more than 5 s of
CPU (median), or when a verdict is wrong.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.results import put
from unwet.rewrite.prove.compare import compare
from unwet.rewrite.prove.engines import DATA, DuckEngine, open_duckdb

BAR = 5.0
COLUMNS = """\
CAST(r AS BIGINT) AS id,
CAST(hash(r) % 50000 AS INTEGER) AS customer,
CAST(hash(r, 1) % 1000000 AS DECIMAL(12, 2)) / 100 AS amount,
CAST(hash(r, 2) % 1000000007 AS DOUBLE) / 7 AS share,
CASE WHEN hash(r, 3) % 10 = 0 THEN NULL ELSE 'region ' || (hash(r, 4) % 40) END AS region,
'order number ' || r AS label,
DATE '2020-01-01' + CAST(r % 1500 AS INTEGER) AS day,
TIMESTAMP '2020-01-01' + INTERVAL 1 SECOND * CAST(hash(r, 5) % 100000000 AS INTEGER) AS moment"""
NEW = {
    "equal": "SELECT * FROM {new}",
    "one value differs": "SELECT * REPLACE (CASE WHEN id = 77 THEN customer + 1 ELSE customer END "
    "AS customer) FROM {new}",
    "a row twice": "SELECT * FROM {new} UNION ALL SELECT * FROM {new} WHERE id = 77",
    "floats in noise, 1 %": "SELECT * REPLACE (CASE WHEN id % 100 = 0 THEN share * (1 + 1e-14) "
    "ELSE share END AS share) FROM {new}",
}
WANTED = {  # identical, modified, removed, added; of n rows
    "equal": (0, 0, 0, 0),
    "one value differs": (-1, 1, 0, 0),
    "a row twice": (0, 0, 0, 1),
    "floats in noise, 1 %": (0, 0, 0, 0),
}


def make(file: Path, rows: int) -> None:
    """Both sides as tables of a DuckDB file."""
    import duckdb

    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE old AS SELECT {COLUMNS} FROM range({rows}) AS t(r)")
        connection.execute("CREATE TABLE new AS SELECT * FROM old ORDER BY hash(id)")


def sides(case: str) -> tuple[str, str]:
    """The two queries of a case."""
    old, new = (f"{DATA}.main.{name}" for name in ("old", "new"))
    return f"SELECT * FROM {old}", NEW[case].format(new=new)


def ours(engine: DuckEngine, case: str) -> tuple[int, ...]:
    """What becomes of the rows."""
    found = compare(engine, *sides(case))
    return found.identical - found.rows_before, found.modified, found.removed, found.added


def by_hand(engine: DuckEngine, case: str) -> tuple[int, ...]:
    """The rows that only one side has, or has more often."""
    old, new = sides(case)
    return tuple(
        int(str(engine.rows(f"SELECT count(*) FROM (({a}) EXCEPT ALL ({b}))")[0][0]))
        for a, b in ((old, new), (new, old))
    )


WAYS: Mapping[str, Callable[[DuckEngine, str], tuple[int, ...]]] = {
    "unwet": ours,
    "EXCEPT ALL both ways": by_hand,
}


def one(file: Path, way: str, case: str) -> None:
    """One run, in this process; prints what it took as JSON."""
    with open_duckdb(file) as engine:
        began = time.process_time()
        answer = WAYS[way](engine, case)
        took = time.process_time() - began
        ((limit,),) = engine.rows("SELECT current_setting('memory_limit')")
    print(json.dumps({"cpu": took, "answer": answer, "limit": limit}))


def run(file: Path, way: str, case: str) -> tuple[float, float, tuple[int, ...], str]:
    """CPU seconds, peak MB, answer and memory limit of one run in a process of its own."""
    command = [sys.executable, "-m", "bench.comparison", "--one", str(file), way, case]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"error: {way}, {case}: ended with {child.returncode}")
    told = json.loads(printed)
    return told["cpu"], usage.ru_maxrss / 1024, tuple(told["answer"]), told["limit"]


def measure(rows: int, runs: int) -> tuple[str, bool]:
    """The table, and whether all is as it should be."""
    lines = ["| case | way | CPU s, median | min | peak MB | verdict | runs |",
             "| --- | --- | --: | --: | --: | --- | --: |"]  # fmt: skip
    fine, limit = True, ""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sides.duckdb"
        # a child's peak counts from that of its parent, so this one stays small
        maker = [sys.executable, "-m", "bench.comparison", "--make", str(file), "--rows", str(rows)]
        subprocess.run(maker, check=True)
        for case in NEW:
            for way in WAYS:
                if way != "unwet" and case != "equal" and case != "a row twice":
                    continue
                times = runs if way == "unwet" else max(2, runs // 2)
                found = [run(file, way, case) for _ in range(times)]
                cpu, limit = [each[0] for each in found], found[0][3]
                right = way != "unwet" or all(each[2] == WANTED[case] for each in found)
                told = ("right" if right else "WRONG") if way == "unwet" else f"{found[0][2]}"
                fine = fine and right
                if way == "unwet" and case == "equal":
                    fine = fine and statistics.median(cpu) <= BAR
                lines.append(
                    f"| {case} | {way} | {statistics.median(cpu):.2f} | {min(cpu):.2f} "
                    f"| {max(each[1] for each in found):.0f} | {told} | {times} |"
                )
                print(lines[-1], flush=True)
    return "\n".join([f"{rows:,} rows, 8 columns; memory limit {limit}", "", *lines]), fine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.comparison")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    parser.add_argument("--one", nargs=3, metavar=("FILE", "WAY", "CASE"), help=argparse.SUPPRESS)
    parser.add_argument("--make", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(Path(options.make), options.rows)
        return 0
    if options.one:
        one(Path(options.one[0]), options.one[1], options.one[2])
        return 0
    table, fine = measure(options.rows, options.runs)
    if options.write:
        bar = f"The bar is {BAR:g} s of CPU for equal sides."
        put(
            "comparison",
            f"## Comparison of rows\n\n`python -m bench.comparison --write`\n\n{bar}\n{table}",
        )
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
