"""python -m bench.refactor [PILE...]: the main job on real piles; see README.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.refactor.outcome import measured
from bench.refactor.piles import PILES
from bench.refactor.table import HEAD, section
from bench.results import put


def main(words: Sequence[str] | None = None) -> int:
    options = _parse(words)
    names = options.piles or list(PILES)
    if options.write:
        put("refactor", HEAD)
    try:
        mirrors = corpora.parse_mirrors(options.mirror)
        for name in names:
            print(f"bench: {name}", file=sys.stderr, flush=True)
            text = section(measured(name, options.work, mirrors, options.target))
            print(f"{text}\n")
            if options.write:
                kind = "" if options.target == "dbt" else f"-{options.target}"
                put(f"refactor-{name}{kind}", text)
    except BenchError as error:
        print(f"error: {error}", *([f"help: {error.help}"] if error.help else []), sep="\n",
              file=sys.stderr)  # fmt: skip
        return 2
    return 0


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.refactor")
    add = parser.add_argument
    add("piles", nargs="*", metavar="PILE", help=f"default: all of {', '.join(PILES)}")
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/refactor"), help="where everything is written")
    add("--target", choices=("dbt", "sqlmesh"), default="dbt", help="the kind of project")
    add("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
