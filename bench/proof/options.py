"""What the commands about data from the queries alone are asked in one way."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bench import corpora
from bench.proof import piles


def parser(prog: str, unit: str, details: str) -> argparse.ArgumentParser:
    """The options that they share; ``unit`` and ``details`` say what is shown and written."""
    made = argparse.ArgumentParser(prog=f"python -m {prog}")
    add = made.add_argument
    add("piles", nargs="*", metavar="PILE", help=f"of {', '.join(piles.PILES)} (default: all)")
    add("--unit", default="", metavar="NAME", help=unit)
    add("--cache", type=Path, default=corpora.CACHE)
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--details", type=Path, default=Path("build/proof"), help=details)
    add("--write", action="store_true", help="put the tables into RESULTS.md")
    return made


def parsed(made: argparse.ArgumentParser, words: Sequence[str] | None) -> argparse.Namespace:
    """The words; ends the program where a pile is not known."""
    options = made.parse_args(words)
    for name in options.piles:
        if name not in piles.PILES:
            made.error(f"no pile {name!r}: one of {', '.join(piles.PILES)}")
    return options
