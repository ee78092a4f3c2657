"""python -m bench.shop.drift --seed 11 12 13 [--data] [--write]: the injected mistakes alone.

With --data each contradiction is also tried on the case's warehouse.

Seeds 1 to 5 are those that the thresholds of drift were chosen on; others are unseen.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.results import put
from bench.shop import engine, scoring
from bench.shop.case import Case, lay_out
from unwet.fixtures.shop.case import DEFAULT


@dataclass(frozen=True, slots=True)
class Row:
    """One seed."""

    seed: int
    findings: scoring.Score
    places: scoring.Score
    kinds: Mapping[str, tuple[int, int]]
    intended: int
    witnesses: tuple[int, int, int] = (0, 0, 0)  # a row shows it, none does, not tried


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        rows = [_row(options, seed) for seed in options.seed]
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(rows))
    if options.write:
        seeds = " ".join(map(str, options.seed))
        data = " --data" if options.data else ""
        command = f"`python -m bench.shop.drift --seed {seeds}{data} --write`"
        put("shop-drift", f"## Drift in the shop\n\n{command}\n\n{table(rows)}")
    return 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.shop.drift")
    add = parser.add_argument
    add("--seed", type=int, nargs="+", default=[DEFAULT], help="one or more")
    add("--size", type=float, default=1.0, help="share of all copies in the pile")
    add("--data", action="store_true", help="look for rows that show the contradictions")
    add("--work", type=Path, default=Path("build/shop-drift"), help="where everything is written")
    add("--unwet", default=f"{sys.executable} -m unwet", help="how to call it")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


def _row(options: argparse.Namespace, seed: int) -> Row:
    case = lay_out(seed, options.work / str(seed), options.size, with_data=options.data)
    more = ["--data", str(case.warehouse)] if options.data else []
    found = engine.findings(options.unwet.split(), case, "drift", *more)
    if found is None:
        raise BenchError("there is no command `unwet drift`")
    return scored(case, found[1]["findings"])


def scored(case: Case, findings: Sequence[Mapping[str, Any]]) -> Row:
    """The findings of one seed against its answer key."""
    meant = Case(case.seed, case.folder, {**case.key, "drift": case.key["intended"]})
    wrong = scoring.score_drift(case, findings)
    reported = scoring.score_drift(meant, _away(case, findings)).found
    places = scoring.score_places(case, findings)
    kinds = scoring.found_by_kind(case, findings)
    return Row(case.seed, wrong, places, kinds, reported, _witnesses(findings))


def _witnesses(findings: Sequence[Mapping[str, Any]]) -> tuple[int, int, int]:
    rows = [each["rows"] for finding in findings for each in finding.get("witnesses", ())]
    return sum(1 for n in rows if n), rows.count(0), rows.count(None)


def _away(case: Case, findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The outliers that are at no mistake: a mistake may stand right beside intended variation."""
    return [
        {"outliers": [outlier]}
        for finding in findings
        for outlier in finding["outliers"]
        if not scoring.score_drift(case, [{"outliers": [outlier]}]).right
    ]


def table(rows: Sequence[Row]) -> str:
    """Markdown, a line a seed, and the kinds of all seeds together."""
    head = "| seed | injected | recall | findings | precision | places | precision of places | intended told |"  # noqa: E501
    lines = [head, "| --- | --: | --: | --: | --: | --: | --: | --: |"]
    for row in rows:
        one, all_places = row.findings, row.places
        lines.append(
            f"| {row.seed} | {one.there} | {one.recall:.1%} | {one.said} | {one.precision:.1%} "
            f"| {all_places.said} | {all_places.precision:.1%} | {row.intended} |"
        )
    found: Counter[str] = Counter()
    there: Counter[str] = Counter()
    for row in rows:
        for kind, (hits, total) in row.kinds.items():
            found[kind] += hits
            there[kind] += total
    if any(map(sum, (row.witnesses for row in rows))):
        lines += [
            "",
            "| seed | places that a row of the warehouse shows | no row does | not tried |",
        ]
        lines += ["| --- | --: | --: | --: |"]
        lines += [f"| {row.seed} | {' | '.join(map(str, row.witnesses))} |" for row in rows]
    lines += ["", "| kind | found | injected |", "| --- | --: | --: |"]
    lines += [f"| {kind} | {found[kind]} | {there[kind]} |" for kind in sorted(there)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
