"""The explorer's page: how large it is, what it costs to write, how soon a browser shows it.

    python -m bench.explorer [--pile NAME...] [--runs 5] [--write]

A made-up graph of 1,000 tables x 10 columns, and any piles of corpora.toml that are asked for. In
a headless Chromium: from the start of the navigation to the first contentful paint and to the end
of the first frame of the map (both in the page's own clock), and from the choice of a column to
the end of the frame that shows its lineage. The bar is 1 s for the first frame of the made-up
graph; exit code 1 when its median is above it.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.chromium import Browser, BrowserError, Page
from bench.corpora import fetch, load, parse_mirrors
from bench.errors import BenchError
from bench.results import put
from unwet.lineage.columns import ColumnId, Edge
from unwet.lineage.exports.html import html
from unwet.lineage.findings import Span
from unwet.lineage.graph import Graph
from unwet.lineage.pile import trace

BAR = 1.0
TABLES, WIDTH = 1000, 10
FRAME = "performance.getEntriesByName('unwet-first-frame')[0]?.startTime"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
CHOOSE = """(async () => {
  const start = performance.now();
  location.hash = '#' + %s;
  await new Promise(done => addEventListener('hashchange', done, { once: true }));
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
})()"""


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds in the browser are medians; CPU seconds are those of one run."""

    name: str
    tables: int
    columns: int
    edges: int
    kilobytes: int
    cpu: float
    paint: float
    frame: float
    choose: float

    def __str__(self) -> str:
        return (
            f"| {self.name} | {self.tables:,} | {self.columns:,} | {self.edges:,} "
            f"| {self.kilobytes:,} | {self.cpu:.2f} | {self.paint:.0f} | {self.frame:.0f} "
            f"| {self.choose:.0f} |"
        )


HEAD = (
    "| graph | tables | columns | edges | kB | written, CPU s | first paint, ms "
    "| first frame, ms | a column chosen, ms |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def made_up() -> Graph:
    """Tables in seven layers; each column is fed by one or two of the layer before it."""
    return Graph(_edges())


def _edges() -> Iterator[Edge]:
    for table in range(TABLES // 7, TABLES):
        for column in range(WIDTH):
            for way in range(1 + column % 2):
                before = table - TABLES // 7 if way == 0 else (table * 7919) % (table - 100)
                source = ColumnId(f"area_{before % 12}.table_{before}", f"column_{column}")
                target = ColumnId(f"area_{table % 12}.table_{table}", f"column_{column}")
                at = Span(f"area_{table % 12}/{table}.sql", column + 2, 9 + way, column + 2, 19)
                kind = ("IDENTITY", "TRANSFORMATION", "AGGREGATION")[column % 3]
                yield Edge(source, target, "DIRECT", kind, "certain", (at,))


def measured(name: str, graph: Graph, browser: Browser, folder: Path, runs: int) -> Row:
    _ = graph.edges  # the graph's own work is not the page's
    start = time.process_time()
    page = html(graph)
    cpu = time.process_time() - start
    file = folder / "page.html"
    file.write_text(page, "utf-8")
    busiest = _busiest(graph)
    timings = [_opened(browser, file, str(busiest)) for _ in range(runs)]
    paint, frame, choose = (statistics.median(t) for t in zip(*timings, strict=True))
    return Row(name, len({node.relation for node in graph.nodes}), len(graph.nodes),
               len(graph.edges), len(page.encode()) // 1000, cpu, paint, frame, choose)  # fmt: skip


def _busiest(graph: Graph) -> ColumnId:
    """The column that feeds most others directly."""
    counts: dict[ColumnId, int] = {}
    for edge in graph.direct:
        counts[edge.source] = counts.get(edge.source, 0) + 1
    return max(counts, key=lambda node: (counts[node], node))


def _opened(browser: Browser, file: Path, column: str) -> tuple[float, float, float]:
    page: Page = browser.open(file.as_uri())
    frame = float(page.until(FRAME, 60))
    paint = float(page.until(PAINT, 60))
    choose = float(page.run(CHOOSE % repr(column)))
    if page.complaints:
        raise BenchError(f"the page of {file} complains: {page.complaints[0]}", "")
    page.close()
    return paint, frame, choose


def piles(names: list[str], mirrors: Mapping[str, Path]) -> Iterator[tuple[str, Graph]]:
    """The made-up graph, then the piles; each is gone before the next is read."""
    yield f"made up, {TABLES:,} x {WIDTH}", made_up()
    for name in names:
        corpus = load()[name]
        yield name, trace(fetch(corpus, mirrors=mirrors), dialect=corpus.dialect)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.explorer")
    parser.add_argument("--pile", action="append", default=[], choices=sorted(load()))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    options = parser.parse_args()
    try:
        with Browser() as browser, tempfile.TemporaryDirectory() as folder:
            rows = [
                measured(name, graph, browser, Path(folder), options.runs)
                for name, graph in piles(options.pile, parse_mirrors(options.mirror))
            ]
    except (BenchError, BrowserError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    table = "\n".join([HEAD, *map(str, rows)])
    print(table)
    if options.write:
        command = "".join(f" --pile {name}" for name in options.pile)
        bar = f"The bar is {BAR:.0f} s for the first frame of the first row."
        put(
            "explorer",
            f"## Explorer\n\n`python -m bench.explorer{command} --write`\n\n{table}\n\n{bar}",
        )
    return int(rows[0].frame > BAR * 1000)


if __name__ == "__main__":
    sys.exit(main())
