"""Lineage against execution: python -m bench.oracle [PILE...] [--write]; see README.md."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.corpora import parse_mirrors
from bench.errors import BenchError
from bench.oracle import piles
from bench.oracle.influence import Column, Observed, Script, missing, observe
from bench.results import put
from unwet import Source, trace
from unwet.lineage.columns import ColumnId
from unwet.lineage.graph import Graph

NAMES = ("shop", "tpc-h", "tpc-ds")


@dataclass
class Score:
    """What was seen in one pile, and how much of it the lineage has."""

    name: str
    scripts: int = 0
    ran: int = 0
    with_rows: int = 0
    influences: int = 0
    values: int = 0
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    direct: int = 0
    shown: int = 0


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        scores = [_score(pile, options.limit) for pile in _piles(options)]
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    text = _text(scores, options.limit)
    print(text)
    for score in scores:
        for each in (*score.failed, *score.wrong):
            print(f"{score.name}: {each}", file=sys.stderr)
    if options.write:
        put("oracle", text)
    return int(any(score.wrong for score in scores))


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.oracle")
    parser.add_argument("piles", nargs="*", metavar="PILE", help=", ".join(NAMES))
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="only every N-th script")
    parser.add_argument("--work", type=Path, default=Path("build/oracle"))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args(words)
    unknown = set(options.piles) - set(NAMES)
    if unknown:
        parser.error(f"no pile {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


def _piles(options: argparse.Namespace) -> Iterable[piles.Pile]:
    mirrors = parse_mirrors(options.mirror)
    for name in options.piles or NAMES:
        if name == "shop":
            yield piles.shop(options.work)
            continue
        if "tobymao/sqlglot" not in mirrors:
            raise BenchError(
                f"{name} needs sqlglot's repository", "--mirror tobymao/sqlglot=GITDIR"
            )
        yield piles.tpc(name, mirrors["tobymao/sqlglot"], options.work)


def _score(pile: piles.Pile, every: int) -> Score:
    score = Score(pile.name)
    schema = {name: list(columns) for name, columns in pile.world.tables.items()}
    for script in pile.scripts[:: every or 1]:
        score.scripts += 1
        seen = observe(pile.world, script)
        if seen.error:
            score.failed.append(f"{script.name}: {seen.error}")
            continue
        score.ran += 1
        score.with_rows += seen.rows > 0
        own = {name: columns for name, columns in schema.items() if name not in script.drops}
        graph = trace(Source(script.name, script.text), pile.dialect, own)
        _add(score, script, seen, graph, frozenset(own))
    return score


def _add(score: Score, script: Script, seen: Observed, graph: Graph, base: frozenset[str]) -> None:
    edges = {name: _sources(graph, script, name, "all", base) for name in seen.outputs}
    direct = {name: _sources(graph, script, name, "direct", base) for name in seen.outputs}
    score.influences += sum(map(len, seen.influences.values()))
    score.values += sum(map(len, seen.marked.values()))
    for source, output, kind in missing(seen, edges, direct):
        score.wrong.append(f"{script.name}: {kind} of {'.'.join(source)} on {output} is no edge")
    told = [(source, output) for output, sources in direct.items() for source in sources]
    score.direct += len(told)
    score.shown += sum(output in seen.influences.get(source, ()) for source, output in told)


def _sources(
    graph: Graph, script: Script, output: str, kinds: str, base: frozenset[str]
) -> tuple[Column, ...]:
    """The base columns behind an output, temporary tables of the script read through."""
    column = ColumnId(script.result, output)
    above = graph.upstream(column, None, "direct" if kinds == "direct" else "all")
    return tuple(
        (node.relation, node.column.split(".")[0]) for node in above if node.relation in base
    )


def _text(scores: Sequence[Score], every: int) -> str:
    limit = f" --limit {every}" if every else ""
    rows = [
        f"| {s.name} | {s.scripts} | {s.ran} | {s.with_rows} | {s.influences:,} | {s.values:,} |"
        f" {len(s.wrong)} | {s.direct:,} | {s.shown / s.direct if s.direct else 0:.0%} |"
        for s in scores
    ]
    return "\n".join(
        [
            "## Lineage against execution",
            "",
            f"`python -m bench.oracle{limit} --mirror tobymao/sqlglot=GITDIR --write`",
            "",
            "One column of one table is changed, and the outputs that change are compared with the"
            " edges. Every influence that was seen must be an edge of some kind, every value that"
            " came out again a DIRECT one; a DIRECT edge that no change shows is not wrong for it.",
            "",
            "| pile | scripts | ran | with rows | influences seen | values seen | not in the"
            " lineage | DIRECT edges | of them seen |",
            "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
            *rows,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
