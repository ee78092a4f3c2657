"""python -m bench.proof: what data from the queries alone is worth; see README.md."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.proof import piles, proved, store, table
from bench.proof.options import parsed, parser
from bench.proof.scored import Pile, attempts, score
from bench.results import put


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    names = options.piles or list(piles.PILES)
    if options.start:
        options.details /= f"from-{options.start}"
    try:
        where = piles.Where(options.cache, corpora.parse_mirrors(options.mirror))
        if options.unit:
            return _one(options.unit, names, where)
        if options.proved:
            return _proved(names, where, options.most, options.write)
        found = _all(names, where, options)
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    shown = table.text(found)
    missed = table.misses(found)
    print("\n\n".join([shown, *(f"MISSED {each}" for each in missed)]))
    for pile in found:
        (options.details / f"{pile.name}.md").write_text(table.survivors(pile), "utf-8")
    if options.write:
        bars = "\n".join(f"- not reached: {each}" for each in missed) or "All bars are reached."
        section = "proof-again" if options.start else "proof"
        head = table.head(names, options.most, options.start)
        put(section, f"{head}\n\n{shown}\n\n{bars}")
    return 1 if missed else 0


def _one(unit: str, names: Sequence[str], where: piles.Where) -> int:
    for name in names:
        for each in attempts(piles.load(name, where), unit):
            print(table.whole(each))
    return 0


def _proved(names: Sequence[str], where: piles.Where, most: int | None, write: bool) -> int:
    found = []
    for name in names:
        found.append(proved.proved(name, piles.load(name, where), most))
        print(proved.text(found[-1:]), flush=True)
    if write:
        put("proved", f"{proved.head(most)}\n\n{proved.text(found)}")
    return 1 if any(each.false for each in found) else 0


def _all(names: Sequence[str], where: piles.Where, options: argparse.Namespace) -> list[Pile]:
    files = {name: options.details / f"{name}.jsonl" for name in names}
    if options.collect:
        read = (store.read(files[name]) for name in names)
        return [pile for pile in read if pile.scored]
    if not options.resume:
        for file in files.values():
            file.unlink(missing_ok=True)
    run = partial(measured, where=where, most=options.most, start=options.start)
    if options.jobs == 1 or len(names) == 1:
        return [run(name, files[name]) for name in names]
    with ProcessPoolExecutor(options.jobs) as pool:
        return list(pool.map(run, names, files.values()))


def measured(name: str, file: Path, where: piles.Where, most: int | None, start: int = 0) -> Pile:
    """One pile, in whatever process; each report is written down when it is scored."""
    done, tell = store.read(file).scored, partial(store.append, file)
    return score(name, piles.load(name, where), most=most, start=start, done=done, tell=tell)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    made = parser(
        "bench.proof", "one report: its data, and what lives", "where survivors are listed"
    )
    add = made.add_argument
    add("--most", type=int, metavar="N", help="only so many reports of each pile")
    add(
        "--from", dest="start", type=int, default=0, metavar="K",
        help="another sample: with --most, the K-th report after each of the first sample's",
    )  # fmt: skip
    add("--resume", action="store_true", help="keep what an earlier run has scored")
    add("--collect", action="store_true", help="only put together what earlier runs have scored")
    add("--proved", action="store_true", help="instead: what refactor proves, on such data")
    add("--jobs", type=int, default=1, help="processes, one pile each")
    options = parsed(made, words)
    if options.start and options.most is None:
        made.error("--from takes another sample: it needs --most")
    return options


if __name__ == "__main__":
    sys.exit(main())
