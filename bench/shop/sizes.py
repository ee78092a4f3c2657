"""python -m bench.shop.sizes --seed 1 [--write]: what is left of the pile, as it is and as decided.

In the pile's own dialect and without data, so that only proofs count. As it is: every report says
what it said, the mistakes included. As decided: somebody has found the majority right wherever
copies contradict each other, and the reports change exactly so.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.process import Run
from bench.results import put
from bench.shop import engine
from bench.shop.case import lay_out
from unwet.fixtures.shop.case import DEFAULT

HEAD = """| seed | drift | lines | nodes | files | macros | proved | changed | kept | CPU s |
| --: | --- | --: | --: | --: | --: | --: | --: | --: | --: |"""


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    unwet = options.unwet.split()
    rows: list[str] = []
    try:
        for seed in options.seed:
            case = lay_out(seed, options.work / str(seed), options.size, with_data=False)
            rows.append(row(seed, "as it is", *engine.proved_only(unwet, case)))
            decided = engine.decisions(unwet, case)
            rows.append(row(seed, "decided", *engine.proved_only(unwet, case, decided)))
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    table = "\n".join([HEAD, *rows])
    print(table)
    if options.write:
        seeds = " ".join(map(str, options.seed))
        command = f"`python -m bench.shop.sizes --seed {seeds} --write`"
        put("shop-sizes", f"## Sizes of the shop\n\n{command}\n\n{table}")
    return 0


def row(seed: int, drift: str, cost: Run, result: Mapping[str, Any]) -> str:
    """What came of one run, as a row of the table."""
    before, after = result["before"], result["after"]
    verdicts = Counter(report["verdict"] for report in result["reports"])
    sizes = [f"{before[each]:,} -> {after[each]:,}" for each in ("lines", "nodes", "files")]
    said = (verdicts["proved"], verdicts["changed"], verdicts["kept"] + verdicts["failed"])
    cells = (seed, drift, *sizes, result["macros"], *said, f"{cost.cpu:.1f}")
    return "| " + " | ".join(map(str, cells)) + " |"


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.shop.sizes")
    add = parser.add_argument
    add("--seed", type=int, nargs="+", default=[DEFAULT], help="one or more")
    add("--size", type=float, default=1.0, help="share of all copies in the pile")
    add("--work", type=Path, default=Path("build/shop-sizes"), help="where everything is written")
    add("--unwet", default=f"{sys.executable} -m unwet", help="how to call it")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
