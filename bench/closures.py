"""What a closure costs in a graph of 200,000 edges: milliseconds of CPU, building told apart.

    python -m bench.closures [--pile DIR --dialect NAME] [--runs 300] [--write]

Two graphs. *made*: 2,050 tables of 20 columns in 41 layers, every column fed by five of the three
layers above, so that one closure reaches most of the graph: the hard case. *bqetl*: the column
graph of the corpus `bqetl_genonly` (bench.corpora fetches it; `--pile` gives another folder).
The bar is 50 ms for the slowest closure. Exit code 1 when one is slower.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.results import put
from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.graph import Graph, Kinds
from unwet.lineage.pile import load

BAR = 50.0  # ms
LAYERS, TABLES, COLUMNS, FED_BY = 41, 50, 20, 5
HEAD = """| graph | closure | nodes | edges | build ms | mean ms | worst ms | most reached |
| --- | --- | --: | --: | --: | --: | --: | --: |"""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of closure in one graph."""

    graph: str
    closure: str
    nodes: int
    edges: int
    build: float
    times: tuple[float, ...]
    reached: int

    def __str__(self) -> str:
        mean = sum(self.times) / len(self.times)
        return (
            f"| {self.graph} | {self.closure} | {self.nodes:,} | {self.edges:,} | {self.build:.0f} "
            f"| {mean:.3f} | {max(self.times):.2f} | {self.reached:,} |"
        )


def made(seed: int = 1) -> Graph:
    """The layered graph of the module's docstring."""
    return Graph(_made_edges(random.Random(seed)))


def _made_edges(chance: random.Random) -> Iterator[Edge]:
    layers = [
        [ColumnId(f"l{at}.t{t}", f"c{c}") for t in range(TABLES) for c in range(COLUMNS)]
        for at in range(LAYERS)
    ]
    for at in range(1, LAYERS):
        above = [node for layer in layers[max(0, at - 3) : at] for node in layer]
        for target in layers[at]:
            for source in chance.sample(above, FED_BY):
                yield Edge(source, target, "DIRECT", "TRANSFORMATION", "certain")


Job = Callable[[ColumnId], Sequence[object]]


def measure(name: str, graph: Graph, runs: int) -> list[Row]:
    """Closures of every kind from the same random columns, and from the most connected ones."""
    nodes = graph.nodes
    starts = random.Random(2).sample(nodes, min(runs, len(nodes)))
    jobs: list[tuple[str, Kinds, Job]] = [
        ("upstream", "direct", graph.upstream),
        ("downstream", "direct", graph.downstream),
        ("impact (downstream, all)", "all", graph.impact),
        ("around, all", "all", lambda one: graph.around(one, kinds="all").edges),
    ]
    rows = []
    for closure, kinds, job in jobs:
        edges = len(graph.of_kinds(kinds))
        build = _timed(job, nodes[0])[0]
        # edges with all their places take longer to collect than the closure does to find
        some = starts[:: 20 if closure.startswith("around") else 1]
        times, most = _times(job, some)
        rows.append(Row(name, closure, len(nodes), edges, build, times, most))
    return rows


def _times(job: Job, starts: Sequence[ColumnId]) -> tuple[tuple[float, ...], int]:
    """Milliseconds of each, the best of three for those that reach most; and the most reached."""
    found = [_timed(job, start) for start in starts]
    hard = sorted(range(len(starts)), key=lambda i: -len(found[i][1]))[:10]
    times = [found[i][0] for i in range(len(starts)) if i not in hard]
    times += [min(_timed(job, starts[i])[0] for _ in range(3)) for i in hard]
    return tuple(times), max(len(each) for _, each in found)


def _timed(job: Job, start: ColumnId) -> tuple[float, Sequence[object]]:
    began = time.process_time()
    result = job(start)
    return (time.process_time() - began) * 1000, result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.closures")
    parser.add_argument("--pile", type=Path, help="a folder of SQL instead of the corpus")
    parser.add_argument("--dialect", default="bigquery")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    options = parser.parse_args()
    try:
        known = corpora.load()["bqetl_genonly"]
        pile = options.pile or corpora.fetch(known, mirrors=corpora.parse_mirrors(()))
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    rows = measure("made", made(), options.runs)
    real = load(str(pile), options.dialect).graph
    rows += measure("bqetl", real, options.runs)
    table = "\n".join([HEAD, *map(str, rows)])
    print(table)
    if options.write:
        said = (
            f"CPU milliseconds of {options.runs} closures each; the bar is {BAR:.0f} ms. *around* "
            "also collects the edges of the closure, with all their places, and has no bar."
        )
        put(
            "closures",
            f"## Closures of a column\n\n`python -m bench.closures --write`: {said}\n\n{table}",
        )
    return int(any(max(row.times) > BAR for row in rows if "around" not in row.closure))


if __name__ == "__main__":
    sys.exit(main())
