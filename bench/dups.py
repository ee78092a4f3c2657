"""What `unwet dups` tells of whole piles: families by kind, copied lines, lines saved, and cost.

python -m bench.dups [--piles achilles,almanac,mimic,shop] [--mirror OWNER/NAME=GITDIR] [--write]
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import corpora
from bench.errors import BenchError
from bench.process import Run, run
from bench.results import put
from unwet.fixtures.shop.case import HOME

PILES = ("achilles", "almanac", "mimic", "shop")
KINDS = ("exact", "parametric", "core", "near")
PARTS = ("branch", "item", "expression")


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    rows = []
    try:
        mirrors = corpora.parse_mirrors(options.mirror)
        for name in options.piles.split(","):
            rows.append(_row(name, *_found(name, mirrors, options.work)))
    except BenchError as error:
        print(f"error: {error}", *([f"help: {error.help}"] if error.help else []), sep="\n",
              file=sys.stderr)  # fmt: skip
        return 2
    text = "\n\n".join(["## Families", f"`python -m bench.dups --piles {options.piles} --write`",
                        _NOTE, table(rows)])  # fmt: skip
    print(text)
    if options.write:
        put("dups", text)
    return 0


_NOTE = """Families by kind, and how many of them are of parts of queries: branches of set operations,
items of one SELECT, expressions. Copied lines stand in exact and parametric copies; saved are printed lines."""  # noqa: E501


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.dups")
    add = parser.add_argument
    add("--piles", default=",".join(PILES), help=f"names in corpora.toml, or shop; {PILES}")
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/dups"), help="where results are written")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


def _found(name: str, mirrors: Mapping[str, Path], work: Path) -> tuple[Mapping[str, Any], Run]:
    """The JSON of `unwet dups` on a pile, and what it cost. Raises BenchError without JSON."""
    if name == "shop":
        asked = [str(HOME / "pile"), "--dialect", "postgres", "--schema", str(HOME / "schema.sql")]
    else:
        known = corpora.load()
        if name not in known:
            raise BenchError(f"no such pile: {name}", f"known: {', '.join([*known, 'shop'])}")
        corpus = known[name]
        folder = corpora.fetch(corpus, mirrors=mirrors)
        asked = [*(str(folder / path) for path in corpus.paths), "--dialect", corpus.dialect]
    result = work / f"{name}.json"
    result.parent.mkdir(parents=True, exist_ok=True)
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "unwet", "dups", *asked, "-q", "--format", "json"]
    done = run([*command, "-o", str(result)], work / f"{name}.log")
    if not result.exists():
        last = (done.output.strip().splitlines() or ["it printed nothing"])[-1]
        raise BenchError(f"unwet dups {name} left no result (exit code {done.code}): {last}")
    return json.loads(result.read_text("utf-8")), done


def _row(name: str, found: Mapping[str, Any], done: Run) -> list[str]:
    families = found["families"]
    kinds = Counter(family["kind"] for family in families)
    parts = Counter(family["what"] for family in families)
    share = found["duplicated_lines"] / found["lines"] if found["lines"] else 0.0
    return [
        name,
        f"{found['lines']:,}",
        *(f"{kinds[kind]:,}" for kind in KINDS),
        *(f"{parts[part]:,}" for part in PARTS),
        f"{share:.0%}",
        f"{sum(family['saves'] for family in families):,}",
        f"{done.cpu:.1f}",
        f"{done.peak_mb:,.0f}",
    ]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown, a line a pile."""
    head = ["pile", "lines", *KINDS, *PARTS, "copied lines", "saved", "CPU s", "peak MB"]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " --: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


if __name__ == "__main__":
    sys.exit(main())
