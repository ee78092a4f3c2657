"""Time and findings of unwet dups and of jscpd on the same real piles, in one run.

python -m bench.jscpd [--list FILE] [--write]

A seeded sample of both programs' findings is judged by reading: is the found text a unit that a
person could extract? The verdicts stand in verdicts.toml by a key made of places and text; the
run tells how many of its sample have none. --list writes the sample with its text, for judging.
"""

import argparse
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import corpora
from bench.jscpd.finders import FIRST, VERSION, Said, Told, jscpd, text, unwet
from bench.results import put

PILES = ("achilles", "bqetl_genonly")
SAMPLE = 15  # findings per program and pile
SEED = 1
VERDICTS = Path(__file__).with_name("verdicts.toml")
# unit: a query, CTE or expression of its own that one could put elsewhere and call by name;
# part: holds or cuts through such a unit; none: lines that happen to look alike
WORDS = ("unit", "part", "none")
SHOWN = 60  # lines of a place in the list


@dataclass(frozen=True, slots=True)
class Result:
    """One program on one pile: what it said, and the judged sample."""

    program: str
    pile: str
    folder: Path
    said: Said
    sample: tuple[Told, ...]


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    work = options.work.resolve()
    mirrors, known = corpora.parse_mirrors(options.mirror), corpora.load()
    results: list[Result] = []
    for pile in PILES:
        folder = corpora.fetch(known[pile], options.cache, mirrors)
        dialect = known[pile].dialect
        for name, said in (
            ("unwet", unwet(folder, dialect, work)),
            ("jscpd", jscpd(folder, work)),
        ):
            results.append(Result(name, pile, folder, said, sample(said.told)))
    verdicts = read_verdicts()
    parts = [
        "## jscpd beside unwet",
        "`python -m bench.jscpd --write`",
        f"jscpd {VERSION} with its own thresholds; it reports pairs, unwet classes.",
        _costs(results),
        f"{SAMPLE} findings per program and pile, drawn with seed {SEED} from all it said, judged "
        "by one reader who saw whose they were. *unit*: a query, CTE or expression that a person "
        "could extract and call by name; *part*: cuts through one; *none*: lines that look alike.",
        _judged(results, verdicts),
    ]
    report = "\n\n".join(parts)
    print(report)
    if options.list:
        options.list.write_text("\n".join(_listed(results, verdicts)), "utf-8")
    if options.write:
        put("jscpd", report)
    return 0


def sample(told: Sequence[Told]) -> tuple[Told, ...]:
    """Some of the findings, the same for the same findings."""
    some = random.Random(SEED).sample(range(len(told)), min(SAMPLE, len(told)))
    return tuple(told[i] for i in sorted(some))


def read_verdicts(file: Path = VERDICTS) -> Mapping[str, str]:
    """The verdict by key; raises ValueError on a word that is none."""
    found = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    for key, entry in found.items():
        if entry["verdict"] not in WORDS:
            raise ValueError(f"{file}: {key}: {entry['verdict']} is none of {', '.join(WORDS)}")
    return {key: entry["verdict"] for key, entry in found.items()}


def _costs(results: Sequence[Result]) -> str:
    lines = [
        "| pile | program | CPU s | wall s | peak MB | findings | places |",
        "| --- | --- | --: | --: | --: | --: | --: |",
    ]
    for r in results:
        cost = r.said.cost
        lines.append(
            f"| {r.pile} | {r.program} | {cost.cpu:.1f} | {cost.seconds:.1f} | "
            f"{cost.peak_mb:.0f} | {len(r.said.told):,} | {r.said.places:,} |"
        )
    return "\n".join(lines)


def _judged(results: Sequence[Result], verdicts: Mapping[str, str]) -> str:
    lines = [
        f"| pile | program | {' | '.join(WORDS)} | not judged |",
        f"| --- | --- |{' --: |' * (len(WORDS) + 1)}",
    ]
    for r in results:
        counts = Counter(verdicts.get(each.key(r.folder), "") for each in r.sample)
        cells = " | ".join(str(counts[word]) for word in (*WORDS, ""))
        lines.append(f"| {r.pile} | {r.program} | {cells} |")
    return "\n".join(lines)


def _listed(results: Sequence[Result], verdicts: Mapping[str, str]) -> Iterator[str]:
    for r in results:
        for each in r.sample:
            key = each.key(r.folder)
            yield f"=== {r.program} {r.pile} [{key}] {each.kind}, {len(each.places)} places: " + (
                verdicts.get(key, "NOT JUDGED")
            )
            for place in each.places[:FIRST]:
                yield f"--- {place}"
                yield from text(r.folder, place).splitlines()[:SHOWN]


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.jscpd", description=__doc__)
    parser.add_argument("--list", type=Path, help="write the sample there, for judging")
    parser.add_argument("--work", type=Path, default=Path("build/jscpd"))
    parser.add_argument("--cache", type=Path, default=corpora.CACHE)
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
