"""python -m bench.pairs: published pairs of queries, beside sqlglot's optimizer; see README.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.pairs import sets, table
from bench.pairs.scored import Scored, score
from bench.results import put

BAR = 30.0  # percent of the known-equivalent Calcite pairs that meet


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        found = sets.load(options.cache, corpora.parse_mirrors(options.mirror))
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    scored = [score(each) for each in found if not options.sets or each.name in options.sets]
    options.details.parent.mkdir(parents=True, exist_ok=True)
    options.details.write_text(table.details(scored), "utf-8")
    print(table.text(scored))
    if options.write:
        put("pairs", table.section(scored))
    return 1 if _is_bad(scored) else 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pairs")
    add = parser.add_argument
    add("--sets", nargs="+", default=[], metavar="NAME", help="only these, named as in the table")
    add("--cache", type=Path, default=corpora.CACHE)
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--details", type=Path, default=Path("build/pairs/apart.md"), help="pairs that do not meet")
    add("--write", action="store_true", help="put the table into RESULTS.md")
    return parser.parse_args(words)


def _is_bad(scored: Sequence[Scored]) -> bool:
    faults = sum(len(each.faults) for each in scored)
    under = any(
        100 * each.count("meets") / len(each.judged) <= BAR
        for each in scored
        if "Calcite" in each.name and "refuted" not in each.name
    )
    return bool(faults) or under


if __name__ == "__main__":
    sys.exit(main())
