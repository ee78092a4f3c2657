"""python -m bench.pairs: published pairs of queries, beside sqlglot's optimizer; see README.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.pairs import dialects, piles, sets, table
from bench.pairs.merged import merged
from bench.pairs.scored import Scored, score
from bench.results import put

BAR = 30.0  # percent of the known-equivalent Calcite pairs that meet


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        mirrors = corpora.parse_mirrors(options.mirror)
        found = sets.load(options.cache, mirrors)
        pools = piles.load(options.cache, mirrors, options.queries)
        mimic = corpora.fetch(corpora.load()["mimic"], options.cache, mirrors)
        three = dialects.compare(mimic / "mimic-iv")
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    scored = [score(each) for each in found if not options.sets or each.name in options.sets]
    mutated = [merged(name, queries) for name, queries in pools]
    options.details.parent.mkdir(parents=True, exist_ok=True)
    options.details.write_text(table.details(scored), "utf-8")
    text = "\n\n".join([table.text(scored), table.of_mutants(mutated), table.of_dialects(three)])
    print(text)
    if options.write:
        put("pairs", f"{table.HEAD}\n\n{text}")
    return 1 if _is_bad(scored) or any(each.false for each in mutated) else 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pairs")
    add = parser.add_argument
    add("--sets", nargs="+", default=[], metavar="NAME", help="only these, named as in the table")
    add("--queries", type=int, default=12, help="of each pile, whose mutants are judged")
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
