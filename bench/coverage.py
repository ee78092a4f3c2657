"""How many real files give column lineage without any schema, each file alone.

    python -m bench.coverage [--peers a,b] [--files 300] [--seed 1] [--write]

A seeded sample of the Mozilla pile (bench/corpora.toml). The bar is 85 % of files with an edge
between named columns: that is stricter than any edge, as `x.* -> view.*` of a bare star is not
counted. Files that unwet finds no named columns in are listed in build/coverage/nothing.md.
"""

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.lineage import tools
from bench.lineage.running import answers
from bench.lineage.scoring import Answer
from bench.results import put

BAR = 85.0  # percent of files with at least one edge between named columns
LIMIT = 60.0  # seconds per file
PILE = "bqetl_genonly"
OURS = "unwet"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Numbers of files: with any column edge, with one between named columns, with a relation."""

    files: int
    any: int
    named: int
    relations: int
    edges: int
    crashes: int
    cpu: float


def sample(folder: Path, size: int, seed: int) -> list[Path]:
    """Some of the .sql files below a folder, the same ones for the same seed."""
    found = sorted(folder.rglob("*.sql"), key=lambda path: path.relative_to(folder).as_posix())
    return sorted(random.Random(seed).sample(found, min(size, len(found))))


def covered(found: Sequence[Answer]) -> Coverage:
    """Sum up one tool's answers; an edge from "?" is none."""
    known = [[e for e in answer.columns if e.source_relation not in ("", "?")] for answer in found]
    return Coverage(
        files=len(found),
        any=sum(bool(edges) for edges in known),
        named=sum(
            any("*" not in (edge.source_column, edge.target_column) for edge in edges)
            for edges in known
        ),
        relations=sum(bool(answer.tables.sources) for answer in found),
        edges=sum(len(set(edges)) for edges in known),
        crashes=sum(bool(answer.crash) for answer in found),
        cpu=sum(answer.cpu for answer in found),
    )


def table(rows: Mapping[str, Coverage]) -> str:
    """One row per tool, percent of all files."""
    lines = [
        "| tool | files | column edges % | between named columns % | relations read % | edges "
        "| crashes | CPU s |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for tool, c in rows.items():
        shares = " | ".join(f"{100 * n / c.files:.1f}" for n in (c.any, c.named, c.relations))
        lines.append(f"| {tool} | {c.files} | {shares} | {c.edges:,} | {c.crashes} | {c.cpu:.1f} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    try:
        found = _run(options)
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    rows = {tool: covered(list(each.values())) for tool, each in found.items()}
    text = (
        f"## Coverage without a schema\n\n`python -m bench.coverage --write`\n\n"
        f"{options.files} files of {PILE}, seed {options.seed}, each alone; bar: {BAR:.0f} % with "
        f"edges between named columns (`x.* -> view.*` of a bare star is none).\n\n{table(rows)}"
    )
    print(text)
    _list_nothing(found[OURS], options.work)
    if options.write:
        put("coverage", text)
    return int(100 * rows[OURS].named / rows[OURS].files < BAR or rows[OURS].crashes > 0)


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.coverage", description=__doc__)
    parser.add_argument("--peers", default="datahub,sqlglot")
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="the pile, when it is on this machine")
    parser.add_argument("--work", type=Path, default=Path("build/coverage"))
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    return parser.parse_args(words)


def _run(options: argparse.Namespace) -> dict[str, dict[str, Answer]]:
    mirrors = corpora.parse_mirrors(options.mirror)
    pile = corpora.load()[PILE]
    folder = options.folder or corpora.fetch(pile, corpora.CACHE, mirrors)
    questions = [
        {
            "id": path.relative_to(folder).as_posix(),
            "sql": path.read_text("utf-8"),
            "dialect": pile.dialect,
            "schema": {},
            "default_schema": "",
        }
        for path in sample(folder, options.files, options.seed)
    ]
    names = [OURS, *filter(None, options.peers.split(","))]
    return {name: _ask(name, questions, options.work) for name in names}


def _ask(name: str, questions: Sequence[Mapping[str, object]], work: Path) -> dict[str, Answer]:
    python = tools.python(name, Path("build/lineage"))
    command = [str(python), "-W", "ignore", "-m", "bench.lineage.worker", tools.TOOLS[name].adapter]
    found = answers(command, questions, LIMIT, work / f"{name}.log")
    return {answer.id: answer for answer in found}


def _list_nothing(found: Mapping[str, Answer], work: Path) -> None:
    lines = [
        f"- {id}{': ' + answer.crash if answer.crash else ''}"
        for id, answer in sorted(found.items())
        if not covered([answer]).named
    ]
    file = work / "nothing.md"
    file.write_text(
        "\n".join([f"# {len(lines)} files without edges between named columns", "", *lines, ""])
    )
    print(f"{file}: {len(lines)} files without edges between named columns", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
