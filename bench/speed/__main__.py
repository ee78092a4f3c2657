"""CPU of lineage over bare sqlglot[c] parsing of the same texts, growth, and the peers beside.

python -m bench.speed [--piles a,b] [--runs 3] [--peers a,b] [--skip growth,peers] [--write]
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.lineage import tools
from bench.lineage.running import answers
from bench.process import run
from bench.results import put
from bench.speed import piles, table
from bench.speed.table import Peer, Pile, Timing

BAR = 2.0  # times bare parsing, per pile
SIZES = (10_000, 50_000, 200_000, 430_000)
SAMPLES = {"bqetl": 100, "achilles": 60}  # files of a pile that the peers get
LIMIT = 120.0  # seconds per file


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    mirrors = corpora.parse_mirrors(options.mirror)
    found, lost = _piles(options, mirrors)
    parts = [
        "## Speed",
        "`python -m bench.speed --write`",
        f"CPU of `trace()` in one process over bare `sqlglot[c]` parsing of the same texts, "
        f"medians of {options.runs} runs in turn (of the least runs in parentheses); "
        f"bar: {BAR:.0f}.",
        table.ratios(found),
    ]
    for title, name, section in SECTIONS:
        if name in options.skip.split(","):
            continue
        try:
            parts += [title, section(options, mirrors)]
        except BenchError as error:
            lost.append(f"{name}: {error}; {error.help}")
    text = "\n\n".join([*parts, *(f"Not measured: {each}" for each in lost)])
    print(text)
    if options.write:
        put("speed", text)
    return int(bool(lost) or any(pile.ratio(pile.trace) > BAR for pile in found))


def _piles(
    options: argparse.Namespace, mirrors: Mapping[str, Path]
) -> tuple[list[Pile], list[str]]:
    """Measured piles, and why others could not be: a crash loses its pile only."""
    found, lost = [], []
    for name in options.piles.split(","):
        try:
            found.append(_pile(name, options, mirrors))
        except BenchError as error:
            lost.append(f"{name}: {error}; {error.help}")
    return found, lost


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--piles", default=",".join(piles.PILES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", default="datahub,sqlglot,sqllineage,collate-sqllineage")
    parser.add_argument("--skip", default="", help="growth, peers")
    parser.add_argument("--work", type=Path, default=Path("build/speed"))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    return parser.parse_args(words)


def _pile(name: str, options: argparse.Namespace, mirrors: Mapping[str, Path]) -> Pile:
    if name not in piles.PILES:
        raise BenchError(f"no pile {name!r}", f"one of: {', '.join(piles.PILES)}")
    dialect, texts = piles.texts(name, mirrors)
    file = written(name, texts, options.work)
    # in turn, so that what else runs on the machine hits both alike
    runs = [
        [measure(mode, dialect, file, options.work) for mode in ("parse", "trace")]
        for _ in range(options.runs)
    ]
    return Pile(
        name,
        len(texts),
        piles.lines(texts),
        tuple(parse for parse, _ in runs),
        tuple(trace for _, trace in runs),
        (measure("edges", dialect, file, options.work),),
    )


def _growth(options: argparse.Namespace, mirrors: Mapping[str, Path]) -> str:
    dialect, texts = piles.texts("bqetl", mirrors)
    found, lost = [], []
    for size in SIZES:
        some = piles.upto(texts, size)
        file = written(f"growth_{size}", some, options.work)
        try:
            traced, parsed = (
                measure(mode, dialect, file, options.work) for mode in ("trace", "parse")
            )
        except BenchError as error:
            lost.append(f"\n\nNot measured: {size:,} lines: {error}; {error.help}")
        else:
            found.append((piles.lines(some), traced, parsed))
    return table.growth(found) + "".join(lost)


def _peers(options: argparse.Namespace, mirrors: Mapping[str, Path]) -> str:
    names = ["unwet", *filter(None, options.peers.split(","))]
    found = []
    for pile, size in SAMPLES.items():
        dialect, texts = piles.texts(pile, mirrors)
        some = piles.upto(texts, piles.lines(texts))[:size]
        file = written(f"peers_{pile}", some, options.work)
        parsed = measure("parse", dialect, file, options.work)
        said = {name: _ask(name, dialect, some, options.work) for name in names}
        found.append(
            Peer(
                pile,
                len(some),
                piles.lines(some),
                parsed.cpu,
                {name: cpu for name, (cpu, _) in said.items()},
                {name: crashes for name, (_, crashes) in said.items()},
            )
        )
    return table.peers(found)


def _ask(name: str, dialect: str, texts: Sequence[str], work: Path) -> tuple[float, int]:
    """CPU seconds and crashes of a tool over texts, one after the other; a hang counts in full."""
    questions = [
        {"id": str(i), "sql": text, "dialect": dialect, "schema": {}, "default_schema": ""}
        for i, text in enumerate(texts)
    ]
    python = tools.python(name, Path("build/lineage"))
    command = [str(python), "-W", "ignore", "-m", "bench.lineage.worker", tools.TOOLS[name].adapter]
    found = list(answers(command, questions, LIMIT, work / f"peer_{name}.log"))
    hung = sum(LIMIT for answer in found if answer.crash.startswith("no answer"))
    return sum(a.cpu for a in found) + hung, sum(bool(a.crash) for a in found)


def written(name: str, texts: Sequence[str], work: Path) -> Path:
    """The file that holds the texts for a child."""
    file = work / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(texts), "utf-8")
    return file


def measure(mode: str, dialect: str, file: Path, work: Path, jobs: int = 1) -> Timing:
    """One run of `bench.speed.child`; raises BenchError."""
    child = [mode, dialect, str(file), str(jobs)]
    command = [sys.executable, "-W", "ignore", "-m", "bench.speed.child", *child]
    log = work / f"{file.stem}_{mode}.log"
    done = run(command, log)
    if done.code:
        raise BenchError(f"{mode} of {file.stem} ended with {done.code}", f"see {log}")
    return Timing(**json.loads(done.output.splitlines()[-1]))


Section = Callable[[argparse.Namespace, Mapping[str, Path]], str]
SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("Growth, seeded parts of bqetl, one process:", "growth", _growth),
    ("Peers, CPU over bare parsing (crashes):", "peers", _peers),
)

if __name__ == "__main__":
    sys.exit(main())
