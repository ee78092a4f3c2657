"""python -m bench.shop --seed N: the bundled case from the pile to the table; see README.md."""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import venv
from bench.errors import BenchError
from bench.shop import engine, scoring, table
from bench.shop.built import built
from bench.shop.case import Case, lay_out
from unwet.fixtures.shop.case import DEFAULT


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        figures = [_bench(options, seed) for seed in options.seed]
    except BenchError as error:
        print(f"error: {error}", *([f"help: {error.help}"] if error.help else []), sep="\n",
              file=sys.stderr)  # fmt: skip
        return 2
    print(table.to_json(figures) if options.format == "json" else table.text(figures))
    if options.write:
        table.write(figures)
    return 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.shop")
    add = parser.add_argument
    add("--seed", type=int, nargs="+", default=[DEFAULT], help="one or more")
    add("--size", type=float, default=1.0, help="share of all copies in the pile")
    add("--scale", type=float, default=1.0, help="rows in the warehouse")
    add("--work", type=Path, default=Path("build/shop"), help="where everything is written")
    add("--unwet", default=f"{sys.executable} -m unwet", help="how to call it")
    add("--decided", action="store_true", help="also with each drift decided by majority")
    add("--dbt", action="store_true", help="build the project with dbt, and compare every table")
    add("--venv", type=Path, help="environment with dbt-duckdb (default: build/bench-venv)")
    add("--format", choices=("text", "json"), default="text")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


def _bench(options: argparse.Namespace, seed: int) -> table.Figures:
    unwet = options.unwet.split()
    case = lay_out(seed, options.work / str(seed), options.size, options.scale)
    done, result = engine.refactor(unwet, case)
    dups = engine.findings(unwet, case, "dups")
    if dups is None:
        raise BenchError("there is no command `unwet dups`")
    drift = engine.findings(unwet, case, "drift")
    decided = None
    if options.decided:
        _, decided = engine.refactor(unwet, case, engine.decisions(unwet, case))
    tables = built(_dbt(options), case, result["reports"]) if options.dbt else None
    return table.Figures(
        seed=seed,
        files=len(case.key["order"]),
        reports=len(case.key["reports"]),
        before=result["before"],
        after=result["after"],
        families=_shown(scoring.score_families(case, dups[1]["families"])),
        drift=_shown(scoring.score_drift(case, drift[1]["findings"])) if drift else None,
        injected=len(case.key["drift"]),
        verdicts=dict(sorted(Counter(r["verdict"] for r in result["reports"]).items())),
        reasons=_reasons(case, result["reports"]),
        seconds=round(done.seconds, 1),
        peak_mb=round(done.peak_mb, 1),
        built=tables,
        decided=_decided(decided) if decided else None,
    )


def _decided(result: Mapping[str, Any]) -> Mapping[str, int]:
    """What is left when every drift is decided, and how many reports change by that."""
    verdicts = Counter(report["verdict"] for report in result["reports"])
    sizes = {f"{what} after": result["after"][what] for what in ("lines", "nodes")}
    return {**sizes, **{name: verdicts[name] for name in ("changed", "kept", "failed")}}


def _dbt(options: argparse.Namespace) -> Path:
    folder = options.venv or venv.ensure(Path("build/bench-venv").resolve(), venv.DBT)
    return venv.program(folder, "dbt")


def _shown(score: scoring.Score) -> Mapping[str, float]:
    return {"recall": round(score.recall, 4), "precision": round(score.precision, 4)}


def _reasons(case: Case, reports: Iterable[Mapping[str, Any]]) -> Mapping[str, int]:
    """Reasons without names and numbers, most frequent first."""
    names = re.compile(rf"{re.escape(str(case.folder))}\S*|#?[0-9]+|[a-z]\w*[._][\w.]+")
    short = [
        f"{report['verdict']}: {names.sub('…', report['reason'])[:110]}"
        for report in reports
        if report["reason"]
    ]
    return dict(Counter(short).most_common())


if __name__ == "__main__":
    sys.exit(main())
